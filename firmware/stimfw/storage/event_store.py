"""The log's events on flash: a ring of two blocks, appended to, so that they outlive a restart.

A block has 256 places of 16 bytes:

    0..3          4..11                                 12..15
    number (u32)  the event (requests.LOG_RECORD)       CRC-32 of "SBl1" and all before it

A place is written once. What a power cut leaves of one is no event, and is passed over; the others stay as
they are. When a block is full, the other one is erased and goes on: so the newest 256 to 512 events are kept.
Nothing rests on them: what is no event here, garbage too, is passed over and in its turn erased.
"""

import array
import binascii
import struct
from typing import TYPE_CHECKING

from stimfw.protocol import requests
from stimfw.protocol.steps import all_of
from stimfw.storage.blocks import (
    BLANK_PAGE,
    PAGE_BYTES,
    PAGES,
    StorageError,
    make_blank,
    program_page,
    read_page,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.storage.blocks import BlockDevice

PLACES = 256
"""In a block."""
_PLACE_BYTES = 16
_A_PAGE = PAGE_BYTES // _PLACE_BYTES
_EVENT_BYTES = struct.calcsize(requests.LOG_RECORD)
_CRC_AT = 4 + _EVENT_BYTES
_SALT = binascii.crc32(b"SBl1")
_BLANK_PLACE = b"\xff" * _PLACE_BYTES
_NONE = 0xFFFFFFFF
_TRIES = 4
_PLACES_A_STEP = 4  # they take 0.7 ms


class EventStore:
    """Looks at all of it once, when it is made; that never fails.

    Attributes:
        next_number: of the first event that is not here: above all that are.
    """

    def __init__(self, device: "BlockDevice", first_block: int) -> None:
        """`first_block` and the one after it are this store's alone. Takes 5 ms, 30 if they hold garbage."""
        self._device = device
        self._first = first_block
        self._numbers = array.array("I", [_NONE] * (2 * PAGES))  # of the first event of each page
        self._block = 0  # which of the two is written to
        self._used = 0  # its places up to the last one that is not blank
        self.next_number = 0
        for block in (0, 1):
            newest, used = self._scan(block)
            if newest >= self.next_number or (block == 0 and newest < 0):
                self._block, self._used = block, used
            self.next_number = max(self.next_number, newest + 1)

    def append(self, first: int, events: bytes) -> None:
        """Write events, numbered from `first` on. A page program, or an erase (0.4 s at most) and some.

        Raises:
            StorageError: the flash does not take them; some may be there.
        """
        failed = 0
        while events:
            page, start = self._blank_place()
            count = min(_A_PAGE - start, len(events) // _EVENT_BYTES)
            content = bytearray(BLANK_PAGE)
            for index in range(count):
                _put(content, start + index, first + index, events[index * _EVENT_BYTES :][:_EVENT_BYTES])
            begin, end = start * _PLACE_BYTES, (start + count) * _PLACE_BYTES
            program_page(self._device, self._first + self._block, page, content)
            self._used += count
            if read_page(self._device, self._first + self._block, page)[begin:end] != content[begin:end]:
                failed += 1
                if failed == _TRIES:
                    raise StorageError("block %d: not programmed" % (self._first + self._block))
                continue
            at = self._block * PAGES + page
            self._numbers[at] = min(self._numbers[at], first)
            first, events = first + count, events[count * _EVENT_BYTES :]
            self.next_number = first

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` events from number `first` or the next one on: the first's number, and the events.

        They end where a number is missing. Without any, the number is `next_number`.
        """
        return all_of(self.reading(first, most))

    def reading(self, first: int, most: int) -> "Generator[None, None, tuple[int, bytes]]":
        """The same in steps: some places of a page each."""
        events = b""
        number = first
        for page in self._pages_from(first):
            yield
            content = read_page(self._device, self._first + page // PAGES, page % PAGES)
            for place in range(_A_PAGE):
                if place % _PLACES_A_STEP == _PLACES_A_STEP - 1:
                    yield
                found = _number_of(content, place)
                if found < first or (events and found < number):
                    continue
                if len(events) == most * _EVENT_BYTES or (events and found != number):
                    return number - len(events) // _EVENT_BYTES, events
                at = place * _PLACE_BYTES + 4
                events += bytes(content[at : at + _EVENT_BYTES])
                number = found + 1
        if not events:
            return self.next_number, events
        return number - len(events) // _EVENT_BYTES, events

    def _pages_from(self, first: int) -> "list[int]":
        """The pages that may hold number `first` and later ones, oldest first."""
        older = 1 - self._block
        pages = [
            block * PAGES + page
            for block in (older, self._block)
            for page in range(PAGES)
            if self._numbers[block * PAGES + page] != _NONE
        ]
        begin = 0
        for index, page in enumerate(pages):
            if self._numbers[page] <= first:
                begin = index
        return pages[begin:]

    def _blank_place(self) -> "tuple[int, int]":
        """Page, and place in it, of the next one: all from there on are blank."""
        if self._used < PLACES:
            return self._used // _A_PAGE, self._used % _A_PAGE
        other = 1 - self._block
        for page in range(PAGES):
            self._numbers[other * PAGES + page] = _NONE
        make_blank(self._device, self._first + other)
        self._block, self._used = other, 0
        return 0, 0

    def _scan(self, block: int) -> "tuple[int, int]":
        """The number of the newest event of a block, -1 if there is none; and how many places are used."""
        newest, used = -1, 0
        for page in range(PAGES):
            content = read_page(self._device, self._first + block, page)
            if content == BLANK_PAGE:
                continue
            used = page * _A_PAGE + _used_in(content)
            for place in range(_A_PAGE):
                number = _number_of(content, place)
                if number >= 0:
                    self._numbers[block * PAGES + page] = number
                    break
            else:
                continue
            for place in range(_A_PAGE - 1, -1, -1):
                number = _number_of(content, place)
                if number >= 0:
                    newest = max(newest, number)
                    break
        return newest, used


def _put(content: bytearray, place: int, number: int, event: bytes) -> None:
    at = place * _PLACE_BYTES
    struct.pack_into("<I", content, at, number)
    content[at + 4 : at + _CRC_AT] = event
    checksum = binascii.crc32(content[at : at + _CRC_AT], _SALT)
    struct.pack_into("<I", content, at + _CRC_AT, checksum)


def _number_of(content: bytearray, place: int) -> int:
    """Of the event in a place of a page; -1 if there is none."""
    at = place * _PLACE_BYTES
    number, checksum = struct.unpack_from("<I8xI", content, at)
    if number == _NONE or binascii.crc32(content[at : at + _CRC_AT], _SALT) != checksum:
        return -1
    return int(number)


def _used_in(content: bytearray) -> int:
    """Places of a page up to the last one that is not blank."""
    for place in range(_A_PAGE - 1, -1, -1):
        if content[place * _PLACE_BYTES : (place + 1) * _PLACE_BYTES] != _BLANK_PLACE:
            return place + 1
    return 0
