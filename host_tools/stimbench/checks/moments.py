"""When a fault came, in the time of a capture. On a wired bench a signal tells, or the host's clock does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.capture.capture import Capture
from stimbench.checks.cases import Case
from stimbench.checks.left_out import MARKERS

__all__ = ("Moment", "Moments", "moment_of")

_MS = 1e6
_BEGINS_MS = 25.0
"""The board's first edge comes at most so long after its reply to START (docs/firmware.md)."""
_GATE_MS = 133.0
"""In the self-test the bridges wait so long after the first edges, until the gate has closed by itself."""
_STAYS_NS = 10_000_000
"""The self-test pulls the magnet's line twice, for 30 us, 20 ms apart. A magnet stays."""
_PAUSE = 5
"""Of KEEPALIVE's usual period: a longer silence is its end."""
_LEAST_RISES = 10
_BEHIND_THE_GATE = {
    "stimulator.MATRIX_CS", *(f"stimulator.{name}" for names in LEAD_SIGNALS.values() for name in names),
}  # fmt: skip


@dataclass(frozen=True)
class Moments:
    """When the host did what, on the clock of the board's console, in s."""

    start_sent_s: float
    started_s: float
    """The reply to START was there."""
    strike_s: float
    struck_s: float


@dataclass(frozen=True)
class Moment:
    """A time in a capture.

    Attributes:
        at_ns: when.
        off_ms: how far it may be off.
    """

    at_ns: int
    off_ms: float


def moment_of(case: Case, capture: Capture, moments: Moments) -> Moment | None:
    """When the fault of a case came; None if it was there before, or the capture does not tell."""
    kind = case.fault.kind
    if not kind.during:
        return None
    if kind.name == "magnet":
        return _change_of(capture, MARKERS[kind.name])
    if kind.name in MARKERS:
        return _end_of(capture, MARKERS[kind.name])
    return _by_the_clock(capture, moments)


def _change_of(capture: Capture, name: str) -> Moment | None:
    """The first edge after which a signal does not come back to its level."""
    if name not in capture.digital or not len(capture.edges(name)):
        return None
    times = capture.edges(name).times_ns
    runs = np.split(times, np.flatnonzero(np.diff(times) > _STAYS_NS) + 1)
    changes = [int(run[0]) for run in runs if len(run) % 2]
    return Moment(changes[0], _step_ms(capture)) if changes else None


def _end_of(capture: Capture, name: str) -> Moment | None:
    """The last pulse of a signal that had come regularly; the fault came within its next period."""
    if name not in capture.digital or len(capture.edges(name).rises_ns) < _LEAST_RISES:
        return None
    rises = capture.edges(name).rises_ns
    usual_ns = float(np.median(np.diff(rises[-_LEAST_RISES:])))  # in the self-test they come more often
    if capture.end_ns - rises[-1] < _PAUSE * usual_ns:
        return None
    return Moment(int(rises[-1]), usual_ns / _MS + _step_ms(capture))


def _by_the_clock(capture: Capture, moments: Moments) -> Moment | None:
    """As long after the board's first edge as the host waited between START and what it did then."""
    names = [name for name in capture.digital if name.startswith("stimulator.") and len(capture.edges(name))]
    if not names:
        return None
    firsts = {name: int(capture.edges(name).times_ns[0]) for name in names}
    first = min(names, key=firsts.__getitem__)
    began_ns = firsts[first] - (round(_GATE_MS * _MS) if first in _BEHIND_THE_GATE else 0)
    waited_s = moments.strike_s - moments.started_s
    asked_s = (moments.started_s - moments.start_sent_s) + (moments.struck_s - moments.strike_s)
    return Moment(began_ns + round(waited_s * 1e9), asked_s * 1000 + _BEGINS_MS)


def _step_ms(capture: Capture) -> float:
    return 1000 / capture.origin.digital_hz if capture.origin.digital_hz else 0.0
