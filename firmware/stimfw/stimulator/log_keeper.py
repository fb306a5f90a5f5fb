"""Brings the log's events to flash when nobody can notice, and reads them from there and from RAM as one."""

import struct
from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import requests
from stimfw.protocol.steps import all_of
from stimfw.storage import areas

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from stimfw.storage.event_store import EventStore
    from stimfw.therapy.event_log import EventLog

QUIET_MS = 2000
"""The output is off, no pairing is under way, and nobody has asked for anything, for so long."""
LONGEST_MS = 30_000
"""After so long with the output off it is written however much is asked: nobody shall keep it from flash."""
GAP_MS = 10_000
"""Between two writes: flash wears, and a stop waits up to 0.4 s behind an erase."""
_AT_ONCE = 16
_BYTES = struct.calcsize(requests.LOG_RECORD)


class LogKeeper:
    """If the flash does not take an event, the log goes on in RAM alone: `state`.

    Attributes:
        state: as of an area of stimfw.storage.areas: SOUND, EMPTY or UNUSABLE.
    """

    def __init__(
        self,
        log: "EventLog",
        store: "EventStore",
        busy: "Callable[[], bool]",
        asked: "Callable[[], int]",
    ) -> None:
        """Begin with what `log` has.

        Args:
            log: its first number is `store.next_number`.
            store: on flash.
            busy: whether the output is on or a pairing is under way: then nothing is written.
            asked: how many requests were made since the start, by whomever.
        """
        self._log = log
        self._store = store
        self._busy = busy
        self._asked = asked
        self._seen = -1
        self._quiet_ms = self._written_ms = 0
        self._wrote = False
        self._waits, self._waits_ms = False, 0  # there is something new, and the output is off, since then
        self._written = log.first  # number of the first event that is not on flash
        self.state = areas.SOUND if store.next_number else areas.EMPTY

    def poll(self, now_ms: int) -> None:
        """Write what is new, if there is anything and it is quiet. To be called twice a second, or more."""
        if self._written == self._log.count or self.state == areas.UNUSABLE:
            return
        if self._busy() or not self._waits:
            self._waits, self._waits_ms = not self._busy(), now_ms
        if self._busy() or self._asked() != self._seen:
            self._seen = self._asked()
            self._quiet_ms = now_ms
        quiet = elapsed_ms(now_ms, self._quiet_ms) >= QUIET_MS
        overdue = self._waits and elapsed_ms(now_ms, self._waits_ms) >= LONGEST_MS
        if (quiet or overdue) and (not self._wrote or elapsed_ms(now_ms, self._written_ms) >= GAP_MS):
            self._waits = False
            self._wrote, self._written_ms = True, now_ms
            self.flush()

    def flush(self) -> None:
        """Write all that is new now: before a restart, with the output off. Raises nothing."""
        try:
            while self.state != areas.UNUSABLE:
                first, events = self._log.read(self._written, _AT_ONCE)
                if not events:
                    return
                self._store.append(first, events)
                self._written = first + len(events) // _BYTES
                self.state = areas.SOUND
        except OSError:
            self.state = areas.UNUSABLE

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """As EventLog.read, over restarts. What RAM has comes from RAM, with its newest repeats."""
        return all_of(self.reading(first, most))

    def reading(self, first: int, most: int) -> "Generator[None, None, tuple[int, bytes]]":
        """The same in steps."""
        number, events = yield from self._log.reading(first, most)
        if number == first:
            return number, events
        older, stored = yield from self._store.reading(first, most)
        if not stored or older >= number:
            return number, events
        stored = stored[: (number - older) * _BYTES]
        if older + len(stored) // _BYTES == number:
            stored += events[: most * _BYTES - len(stored)]
        return older, stored
