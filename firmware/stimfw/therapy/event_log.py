"""What happened since the start: the newest events, in RAM. Formats: stimfw.protocol.messages.

There is room for KEPT events of three groups: access (keys, roles, settings), what the output did, and
changes of amplitude. When it is full, the oldest event of a group that has more than its share gives way. So
a flood of one group leaves the newest events of the others: a patient who changes amplitudes all day does not
push out a STOP or a fault. Events are numbered; where one gave way, its number is missing.
"""

import array
import struct
from typing import TYPE_CHECKING

from stimfw.protocol import requests

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 64
SHARE = 21
"""Events that each group keeps whatever the others do: a third."""
_BYTES = struct.calcsize(requests.LOG_RECORD)
_KIND_AT = 4  # in a record
_GROUPS = b"aaaaaaaaaaoaaaaoooooooAAoooaa"
"""By kind: access, output, amplitude."""


class EventLog:
    """The newest events of each group. Adding one takes no heap.

    Each is kept. What an attacker can cause at will is limited by its source (stimfw.telemetry.responder).
    """

    def __init__(self, uptime_s: "Callable[[], int]") -> None:
        """Args: uptime_s: a function that gives the seconds since the start."""
        self._uptime_s = uptime_s
        self._records = bytearray(KEPT * _BYTES)
        self._numbers = array.array("I", bytes(4 * KEPT))
        self.count = 0
        """Events since the start, those that were overwritten included."""

    def add(self, kind: int, sender: int, detail: int) -> None:
        """An event. kind: messages.EVENT_...; sender: a slot, FROM_USB or FROM_NOBODY; detail: u8."""
        now_s = self._uptime_s()
        place = self.count if self.count < KEPT else self._given_way()
        self._numbers[place] = self.count
        at = place * _BYTES
        struct.pack_into(requests.LOG_RECORD, self._records, at, now_s, kind, sender & 0xFF, detail & 0xFF)
        self.count += 1

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` events from number `first` or the next one kept: the first's number, and records.

        They end where a number is missing: ask again for what comes after it.
        """
        kept = min(self.count, KEPT)
        number = self.count
        for place in range(kept):
            if first <= self._numbers[place] < number:
                number = self._numbers[place]
        first = number
        places = {self._numbers[place]: place for place in range(kept)}
        records = b""
        while number < first + most and number in places:
            at = places[number] * _BYTES
            records += bytes(self._records[at : at + _BYTES])
            number += 1
        return first, records

    def _given_way(self) -> int:
        """The place of the oldest event of a group that has more than its share."""
        access = output = 0
        for place in range(KEPT):
            group = self._group(place)
            if group == 97:  # a
                access += 1
            elif group == 111:  # o
                output += 1
        oldest, found = self.count, 0
        for place in range(KEPT):
            if self._numbers[place] < oldest:
                group = self._group(place)
                count = access if group == 97 else output if group == 111 else KEPT - access - output
                if count > SHARE:
                    oldest, found = self._numbers[place], place
        return found

    def _group(self, place: int) -> int:
        return _GROUPS[self._records[place * _BYTES + _KIND_AT]]
