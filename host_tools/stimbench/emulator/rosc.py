"""The RP2040's ring oscillator (datasheet 2.17): the bits that the firmware takes for random.

Its frequency does not matter here, because the boards run from their crystal. RANDOMBIT is the level of the
oscillator's output; read by a CPU whose clock is independent, it is random. Real bits are correlated and
biased: these are ideal unless a RandomBit says otherwise. They are drawn from the board's seed and the number
of times it was switched on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rp2040py.peripherals.peripheral import BasePeripheral

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("BoardRosc", "RandomBit")

_CTRL, _FREQA, _FREQB, _DORMANT, _DIV, _PHASE, _STATUS, _RANDOMBIT, _COUNT = range(0, 0x24, 4)
_ENABLE, _DISABLE = 0xFAB, 0xD1E
_RANGES = (0xFA4, 0xFA5, 0xFA6, 0xFA7, 0xAA0)
_WAKE, _SLEEP = 0x77616B65, 0x636F6D61
_DIV_PASS, _PHASE_PASS, _FREQ_PASS = 0xAA0, 0xAA, 0x9696
_STABLE, _BAD_WRITE, _DIV_RUNNING, _ENABLED = 1 << 31, 1 << 24, 1 << 16, 1 << 12
_PERIOD_NS = 154
"""6.5 MHz, the nominal frequency at the reset settings (2.17.1)."""
_RESET = {
    _CTRL: _ENABLE << 12 | 0xAA0,
    _FREQA: 0,
    _FREQB: 0,
    _DORMANT: _WAKE,
    _DIV: _DIV_PASS + 16,
    _PHASE: 8,
}


@dataclass(frozen=True)
class RandomBit:
    """What RANDOMBIT reads. By default fair and independent bits; anything else is a fault.

    Attributes:
        ones: the probability of a 1: 0 and 1 are a source that is stuck.
        repeats: how often each bit is read: more than once if the oscillator is too slow.
    """

    ones: float = 0.5
    repeats: int = 1

    def __post_init__(self) -> None:
        """Check the values; ValueError if there is no such source."""
        if not 0 <= self.ones <= 1 or self.repeats < 1:
            raise ValueError(f"no source of bits: {self}")


class BoardRosc(BasePeripheral):
    """Registers as the datasheet has them; DORMANT does not stop the chip."""

    def __init__(self, rp2040: RP2040, seed: int) -> None:
        """Make it, in place of the emulator's gap.

        Args:
            rp2040: the microcontroller.
            seed: the board's.
        """
        super().__init__(rp2040, "ROSC")
        self._seed = seed
        self.random_bit = RandomBit()
        """What RANDOMBIT reads from now on."""
        self._left = 0  # readings of the present bit
        self._power_ons = 0
        self._bit = 1
        self.power_on()

    def power_on(self) -> None:
        """The supply comes: the oscillator starts at a phase of its own."""
        self._rng = random.Random(f"rosc {self._seed} {self._power_ons}")
        self._power_ons += 1
        self._registers = dict(_RESET)
        self._bad_write = False
        self._counts_until_ns = 0.0

    @property
    def running(self) -> bool:
        """Whether it oscillates: an invalid code enables it."""
        return self._registers[_CTRL] >> 12 != _DISABLE

    def read_uint32(self, offset: int) -> int:
        """A register read by the CPU."""
        if offset == _RANDOMBIT:
            if self.running:
                self._next_bit()
            return self._bit
        if offset == _STATUS:
            running = _STABLE | _ENABLED | _DIV_RUNNING if self.running else 0
            return running | (_BAD_WRITE if self._bad_write else 0)
        if offset == _COUNT:
            left_ns = self._counts_until_ns - self.rp2040.clock.nanos
            return max(0, -int(-left_ns // _PERIOD_NS))
        if offset in self._registers:
            return self._registers[offset]
        return super().read_uint32(offset)

    def _next_bit(self) -> None:
        """The bit of one more reading."""
        self._left -= 1
        if self._left > 0:
            return
        source = self.random_bit
        self._left = source.repeats
        fair = source.ones == 0.5
        self._bit = self._rng.getrandbits(1) if fair else int(self._rng.random() < source.ones)

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write by the CPU; BADWRITE tells of a value that is not valid."""
        if offset == _STATUS:
            self._bad_write = self._bad_write and not value & _BAD_WRITE
        elif offset == _COUNT:
            self._counts_until_ns = self.rp2040.clock.nanos + (value & 0xFF) * _PERIOD_NS
        elif offset in self._registers:
            self._bad_write = self._bad_write or not _valid(offset, value)
            self._registers[offset] = value
        else:
            super().write_uint32(offset, value)

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        """Through an alias. BADWRITE is cleared by writing 1, so STATUS must not be read and written back."""
        if offset == _STATUS:
            self.write_uint32(offset, value)
        else:
            super().write_uint32_atomic(offset, value, atomic_type)


def _valid(offset: int, value: int) -> bool:
    if offset == _CTRL:
        return value >> 12 in (_ENABLE, _DISABLE) and value & 0xFFF in _RANGES
    if offset in (_FREQA, _FREQB):
        return value >> 16 == _FREQ_PASS
    if offset == _DORMANT:
        return value in (_WAKE, _SLEEP)
    if offset == _DIV:
        return _DIV_PASS <= value <= _DIV_PASS + 31
    return value >> 4 == _PHASE_PASS
