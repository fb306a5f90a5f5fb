"""What a part on an SPI bus demands of the clock, and what happens to bits that break its limits.

The datasheets state limits and not what happens beyond them. This model is on the cautious side: one
hertz too many spoils every byte. Which bits are spoilt comes from the bench's seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from .interfaces import SpiBusPort, SpiClock

__all__ = ("SpiLimits",)


class SpiLimits:
    """One part's limits, and the bits that it sees.

    Args:
        bus: where it sits; told of frames that break a limit, once until a byte arrives that breaks none.
            `None` for a part's second line: the first one tells.
        name: the part's name in these messages.
        max_hz: the fastest clock of its datasheet.
        modes: the SPI modes that it takes.
        rng: which bits are spoilt.
    """

    def __init__(
        self, bus: SpiBusPort | None, name: str, *, max_hz: float, modes: Sequence[int], rng: random.Random
    ) -> None:
        self._bus, self._name = bus, name
        self._max_hz, self._modes = max_hz, tuple(modes)
        self._rng = rng
        self._told = ""
        self._last_bit = 0

    def transfer(self, value: int, bits: int, clock: SpiClock) -> int:
        """What arrives at the other end.

        Too fast: at least one bit is wrong. The wrong mode: the data change on the very edge on which they
        are taken, so each bit may be the one before it.

        Args:
            value: what was sent.
            bits: how many, 1-8.
            clock: the bus's clock.
        """
        complaint = self._complaint(clock)
        if complaint and complaint != self._told and self._bus is not None:
            self._bus.report(self._name, complaint)
        self._told = complaint
        before = self._last_bit << bits - 1 | value >> 1
        self._last_bit = value & 1
        if clock.hz > self._max_hz:
            return value ^ self._rng.randrange(1, 1 << bits)
        if clock.mode not in self._modes:
            late = self._rng.getrandbits(bits)
            return value & ~late | before & late
        return value

    def _complaint(self, clock: SpiClock) -> str:
        if clock.hz > self._max_hz:
            asked, limit = clock.hz / 1e6, self._max_hz / 1e6
            return f"clocked at {asked:.2f} MHz, its limit is {limit:.2f} MHz: bits are lost"
        if clock.mode not in self._modes:
            allowed = " or ".join(map(str, self._modes))
            return f"clocked in SPI mode {clock.mode}, it takes mode {allowed}: bits are lost"
        return ""
