"""Two ADG714 octal switches in a daisy chain: which electrodes each lead's two rails reach.

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


class Adg714Pair:
    """The chain, over SPI; SYNC (here `cs`) high moves the shifted bits to the switches."""

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        """Args: spi: machine.SPI, otherwise used in mode 0; cs: output pin, high."""
        self._spi = spi
        self._cs = cs
        self._buffer = bytearray(2)

    def write(self, left: int, right: int) -> None:
        """Set both leads' switches, 8 bits each."""
        self._buffer[0] = right
        self._buffer[1] = left
        self._spi.init(polarity=0, phase=1)  # it reads on the falling edge (ADG714 datasheet, figure 3)
        self._cs(0)
        self._spi.write(self._buffer)
        self._cs(1)
        self._spi.init(polarity=0, phase=0)
