"""Blocks and pages of a NOR flash behind MicroPython's block device (`rp2.Flash`), and this package's error.

W25Q16JV: a block is a sector of 4096 bytes, erased to 0xFF in 45 ms (400 at most); a page of 256 bytes is
programmed in 0.4 ms (3 at most), which clears bits and sets none (datasheet 8.2.13, 8.2.15, 9.6). The CPU
stands still meanwhile, with interrupts off: write only while the output is off.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class BlockDevice(Protocol):
        """`rp2.Flash`, as far as it is used here."""

        def readblocks(self, __block: int, __buffer: bytearray, __offset: int) -> object: ...
        def writeblocks(self, __block: int, __buffer: "bytes | bytearray", __offset: int) -> object: ...
        def ioctl(self, __operation: int, __argument: int) -> object: ...


BLOCK_BYTES = 4096
PAGE_BYTES = 256
PAGES = BLOCK_BYTES // PAGE_BYTES
_IOCTL_ERASE = 6
BLANK_PAGE = b"\xff" * PAGE_BYTES
"""An erased one; here alone, as it takes heap."""


class StorageError(OSError):
    """The flash does not hold what was written, or what is on it cannot be used. The only error from here."""


class DamagedError(StorageError):
    """What was here cannot be read. Only a repair writes over it (stimfw.storage.areas)."""


class LaterError(StorageError):
    """Written by a later firmware. It stays as it is, unless a person asks for it to be overwritten."""


class UsedUpError(StorageError):
    """The last epoch was given out."""


def read_page(device: "BlockDevice", block: int, page: int) -> bytearray:
    """Page 0-15 of a block: 256 bytes."""
    content = bytearray(PAGE_BYTES)
    device.readblocks(block, content, page * PAGE_BYTES)
    return content


def is_blank(device: "BlockDevice", block: int, first_page: int = 0) -> bool:
    """Whether every byte of the block is 0xFF, from a page (0-15) on."""
    content = bytearray(PAGE_BYTES)
    for page in range(first_page, PAGES):
        device.readblocks(block, content, page * PAGE_BYTES)
        if content != BLANK_PAGE:
            return False
    return True


def can_become(content: "bytes | bytearray", wanted: "bytes | bytearray") -> bool:
    """Whether programming could still make `wanted` of it: no bit of its first bytes is 0 that is 1 there."""
    for index, byte in enumerate(wanted):
        if content[index] | byte != content[index]:
            return False
    return True


def program_page(device: "BlockDevice", block: int, page: int, content: "bytes | bytearray") -> None:
    """Clear the bits of a page that are 0 in `content` (256 bytes); 0xFF leaves a byte as it is."""
    device.writeblocks(block, content, page * PAGE_BYTES)


def erase(device: "BlockDevice", block: int) -> None:
    """Set every bit of the block."""
    device.ioctl(_IOCTL_ERASE, block)


def make_blank(device: "BlockDevice", block: int) -> None:
    """Erase the block if it is not blank.

    Raises:
        StorageError: it is not blank afterwards.
    """
    if is_blank(device, block):
        return
    erase(device, block)
    if not is_blank(device, block):
        raise StorageError("block %d: not erased" % block)
