"""Which clocks the firmware chose, from the registers that it wrote: clk_peri feeds UART and SPI.

RP2040 datasheet 2.15.7 (CLK_PERI_CTRL, CLK_SYS_CTRL), 2.18 (the PLLs) and 2.15.6.2 (the frequency counter,
which tells what was chosen). The system clock itself is always taken as 125 MHz: the emulator runs at no
other speed, whatever the firmware asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rp2040py.peripherals.clocks import RPClocks
from rp2040py.peripherals.peripheral import BasePeripheral

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("BoardClocks", "Pll", "install")

XOSC_HZ = 12e6
"""The Pico's crystal."""
ROSC_HZ = 6.5e6
"""The ring oscillator after reset, nominal (2.17.1)."""
SYS_HZ = 125e6

_PLL_SYS, _PLL_USB, _CLOCKS = 0x40028, 0x4002C, 0x40008
_CS, _PWR, _FBDIV, _PRIM = 0x0, 0x4, 0x8, 0xC
_LOCK, _BYPASS, _REFDIV = 1 << 31, 1 << 8, 0x3F
_PD, _POSTDIVPD, _VCOPD = 1 << 0, 1 << 3, 1 << 5
_PERI_ENABLE, _PERI_KILL = 1 << 11, 1 << 10
_SYS_CTRL, _SYS_DIV, _SYS_SELECTED = 0x3C, 0x40, 0x44
_FC0_REF_KHZ, _FC0_SRC, _FC0_STATUS, _FC0_RESULT = 0x80, 0x94, 0x98, 0x9C
_FC0_SETTINGS = (0x84, 0x88, 0x8C, 0x90)
_FC0_DONE = 1 << 4


class Pll(BasePeripheral):
    """A PLL's registers (2.18.4). It locks at once."""

    def __init__(self, rp2040: RP2040, name: str) -> None:
        """Make it, powered down."""
        super().__init__(rp2040, name)
        self.fault_share = 1.0
        """It runs at this many times what its registers say."""
        self.clocks: BoardClocks | None = None
        """Whoever is fed by it; told of every change."""
        self.reset()

    def reset(self) -> None:
        """All registers to their power-on values."""
        self._registers = {_CS: 1, _PWR: 0x2D, _FBDIV: 0, _PRIM: 0x77000}

    @property
    def hz(self) -> float:
        """Its output in Hz; 0 while a part that it needs is powered down, or a divisor is 0."""
        cs, power = self._registers[_CS], self._registers[_PWR]
        if cs & _BYPASS:
            return XOSC_HZ
        prim = self._registers[_PRIM]
        divisor = (cs & _REFDIV) * (prim >> 16 & 7) * (prim >> 12 & 7)
        if power & (_PD | _POSTDIVPD | _VCOPD) or not divisor:
            return 0.0
        return XOSC_HZ * (self._registers[_FBDIV] & 0xFFF) / divisor * self.fault_share

    def read_uint32(self, offset: int) -> int:
        """A register; LOCK stands while the PLL and its oscillator have power."""
        if offset not in self._registers:
            return int(super().read_uint32(offset))
        locked = offset == _CS and not self._registers[_PWR] & (_PD | _VCOPD)
        return self._registers[offset] | (_LOCK if locked else 0)

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write."""
        if offset not in self._registers:
            super().write_uint32(offset, value)
            return
        self._registers[offset] = value & ~_LOCK
        if self.clocks is not None:
            self.clocks.update()


class BoardClocks(RPClocks):
    """The emulator's clock registers, which also set the frequency that UART and SPI divide."""

    def __init__(self, rp2040: RP2040, pll_sys: Pll, pll_usb: Pll) -> None:
        """Make them, in place of the emulator's own."""
        super().__init__(rp2040, "CLOCKS_BASE")
        self.plls = (pll_sys, pll_usb)
        self._counter = dict.fromkeys((_FC0_REF_KHZ, _FC0_SRC, *_FC0_SETTINGS), 0)
        for pll in self.plls:
            pll.clocks = self
        self.update()

    @property
    def peri_hz(self) -> float:
        """clk_peri in Hz: the source that AUXSRC names, undivided; 0 if it is off or has no source."""
        if not self.peri_ctrl & _PERI_ENABLE or self.peri_ctrl & _PERI_KILL:
            return 0.0
        sources = (SYS_HZ, self.plls[0].hz, self.plls[1].hz, ROSC_HZ, XOSC_HZ)
        source = self.peri_ctrl >> 5 & 7
        return sources[source] if source < len(sources) else 0.0

    @property
    def sys_hz(self) -> float:
        """clk_sys in Hz, as it was chosen; the emulator runs at SYS_HZ all the same."""
        control = int(super().read_uint32(_SYS_CTRL))
        divisor = int(super().read_uint32(_SYS_DIV)) / 256.0
        sources = (self.plls[0].hz, self.plls[1].hz, ROSC_HZ, XOSC_HZ)
        source = control >> 5 & 7
        aux = sources[source] if source < len(sources) else 0.0
        return (aux if control & 1 else XOSC_HZ) / divisor if divisor else 0.0

    def read_uint32(self, offset: int) -> int:
        """A register; the frequency counter has counted at once."""
        if offset == _FC0_STATUS:
            return _FC0_DONE if self._counter[_FC0_SRC] else 0
        if offset == _FC0_RESULT:
            return round(self._counted_hz() / 1000.0 * 32.0)
        if offset in self._counter:
            return self._counter[offset]
        return int(super().read_uint32(offset))

    def _counted_hz(self) -> float:
        """What the counter says of the source that it was given: right if its reference is the crystal's."""
        sources = {
            1: self.plls[0].hz, 2: self.plls[1].hz, 3: ROSC_HZ, 5: XOSC_HZ, 8: XOSC_HZ, 9: self.sys_hz,
            10: self.peri_hz, 11: self.plls[1].hz, 12: self.plls[1].hz,
        }  # fmt: skip
        return sources.get(self._counter[_FC0_SRC], 0.0) * self._counter[_FC0_REF_KHZ] * 1000.0 / XOSC_HZ

    def update(self) -> None:
        """Tell the chip's peripherals what they run at."""
        self.rp2040.clk_peri = self.peri_hz  # type: ignore[assignment]

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write."""
        if offset in self._counter:
            self._counter[offset] = value
            return
        super().write_uint32(offset, value)
        self.update()

    def reset(self) -> None:
        """All registers to their power-on values, those of the PLLs too: clk_peri is off then."""
        super().reset()
        self._counter = dict.fromkeys(self._counter, 0)
        for pll in self.plls:
            pll.reset()
        self.update()


def install(rp2040: RP2040) -> BoardClocks:
    """Put clocks and PLLs into a chip."""
    plls = Pll(rp2040, "PLL_SYS_BASE"), Pll(rp2040, "PLL_USB_BASE")
    clocks = BoardClocks(rp2040, *plls)
    rp2040.clocks = clocks
    rp2040.peripherals[_PLL_SYS], rp2040.peripherals[_PLL_USB] = plls
    rp2040.peripherals[_CLOCKS] = clocks
    return clocks
