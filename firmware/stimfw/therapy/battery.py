"""What the battery is good for: three low readings, each a day after the one before, make each step.

A single low reading means little: a session or a cold pocket pulls the supply down for a while. So a reading
counts only a day after the last one that counted, and one that is not low in between begins the count anew. A
step is never taken back: a battery that recovers for a day is not a new one.
"""

import struct

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


GOOD = const(0)
REPLACE_SOON = const(1)
END_OF_SERVICE = const(2)
STATE_NAMES = ("good", "replace soon", "end of service")

REPLACE_MV = const(3600)
"""VSYS below this is low for a battery that was good: this project's choice, three cells at 1.2 V."""
END_MV = const(3300)
"""And below this for one that is to be replaced: the gate's converter needs 3.0 V
(stimulator/boot_test.py)."""
LOW_READINGS = const(3)
APART_S = const(86_400)

_FORMAT = "<BBI"
PACKED_BYTES = struct.calcsize(_FORMAT)


class Battery:
    """The state, and the low readings since it last changed.

    Attributes:
        state: GOOD, REPLACE_SOON or END_OF_SERVICE.
        lows: low readings that counted, 0-2.
    """

    def __init__(self, payload: bytes = b"") -> None:
        """Args: payload: what `pack` gave; empty: a new battery.

        Raises:
            ValueError: it is none.
        """
        self.state, self.lows, self._last_s = struct.unpack(_FORMAT, payload) if payload else (GOOD, 0, 0)
        self._last_uptime_s = 0  # in this start; 0 as well if the last one that counted was before it
        if self.state > END_OF_SERVICE or self.lows >= LOW_READINGS:
            raise ValueError("battery %d, %d" % (self.state, self.lows))

    def read(self, supply_mv: int, time_s: int, uptime_s: int) -> bool:
        """A reading with the output off; whether something changed that is to be kept.

        Args:
            supply_mv: VSYS.
            time_s: seconds since 1970; 0: the clock is unknown, and a day counts from this start on.
            uptime_s: since this start.
        """
        if self.state == END_OF_SERVICE:
            return False
        if supply_mv >= (REPLACE_MV if self.state == GOOD else END_MV):
            changed: bool = self.lows > 0
            self.lows = 0
            return changed
        if (self.lows or self.state) and not self._is_a_day_later(time_s, uptime_s):
            return False
        self._last_s, self._last_uptime_s = time_s, uptime_s
        self.lows += 1
        if self.lows == LOW_READINGS:
            self.lows = 0
            self.state += 1
        return True

    def _is_a_day_later(self, time_s: int, uptime_s: int) -> bool:
        if uptime_s - self._last_uptime_s >= APART_S:
            return True
        return time_s > 0 and self._last_s > 0 and time_s - self._last_s >= APART_S

    def pack(self) -> bytes:
        """PACKED_BYTES bytes."""
        return struct.pack(_FORMAT, self.state, self.lows, self._last_s)
