"""From straight pieces, as the parts' traces have them, to the points of one broken line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ("Piecewise", "as_pieces", "straightened")

Floats = NDArray[np.float64]
_ROUNDS = 4


def as_pieces(segments: list[tuple[int, int, float, float]]) -> Floats:
    """Shape (n, 4): begin and end in ns, value at the begin and at the end.

    A float holds integers up to 2**53 exactly: 104 days in ns.
    """
    return np.array(segments, np.float64).reshape(-1, 4)


def straightened(pieces: Floats, tolerance: float) -> Floats:
    """The same line with fewer pieces: neighbours that lie on one straight line become one.

    The models draw a slope of a phase in steps of 10 mV, straight though it is.

    Args:
        pieces: shape (n, 4), as of `as_pieces`.
        tolerance: how far a joint may be off the straight line between its neighbours, for it to go. Four
            rounds join at most 16 pieces, so the line moves by at most four times as much.
    """
    for turn in range(2 * _ROUNDS):
        at = np.arange(turn % 2, len(pieces) - 1, 2)
        one, other = pieces[at], pieces[at + 1]
        joined = (one[:, 1] == other[:, 0]) & (one[:, 3] == other[:, 2])
        span = other[:, 1] - one[:, 0]
        straight = one[:, 2] + (other[:, 3] - one[:, 2]) * ((one[:, 1] - one[:, 0]) / span)
        gone = at[joined & (np.abs(straight - one[:, 3]) <= tolerance)]
        if len(gone):
            pieces = pieces.copy()
            pieces[gone, 1], pieces[gone, 3] = pieces[gone + 1, 1], pieces[gone + 1, 3]
            pieces = np.delete(pieces, gone + 1, axis=0)
    return pieces


class Piecewise:
    """Makes points of pieces that come one after the other; between pieces the value is 0."""

    def __init__(self) -> None:
        """Begin at 0 ns with the value 0."""
        self._last_ns, self._last = 0, 0.0
        self._begun = False

    def points(self, pieces: Floats) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The points that the pieces add.

        Args:
            pieces: shape (n, 4), in order of time, as of `as_pieces`.

        Returns:
            Times and values, both of shape (k,).
        """
        found = self._points(pieces, self._last_ns, self._last)
        if len(pieces):
            self._last_ns, self._last = int(pieces[-1, 1]), float(np.float32(pieces[-1, 3]))
            self._begun = True
        return found

    def ahead(self, pieces: Floats, idle_until_ns: int | None) -> tuple[Any, Any]:
        """The points that follow for now, and are given anew later.

        Args:
            pieces: shape (n, 4): of a stretch that has not ended.
            idle_until_ns: the value is 0 after the pieces, until then; None if that is not known.
        """
        times, values = self._points(pieces, self._last_ns, self._last)
        last_ns = int(times[-1]) if len(times) else self._last_ns
        last = float(values[-1]) if len(values) else self._last
        if idle_until_ns is not None and idle_until_ns > last_ns:
            rest = [(last_ns, 0.0)] if last else []
            rest.append((idle_until_ns, 0.0))
            times = np.append(times, [time_ns for time_ns, _ in rest]).astype(np.int64)
            values = np.append(values, [value for _, value in rest]).astype(np.float32)
        return times, values

    def _points(self, pieces: Floats, last_ns: int, last: float) -> tuple[Any, Any]:
        begin = not self._begun
        before_ns = np.append(last_ns, pieces[:-1, 1]) if len(pieces) else np.empty(0)
        before = np.append(last, pieces[:-1, 3].astype(np.float32)) if len(pieces) else np.empty(0)
        starts_ns, values = pieces[:, 0], pieces[:, 2].astype(np.float32)
        gap = starts_ns > before_ns
        # Of each piece up to four points: back to 0, until its begin, its begin, its end.
        times = np.column_stack([before_ns, starts_ns, starts_ns, pieces[:, 1]])
        levels = np.column_stack([0 * values, 0 * values, values, pieces[:, 3]])
        jump = np.where(gap, values != 0, values != before)
        kept = np.column_stack([gap & (before != 0), gap, jump, np.ones(len(pieces), bool)])
        all_times, all_values = times[kept].astype(np.int64), levels[kept].astype(np.float32)
        if begin:
            all_times, all_values = np.append(0, all_times), np.append(np.float32(0.0), all_values)
        return all_times, all_values
