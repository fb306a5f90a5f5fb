"""What anybody can send without a key. Counted by kind; the newest are kept, one a second at most.

Apart from stimfw.therapy.event_log, so that nobody without a key can push a single event out of that.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, requests

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 16
KINDS = (messages.EVENT_FORGED, messages.EVENT_REPLAYED, messages.EVENT_FLOOD)
_MOST = 0xFFFFFFFF
_BYTES = struct.calcsize(requests.STRANGER_RECORD)


class StrangerLog:
    """Adding an event takes no heap.

    Who tells it spares itself the work under a flood, so a count is of seconds with such an event, except of
    EVENT_FLOOD. COUNTERS has every single frame.
    """

    def __init__(self, uptime_s: "Callable[[], int]") -> None:
        """Args: uptime_s: a function that gives the seconds since the start."""
        self._uptime_s = uptime_s
        self._counts = [0] * len(KINDS)
        self._records = bytearray(KEPT * _BYTES)
        self._kept_s = -1  # when one was kept last
        self.kept = 0
        """How many were kept since the start, those that were overwritten included."""

    def add(self, kind: int, slot_claimed: int, detail: int) -> None:
        """An event.

        Args:
            kind: of KINDS; another one is kept and not counted.
            slot_claimed: what the sender says of himself, or FROM_NOBODY.
            detail: u8, as in messages.EVENT_NAMES.
        """
        for index, known in enumerate(KINDS):
            if known == kind and self._counts[index] < _MOST:
                self._counts[index] += 1
        now_s = self._uptime_s()
        if now_s == self._kept_s:
            return
        self._kept_s = now_s
        at = self.kept % KEPT * _BYTES
        struct.pack_into(
            requests.STRANGER_RECORD, self._records, at, now_s, kind, slot_claimed & 0xFF, detail & 0xFF
        )
        self.kept += 1

    def counts(self) -> "tuple[int, ...]":
        """How many there were of each of KINDS since the start; they end at 2**32 - 1."""
        return tuple(self._counts)

    def read(self, first: int) -> "tuple[int, bytes]":
        """What is kept from number `first` or the oldest on: the first's number, and records."""
        first = min(self.kept, max(first, self.kept - KEPT))
        records = b""
        for number in range(first, self.kept):
            at = number % KEPT * _BYTES
            records += bytes(self._records[at : at + _BYTES])
        return first, records
