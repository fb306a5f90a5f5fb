"""Edges as intervals of being high, and what two sets of intervals have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.channels import Edges

__all__ = ("Intervals", "active_after", "intervals", "overlaps", "union")

Intervals = NDArray[np.int64]
"""Shape (n, 2): starts and ends in ns, in order of time, none touching another."""


def intervals(edges: Edges, end_ns: int | None = None) -> Intervals:
    """When a signal was high.

    Args:
        edges: the signal. What was high before its first edge makes no interval, as its start is not known; a
            high of no duration neither.
        end_ns: end of the recording: what is high then, or later, ends there. Without it, a signal
            that stays high makes no interval.

    Returns:
        Shape (n, 2), int64, ns.
    """
    starts = edges.rises_ns
    ends = edges.falls_ns[int(edges.initial) :]
    if end_ns is not None:
        ends = np.minimum(np.append(ends, end_ns) if len(ends) < len(starts) else ends, end_ns)
    found = np.column_stack([starts[: len(ends)], ends])
    return found[found[:, 0] < found[:, 1]]


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
