"""A run repeated to its end without a server, to be saved: its states at fixed times of the bench."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stimbench.web import news, recorded
from stimbench.web.channel import Kind
from stimbench.web.described import table
from stimbench.web.history import History
from stimbench.web.record import Record
from stimbench.web.run_file import Acted, Run
from stimbench.web.saved_run import SavedRun, firmware_images
from stimbench.web.stand import BenchStand

__all__ = ("repeated_run",)

_SLICE_NS = 5_000_000
"""So far a state's time is off at most."""


class _Recorder:
    """In the place of the server's end: takes what the bench's process tells, as web.hub does."""

    closed = False
    unsent = 0

    def __init__(self) -> None:
        self.record, self.history = Record(), History()
        self.acted: list[Acted] = []

    def messages(self) -> list[tuple[Kind, Any]]:
        return []

    def wait(self, seconds: float | None) -> None:
        pass

    def send(self, kind: Kind, body: Any = b"") -> None:
        if kind is Kind.RECORD:
            self.record.add(*news.unpacked(body))
        elif kind is Kind.ACTED:
            self.acted.append((body[0], body[1], body[2]))
        elif kind is Kind.STATE:
            state = json.loads(json.dumps(body))  # as it comes to a page
            recorded.complete(state, self.record)
            self.history.add(state)


class _Repeating(BenchStand):
    """Its clock is the bench's own: so states come each 0.1 s of it, on any machine."""

    def __init__(self, recorder: _Recorder, run: Run) -> None:
        super().__init__(recorder, run, self._now_s)  # type: ignore[arg-type]

    def _now_s(self) -> float:
        bench = getattr(self, "bench", None)
        return bench.now_ns / 1e9 if bench is not None else 0.0

    def _slice_ns(self) -> int:
        return _SLICE_NS

    def finish(self) -> None:
        """Do what the run's last instant has, and tell what is left to tell."""
        self._do_due()
        self._tell(at_once=True)
        self._tell_state()


def repeated_run(run: Run, on_progress: Callable[[int], None] = lambda _: None) -> SavedRun:
    """The run, repeated as fast as it goes: an emulated minute takes some seconds.

    Args:
        run: to be repeated to `until_ns`.
        on_progress: told the bench's time in ns, often.

    Raises:
        BenchError: the bench cannot be built, for example without a firmware image.
    """
    recorder, firmware = _Recorder(), firmware_images()
    stand = _Repeating(recorder, run)
    while stand.repeating:
        stand.step()
        on_progress(stand.bench.now_ns)
    stand.finish()
    lived = Run(config=run.config, actions=recorder.acted, until_ns=recorder.record.end_ns)
    return SavedRun.of(lived, recorder.record, recorder.history.packed(), table(), firmware)
