"""What the RP2040's boot ROM decides at a reset: firmware, or USB boot (datasheet 2.8.1 and 2.8.2).

The emulated chip runs the boot ROM's functions that the firmware calls, `reset_usb_boot` among them, but not
its start and its USB code. What these do is written here and in stimbench.emulator.bootsel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ("BOOT2_BYTES", "boot2_crc", "boot2_is_whole", "take_usb_boot_vector")

BOOT2_BYTES = 256
"""The second stage at the beginning of the flash; its last four bytes are a CRC over the others."""
_POLYNOMIAL = 0x04C11DB7
_SCRATCH4 = 0x4005801C
_VECTOR_MAGIC = 0xB007C0D3
_ROM_BYTES = 16 * 1024


class Bus(Protocol):
    """A chip's bus, as a debug probe sees it."""

    def read_word(self, address: int) -> int:
        """A 32-bit word."""

    def write_word(self, address: int, value: int) -> None:
        """Write a 32-bit word."""


def boot2_crc(code: Sequence[int]) -> int:
    """The boot ROM's CRC-32: most significant bit first, begun with all ones, not inverted at the end."""
    crc = 0xFFFFFFFF
    for byte in code:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def boot2_is_whole(flash: memoryview) -> bool:
    """Whether the boot ROM would start what is on the flash. It looks at nothing but the first 256 bytes."""
    second_stage = bytes(flash[:BOOT2_BYTES])
    return boot2_crc(second_stage[:-4]) == int.from_bytes(second_stage[-4:], "little")


def take_usb_boot_vector(bus: Bus) -> bool:
    """Whether the watchdog's scratch registers ask for USB boot; the request is cleared then.

    `reset_usb_boot` leaves the address of USB boot's entry there and lets the watchdog reset the chip. A
    vector to elsewhere, for code that a debugger left in RAM, is not followed.
    """
    magic, check, _stack, entry = (bus.read_word(_SCRATCH4 + 4 * number) for number in range(4))
    asked = magic == _VECTOR_MAGIC and check == (entry ^ -_VECTOR_MAGIC) & 0xFFFFFFFF
    if asked and entry < _ROM_BYTES:
        bus.write_word(_SCRATCH4, 0)
        return True
    return False
