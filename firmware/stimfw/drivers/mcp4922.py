"""MCP4922 dual 12-bit DAC: A sets the left lead's amplitude, B the right one's.

A write goes to an input register; LDAC, which the pulse machines drive, moves both to the outputs.
"""

from typing import TYPE_CHECKING

from micropython import const

if TYPE_CHECKING:
    from machine import SPI, Pin

# Bits 15-12 of a command (MCP4922 datasheet, register 5-1): channel, BUF, GA (1: gain 1), SHDN (1: active).
_BUFFERED_GAIN1_ACTIVE = const(0x70)
_CHANNEL_B = const(0x80)


class Mcp4922:
    """Both channels, over SPI mode 0; CS and SPI through the constructor."""

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        """Args: spi: machine.SPI of up to 20 MHz; cs: output pin, high."""
        self._spi = spi
        self._cs = cs
        self._buffer = bytearray(2)

    def write(self, channel: int, value: int) -> None:
        """Load the input register of channel 0 (A) or 1 (B) with 0-4095; allocates nothing."""
        buffer = self._buffer
        buffer[0] = _BUFFERED_GAIN1_ACTIVE | (_CHANNEL_B if channel else 0) | value >> 8
        buffer[1] = value & 0xFF
        self._cs(0)
        self._spi.write(buffer)
        self._cs(1)
