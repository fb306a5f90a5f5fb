"""A quantity over time as one broken line, and what any window of it looks like on a screen.

All points are kept. Beside them a pyramid holds the least and the largest value of each 16 points, of each
256, and so on. So a window of 20 us is answered by its points, and one of 30 min by the extremes of each
pixel, equal to those of all points in it; neither looks at more than some 30 points a pixel.

A value may be NaN: between it and its neighbours the line is not known, and is not drawn. A column of which
nothing is known has NaN as its extremes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.web.growing import Growing

__all__ = ("FACTOR", "Bands", "Line", "Polyline")

FACTOR = 16
"""Points in a bin of the first level, bins of one level in a bin of the next."""
_MOST_POINTS = 4
"""A pixel gets at most so many points, else its extremes."""

Times = NDArray[np.int64]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """A window whose points fit on the screen.

    Attributes:
        times_ns: shape (n,), in order of time; two equal times are a jump.
        values: shape (n,).
    """

    times_ns: Times
    values: Values


@dataclass(frozen=True)
class Bands:
    """A window of more points than the screen has pixels: their extremes, column by column.

    Attributes:
        times_ns: shape (n,), the middle of each column.
        lows, highs: shape (n,), the least and the largest value in it, its bounds included.
    """

    times_ns: Times
    lows: Values
    highs: Values


class Polyline:
    """A line that grows at its end. Before its first point and after its last one it is not known."""

    def __init__(self) -> None:
        """Begin with no points."""
        self._times = Growing(np.int64)
        self._values = Growing(np.float32)
        self._lows: list[Growing] = []
        self._highs: list[Growing] = []

    def __len__(self) -> int:
        return len(self._times)

    @property
    def nbytes(self) -> int:
        """How much memory it has."""
        return sum(one.nbytes for one in (self._times, self._values, *self._lows, *self._highs))

    @property
    def times_ns(self) -> Times:
        """Shape (n,): a view, valid until the next change."""
        return self._times.view

    @property
    def values(self) -> Values:
        """Shape (n,): a view, valid until the next change."""
        return self._values.view

    def extend(self, times_ns: Times, values: NDArray[Any]) -> None:
        """Append points.

        Args:
            times_ns: shape (k,), none before the last point.
            values: shape (k,).

        Raises:
            ValueError: the times run backwards.
        """
        if not len(times_ns):
            return
        last_ns = self._times.view[-1] if len(self) else times_ns[0]
        if times_ns[0] < last_ns or np.any(np.diff(times_ns) < 0):
            raise ValueError(f"points at {times_ns[0]} ns and later do not follow one at {last_ns} ns")
        self._times.extend(times_ns)
        self._values.extend(values)
        below_low = below_high = self._values
        level = 0
        while len(below_low) >= FACTOR:
            if level == len(self._lows):
                self._lows.append(Growing(np.float32))
                self._highs.append(Growing(np.float32))
            low, high = self._lows[level], self._highs[level]
            done, whole = len(low) * FACTOR, len(below_low) // FACTOR * FACTOR
            if whole > done:
                low.extend(np.fmin.reduce(below_low.view[done:whole].reshape(-1, FACTOR), axis=1))
                high.extend(np.fmax.reduce(below_high.view[done:whole].reshape(-1, FACTOR), axis=1))
            below_low, below_high, level = low, high, level + 1

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` points."""
        self._times.truncate(length)
        self._values.truncate(length)
        for low, high in zip(self._lows, self._highs, strict=True):
            length //= FACTOR
            low.truncate(length)
            high.truncate(length)

    def window(self, from_ns: int, to_ns: int, width: int) -> Line | Bands:
        """What a screen `width` pixels wide shows of a span.

        Returns:
            The points within, the line's values at both bounds among them; or the extremes of each pixel, if
            there are more than four points a pixel. Nothing of the span where the line is not known.
        """
        if not len(self):
            return Line(np.empty(0, np.int64), np.empty(0, np.float32))
        times = self.times_ns
        from_ns, to_ns = max(from_ns, int(times[0])), min(to_ns, int(times[-1]))
        if to_ns < from_ns:
            return Line(np.empty(0, np.int64), np.empty(0, np.float32))
        first, last = np.searchsorted(times, from_ns, "left"), np.searchsorted(times, to_ns, "right")
        if last - first <= _MOST_POINTS * width or to_ns - from_ns < width:
            return self._line(from_ns, to_ns, int(first), int(last))
        edges = from_ns + (to_ns - from_ns) * np.arange(width + 1, dtype=np.int64) // width
        lows, highs = self.extremes(edges)
        return Bands((edges[:-1] + edges[1:]) // 2, lows, highs)

    def _line(self, from_ns: int, to_ns: int, first: int, last: int) -> Line:
        times, values = self.times_ns[first:last], self.values[first:last]
        if not len(times) or times[0] > from_ns:
            times, values = np.append(from_ns, times), np.append(self._before(from_ns), values)
        if times[-1] < to_ns:
            times, values = np.append(times, to_ns), np.append(values, self._before(to_ns))
        return Line(np.array(times, np.int64), np.array(values, np.float32))

    def extremes(self, edges_ns: Times) -> tuple[Values, Values]:
        """The least and the largest value in each column, its bounds included.

        Args:
            edges_ns: shape (n + 1,), rising, within the line's first and last point.

        Returns:
            Two of shape (n,).
        """
        first = np.searchsorted(self.times_ns, edges_ns[:-1], "left")
        last = np.searchsorted(self.times_ns, edges_ns[1:], "right")
        lows, highs = self._of_points(first, last)
        begin, end = self._before(edges_ns[:-1], "left"), self._before(edges_ns[1:], "right")
        lows, highs = np.fmin(lows, np.fmin(begin, end)), np.fmax(highs, np.fmax(begin, end))
        known = np.isfinite(lows)  # else no point lies in the column, and it is within a gap
        return np.where(known, lows, np.float32(np.nan)), np.where(known, highs, np.float32(np.nan))

    def _before(self, at_ns: Any, side: Any = "left") -> Any:
        """The values at times within the line; at a jump any of both, which is among the points itself."""
        times, values = self.times_ns, self.values
        after = np.clip(np.searchsorted(times, at_ns, side), 1, max(1, len(times) - 1))
        after = np.minimum(after, len(times) - 1)
        before = np.maximum(after - 1, 0)
        span = np.maximum(times[after] - times[before], 1)
        share = np.clip((at_ns - times[before]) / span, 0.0, 1.0)
        low, high = values[before], values[after]
        found = np.where(share >= 1.0, high, low + (high - low) * share.astype(np.float32))
        return found.astype(np.float32)

    def _of_points(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> tuple[Values, Values]:
        """The extremes of the points `first` to before `last`, for each of shape (n,); none: inf, -inf."""
        low = np.full(len(first), np.inf, np.float32)
        high = np.full(len(first), -np.inf, np.float32)
        lows, highs, level = self._values.view, self._values.view, 0
        while True:
            inner_first = -(-first // FACTOR)
            inner_last = last // FACTOR
            top = level == len(self._lows)
            short = (inner_first >= inner_last) | top
            # What lies before and behind the whole bins of the next level; all of it if there are none.
            _join(low, high, lows, highs, first, np.where(short, last, inner_first * FACTOR))
            _join(low, high, lows, highs, np.where(short, last, inner_last * FACTOR), last)
            if np.all(short):
                return low, high
            lows, highs = self._lows[level].view, self._highs[level].view
            first = np.where(short, 0, inner_first)
            last = np.where(short, 0, inner_last)
            level += 1


def _join(
    low: Values, high: Values, lows: Values, highs: Values, first: NDArray[Any], last: NDArray[Any]
) -> None:
    """Take the bins `first` to before `last` into the extremes."""
    most = int(np.max(last - first, initial=0))
    if most <= 0:
        return
    index = first[:, None] + np.arange(most)
    inside = index < last[:, None]
    index = np.minimum(index, len(lows) - 1)
    np.fmin(low, np.fmin.reduce(np.where(inside, lows[index], np.inf), axis=1), out=low)
    np.fmax(high, np.fmax.reduce(np.where(inside, highs[index], -np.inf), axis=1), out=high)
