"""What happened: the newest events, in RAM. Formats: stimfw.protocol.messages.

What authenticated peers and the device itself did; what strangers sent is in stimfw.therapy.stranger_log.
There is room for KEPT events of three groups: access (keys, roles, settings), what the output did, and
changes of amplitude. When it is full, the oldest event of a group that has more than its share gives way. So
a flood of one group leaves the newest events of the others: a patient who changes amplitudes all day does not
push out a STOP or a fault. Events are numbered; where one gave way, its number is missing.

A peer can repeat at will what his role allows, and be refused what it does not. So within a minute his second
event of a kind is counted into the first one: REPEATED.
"""

import array
import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, requests
from stimfw.protocol.steps import all_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

KEPT = 64
SHARE = 21
"""Events that each group keeps whatever the others do: a third."""
REPEATED_S = 60
MOST_REPEATS = 255
_PLACES_A_STEP = 16  # they take 0.9 ms
_BYTES = struct.calcsize(requests.LOG_RECORD)
_KIND_AT = 4  # in a record
_SENDER_AT = 5
_DETAIL_AT = 6
_REPEATS_AT = 7
_GROUPS = b"\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\1\1\1\1\1\1\1\2\2\1\1\1\0\0\1\1"
"""By kind: 0 access, 1 output, 2 amplitude."""
_GROUP_COUNT = 3
_BY_A_PEER = (
    messages.EVENT_FORBIDDEN,
    messages.EVENT_CONNECTED,
    messages.EVENT_PROGRAM_SET,
    messages.EVENT_TIME_SET,
    messages.EVENT_WINDOW_SET,
    messages.EVENT_SESSION,
    messages.EVENT_MEASURING,
    messages.EVENT_SELF_TEST,
    messages.EVENT_STOPPED,
    messages.EVENT_LEFT_AMPLITUDE,
    messages.EVENT_RIGHT_AMPLITUDE,
    messages.EVENT_LINK_LOST,
    messages.EVENT_LINK_BACK,
)
"""What the peer of a slot can cause as often as he likes."""
_NO_PLACE = 0xFF


class EventLog:
    """The newest events of each group. Adding one takes no heap.

    Attributes:
        first: number of the first event of this start.
        count: number of the next event: how many there were, those that were overwritten included.
    """

    def __init__(self, uptime_s: "Callable[[], int]", first: int = 0) -> None:
        """Args: uptime_s: a function that gives the seconds since the start; first: see the class."""
        self._uptime_s = uptime_s
        self._records = bytearray(KEPT * _BYTES)
        self._numbers = array.array("I", bytes(4 * KEPT))
        # By slot and kind: the place of the newest such event.
        self._latest = bytearray([_NO_PLACE] * (messages.SLOTS * len(_GROUPS)))
        # Of each group, from the oldest event to the newest: a STOP may wait while a place is found.
        self._next = bytearray(KEPT)
        self._oldest = bytearray(_GROUP_COUNT)
        self._newest = bytearray(_GROUP_COUNT)
        self._counts = bytearray(_GROUP_COUNT)
        self.first = self.count = first

    def add(self, kind: int, sender: int, detail: int) -> None:
        """An event. kind: messages.EVENT_...; sender: a slot, FROM_USB or FROM_NOBODY; detail: u8."""
        now_s = self._uptime_s()
        is_a_peers = sender < messages.SLOTS and kind in _BY_A_PEER
        if is_a_peers and self._counted_in(kind, sender, detail, now_s):
            return
        kept = self.count - self.first
        place = kept if kept < KEPT else self._given_way()
        self._append(_GROUPS[kind], place)
        self._numbers[place] = self.count
        at = place * _BYTES
        struct.pack_into(requests.LOG_RECORD, self._records, at, now_s, kind, sender & 0xFF, detail & 0xFF, 0)
        if is_a_peers:
            self._latest[sender * len(_GROUPS) + kind] = place
        self.count += 1

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` events from number `first` or the next one kept: the first's number, and records.

        They end where a number is missing: ask again for what comes after it.
        """
        return all_of(self.reading(first, most))

    def reading(self, first: int, most: int) -> "Generator[None, None, tuple[int, bytes]]":
        """The same in steps: finds the places, and copies what is there, if nothing came meanwhile."""
        while True:
            count = self.count
            start = yield from self._oldest_from(first)
            places = yield from self._places_of(start, most)
            if count == self.count:
                break
        records = b""
        for place in places:
            if place == _NO_PLACE:
                break
            records += bytes(self._records[place * _BYTES : (place + 1) * _BYTES])
        return start, records

    def _oldest_from(self, first: int) -> "Generator[None, None, int]":
        """The oldest number that is kept of those from `first` on; the next event's if there is none."""
        numbers, start = self._numbers, self.count
        for group in self._groups_of_places():
            for place in group:
                if first <= numbers[place] < start:
                    start = numbers[place]
            yield
        return start

    def _places_of(self, start: int, most: int) -> "Generator[None, None, bytearray]":
        """Where the numbers from `start` on are; _NO_PLACE: not here."""
        numbers, places = self._numbers, bytearray(b"\xff" * most)
        for group in self._groups_of_places():
            for place in group:
                if 0 <= numbers[place] - start < most:
                    places[numbers[place] - start] = place
            yield
        return places

    def _groups_of_places(self) -> "list[range]":
        """Those in use, as many as a step looks at."""
        kept = min(self.count - self.first, KEPT)
        return [range(at, min(at + _PLACES_A_STEP, kept)) for at in range(0, kept, _PLACES_A_STEP)]

    def _counted_in(self, kind: int, sender: int, detail: int, now_s: int) -> bool:
        """Whether it was counted into an event of the last minute, which has the newest detail then."""
        place = self._latest[sender * len(_GROUPS) + kind]
        if place == _NO_PLACE:
            return False
        records, at = self._records, place * _BYTES
        if records[at + _KIND_AT] != kind or records[at + _SENDER_AT] != sender:
            return False  # it gave way
        began_s = records[at] | records[at + 1] << 8 | records[at + 2] << 16 | records[at + 3] << 24
        if now_s - began_s >= REPEATED_S:
            return False
        records[at + _DETAIL_AT] = detail & 0xFF
        if records[at + _REPEATS_AT] < MOST_REPEATS:
            records[at + _REPEATS_AT] += 1
        return True

    def _append(self, group: int, place: int) -> None:
        if self._counts[group]:
            self._next[self._newest[group]] = place
        else:
            self._oldest[group] = place
        self._newest[group] = place
        self._counts[group] += 1

    def _given_way(self) -> int:
        """The place of the oldest event of a group that has more than its share."""
        numbers, heads = self._numbers, self._oldest
        found = -1
        for group in range(_GROUP_COUNT):
            if self._counts[group] > SHARE and (found < 0 or numbers[heads[group]] < numbers[heads[found]]):
                found = group
        place = heads[found]
        heads[found] = self._next[place]
        self._counts[found] -= 1
        return place
