"""The current of a lead as a list of pieces, like an oscilloscope on the lead wire."""

from __future__ import annotations

__all__ = ("CurrentTrace", "Segment")

Segment = tuple[int, int, float, float]
"""(t0_ns, t1_ns, i0_ua, i1_ua): current goes in a straight line from i0 to i1. Cathodic is negative."""

NOTHING_UA = 0.05
"""Pieces below this are left out: leakage of an open lead, the end of a recharge."""


class CurrentTrace:
    """Pieces of non-zero current, in order of time; a piece is appended when it ends."""

    def __init__(self) -> None:
        self.enabled = True
        self.segments: list[Segment] = []

    def clear(self) -> None:
        """Forget all pieces."""
        self.segments.clear()

    def add(self, t0_ns: int, t1_ns: int, i0_ua: float, i1_ua: float) -> None:
        """Append a piece, or lengthen the last one if it goes on with the same constant current."""
        if abs(i0_ua) < NOTHING_UA and abs(i1_ua) < NOTHING_UA:
            return
        if self.segments and i0_ua == i1_ua:
            last = self.segments[-1]
            if last[1] == t0_ns and last[2] == i0_ua and last[3] == i0_ua:
                self.segments[-1] = (last[0], t1_ns, i0_ua, i0_ua)
                return
        self.segments.append((t0_ns, t1_ns, i0_ua, i1_ua))
