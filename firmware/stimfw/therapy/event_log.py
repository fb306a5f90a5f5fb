"""What happened since the start: a ring of events in RAM. Formats: stimfw.protocol.messages."""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, requests

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 64
_BYTES = struct.calcsize(requests.LOG_RECORD)
_SELDOM = (messages.EVENT_FORGED, messages.EVENT_REPLAYED)
"""Of these an attacker can make as many as he likes: one of each kind a second is kept."""


class EventLog:
    """The newest KEPT events. Adding one takes no heap."""

    def __init__(self, uptime_s: "Callable[[], int]") -> None:
        """Args: uptime_s: a function that gives the seconds since the start."""
        self._uptime_s = uptime_s
        self._ring = bytearray(KEPT * _BYTES)
        self._last_s = [-1] * len(_SELDOM)
        self.count = 0
        """Events since the start, those that were overwritten included."""

    def add(self, kind: int, sender: int, detail: int) -> None:
        """An event. kind: messages.EVENT_...; sender: a slot, FROM_USB or FROM_NOBODY; detail: u8."""
        now_s = self._uptime_s()
        if kind in _SELDOM:
            index = _SELDOM.index(kind)
            if self._last_s[index] == now_s:
                return
            self._last_s[index] = now_s
        at = self.count % KEPT * _BYTES
        struct.pack_into(requests.LOG_RECORD, self._ring, at, now_s, kind, sender & 0xFF, detail & 0xFF)
        self.count += 1

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` events from number `first` or the oldest kept: the first's number, and records."""
        first = min(self.count, max(first, self.count - KEPT))
        records = b""
        for number in range(first, min(self.count, first + most)):
            at = number % KEPT * _BYTES
            records += bytes(self._ring[at : at + _BYTES])
        return first, records
