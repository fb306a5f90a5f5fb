"""Uptime and the time of day, from the one clock that the application gives it."""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms

if TYPE_CHECKING:
    from collections.abc import Callable


_LAST_S = 0xFFFFFFFF


class WallClock:
    """Counts seconds since the start on a clock that wraps after 12 days; call it more often than that."""

    def __init__(self, ticks_ms: "Callable[[], int]") -> None:
        """Args: ticks_ms: as time.ticks_ms()."""
        self._ticks_ms = ticks_ms
        self._seen_ms = ticks_ms()
        self._rest_ms = 0
        self._uptime_s = 0
        self._set_s = 0  # the time of day, less the uptime, when it was set; 0: it was not

    def uptime_s(self) -> int:
        """Seconds since the start."""
        now_ms = self._ticks_ms()
        past_ms = elapsed_ms(now_ms, self._seen_ms) + self._rest_ms
        self._seen_ms = now_ms
        self._uptime_s += past_ms // 1000
        self._rest_ms = past_ms % 1000
        return self._uptime_s

    def set(self, time_s: int) -> None:
        """It is now `time_s` seconds since 1970."""
        self._set_s = max(0, time_s - self.uptime_s())

    def time_s(self) -> int:
        """Seconds since 1970, or 0 if nobody set it; it stands still at the end of a u32."""
        return min(self._set_s + self.uptime_s(), _LAST_S) if self._set_s else 0
