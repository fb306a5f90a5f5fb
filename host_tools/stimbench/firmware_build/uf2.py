"""UF2 files for the boards: read whole and checked before a byte of them reaches a flash chip.

The format: Microsoft, "USB Flashing Format (UF2)", https://github.com/microsoft/uf2. Of it an RP2040's
bootloader takes blocks of its own family with 256 bytes each (RP2040 datasheet, "UF2 Format Details").
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stimbench.errors import InputError

__all__ = (
    "ImageIdentity",
    "Uf2Error",
    "Uf2Image",
    "identity_line",
    "packed",
    "parse",
    "read",
    "read_for",
    "without_transfer",
)

BLOCK_BYTES = 512
PAYLOAD_BYTES = 256
RP2040_FAMILY = 0xE48BFF56
FLASH_START = 0x10000000
FLASH_BYTES = 2 * 1024 * 1024
"""Of the Pico's flash chip, W25Q16JV."""
FIRMWARE_BYTES = 640 * 1024
"""Above it lie the board's files and records: boards/stimbench_common.h."""

_HEADER = struct.Struct("<8I")
_MAGIC_START = (0x0A324655, 0x9E5D5157)
_MAGIC_END = struct.pack("<I", 0x0AB16F30)
_FAMILY_PRESENT = 0x2000
_NOT_MAIN_FLASH = 0x1
_MOST_BYTES = FLASH_BYTES // PAYLOAD_BYTES * BLOCK_BYTES
_IDENTITY = re.compile(rb"stimbench image: board=(\w{1,32}) version=([\w.+-]{1,32}) build=([0-9a-f]{12})")


class Uf2Error(InputError):
    """A file that cannot be put on a board; one sentence says why."""


class ImageIdentity(NamedTuple):
    """What an image says of itself: the same as the board's answer to IDENTIFY."""

    board: str
    version: str
    build: str
    """The first digits of the hash over its sources."""


@dataclass(frozen=True)
class Uf2Image:
    """The bytes of a flash chip, from its beginning on."""

    name: str
    """Of the file, for messages."""
    payload: bytes
    """From FLASH_START on, without a gap."""

    @property
    def identity(self) -> ImageIdentity | None:
        """Which board and firmware it is; None if it is no image of this project."""
        found = _IDENTITY.search(self.payload)
        return ImageIdentity(*(part.decode("ascii") for part in found.groups())) if found else None


@dataclass(frozen=True, slots=True)
class _Block:
    start0: int
    start1: int
    flags: int
    address: int
    size: int
    number: int
    count: int
    family: int
    data: bytes


def identity_line(board: str, version: str, build: str) -> str:
    """The text by which an image is recognised; the build freezes it into the firmware."""
    return f"stimbench image: board={board} version={version} build={build}"


def read(path: Path) -> Uf2Image:
    """A UF2 file, checked as `parse` does.

    Raises:
        Uf2Error: it cannot be read, or is not a whole UF2 file for an RP2040.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Uf2Error(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(data, str(path))


def read_for(path: Path, board: str) -> Uf2Image:
    """The firmware of one board (`stimulator` or `remote`) of this project.

    Raises:
        Uf2Error: as of `read`; or it is another board's firmware, or none of this project's; or it reaches
            into the board's files.
    """
    image = read(path)
    if image.identity is None:
        raise Uf2Error(f"{path} is no firmware of stimbench: build it with `make firmware`.")
    if image.identity.board != board:
        raise Uf2Error(f"{path} is the firmware of a {image.identity.board}, not of a {board}.")
    if len(image.payload) > FIRMWARE_BYTES:
        raise Uf2Error(
            f"{path} has {len(image.payload) // 1024} KB and reaches into the board's files, "
            f"which begin at {FIRMWARE_BYTES // 1024} KB."
        )
    return image


def parse(data: bytes, name: str) -> Uf2Image:
    """Check a UF2 file's bytes: each block, that all are there once, and that they fill flash without a gap.

    Args:
        data: the whole file.
        name: how messages name it.

    Raises:
        Uf2Error: one sentence says what is wrong.
    """
    if not data:
        raise Uf2Error(f"{name} is empty.")
    if len(data) < BLOCK_BYTES or _HEADER.unpack_from(data)[:2] != _MAGIC_START:
        raise Uf2Error(f"{name} is no UF2 file.")
    if len(data) > _MOST_BYTES:
        raise Uf2Error(f"{name} is larger than a full flash chip of {FLASH_BYTES // 1024} KB.")
    if len(data) % BLOCK_BYTES:
        raise Uf2Error(f"{name} is cut short: its last block has {len(data) % BLOCK_BYTES} of 512 bytes.")
    blocks = [_block(data, at, name) for at in range(0, len(data), BLOCK_BYTES)]
    _check_numbers(blocks, name)
    return Uf2Image(name, _joined(blocks, name))


def packed(image: Uf2Image) -> list[bytes]:
    """The blocks of an image, 512 bytes each, in the order of their addresses."""
    count = len(image.payload) // PAYLOAD_BYTES
    return [_packed(number, count, image.payload[number * PAYLOAD_BYTES :]) for number in range(count)]


def without_transfer() -> bytes:
    """A block of no image: at it an RP2040's boot ROM forgets which blocks it was given before."""
    return _packed(0, 0, bytes(PAYLOAD_BYTES))


def _packed(number: int, count: int, payload: bytes) -> bytes:
    address = FLASH_START + number * PAYLOAD_BYTES
    head = (*_MAGIC_START, _FAMILY_PRESENT, address, PAYLOAD_BYTES, number, count, RP2040_FAMILY)
    filling = bytes(BLOCK_BYTES - _HEADER.size - PAYLOAD_BYTES - len(_MAGIC_END))
    return _HEADER.pack(*head) + payload[:PAYLOAD_BYTES] + filling + _MAGIC_END


def _block(data: bytes, at: int, name: str) -> _Block:
    payload_at = at + _HEADER.size
    fields = (*_HEADER.unpack_from(data, at), data[payload_at : payload_at + PAYLOAD_BYTES])
    block = _Block(*fields)
    where = f"{name}: block {at // BLOCK_BYTES}"
    end = data[at + BLOCK_BYTES - len(_MAGIC_END) : at + BLOCK_BYTES]
    if (block.start0, block.start1) != _MAGIC_START or end != _MAGIC_END:
        raise Uf2Error(f"{where} is damaged: its magic numbers are wrong.")
    if block.flags & _NOT_MAIN_FLASH:
        raise Uf2Error(f"{where} is not for the main flash.")
    if not block.flags & _FAMILY_PRESENT or block.family != RP2040_FAMILY:
        family = f"0x{block.family:08X}" if block.flags & _FAMILY_PRESENT else "not given"
        raise Uf2Error(f"{where} is for another chip: its family is {family}, an RP2040's is 0xE48BFF56.")
    if block.size != PAYLOAD_BYTES:
        raise Uf2Error(f"{where} carries {block.size} bytes; an RP2040 takes 256.")
    inside = FLASH_START <= block.address <= FLASH_START + FLASH_BYTES - PAYLOAD_BYTES
    if not inside or block.address % PAYLOAD_BYTES:
        address = f"0x{block.address:08X}"
        raise Uf2Error(f"{where} is for the address {address}, where no page of the flash begins.")
    return block


def _check_numbers(blocks: list[_Block], name: str) -> None:
    """Every number from 0 to the count once; the order in the file does not matter."""
    count = blocks[0].count
    if any(block.count != count for block in blocks):
        raise Uf2Error(f"{name} is put together of several files: its blocks do not agree on their count.")
    seen: set[int] = set()
    for block in blocks:
        if block.number >= count:
            raise Uf2Error(f"{name} has a block number {block.number}, but says that it has {count}.")
        if block.number in seen:
            raise Uf2Error(f"{name} has the block number {block.number} twice.")
        seen.add(block.number)
    if len(seen) != count:
        missing = next(number for number in range(count) if number not in seen)
        raise Uf2Error(f"{name} is incomplete: {len(seen)} of {count} blocks, number {missing} is missing.")


def _joined(blocks: list[_Block], name: str) -> bytes:
    due = FLASH_START
    ordered = sorted(blocks, key=lambda block: block.address)
    for block in ordered:
        if block.address < due:
            raise Uf2Error(f"{name} fills the address 0x{block.address:08X} twice.")
        if block.address > due:
            raise Uf2Error(f"{name} has a gap: nothing fills the address 0x{due:08X}.")
        due += PAYLOAD_BYTES
    return b"".join(block.data for block in ordered)
