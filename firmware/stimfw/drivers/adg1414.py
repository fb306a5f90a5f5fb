"""Two ADG1414 octal switches in a daisy chain: which electrodes each lead's two rails reach.

The controller's data reach the left lead's chip first and pass through it, so the right lead's byte is sent
first. Bits 0-3 join electrodes 0-3 to the source rail (the cathode), bits 4-7 to the sink rail (the anode).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine import SPI, Pin


def select(cathode: int, anode: int) -> int:
    """One lead's byte: its cathode on the source rail, its anode on the sink rail."""
    return 1 << cathode | 0x10 << anode


ALL_OPEN = 0
CHAIN_HZ = 1_000_000
"""The first chip's SDO is valid 40 ns after the clock's edge with 20 pF (table 6); a breadboard has more."""


class Adg1414Pair:
    """The chain, over SPI; SYNC (here `cs`) high moves the shifted bits to the switches."""

    def __init__(self, spi: "SPI", cs: "Pin", usual_hz: int) -> None:
        """Args: spi: machine.SPI, otherwise used in mode 0 at `usual_hz`; cs: output pin, high."""
        self._spi = spi
        self._cs = cs
        self._usual_hz = usual_hz
        self._buffer = bytearray(2)

    def write(self, left: int, right: int) -> None:
        """Set both leads' switches, 8 bits each."""
        self._buffer[0] = right
        self._buffer[1] = left
        # It reads on the falling edge (ADG1414 datasheet, figure 2).
        self._spi.init(baudrate=CHAIN_HZ, polarity=0, phase=1)
        self._cs(0)
        self._spi.write(self._buffer)
        self._cs(1)
        self._spi.init(baudrate=self._usual_hz, polarity=0, phase=0)
