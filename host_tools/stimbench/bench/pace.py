"""How fast a served bench's time passes against the wall's clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

__all__ = ("Pace",)

_BEHIND_S = 0.1
"""A bench that is further behind does not hurry to catch up."""
_SPAN_S = 2.0
"""Over how long the measured speed is a mean."""
_MARK_S = 0.2
_NAP_S = 0.02
"""No sleep is longer, so that a slow bench still listens to its hands and its ports."""


class Pace:
    """Holds a bench back to the wall's clock; can be changed while it runs.

    Attributes:
        factor: emulated seconds a second; None for as fast as it goes.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        factor: float | None = 1.0,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin now.

        Args:
            now_ns: the bench's time.
            factor: see the attribute; 0 is None.
            clock_s: the wall's clock.
            sleep: waits for some seconds of it.
        """
        self._now_ns = now_ns
        self._clock_s, self._sleep = clock_s, sleep
        self._marks: deque[tuple[float, int]] = deque()
        self.set(factor)

    def set(self, factor: float | None) -> None:
        """Another speed from now on."""
        self.factor = factor or None
        self._marks.clear()
        self._origin_s = self._clock_s() - self._due_s()

    @property
    def measured(self) -> float | None:
        """The speed that it has, a mean over the last two seconds; None if it has only begun."""
        if not self._marks:
            return None
        since_s, since_ns = self._marks[0]
        span_s = self._clock_s() - since_s
        return (self._now_ns() - since_ns) / 1e9 / span_s if span_s > 0 else None

    def holds(self) -> bool:
        """Whether the bench is ahead of the wall's clock. If so, some of that was slept: ask again."""
        self._mark()
        if self.factor is None:
            return False
        ahead_s = self._origin_s + self._due_s() - self._clock_s()
        if ahead_s > 0:
            self._sleep(min(ahead_s, _NAP_S))
            return True
        if ahead_s < -_BEHIND_S:
            self._origin_s -= ahead_s
        return False

    def _due_s(self) -> float:
        return self._now_ns() / 1e9 / self.factor if self.factor else 0.0

    def _mark(self) -> None:
        now_s = self._clock_s()
        if not self._marks or now_s - self._marks[-1][0] >= _MARK_S:
            self._marks.append((now_s, self._now_ns()))
            while now_s - self._marks[0][0] > _SPAN_S:
                self._marks.popleft()
