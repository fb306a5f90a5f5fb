"""The serial flash interface of the RP2040, between the CPU and the flash chip."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from rp2040py.gpio_pin import GPIOPinState
from rp2040py.peripherals.ssi import RPSSI

from stimbench.emulator.xip import SsiSetup

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

    from stimbench.emulator.flash import FlashChip

__all__ = ("BoardSsi",)

_SSIENR, _SER, _SR, _RXFLR, _ICR, _DR0 = 0x08, 0x10, 0x28, 0x24, 0x48, 0x60
_SR_TX_EMPTY = 0x06
_SR_RX_FILLED = 0x08
_STATUS_1 = 0x05


class BoardSsi(RPSSI):
    """Hands bytes to the chip, and skips the time in which the CPU could only poll BUSY."""

    def __init__(self, rp2040: RP2040, chip: FlashChip, wait: Callable[[int], None]) -> None:
        """Make it, in place of the emulator's own.

        Args:
            rp2040: the microcontroller.
            chip: the flash behind it.
            wait: lets the rest of the board live on until a time (ns), or less long.
        """
        rp2040.qspi[1]._listeners.clear()  # the emulator's own interface, which this one replaces
        super().__init__(rp2040, "SSI")
        self._chip = chip
        self._wait = wait
        self._selected = self._cs_asserted
        self._opcode: int | None = None
        self._received: deque[int] = deque()
        self.on_setup: Callable[[SsiSetup], None] | None = None
        """Told how the firmware set the interface up, each time it enables it."""

    def read_uint32(self, offset: int) -> int:
        """A register read by the CPU."""
        if offset == _DR0:
            return self._received.popleft() if self._received else 0
        if offset == _RXFLR:
            return len(self._received)
        if offset == _SR:
            return _SR_TX_EMPTY | (_SR_RX_FILLED if self._received else 0)
        if offset == _ICR:
            return 0
        return super().read_uint32(offset)

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write by the CPU."""
        if offset == _SER:
            return  # there is one slave, and chip select is moved by hand while the boot ROM talks to it
        if offset != _DR0:
            super().write_uint32(offset, value)
            if offset == _SSIENR and value & 1 and self.on_setup:
                self.on_setup(SsiSetup(self._crtlr0, self._baudr, self._spictlr0))
        elif self._ssienr:
            self._received.append(self._exchange(value & 0xFF) if self._selected else 0xFF)

    def _exchange(self, byte: int) -> int:
        if self._opcode is None:
            self._opcode = byte
        elif self._opcode == _STATUS_1 and self._chip.busy:
            # The boot ROM would poll for all of the operation; nothing else can run meanwhile. It is told
            # BUSY and checks once more afterwards: so it makes no difference whether the run ends meanwhile.
            answer = self._chip.exchange(byte)
            self._wait(self._chip.busy_until_ns)
            return answer
        return self._chip.exchange(byte)

    def _on_cs_pin_changed(self, value: GPIOPinState, _last_value: GPIOPinState) -> None:
        selected = value == GPIOPinState.LOW
        if not hasattr(self, "_chip"):
            return
        if selected and not self._selected:
            self._received.clear()
            self._opcode = None
            self._chip.select()
        elif self._selected and not selected:
            self._chip.deselect()
        self._selected = selected

    def reset(self) -> None:
        """The interface to its power-on state; the chip is not reset with it."""
        super().reset()
        if hasattr(self, "_chip"):
            self._received.clear()
            self._opcode = None
            self._selected = self._cs_asserted
