"""A number and a seed that no two boots share, whatever the source of random bits does.

Two blocks of 64 places of 64 bytes; a place is written once:

    0..3     4..7         8..11                  12..43                    44..47                 48..63
    "SBe1"   epoch (u32)  CRC-32 of bytes 0..7   seed of the next boot     CRC-32 of bytes 0..43  0xFF

Each boot writes a record in the place after the last one, then programs the former record's seed to zero: on
flash there is only the seed of the boot to come, and the one in use cannot be computed from it. A full
block's successor is the other one; the full one is erased as soon as that has its first record, so it is
blank long before it is needed.

A record that a power cut has torn cannot be told from one that was damaged later, whose epoch was used. So
each place that is not blank and cannot be read counts as an epoch that was: it is skipped. That is enough,
because from one place of a block to the next the epoch goes up by one at most. If what the other block holds
makes it go up by more, the other block is erased and takes the record: so each block keeps that rule.

A log without a single readable record is lost, unless none was ever finished: on a new board. Then only a
limit that is kept elsewhere (stimfw.storage.epoch_limit) tells where to go on: `restart`.
"""

import binascii
import struct
from typing import TYPE_CHECKING

from stimfw.crypto.primitives import sha256
from stimfw.storage.blocks import (
    BLANK_PAGE,
    PAGE_BYTES,
    PAGES,
    DamagedError,
    LaterError,
    StorageError,
    UsedUpError,
    can_become,
    erase,
    make_blank,
    program_page,
    read_page,
)

if TYPE_CHECKING:
    from stimfw.storage.blocks import BlockDevice

SEED_BYTES = 32
PLACES = 64
"""In a block."""
MAX_EPOCH = 0xFFFFFFFF
_PLACE_BYTES = 64
_A_PAGE = PAGE_BYTES // _PLACE_BYTES
_MAGIC = b"SBe1"
_FORMAT_AT = 3  # of the magic: a digit; the header keeps its form in later formats
_HEADER_BYTES = 12
_SEED_END = _HEADER_BYTES + SEED_BYTES
_RECORD_BYTES = _SEED_END + 4
_BLANK_PLACE = b"\xff" * _PLACE_BYTES
_WIPED = bytes(_RECORD_BYTES - _HEADER_BYTES)


class _Block:
    """What was found in a block."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.epoch = 0  # the highest; 0 if there is none
        self.seed_epoch = 0  # the highest whose seed can be read
        self.seed = bytes(SEED_BYTES)
        self.used = 0  # places up to the last one that is not blank
        self.read = 0  # places up to the one with that epoch
        self.torn_firsts = 0  # places at its start that could be a new board's torn records
        self.seeds: "list[int]" = []  # places that still hold a seed, or part of one


class EpochLog:
    """Ask it once a boot, before anything that must not repeat. Keeps nothing in RAM."""

    def __init__(self, device: "BlockDevice", first_block: int) -> None:
        """`first_block` and the one after it are this log's alone."""
        self._device = device
        self._first = first_block

    def advance(self, material: bytes, limit: int = 0) -> "tuple[int, bytes]":
        """Write the next epoch to flash, and only then return it.

        2 page programs; at a change of blocks (each 64th boot) or after a power cut also up to 2 erases.

        Args:
            material: random bytes, as good as the board has them.
            limit: see `check`.

        Returns:
            The epoch, from 1 on, higher than every one returned before; and 32 bytes to seed a generator
            with, different at each boot even if `material` is always the same.

        Raises:
            DamagedError, LaterError, UsedUpError: as of `check`. No epoch is to be used then.
            StorageError: it does not read back as written. No epoch is to be used then.
        """
        here, there = self._scan(self._first), self._scan(self._first + 1)
        epoch = _next_epoch(here, there, limit)
        seed = here.seed if here.seed_epoch >= there.seed_epoch else there.seed
        mixed = seed + material + struct.pack("<I", epoch)
        if there.epoch > here.epoch:
            here, there = there, here
        if here.used == PLACES or there.used > there.read:
            if there.used:
                erase(self._device, there.number)
            fresh = self._scan(there.number)  # places that did not erase are passed over
            if here.used == PLACES or fresh.used < PLACES:
                here, there = fresh, here
        self._append(here, _record(epoch, sha256(b"next" + mixed)))
        if there.used:
            erase(self._device, there.number)
        self._wipe(here)
        return epoch, sha256(b"use" + mixed)

    def check(self, limit: int = 0) -> int:
        """The epoch that is due. Writes nothing.

        Args:
            limit: not 0: an epoch was used before, so a log without a record is one that was lost.

        Raises:
            DamagedError: no record can be read, and there was one.
            LaterError: a later firmware's log.
            UsedUpError: the last epoch was given out.
        """
        return _next_epoch(self._scan(self._first), self._scan(self._first + 1), limit)

    def restart(self, epoch: int, material: bytes) -> None:
        """Begin a new log, whatever is there, so that the next epoch is above `epoch` (0: as on a new board).

        A cut leaves no log. Keys that have met epochs above `epoch` must be gone, or `epoch` must be a limit.

        Raises:
            StorageError: the flash did not take it.
        """
        for block in (self._first, self._first + 1):
            make_blank(self._device, block)
        if epoch:
            self._append(_Block(self._first), _record(epoch, sha256(b"restart" + material)))

    def is_there(self) -> bool:
        """Whether any record can be read, be it a later firmware's."""
        try:
            return bool(self._scan(self._first).epoch or self._scan(self._first + 1).epoch)
        except LaterError:
            return True

    def _scan(self, number: int) -> _Block:
        block = _Block(number)
        for page in range(PAGES):
            content = read_page(self._device, number, page)
            if content == BLANK_PAGE:
                continue
            for index in range(_A_PAGE):
                start = index * _PLACE_BYTES
                place = bytes(content[start : start + _PLACE_BYTES])
                if place != _BLANK_PLACE:
                    _note(block, page * _A_PAGE + index, place)
        return block

    def _append(self, block: _Block, record: bytes) -> None:
        """In the first place of a block that takes it."""
        while block.used < PLACES:
            page, start = block.used // _A_PAGE, block.used % _A_PAGE * _PLACE_BYTES
            self._program(block, block.used, 0, record)
            if read_page(self._device, block.number, page)[start : start + _RECORD_BYTES] == record:
                return
            block.seeds.append(block.used)
            block.used += 1
        raise StorageError("block %d: not programmed" % block.number)

    def _wipe(self, block: _Block) -> None:
        """Clear the seeds that are not needed any more; the new record's is not among them."""
        for place in block.seeds:
            self._program(block, place, _HEADER_BYTES, _WIPED)

    def _program(self, block: _Block, place: int, offset: int, data: bytes) -> None:
        """Part of a place; the rest of its page stays as it is."""
        page = bytearray(BLANK_PAGE)
        start = place % _A_PAGE * _PLACE_BYTES + offset
        page[start : start + len(data)] = data
        program_page(self._device, block.number, place // _A_PAGE, page)


def _next_epoch(here: _Block, there: _Block, limit: int) -> int:
    last = max(here.epoch, there.epoch)
    if last == 0:
        # Blank, or a new board whose first boots all lost power before their records were whole: each place
        # is what the record due there can look like half-way. Anything else was a log once.
        if limit or there.used or here.used != here.torn_firsts:
            raise DamagedError("epoch log damaged")
        last = here.used
    else:
        last += here.used - here.read + there.used - there.read
    if last >= MAX_EPOCH:
        raise UsedUpError("epochs used up")
    return last + 1


def _header(epoch: int) -> bytes:
    head = _MAGIC + struct.pack("<I", epoch)
    return head + struct.pack("<I", binascii.crc32(head))


def _record(epoch: int, seed: bytes) -> bytes:
    body = _header(epoch) + seed
    return body + struct.pack("<I", binascii.crc32(body))


def _note(block: _Block, index: int, place: bytes) -> None:
    """Take a place that is not blank into account."""
    block.used = index + 1
    if place[:_FORMAT_AT] != _MAGIC[:_FORMAT_AT]:
        if index == block.torn_firsts and can_become(place, _header(index + 1)):
            block.torn_firsts += 1
        block.seeds.append(index)
        return
    wiped = place[_HEADER_BYTES:_RECORD_BYTES] == _WIPED
    if not wiped:
        block.seeds.append(index)
    epoch = struct.unpack_from("<I", place, 4)[0]
    if place[:_HEADER_BYTES] == _header(epoch):
        if epoch > block.epoch:
            block.epoch = epoch
            block.read = index + 1
        if wiped or epoch <= block.seed_epoch:
            return
        seed = place[_HEADER_BYTES:_SEED_END]
        if place[:_RECORD_BYTES] == _record(epoch, seed):
            block.seed_epoch = epoch
            block.seed = seed
    elif _is_later(place):
        raise LaterError("epoch log of a later format")
    elif index == block.torn_firsts and can_become(place, _header(index + 1)):
        block.torn_firsts += 1


def _is_later(place: bytes) -> bool:
    head = place[: _HEADER_BYTES - 4]
    return (
        head[:_FORMAT_AT] == _MAGIC[:_FORMAT_AT]
        and head[_FORMAT_AT] > _MAGIC[_FORMAT_AT]
        and place[_HEADER_BYTES - 4 : _HEADER_BYTES] == struct.pack("<I", binascii.crc32(head))
    )
