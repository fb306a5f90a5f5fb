"""The CPU's own I/O block: the hardware divider and the GPIO registers.

The emulator's own divider adds to the CPU's cycle counter what the firmware's waiting instructions have added
already; this one does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rp2040py.sio import RPSIO

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("BoardSio", "Divider", "PythonDivider")

_GPIO_SET, _GPIO_CLR, _GPIO_XOR = 0x014, 0x018, 0x01C
_DIV_FIRST, _DIV_QUOTIENT, _DIV_REMAINDER, _DIV_CSR = 0x060, 0x070, 0x074, 0x078
_READY, _DIRTY = 1, 2
_GPIO_MASK = 0x3FFFFFFF
_WORD = 0xFFFFFFFF
_SIGN = 1 << 31


class Divider(Protocol):
    """The divider's registers, by their offset in SIO: 0x60 to 0x78 (datasheet 2.3.1.5)."""

    def divider_read(self, offset: int) -> int:
        """A register's value."""

    def divider_write(self, offset: int, value: int) -> None:
        """Write a register."""

    def divider_reset(self) -> None:
        """All registers to their power-on values."""


class PythonDivider:
    """The divider for the reference core; divides when a result is read, not at each operand."""

    def __init__(self) -> None:
        self.divider_reset()

    def divider_reset(self) -> None:
        """All registers to their power-on values."""
        self._operands = [0, 1]
        self._signed = self._stale = False
        self._results = (0, 0)
        self._csr = 0

    def divider_read(self, offset: int) -> int:
        """A register's value."""
        if offset in (_DIV_QUOTIENT, _DIV_REMAINDER):
            if self._stale:
                self._divide()
            if offset == _DIV_QUOTIENT:
                self._csr = _READY
                return self._results[0]
            return self._results[1]
        if offset == _DIV_CSR:
            return self._csr | _READY
        return self._operands[offset >> 2 & 1]

    def divider_write(self, offset: int, value: int) -> None:
        """Write a register: an operand, or a result that an interrupt handler puts back."""
        if offset < _DIV_QUOTIENT:
            self._operands[offset >> 2 & 1] = value
            self._signed = bool(offset & 8)
            self._stale = True
        elif offset != _DIV_CSR:
            if self._stale:
                self._divide()
            quotient, remainder = self._results
            self._results = (value, remainder) if offset == _DIV_QUOTIENT else (quotient, value)
        else:
            return
        self._csr = _READY | _DIRTY

    def _divide(self) -> None:
        dividend, divisor = self._operands
        self._stale = False
        if self._signed:
            dividend = dividend - (1 << 32) if dividend & _SIGN else dividend
            divisor = divisor - (1 << 32) if divisor & _SIGN else divisor
        if divisor == 0:
            # 2.3.1.5: all ones for an unsigned or non-negative dividend, 1 for a negative one.
            quotient, remainder = (1 if dividend < 0 else -1), dividend
        else:
            quotient, remainder = divmod(abs(dividend), abs(divisor))
            if (dividend < 0) != (divisor < 0):
                quotient = -quotient
            if dividend < 0:
                remainder = -remainder
        self._results = (quotient & _WORD, remainder & _WORD)


class BoardSio(RPSIO):
    """Drives the pins at once, and leaves division to the core."""

    def __init__(self, rp2040: RP2040, divider: Divider) -> None:
        """Make it, in place of the emulator's own.

        Args:
            rp2040: the microcontroller.
            divider: keeps the divider's registers.
        """
        super().__init__(rp2040)
        self._divider = divider

    def read_uint32(self, offset: int) -> int:
        """A register read by the CPU, or by a debug probe."""
        if _DIV_FIRST <= offset <= _DIV_CSR:
            return self._divider.divider_read(offset)
        return int(super().read_uint32(offset))

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write."""
        if _DIV_FIRST <= offset <= _DIV_CSR:
            self._divider.divider_write(offset, value & _WORD)
        elif offset == _GPIO_SET:
            self._set_outputs(self.gpio_value | value)
        elif offset == _GPIO_CLR:
            self._set_outputs(self.gpio_value & ~value)
        elif offset == _GPIO_XOR:
            self._set_outputs(self.gpio_value ^ value)
        else:
            super().write_uint32(offset, value)

    def _set_outputs(self, value: int) -> None:
        value &= _GPIO_MASK
        changed = value ^ self.gpio_value
        self.gpio_value = value
        gpio = self.rp2040.gpio
        while changed:
            lowest = changed & -changed
            gpio[lowest.bit_length() - 1].check_for_updates()
            changed ^= lowest

    def reset(self) -> None:
        """All registers to their power-on values."""
        super().reset()
        self._divider.divider_reset()
