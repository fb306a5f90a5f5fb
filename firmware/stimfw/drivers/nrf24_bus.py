"""The nRF24L01+'s SPI side (product specification 1.0, 8.3): one command a transaction, framed by CSN.

The buffers are made once: a transaction allocates nothing, except when it reads an address back.
"""

from typing import TYPE_CHECKING

from micropython import const

if TYPE_CHECKING:
    from machine import SPI, Pin

_W_REGISTER = const(0x20)


class Nrf24Bus:
    """Commands, registers and addresses."""

    def __init__(self, spi: "SPI", csn: "Pin") -> None:
        """Args: spi: up to 10 MHz, mode 0; csn: output, high."""
        self._spi = spi
        self._csn = csn
        self._out = bytearray(2)
        self._in = bytearray(2)
        self._one = bytearray(1)

    def _command(self, command: int) -> int:
        """Send a command without data; STATUS, which every command returns."""
        self._csn(0)
        self._spi.readinto(self._one, command)
        self._csn(1)
        return self._one[0]

    def _read(self, command: int) -> int:
        """One byte of a register (R_REGISTER is 0), or of another command that returns one."""
        self._out[0] = command
        self._csn(0)
        self._spi.write_readinto(self._out, self._in)
        self._csn(1)
        return self._in[1]

    def _write(self, register: int, value: int) -> None:
        self._out[0] = _W_REGISTER | register
        self._out[1] = value
        self._csn(0)
        self._spi.write(self._out)
        self._csn(1)

    def _write_address(self, register: int, address: bytes) -> None:
        self._csn(0)
        self._spi.readinto(self._one, _W_REGISTER | register)
        self._spi.write(address)
        self._csn(1)

    def _read_address(self, register: int) -> bytes:
        self._csn(0)
        raw = self._spi.read(6, register)
        self._csn(1)
        return raw[1:]
