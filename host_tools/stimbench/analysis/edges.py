"""Edge lists as intervals of being high, and what two sets of intervals have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ("Edges", "Intervals", "active_after", "intervals", "overlaps", "union")

Edges = Sequence[tuple[int, bool]]
Intervals = NDArray[np.int64]
"""Shape (n, 2): starts and ends in ns, in order of time, none touching another."""

_STILL_HIGH = 1 << 62


def intervals(edges: Edges, end_ns: int | None = None) -> Intervals:
    """When a signal was high.

    Args:
        edges: (time in ns, level) in order of time. An edge to the level that is already there is
            ignored, a high of no duration too.
        end_ns: end of the recording: what is high then, or later, ends there. Without it, a signal
            that stays high makes no interval.

    Returns:
        Shape (n, 2), int64, ns.

    Raises:
        ValueError: the times run backwards.
    """
    found: list[tuple[int, int]] = []
    since: int | None = None
    before = -_STILL_HIGH
    for time_ns, level in edges:
        if time_ns < before:
            raise ValueError(f"an edge at {time_ns} ns follows one at {before} ns")
        before = time_ns
        if level and since is None:
            since = time_ns
        elif not level and since is not None:
            found.append((since, time_ns))
            since = None
    if since is not None and end_ns is not None:
        found.append((since, end_ns))
    if end_ns is not None:
        found = [(start, min(end, end_ns)) for start, end in found]
    return np.array([pair for pair in found if pair[0] < pair[1]], dtype=np.int64).reshape(-1, 2)


def union(*sets: Intervals) -> Intervals:
    """The intervals during which at least one of `sets` is high; touching ones become one."""
    merged: list[list[int]] = []
    for start, end in sorted((int(a), int(b)) for each in sets for a, b in each):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, dtype=np.int64).reshape(-1, 2)


def overlaps(one: Intervals, other: Intervals) -> Intervals:
    """The intervals during which both are high; touching is no overlap."""
    found = []
    first = second = 0
    while first < len(one) and second < len(other):
        start = max(one[first, 0], other[second, 0])
        end = min(one[first, 1], other[second, 1])
        if start < end:
            found.append((start, end))
        if one[first, 1] < other[second, 1]:
            first += 1
        else:
            second += 1
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def active_after(time_ns: int, *sets: Intervals) -> int:
    """For how long after `time_ns` any of `sets` was still high: 0 if none was, in ns."""
    ends = [int(each[-1, 1]) for each in sets if len(each)]
    return max([0] + [end - time_ns for end in ends])
