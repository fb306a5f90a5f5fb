"""Records with a wired bench's instruments, one after another, until it is ended.

`python -m stimbench.web.capture_process FD BENCH_FILE BEGIN_S` is started by web.capturing.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stimbench.errors import StimbenchError
from stimbench.instruments.interfaces import CaptureSource
from stimbench.rig.file import load_bench_file
from stimbench.rig.session import RigParts
from stimbench.web.captured import captured_from, packed, placed
from stimbench.web.capturing import CAPTURE_MS
from stimbench.web.channel import Kind, encoded

__all__ = ("Armed", "main", "record_once")

_PAUSE_S = 1.0
"""After a failure: an instrument that is gone is not asked for without a pause."""
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Armed:
    """An instrument that is used again and again.

    Attributes:
        name: as messages call it.
        source: it.
        triggered: whether it waits for a trigger.
    """

    name: str
    source: CaptureSource
    triggered: bool


def record_once(
    armed: Armed, now_ns: Callable[[], int], send: Callable[[Kind, bytes | dict[str, Any]], None]
) -> bool:
    """Arm, take, measure, tell; whether it went well.

    Args:
        armed: with what.
        now_ns: the page's clock.
        send: tells it.
    """
    from_ns = now_ns()
    try:
        with armed.source.recording(CAPTURE_MS) as recording:
            armed_ns = now_ns()
            send(Kind.STATE, {"source": armed.name, "since_ns": armed_ns})
            capture = recording.result()
            done_ns = now_ns()
        place = placed(from_ns, armed_ns, done_ns, capture, armed.triggered)
        send(Kind.CAPTURED, packed(captured_from(capture, armed.name, place)))
    except StimbenchError as error:
        send(Kind.FAILED, {"source": armed.name, "error": str(error)})
        return False
    except OSError:
        raise  # whoever listened has gone
    except Exception as error:  # a capture that breaks our own code is one that failed
        send(Kind.FAILED, {"source": armed.name, "error": f"{type(error).__name__}: {error}."})
        return False
    return True


def record_on(
    sources: Sequence[Armed],
    now_ns: Callable[[], int],
    send: Callable[[Kind, bytes | dict[str, Any]], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Record until whoever listens has gone (OSError), or this process is told to end."""
    while sources:
        for armed in sources:
            if not record_once(armed, now_ns, send):
                sleep(_PAUSE_S)


def main() -> None:
    """Run until it is ended: then the instrument is let go of, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=int(sys.argv[1]))
    file, begin_s = load_bench_file(sys.argv[2]), float(sys.argv[3])
    make = RigParts().make_source
    sources = [Armed(one.entry.name, make(one), one.entry.name in file.triggered) for one in file.sources]

    def now_ns() -> int:
        return round((time.monotonic() - begin_s) * _NS_PER_S)

    def send(kind: Kind, body: bytes | dict[str, Any]) -> None:
        end.sendall(encoded(kind, body))

    with contextlib.suppress(OSError):
        record_on(sources, now_ns, send)


if __name__ == "__main__":
    main()
