"""Pulses in a current alone: an oscilloscope sees no switches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.pulses import Pulses, find_pulses
from stimbench.capture.channels import Edges, Times
from stimbench.capture.samples import Samples

__all__ = ("edges_of", "pulses_in", "threshold_ua")

_NOISE_FACTOR = 8
"""No noise comes so many standard deviations far in a session: 1e-15 for one sample."""
_RELEASE = 0.5
"""Of the threshold: where a phase ends. A recharge begins with less than a tenth of the largest current."""
_STEP = 0.8
"""So much of the plateau between two samples is a step."""
_SHARE = 0.25
"""Of the largest current: far below the plateau of a hold, above what a recharge lets flow."""


def pulses_in(samples: Samples, least_ua: float | None = None) -> Pulses:
    """The pulses of a sampled current.

    An edge is where the current crosses half of its own phase's plateau, by a straight line between two
    samples. A cathodic current is negative. A recharge has no edge that could be told.

    Args:
        samples: the current, in uA.
        least_ua: what is smaller is no pulse; by default `threshold_ua(samples)`.

    Returns:
        Shape (n,), dtype PULSE.
    """
    least = threshold_ua(samples) if least_ua is None else least_ua
    cathodic, anodic = edges_of(samples, least)
    return find_pulses(cathodic, anodic, Edges.of([]))


def threshold_ua(samples: Samples) -> float:
    """Half of the smallest current that is taken for a pulse: a quarter of the largest, above the noise."""
    largest, quiet = 0.0, []
    for _, values in samples:
        magnitude = np.abs(values)
        largest = max(largest, float(magnitude.max(initial=0.0)))
        quiet.append(float(np.median(magnitude)))  # pulses are short: most samples lie between them
    noise = float(np.median(quiet)) / 0.6745 if quiet else 0.0
    return max(largest * _SHARE, noise * _NOISE_FACTOR)


def edges_of(samples: Samples, least_ua: float) -> tuple[Edges, Edges]:
    """When the current was below `-least_ua`, and when above it, each refined to half of its plateau.

    A phase lasts until half of `least_ua`: noise near the threshold would cut it into pieces otherwise.
    """
    found: list[list[Times]] = [[], []]
    begins: list[list[Times]] = [[], []]
    low, high = [False, False], [False, False]
    for first, values in samples:
        for side, sign in enumerate((-1, 1)):
            for level, before, kept in (
                (least_ua * _RELEASE, low, found), (least_ua, high, begins)
            ):  # fmt: skip
                beyond = values * sign > level
                kept[side].append(np.flatnonzero(np.diff(beyond, prepend=before[side])) + first)
                before[side] = bool(beyond[-1])
    phases = [_with_a_begin(_joined(found[side]), _joined(begins[side])) for side in (0, 1)]
    return _refined(samples, phases[0], -1), _refined(samples, phases[1], 1)


def _joined(parts: list[Times]) -> Times:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _with_a_begin(changes: Times, high: Times) -> Times:
    """Of spans, begin and end in turn, those within which one of `high` lies; the last may have no end."""
    ends = np.append(changes[1::2], np.iinfo(np.int64).max)[: len(changes[::2])]
    has = np.searchsorted(high, changes[::2]) < np.searchsorted(high, ends)
    return changes[np.repeat(has, 2)[: len(changes)]]


def _refined(samples: Samples, changes: Times, sign: int) -> Edges:
    """The edges in ns. `changes` has the first sample of each phase, and the first one behind it."""
    initial = bool(len(changes)) and changes[0] == 0
    times = np.empty(len(changes))
    for at in range(0, len(changes), 2):
        begin = int(changes[at])
        end = int(changes[at + 1]) if at + 1 < len(changes) else len(samples)
        values = samples.read(max(begin - 2, 0), min(end + 2, len(samples))) * sign
        inner = values[2:-2] if end - begin > 4 else values
        half = float(np.median(inner)) / 2
        high = np.flatnonzero(values > half)
        offset = max(begin - 2, 0)
        times[at] = _crossing(values, int(high[0]) - 1, half) + offset
        if at + 1 < len(times):
            times[at + 1] = _crossing(values, int(high[-1]), half) + offset
    refined = np.rint(samples.times_ns(times)).astype(np.int64)
    return Edges(refined[int(initial) :], initial)


def _crossing(values: NDArray[Any], before: int, level: float) -> float:
    """Where the current crosses `level` between sample `before` and the next one, in samples.

    A slope that has samples on it is a straight line. A step lies anywhere between its two samples, and
    the middle is never wrong by more than half a sample.
    """
    if not 0 <= before < len(values) - 1:
        return float(max(before, 0))
    low, high = float(values[before]), float(values[before + 1])
    if abs(high - low) > _STEP * 2 * level:
        return before + 0.5
    return before + (level - low) / (high - low) if high != low else before + 0.5
