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
    every = np.concatenate([np.empty((0, 2), dtype=np.int64), *sets])
    every = every[np.argsort(every[:, 0], kind="stable")]
    if not len(every):
        return every
    # An interval begins where everything before it has ended.
    ended = np.maximum.accumulate(every[:, 1])
    begins = np.flatnonzero(np.concatenate(([True], every[1:, 0] > ended[:-1])))
    lasts = np.append(begins[1:], len(every)) - 1
    return np.column_stack([every[begins, 0], ended[lasts]])


def overlaps(one: Intervals, other: Intervals) -> Intervals:
    """The intervals during which both are high; touching is no overlap."""
    # Of `other`, those that end after an interval of `one` begins, and begin before it ends.
    first = np.searchsorted(other[:, 1], one[:, 0], side="right")
    last = np.searchsorted(other[:, 0], one[:, 1])
    counts = np.maximum(last - first, 0)
    mine = np.repeat(np.arange(len(one)), counts)
    theirs = np.arange(counts.sum()) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    starts = np.maximum(one[mine, 0], other[theirs, 0])
    ends = np.minimum(one[mine, 1], other[theirs, 1])
    return np.column_stack([starts, ends])


def active_after(time_ns: int, *sets: Intervals) -> int:
    """For how long after `time_ns` any of `sets` was still high: 0 if none was, in ns."""
    ends = [int(each[-1, 1]) for each in sets if len(each)]
    return max([0] + [end - time_ns for end in ends])
