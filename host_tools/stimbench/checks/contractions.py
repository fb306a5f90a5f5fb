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
from stimbench.checks.alignment import cut_shift, late_shift

__all__ = ("Around", "Contractions", "Expected", "place")

_EARLY = 0.5
"""Of two pulses that are at most half a period apart one is too many."""
_ON_GRID = 0.1
_LAST = 3
_SHORTER = 0.9
_FEW = 8
_LEAST_REST_NS = 15_000_000
_SURE = 1.5
"""Without switches: a pulse is seen for sure if it has so many times the least current of a pulse."""


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
        begins_ns, ends_ns: first and last pulse of each contraction, shape (k,). Pulses of a ramp that are
            too small to be seen count.
        begun: whether the capture holds the begin of each contraction, shape (k,).
        whole: whether the capture holds the begin and the end of each contraction, shape (k,).
        missing_ns: when pulses should have begun that are not there.
        extra_ns: when pulses began that are too many.
        kept: whether a pulse is none of those, shape (n,).
    """

    number: Times
    index: Times
    begins_ns: Times
    ends_ns: Times
    begun: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    missing_ns: Times
    extra_ns: Times
    kept: NDArray[np.bool_]


@dataclass(frozen=True)
class Around:
    """What is known besides the pulses.

    Attributes:
        start_ns, end_ns: where the capture begins and ends.
        from_start: the session begins in the capture, so that its first contraction does, too.
        may_stop: the last contraction may have been stopped: its length says nothing.
        levels_ua: amplitude of each pulse, shape (n,); None without a current. A ramp tells by it which
            pulses of a contraction are there.
        least_ua: a smaller pulse was not seen; 0 if the switches tell.
    """

    start_ns: int
    end_ns: int
    from_start: bool = False
    may_stop: bool = False
    levels_ua: Floats | None = None
    least_ua: float = 0.0


def place(pulses: Pulses, expected: Expected, around: Around) -> Contractions:
    """Find the contractions in a train: pulses of shape (n,), dtype PULSE.

    If the first pulse of a contraction without ramps is missing, nothing tells it from the last one.
    """
    start, period = pulses["start_ns"], expected.period_ns
    good = ~_too_many(start, period)
    train = _Train(start[good], expected)
    firsts, lasts = train.firsts, train.lasts
    begins, ends = train.starts[firsts], train.starts[lasts]
    # Cut by the begin of the capture: less than a period of silence before. By its end: likewise behind.
    begun = begins - around.start_ns > period
    begun[:1] |= around.from_start
    ended = around.end_ns - ends > 2 * period
    if around.may_stop:
        ended[-1:] = False
    shares = None
    if around.levels_ua is not None and expected.amplitude_ua:
        shares = around.levels_ua[good] / expected.amplitude_ua
    shifts = _shifts(train, shares, begun, ended, hides=around.least_ua > 0)
    index = train.index + shifts[train.group]
    missing, hidden = _missing(train, index, shifts, begun, ended, around.least_ua)
    # Every pulse, also one too many, belongs where the last good one does.
    owner = np.cumsum(good) - 1
    beyond = good.copy()
    beyond[good] = index >= expected.pulses
    return Contractions(
        train.group[owner], index[owner], begins - hidden[0] * period, ends + hidden[1] * period, begun,
        begun & ended, missing, np.sort(start[~good | beyond]), good & ~beyond,
    )  # fmt: skip


class _Train:
    """Pulses of which none is too many, cut into contractions."""

    def __init__(self, starts: Times, expected: Expected) -> None:
        self.starts, self.expected = starts, expected
        self.step = np.diff(starts, prepend=starts[:1])
        # From pulse to pulse: over a long contraction two clocks differ by more than a period.
        self.periods = np.maximum(np.rint(self.step / expected.period_ns).astype(np.int64), 1)
        self.periods[:1] = 0
        slot = np.cumsum(self.periods)
        self.is_first = self._begins(slot)
        self.firsts = np.flatnonzero(self.is_first)
        self.lasts = np.append(self.firsts[1:], len(starts))[: len(self.firsts)] - 1
        self.group = np.cumsum(self.is_first) - 1
        self.index = slot - slot[self.firsts][self.group]
        self.length = slot[self.lasts] - slot[self.firsts]
        """Index of the last pulse of each contraction, from its first one on."""

    def _begins(self, slot: Times) -> NDArray[np.bool_]:
        """Which pulses begin a contraction: after a rest, or what looks like one.

        A gap of whole periods inside a contraction is not a rest: pulses are missing there.
        """
        expected, period, begin = self.expected, self.expected.period_ns, 0
        found = np.zeros(len(slot), dtype=np.bool_)
        found[:1] = True
        shorter_ns = max((expected.off_ns + period) * _SHORTER, _FEW * period)
        for at in np.flatnonzero(self.step >= period + _LEAST_REST_NS).tolist():
            step = int(self.step[at])
            complete = slot[at - 1] - slot[begin] >= expected.pulses - 1
            # One of the last pulses may itself have come at a wrong time.
            since = self.starts[at] - self.starts[max(at - _LAST, begin) : at]
            on_grid = bool((np.abs(since - np.rint(since / period) * period) < period * _ON_GRID).any())
            lacks = on_grid and slot[at] - slot[begin] < expected.pulses and step < shorter_ns
            if complete or (step >= expected.rest_ns and not lacks):
                found[at], begin = True, at
        return found


def _too_many(start: Times, period: int) -> NDArray[np.bool_]:
    """Which of two pulses that are at most half a period apart is too many: the one less on time."""
    found = np.zeros(len(start), dtype=np.bool_)
    half = period * _EARLY
    for at in (np.flatnonzero(np.diff(start) <= half) + 1).tolist():
        last = _kept_before(found, at)
        if start[at] - start[last] > half:
            continue
        before = _kept_before(found, last)
        due_ns = start[before] + period
        later_fits = before >= 0 and abs(start[at] - due_ns) < abs(start[last] - due_ns)
        found[last if later_fits else at] = True
    return found


def _kept_before(found: NDArray[np.bool_], at: int) -> int:
    """The last pulse before `at` that is not too many; -1 if there is none."""
    at -= 1
    while at >= 0 and found[at]:
        at -= 1
    return at


def _shifts(
    train: _Train, shares: Floats | None, begun: NDArray[np.bool_], ended: NDArray[np.bool_], hides: bool
) -> Times:
    """The index of the first pulse that is there, of each contraction."""
    expected = train.expected
    shifts = np.zeros(len(train.firsts), dtype=np.int64)
    for at, (first, last, length) in enumerate(zip(train.firsts, train.lasts, train.length, strict=True)):
        own = None if shares is None else shares[first : last + 1]
        if not begun[at]:
            shifts[at] = cut_shift(
                own, int(length), expected.up, expected.down, expected.pulses, bool(ended[at])
            )
        elif own is not None and (ended[at] or hides):
            room = max(expected.pulses - 1 - int(length), 0)
            found = late_shift(own, train.index[first : last + 1].astype(np.float64), expected.up)
            shifts[at] = min(found, room)
    return shifts


def _missing(
    train: _Train,
    index: Times,
    shifts: Times,
    begun: NDArray[np.bool_],
    ended: NDArray[np.bool_],
    least_ua: float,
) -> tuple[Times, tuple[Times, Times]]:
    """When pulses lack: before, inside and behind contractions; and how many were too small to be seen."""
    expected, period = train.expected, train.expected.period_ns
    before = np.where(begun, shifts, 0)
    behind = np.where(begun & ended, np.maximum(expected.pulses - 1 - train.length - shifts, 0), 0)
    inside = np.where(train.is_first, 0, np.maximum(train.periods - 1, 0))
    begins, ends = train.starts[train.firsts], train.starts[train.lasts]
    times: list[Times] = []
    hidden: list[Times] = []
    for origin, at, lacks, way in (
        (begins, index[train.firsts], before, -1),
        (ends, index[train.lasts], behind, 1),
        (train.starts, index, inside, -1),
    ):
        which = np.repeat(np.arange(len(lacks)), lacks)
        nth = way * (np.arange(lacks.sum()) - np.repeat(np.cumsum(lacks) - lacks, lacks) + 1)
        position = at[which] + nth
        unseen = expected.share(position) * expected.amplitude_ua < _SURE * least_ua
        times.append((origin[which] + nth * period)[~unseen])
        hidden.append(np.bincount(which[unseen], minlength=len(lacks)))
    return np.sort(np.concatenate(times)), (hidden[0], hidden[1])
