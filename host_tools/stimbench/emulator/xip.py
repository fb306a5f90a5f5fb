"""What the flash costs the CPU: the XIP cache, and the SSI behind it.

The cache itself is in the CPU core (native/cortex_m0.c): 16 KB, two ways, 8-byte lines (RP2040 datasheet
2.6.3.1). Here are its registers, and the time that a line takes with the SSI as the firmware set it up. See
docs/decisions/0018-flash-cache.md for what is derived and what is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rp2040py.peripherals.xip_ctrl import RPXIPCtrl

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

    from stimbench.emulator.native.cortex_m0 import NativeCore

__all__ = ("INTERRUPT_ENTRY_CYCLES", "BoardXipCtrl", "SsiSetup")

INTERRUPT_ENTRY_CYCLES = 15
"""From an interrupt to its handler's first instruction, with memory that never waits (DDI 0484, 1.1)."""
_LINE_BITS, _WORD_BITS = 64, 32
_CTRL, _FLUSH, _CTR_HIT, _CTR_ACC = 0x00, 0x04, 0x0C, 0x10
_EN = 1


@dataclass(frozen=True)
class SsiSetup:
    """The SSI's registers that decide how long a read takes (RP2040 datasheet 4.10.11)."""

    ctrlr0: int
    baudr: int
    spi_ctrlr0: int

    def cycles(self, data_bits: int) -> int:
        """System clocks for one read of `data_bits`, chip select to chip select.

        Command, address with mode bits, wait cycles and data, each over its number of lanes, at the clock
        divided by BAUDR; 0 while the SSI has no clock.
        """
        lanes = 1 << (self.ctrlr0 >> 21 & 3)  # SPI_FRF: standard, dual, quad
        if lanes == 1:
            return (8 + 24 + data_bits) * self.baudr  # the boot ROM's plain 03h read
        transfer = self.spi_ctrlr0 & 3  # TRANS_TYPE: how many of command and address use all lanes
        command_bits = (0, 4, 8, 16)[self.spi_ctrlr0 >> 8 & 3]
        address_bits = (self.spi_ctrlr0 >> 2 & 0xF) * 4
        clocks = command_bits // (lanes if transfer == 2 else 1)
        clocks += address_bits // (lanes if transfer else 1)
        clocks += self.spi_ctrlr0 >> 11 & 0x1F  # WAIT_CYCLES
        return (clocks + data_bits // lanes) * self.baudr

    @property
    def line_cycles(self) -> int:
        """A line of the cache, 8 bytes in one burst."""
        return self.cycles(_LINE_BITS)

    @property
    def word_cycles(self) -> int:
        """A word past the cache."""
        return self.cycles(_WORD_BITS)


class BoardXipCtrl(RPXIPCtrl):
    """The cache's registers (datasheet 2.6.3.6)."""

    def __init__(self, rp2040: RP2040, core: NativeCore, line_cycles: int | None = None) -> None:
        """Make it, in place of the emulator's own.

        Args:
            rp2040: the microcontroller.
            core: holds the cache.
            line_cycles: what a miss costs, in CPU cycles; None derives it from the SSI's registers.
        """
        self._core = core
        self._line_cycles = line_cycles
        self.line_cycles = line_cycles or 0
        """What a miss costs now, in CPU cycles."""
        super().__init__(rp2040, "XIP_CTRL_BASE")
        core.count_misses(self.line_cycles, 0, INTERRUPT_ENTRY_CYCLES)

    def on_ssi(self, setup: SsiSetup) -> None:
        """The firmware has set up the SSI."""
        self.line_cycles = setup.line_cycles if self._line_cycles is None else self._line_cycles
        self._core.count_misses(self.line_cycles, setup.word_cycles, INTERRUPT_ENTRY_CYCLES)

    def read_uint32(self, offset: int) -> int:
        """A register read."""
        if offset == _CTR_HIT:
            return self._core.xip_hits
        if offset == _CTR_ACC:
            return self._core.xip_accesses
        return int(super().read_uint32(offset))

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write; any value clears a counter."""
        if offset == _CTR_HIT:
            self._core.xip_hits = 0
        elif offset == _CTR_ACC:
            self._core.xip_accesses = 0
        elif offset == _FLUSH:
            if value & 1:
                self._core.xip_flush()
        else:
            super().write_uint32(offset, value)
            if offset == _CTRL:
                self._core.xip_enable(bool(value & _EN))

    def reset(self) -> None:
        """Registers to their power-on values, and an empty cache (2.6.3.2)."""
        super().reset()
        self._core.xip_enable(True)
        self._core.xip_flush()
        self._core.xip_hits = self._core.xip_accesses = 0
