"""Runs the bench: `python -m stimbench.web.bench_process FD`, started by the server with a socket.

The run that is to be repeated comes on standard input, as JSON. No threads: a bench can be copied by fork.
With the file of a wired bench as a second word it runs that one, which repeats nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time

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
    if len(sys.argv) > 2:
        _serve_wired(end, sys.argv[2])
    else:
        _serve_emulated(end, run)
    os._exit(0)  # nothing is to be kept, and taking a bench apart takes a while


def _serve_emulated(end: BenchEnd, run: Run) -> None:
    from stimbench.web.described import table
    from stimbench.web.stand import BenchStand

    end.send(Kind.TABLE, table())
    try:
        stand = BenchStand(end, run)
    except (BenchError, StimbenchError) as error:
        end.send(Kind.FAILED, {"error": str(error)})
        return
    with contextlib.suppress(BrokenPipeError):
        stand.serve()


def _serve_wired(end: BenchEnd, path: str) -> None:
    from stimbench.rig.file import load_bench_file
    from stimbench.web.capturing import CaptureProcess
    from stimbench.web.described import table
    from stimbench.web.needs import ON_A_WIRED_BENCH
    from stimbench.web.wired_stand import WiredStand

    begin_s = time.monotonic()
    end.send(Kind.TABLE, table(ON_A_WIRED_BENCH.__getitem__))
    try:
        file = load_bench_file(path)
        stand = WiredStand(end, file, captures=CaptureProcess(file, begin_s), begin_s=begin_s)
    except StimbenchError as error:
        end.send(Kind.FAILED, {"error": str(error)})
        return
    try:
        with contextlib.suppress(BrokenPipeError):
            stand.serve()
    finally:
        stand.close()


if __name__ == "__main__":
    main()
