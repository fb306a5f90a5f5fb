"""The journal's blocks: which of them holds which numbers, which are ready, which are to be erased.

Slot 0 of a block is its head, written in two parts; slots 1-127 are entries (stimfw.storage.journal_format):

    0..3    4        5..7  8..11           12..15
    "SBj1"  version  0     sequence (u32)  CRC-32 of 0..11

    16   17..19  20..23       24..27      28..31
    use  0       first (u32)  last (u32)  CRC-32 of 16..27

The first part comes after an erase: only then is a block ready, and its erase was not cut short. `sequence`
counts these. The second part comes with a block's first entry (RAW: `last` is 0xFFFFFFFF), or, in a block
made from older ones, when it is complete (ROUTINE_GONE, CLINICAL_GONE): from then on it stands for all the
numbers from `first` to `last`, and what blocks of a lower sequence hold of these counts no more.
"""

import array
import binascii
import struct
from typing import TYPE_CHECKING

from stimfw.storage import journal_format
from stimfw.storage.blocks import (
    BLANK_PAGE,
    BLOCK_BYTES,
    PAGE_BYTES,
    PAGES,
    erase,
    is_blank,
    program_page,
    read_page,
)
from stimfw.storage.journal_format import SLOT_BYTES, begin_of, chain_of, is_whole, number_of

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


if TYPE_CHECKING:
    from collections.abc import Iterator

    from stimfw.storage.blocks import BlockDevice

    Head = tuple[int, int, int]

VERSION = const(1)
SLOTS = BLOCK_BYTES // SLOT_BYTES
"""In a block, its head among them."""
A_PAGE = PAGE_BYTES // SLOT_BYTES

# What a block is. The first three are on flash.
FREE = const(0)  # to be erased: nothing in it counts
RAW = const(1)
ROUTINE_GONE = const(2)
CLINICAL_GONE = const(3)
READY = const(4)
BAD = const(5)  # does not take an erase or a program, at this start

_PREPARED = "<4sB3xI"
_USED = "<B3xII"
_PART = const(12)  # bytes of a part of a head, without its checksum
_USED_AT = const(16)
_USED_END = const(32)
_OPEN = const(0xFFFFFFFF)
_MAGIC = b"SBj1"
_BLANK_SLOT = b"\xff" * SLOT_BYTES


class Ring:
    """What each block is, in RAM: 9 bytes a block.

    Attributes:
        use: FREE, RAW, ... of each block.
        first: of each block with entries, the first number for which it counts.
        missing: numbers that could be in none of the blocks at the start, though others follow.
        is_later: a later firmware wrote here.
        is_garbage: something lies here, and none of it is of a journal.
    """

    def __init__(self, device: "BlockDevice", first_block: int, blocks: int) -> None:
        """`blocks` blocks from `first_block` on are this ring's alone."""
        self._device = device
        self._base = first_block
        self._sequence = array.array("I", [0] * blocks)
        self._turn = 0
        self.blocks = blocks
        self.use = bytearray(blocks)
        self.first = array.array("I", [0] * blocks)
        self.missing = 0
        self.is_later = False
        self.is_garbage = False

    # Pages and slots.

    def page(self, block: int, page: int) -> bytearray:
        """A page of a block of the ring."""
        return read_page(self._device, self._base + block, page)

    def program(self, block: int, page: int, content: "bytes | bytearray") -> None:
        """Clear the bits of a page that are 0 in `content`."""
        program_page(self._device, self._base + block, page, content)

    def slots(self, block: int, place: int = 1, least: int = 0) -> "Iterator[tuple[int, bytearray]]":
        """Place and content of each whole slot that counts, from `place` and number `least` on; they rise."""
        due = max(least, self.first[block])
        for page in range(place // A_PAGE, PAGES):
            content = self.page(block, page)
            if content == BLANK_PAGE:
                return
            for at in range(place % A_PAGE, A_PAGE):
                slot = content[at * SLOT_BYTES : (at + 1) * SLOT_BYTES]
                number = number_of(slot)
                if number >= due and slot != _BLANK_SLOT and is_whole(slot):
                    due = number + 1
                    yield page * A_PAGE + at, slot
            place = 0

    def tail(self, block: int) -> "tuple[int, int, bytearray | None]":
        """How many slots are in use; place and content of the newest whole one, 0 and None without one."""
        used = 1
        for page in range(PAGES - 1, -1, -1):
            content = self.page(block, page)
            if content == BLANK_PAGE:
                continue
            for at in range(A_PAGE - 1, -1 if page else 0, -1):
                slot = content[at * SLOT_BYTES : (at + 1) * SLOT_BYTES]
                if slot == _BLANK_SLOT:
                    continue
                used = max(used, page * A_PAGE + at + 1)
                if is_whole(slot) and number_of(slot) != _OPEN:
                    return used, page * A_PAGE + at, slot
        return used, 0, None

    def has_room(self, block: int) -> bool:
        """Whether the last slot of a block is blank."""
        return bool(self.page(block, PAGES - 1)[-SLOT_BYTES:] == _BLANK_SLOT)

    # The order of numbers.

    def holds(self, block: int) -> bool:
        """Whether a block has entries that count."""
        return bool(RAW <= self.use[block] <= CLINICAL_GONE)

    def holding(self, number: int) -> int:
        """The block that has a number, or would have it; -1 if all numbers here are later."""
        use, first = self.use, self.first
        found, best = -1, -1
        for block in range(self.blocks):
            if best < first[block] <= number and RAW <= use[block] <= CLINICAL_GONE:
                found, best = block, first[block]
        return found

    def after(self, first: int) -> int:
        """The block that begins next after number `first`; -1 if there is none."""
        use, begins = self.use, self.first
        found, best = -1, _OPEN
        for block in range(self.blocks):
            if first < begins[block] < best and RAW <= use[block] <= CLINICAL_GONE:
                found, best = block, begins[block]
        return found

    def next_of(self, block: int) -> int:
        """The block that comes after a block; -1 if it is the newest one."""
        return self.after(self.first[block])

    def oldest(self) -> int:
        """The block with the lowest numbers; -1 if there is none."""
        return self.after(-1)

    def order(self) -> "list[int]":
        """The blocks that have entries, from the oldest to the newest."""
        held = [(self.first[block], block) for block in range(self.blocks) if self.holds(block)]
        held.sort()
        return [block for _, block in held]

    def newest(self) -> int:
        """The block with the highest numbers; -1 if there is none."""
        return self.holding(_OPEN)

    def missing_beyond(self, block: int) -> int:
        """Numbers after a block that can be in no block: others were there, and are gone."""
        following = self.next_of(block)
        if following < 0:
            return 0
        head = _used_part(self.page(block, 0))
        return self._missing_between(block, following, _OPEN if head is None else head[2])

    def _missing_between(self, block: int, following: int, last: int) -> int:
        end = self.first[block] + SLOTS - 1 if self.use[block] == RAW else last + 1
        return max(0, int(self.first[following] - end))

    # Making blocks ready, and taking them.

    def count(self, use: int) -> int:
        """How many blocks are FREE, READY, ..."""
        found = 0
        for each in self.use:
            found += each == use
        return found

    def next_ready(self, spare: int) -> int:
        """The block that was ready first; -1 unless `spare` others are."""
        if self.count(READY) <= spare:
            return -1
        ready = [(self._sequence[block], block) for block in range(self.blocks) if self.use[block] == READY]
        return min(ready)[1]

    def make_ready(self) -> bool:
        """Erase the next free block, in turn; one that does not take it is BAD then. False: there is none."""
        for step in range(self.blocks):
            block = (self._turn + step) % self.blocks
            if self.use[block] == FREE:
                self._turn = block + 1
                self.use[block] = READY if self._is_prepared(block) else BAD
                return True
        return False

    def _is_prepared(self, block: int) -> bool:
        sequence = max(self._sequence) + 1
        page = _sealed(struct.pack(_PREPARED, _MAGIC, VERSION, sequence)) + BLANK_PAGE[_USED_AT:]
        try:
            erase(self._device, self._base + block)
            if not is_blank(self._device, self._base + block):
                return False
            self.program(block, 0, page)
            if self.page(block, 0) != page:
                return False
        except OSError:
            return False
        self._sequence[block] = sequence
        return True

    def used_page(self, block: int, use: int, first: int, last: int = _OPEN) -> bytearray:
        """Page 0 of a block with the second part of its head in it."""
        page = self.page(block, 0)
        page[_USED_AT:_USED_END] = _sealed(struct.pack(_USED, use, first, last))
        return page

    def take(self, block: int, use: int, first: int) -> None:
        """A ready block has entries now."""
        self.use[block] = use
        self.first[block] = first

    def make_seal_firm(self) -> None:
        """Program the head of the block that was sealed last once more, before what it replaces goes.

        A cut at the end of programming may have left bits that only just read as 0.
        """
        sealed = [
            (self._sequence[block], block)
            for block in range(self.blocks)
            if self.use[block] in (ROUTINE_GONE, CLINICAL_GONE)
        ]
        if sealed:
            block = max(sealed)[1]
            self.program(block, 0, self.page(block, 0))

    # What is there at a start.

    def scan(self) -> None:
        """Read the head of each block, and all of those whose head tells too little. Writes nothing."""
        last = array.array("I", [_OPEN] * self.blocks)
        doubtful = []
        found_any = is_strange = False
        head = bytearray(SLOT_BYTES)
        for block in range(self.blocks):
            self._device.readblocks(self._base + block, head, 0)
            if head == _BLANK_SLOT:
                continue
            prepared = self._read_head(block, head, last)
            found_any = found_any or prepared
            if not self.use[block]:
                doubtful.append(block)
                # Else a cut left half of the very first head.
                is_strange = is_strange or head[_USED_AT:] != _BLANK_SLOT[_USED_AT:]
        if self.is_later:
            return
        order = self._settle(last)
        # Read against the blocks that are certain.
        kept = [(block, first) for block, first in [(b, self._vouched(b)) for b in doubtful] if first >= 0]
        for block, first in kept:
            self.take(block, RAW, first)
        before = -1
        for block in self.order() if kept else order:
            if before >= 0:
                self.missing += self._missing_between(before, block, last[before])
            before = block
        self.is_garbage = is_strange and not found_any and not kept
        newest = max(self._sequence)
        for block in range(self.blocks):
            if self._sequence[block] == newest:
                self._turn = block + 1

    def _read_head(self, block: int, head: bytearray, last: "array.array[int]") -> bool:
        """Note what the head of a block says; whether its first part is whole."""
        if head[:4] != _MAGIC or _sealed(head[:_PART]) != head[:_USED_AT]:
            return False
        self._sequence[block] = struct.unpack_from("<I", head, 8)[0]
        if head[4] > VERSION:
            self.is_later = True
            return True
        used = _used_part(head)
        if used is not None:
            self.use[block], self.first[block], last[block] = used
        elif self.page(block, 0)[_USED_AT:] == BLANK_PAGE[_USED_AT:]:
            self.use[block] = READY
        return True

    def _settle(self, last: "array.array[int]") -> "list[int]":
        """From which number on each block counts, and which ones do not any more, as others replace them.

        Gives those that count, in order.
        """
        held = [(self.first[b], self._sequence[b], b) for b in range(self.blocks) if self.holds(b)]
        held.sort()
        self._end_raw(held, last)
        sealed = [each for each in held if self.use[each[2]] > RAW]
        begin = 0
        for first, sequence, block in held:
            if self.use[block] == FREE:
                continue
            while begin < len(sealed) and last[sealed[begin][2]] < first:
                begin += 1
            for at in range(begin, len(sealed)):
                other_first, other_sequence, other = sealed[at]
                if other_first > first:
                    break
                if other_sequence > sequence and first <= last[other]:
                    first = last[other] + 1
            if first > last[block]:
                self.use[block] = FREE
            self.first[block] = first
        return [block for _, _, block in held if self.use[block] != FREE]

    def _end_raw(self, held: "list[tuple[int, int, int]]", last: "array.array[int]") -> None:
        """The last number of each raw block: the one before the next raw one's first."""
        following = _OPEN + 1
        for first, _, block in reversed(held):
            if self.use[block] == RAW:
                if first == following:  # this one, the earlier of the two, did not take its first entry
                    self.use[block] = FREE
                else:
                    last[block] = following - 1
                following = first

    def _vouched(self, block: int) -> int:
        """The first number of a block whose head cannot be read; -1 if nothing in it counts.

        It counts if an entry in it follows from the one before, and its numbers are nowhere else.
        """
        self.first[block] = 0
        if not self._has_entry_early(block):
            return -1
        first, chain = -1, journal_format.NO_CHAIN
        for _, slot in self.slots(block):
            if first < 0:
                first = begin_of(slot)
                before = self.holding(first)
                newest = None if before < 0 else self.tail(before)[2]
                if newest is not None:
                    if number_of(newest) >= first:
                        return -1
                    chain = chain_of(newest)
            if journal_format.chained(chain, slot) == chain_of(slot):
                return first
            chain = chain_of(slot)
        return -1

    def _has_entry_early(self, block: int) -> bool:
        """Whether one of the first two pages of a block has a whole slot.

        To look at all of a block takes 80 ms. Where something else has overwritten all of them, a start would
        take longer than the watchdog gives it.
        """
        for page in (0, 1):
            content = self.page(block, page)
            for at in range(0, PAGE_BYTES, SLOT_BYTES):
                slot = content[at : at + SLOT_BYTES]
                if slot != _BLANK_SLOT and is_whole(slot):
                    return True
        return False


def _sealed(part: "bytes | bytearray") -> bytes:
    """A part of a head with its checksum."""
    return bytes(part) + struct.pack("<I", binascii.crc32(part))


def _used_part(page: bytearray) -> "Head | None":
    """Use, first and last number, as the second part of a head says them; None if it is not whole."""
    part = page[_USED_AT:_USED_END]
    if _sealed(part[:_PART]) != part:
        return None
    use, first, last = struct.unpack_from(_USED, part, 0)
    return (use, first, last) if RAW <= use <= CLINICAL_GONE and first <= last else None
