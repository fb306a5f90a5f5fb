"""Runs the bench: `python -m stimbench.web.bench_process FD`, started by the server with a socket.

The run that is to be repeated comes on standard input, as JSON. No threads: a bench can be copied by fork.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

from stimbench.errors import BenchError, StimbenchError
from stimbench.web.channel import BenchEnd, Kind
from stimbench.web.run_file import Run

__all__ = ("main",)


def main() -> None:
    """Run until the server goes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C is for the server, which closes the socket
    end = BenchEnd(socket.socket(fileno=int(sys.argv[1])))
    run = Run.model_validate_json(sys.stdin.buffer.read())
    from stimbench.web import actions
    from stimbench.web.stand import BenchStand
    from stimbench.web.views import VIEWS

    about = {view.name: view.about() for view in VIEWS}
    end.send(Kind.TABLE, {"views": list(about), "actions": actions.described(), "about": about})
    try:
        stand = BenchStand(end, run)
    except (BenchError, StimbenchError) as error:
        end.send(Kind.FAILED, {"error": str(error)})
        return
    with contextlib.suppress(BrokenPipeError):
        stand.serve()
    os._exit(0)  # nothing is to be kept, and taking a bench apart takes a while


if __name__ == "__main__":
    main()
