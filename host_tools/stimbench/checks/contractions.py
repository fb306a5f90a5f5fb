"""A lead's pulses against the contractions that its programme asks for.

The programme says what should be there; nothing of the firmware's own arithmetic is used: a ramp is a
straight line from nothing to the full amplitude, one step a period, so that pulse `k` of `n` has
`(k + 1) / (n + 1)` of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.pulses import Pulses
from stimbench.capture.channels import Floats, Times

__all__ = ("Contractions", "Expected", "place")

_EARLY = 0.5
"""A pulse that comes in less than half a period is one too many."""
_ON_GRID = 0.1
_SHORTER = 0.9
_FEW = 8
_LEAST_REST_NS = 15_000_000


@dataclass(frozen=True)
class Expected:
    """What a programme asks of one lead, in ns and pulses."""

    width_ns: int
    gap_ns: int
    period_ns: int
    up: int
    """Pulses in the ramp up."""
    hold: int
    down: int
    off_ns: int
    amplitude_ua: int

    @classmethod
    def of(cls, program: Program, lead: str) -> Expected:
        """From a programme."""
        period_us = program.period_us
        up, hold, down = (
            each * 1000 // period_us for each in (program.ramp_up_ms, program.on_ms, program.ramp_down_ms)
        )
        # Times are cut to whole periods one after the other, as a contraction is one train.
        down_from = up + hold
        return cls(
            program.width_us * 1000, program.gap_us * 1000, period_us * 1000, up, down_from - up, down,
            program.off_ms * 1_000_000, program.amplitude_ua[LEADS.index(lead)],
        )  # fmt: skip

    @property
    def pulses(self) -> int:
        """In one contraction."""
        return self.up + self.hold + self.down

    @property
    def rest_ns(self) -> int:
        """Two pulses this far apart belong to different contractions.

        Where a rest is short, a missing pulse may look like one: then it lacks at the end of a contraction
        instead. With a rest of nothing the board still needs some 30 ms between two contractions.
        """
        return self.period_ns + max(self.off_ns // 2, _LEAST_REST_NS)

    def share(self, index: NDArray[np.int64]) -> Floats:
        """The share of the full amplitude of pulse `index` of a contraction, from 0; 0 behind its end."""
        up = (index + 1) / (self.up + 1)
        down = (self.pulses - index) / (self.down + 1)
        return np.clip(np.minimum(np.minimum(up, down), 1.0), 0.0, 1.0)


@dataclass(frozen=True)
class Contractions:
    """Where each pulse of a lead belongs.

    Attributes:
        number: of the contraction of each pulse, from 0, shape (n,).
        index: of the pulse in its contraction, in periods since its first one, shape (n,).
        begins_ns, ends_ns: first and last pulse of each contraction, shape (k,).
        whole: whether the capture holds the begin and the end of each contraction, shape (k,).
        missing_ns: when pulses should have begun that are not there.
        extra_ns: when pulses began that are too many.
        kept: whether a pulse is none of those, shape (n,).
    """

    number: Times
    index: Times
    begins_ns: Times
    ends_ns: Times
    whole: NDArray[np.bool_]
    missing_ns: Times
    extra_ns: Times
    kept: NDArray[np.bool_]


def place(
    pulses: Pulses, expected: Expected, start_ns: int, end_ns: int, may_stop: bool = False
) -> Contractions:
    """Find the contractions in a train.

    Args:
        pulses: shape (n,), dtype PULSE.
        expected: of the programme.
        start_ns: where the capture begins.
        end_ns: where it ends.
        may_stop: the last contraction may have been stopped: its length says nothing.
    """
    start, period = pulses["start_ns"], expected.period_ns
    step = np.diff(start, prepend=start[:1])
    early = (step < period * _EARLY) & (np.arange(len(start)) > 0)
    kept: NDArray[np.bool_] = ~early
    number: Times = np.cumsum(_begins(start, step, expected) & kept, dtype=np.int64)
    begins = start[np.concatenate(([0], np.flatnonzero(np.diff(number)) + 1))] if len(start) else start
    since = start - begins[number]
    index = np.rint(since / period).astype(np.int64)
    last_of = np.flatnonzero(np.append(np.diff(number) > 0, True)) if len(start) else np.empty(0, np.int64)
    ends = start[last_of]
    # Cut by the begin of the capture: less than a period of silence before. By its end: likewise behind.
    whole = (begins - start_ns > period) & (end_ns - ends > 2 * period)
    if may_stop:
        whole[-1:] = False
    missing = _missing(start[kept], number[kept], period)
    tails = _short_tails(begins, ends, whole, expected)
    beyond = kept & (index >= expected.pulses)
    extra = np.concatenate([start[early], start[beyond]])
    return Contractions(
        number, index, begins, ends, whole, np.sort(np.concatenate([missing, tails])), np.sort(extra),
        kept & ~beyond,
    )  # fmt: skip


def _begins(start: Times, step: Times, expected: Expected) -> NDArray[np.bool_]:
    """Which pulses begin a contraction: after a rest, or what looks like one.

    A gap of whole periods inside a contraction is not a rest: pulses are missing there.
    """
    period, found = expected.period_ns, np.zeros(len(start), dtype=np.bool_)
    shorter_ns = max((expected.off_ns + period) * _SHORTER, _FEW * period)
    begin_ns = int(start[0]) if len(start) else 0
    for at in np.flatnonzero(step >= expected.rest_ns).tolist():
        since = int(start[at]) - begin_ns
        index = round(since / period)
        on_grid = abs(since - index * period) < period * _ON_GRID
        if on_grid and index < expected.pulses and step[at] < shorter_ns:
            continue
        found[at], begin_ns = True, int(start[at])
    return found


def _missing(start: Times, number: Times, period: int) -> Times:
    """The pulses that should be between two that are more than a period apart."""
    step = np.diff(start)
    lacks = np.where(np.diff(number) == 0, np.rint(step / period).astype(np.int64) - 1, 0)
    lacks = np.maximum(lacks, 0)
    which = np.repeat(np.arange(len(step)), lacks)
    nth = np.arange(lacks.sum()) - np.repeat(np.cumsum(lacks) - lacks, lacks) + 1
    missing: Times = start[which] + nth * period
    return missing


def _short_tails(begins: Times, ends: Times, whole: NDArray[np.bool_], expected: Expected) -> Times:
    """The pulses that lack at the end of contractions that are whole."""
    lacks = expected.pulses - 1 - np.rint((ends - begins) / expected.period_ns).astype(np.int64)
    lacks = np.where(whole, np.maximum(lacks, 0), 0)
    which = np.repeat(np.arange(len(ends)), lacks)
    nth = np.arange(lacks.sum()) - np.repeat(np.cumsum(lacks) - lacks, lacks) + 1
    missing: Times = ends[which] + nth * expected.period_ns
    return missing
