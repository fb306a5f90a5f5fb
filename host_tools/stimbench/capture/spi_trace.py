"""The bytes on an SPI bus; the edges of its lines are drawn from them on request.

The emulator hands a byte over at the end of its 8th clock, so its bits lie in the 8 clocks before. They are
drawn as the peripheral's datasheet has them (RP2040 4.4.3, Motorola format): in modes 0 and 2 the first
edge of SCK comes half a clock after the first bit; in modes 1 and 3 with it. Between frames MOSI and MISO
are drawn low.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import NamedTuple

from stimbench.parts.interfaces import MOSI, SCK, SpiClock

__all__ = ("SpiByte", "SpiRecord")

_NO_BITS = 0
_PS = 1000


class SpiByte(NamedTuple):
    """Up to 8 bits on a bus.

    Attributes:
        start_ns: the first bit's start.
        end_ns: the last bit's end.
        mosi, miso: the bits, the first one the most significant.
        bits: how many.
        mode: SPI mode 0-3.
    """

    start_ns: int
    end_ns: int
    mosi: int
    miso: int
    bits: int
    mode: int


class SpiRecord:
    """One bus's bytes: 20 bytes of memory for each."""

    def __init__(self, mode: int = 0) -> None:
        """Begin, in an SPI mode."""
        self.carriers: dict[str, int] = {}
        """By signal: which line of the bus it has carried."""
        self._ends = array("q")
        self._bit_ps = array("q")
        self._data = array("I")
        self._first_cpol = mode >> 1

    def copy(self) -> SpiRecord:
        """What there is now."""
        made = SpiRecord()
        made.carriers = dict(self.carriers)
        made._ends, made._bit_ps, made._data = self._ends[:], self._bit_ps[:], self._data[:]
        made._first_cpol = self._first_cpol
        return made

    def bits(self, end_ns: float, mosi: int, miso: int, bits: int, clock: SpiClock) -> None:
        """Up to 8 bits have ended."""
        self._ends.append(round(end_ns))
        self._bit_ps.append(round(1e12 / clock.hz))
        self._data.append(mosi | miso << 8 | bits << 16 | clock.mode << 20)

    def idle(self, time_ns: int, mode: int) -> None:
        """The mode is `mode` from now on: SCK rests at the level of CPOL."""
        last = self._data[-1] >> 21 if self._data else self._first_cpol
        if mode >> 1 != last:
            self._ends.append(time_ns)
            self._bit_ps.append(0)
            self._data.append(mode << 20)

    def bytes_between(self, start_ns: int = 0, end_ns: int | None = None) -> list[SpiByte]:
        """The bytes that ended in a span: at or after `start_ns`, and before `end_ns`."""
        return [byte for byte in self._entries(*self._span(start_ns, end_ns)) if byte.bits]

    def forget_before(self, time_ns: int) -> None:
        """Drop bytes that ended before a time."""
        dropped = bisect_left(self._ends, time_ns)
        if dropped:
            self._first_cpol = self._data[dropped - 1] >> 21
            for column in (self._ends, self._bit_ps, self._data):
                del column[:dropped]

    def initial_level(self, line: int) -> bool:
        """A line's level at the start of the record."""
        return line == SCK and bool(self._first_cpol)

    def edges(self, line: int, start_ns: int = 0, end_ns: int | None = None) -> list[tuple[int, bool]]:
        """A line's edges, drawn: `(time_ns, level after it)`.

        Args:
            line: SCK, MOSI or MISO of `stimbench.parts.interfaces`.
            start_ns: only edges at or after this time.
            end_ns: only edges before this time.
        """
        first, _ = self._span(start_ns, None)
        last = len(self._ends)
        if end_ns is not None:
            # A byte that ends later may have begun before: frames follow each other, so one more will do.
            last = min(last, bisect_left(self._ends, end_ns) + 1)
        level = bool(self._data[first - 1] >> 21) if first else bool(self._first_cpol)
        drawn = _draw(self._entries(first, last), self._bit_ps[first:last], line, level and line == SCK)
        return [edge for edge in drawn if edge[0] >= start_ns and (end_ns is None or edge[0] < end_ns)]

    def _span(self, start_ns: int, end_ns: int | None) -> tuple[int, int]:
        first = bisect_left(self._ends, start_ns)
        return first, len(self._ends) if end_ns is None else bisect_left(self._ends, end_ns)

    def _entries(self, first: int, last: int) -> list[SpiByte]:
        made = []
        for end_ns, bit_ps, data in zip(
            self._ends[first:last], self._bit_ps[first:last], self._data[first:last], strict=True
        ):
            bits = data >> 16 & 15
            start_ns = (end_ns * _PS - bits * bit_ps) // _PS
            made.append(SpiByte(start_ns, end_ns, data & 0xFF, data >> 8 & 0xFF, bits, data >> 20))
        return made


def _draw(entries: list[SpiByte], bit_ps: array[int], line: int, level: bool) -> list[tuple[int, bool]]:
    edges: list[tuple[int, bool]] = []
    for index, (byte, width_ps) in enumerate(zip(entries, bit_ps, strict=True)):
        followed = index + 1 < len(entries) and entries[index + 1].start_ns <= byte.end_ns + 1
        if line == SCK:
            points = _clock_points(byte, width_ps)
        else:
            points = _data_points(byte, byte.mosi if line == MOSI else byte.miso, width_ps, not followed)
        for time_ns, wanted in points:
            if wanted != level:
                edges.append((time_ns, wanted))
                level = wanted
    return edges


def _clock_points(byte: SpiByte, bit_ps: int) -> list[tuple[int, bool]]:
    resting = bool(byte.mode & 2)
    if byte.bits == _NO_BITS:
        return [(byte.end_ns, resting)]
    begin_ps = byte.end_ns * _PS - byte.bits * bit_ps + (0 if byte.mode & 1 else bit_ps // 2)
    points = []
    for bit in range(byte.bits):
        at_ps = begin_ps + bit * bit_ps
        points += [(at_ps // _PS, not resting), ((at_ps + bit_ps // 2) // _PS, resting)]
    return points


def _data_points(byte: SpiByte, value: int, bit_ps: int, to_rest: bool) -> list[tuple[int, bool]]:
    begin_ps = byte.end_ns * _PS - byte.bits * bit_ps
    points = [
        ((begin_ps + bit * bit_ps) // _PS, bool(value >> byte.bits - 1 - bit & 1)) for bit in range(byte.bits)
    ]
    if to_rest and byte.bits:
        points.append((byte.end_ns, False))
    return points
