"""What happened since the start: rings of events in RAM. Formats: stimfw.protocol.messages.

Three rings, so that many events of one group do not push out those of another: a patient who starts and stops
all day leaves what was refused, and amplitudes that are changed again and again leave each STOP and each
fault. Events are numbered through all three; where one was overwritten, its number is missing.
"""

import array
import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, requests

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 64
"""Events that are kept of access (keys, roles, settings), and of what the output did."""
KEPT_AMPLITUDES = 16
_BYTES = struct.calcsize(requests.LOG_RECORD)
_AMPLITUDES = (messages.EVENT_LEFT_AMPLITUDE, messages.EVENT_RIGHT_AMPLITUDE)


class _Ring:
    """The newest `kept` events of a group, with their numbers."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._records = bytearray(kept * _BYTES)
        self._numbers = array.array("I", bytes(4 * kept))
        self.count = 0

    def add(self, number: int, now_s: int, kind: int, sender: int, detail: int) -> None:
        at = self.count % self._kept
        self._numbers[at] = number
        struct.pack_into(
            requests.LOG_RECORD, self._records, at * _BYTES, now_s, kind, sender & 0xFF, detail & 0xFF
        )
        self.count += 1

    def find(self, first: int) -> int:
        """The place of the oldest event whose number is at least `first`; `count` if there is none."""
        place = max(0, self.count - self._kept)
        while place < self.count and self.number(place) < first:
            place += 1
        return place

    def number(self, place: int) -> int:
        return self._numbers[place % self._kept]

    def record(self, place: int) -> bytes:
        at = place % self._kept * _BYTES
        return bytes(self._records[at : at + _BYTES])


class EventLog:
    """The newest events of each group. Adding one takes no heap.

    Each is kept. What an attacker can cause at will is limited by its source (stimfw.telemetry.responder).
    """

    def __init__(self, uptime_s: "Callable[[], int]") -> None:
        """Args: uptime_s: a function that gives the seconds since the start."""
        self._uptime_s = uptime_s
        self._access, self._output, self._amplitudes = _Ring(KEPT), _Ring(KEPT), _Ring(KEPT_AMPLITUDES)
        self.count = 0
        """Events since the start, those that were overwritten included."""

    def add(self, kind: int, sender: int, detail: int) -> None:
        """An event. kind: messages.EVENT_...; sender: a slot, FROM_USB or FROM_NOBODY; detail: u8."""
        now_s = self._uptime_s()
        self._ring_of(kind).add(self.count, now_s, kind, sender, detail)
        self.count += 1

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` events from number `first` or the next one kept: the first's number, and records.

        They end where a number is missing: ask again for what comes after it.
        """
        rings = (self._access, self._output, self._amplitudes)
        places = [ring.find(first) for ring in rings]
        kept = [ring.number(place) for ring, place in zip(rings, places) if place < ring.count]
        first = number = min(kept) if kept else self.count
        records = b""
        while number < first + most:
            for index, ring in enumerate(rings):
                place = places[index]
                if place < ring.count and ring.number(place) == number:
                    records += ring.record(place)
                    places[index] += 1
                    break
            else:
                break
            number += 1
        return first, records

    def _ring_of(self, kind: int) -> _Ring:
        if kind in _AMPLITUDES:
            return self._amplitudes
        if kind == messages.EVENT_MAGNET or messages.EVENT_SESSION <= kind <= messages.EVENT_PART_MENDED:
            return self._output
        return self._access
