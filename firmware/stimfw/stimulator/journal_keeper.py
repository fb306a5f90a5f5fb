"""Brings the journal's entries to flash: from a queue, and only when nobody waits for a pulse or a STOP.

An entry is queued where it happens. It is written in the next pass with the output off, or in a rest of a
session: programming a page takes 0.4 ms (3 at most), in which the CPU runs nothing. Erasing takes 45 ms (400
at most), so the journal's room is made ahead, with the output off (W25Q16JV datasheet, 9.6).
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import journal_entries
from stimfw.storage import areas

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.storage.journal import Journal

PLACES = 32
"""Entries that can wait. A session makes fewer than 20 between two rests."""
ROOM = 64
"""Blank slots to have before a session may begin."""
_UNKNOWN = -1
_GAP_MS = 2000  # between two steps of making room: each erases a block


class JournalKeeper:
    """The queue before the journal.

    Attributes:
        journal: on flash.
        dropped: entries that found no place in the queue, and are not yet told of in the journal.
        failed: the flash did not take an entry; it is tried again at the next one.
    """

    def __init__(
        self, journal: "Journal", time_s: "Callable[[], int]", can_write: "Callable[[], bool]"
    ) -> None:
        """Keep what is needed.

        Args:
            journal: on flash.
            time_s: the time of an entry: seconds since 1970, or the uptime if that is not known.
            can_write: whether the CPU can be spared for some ms: no pulse is due.
        """
        self.journal = journal
        self._time_s = time_s
        self._can_write = can_write
        self._queue: "list[tuple[int, int, int, bytes]]" = []
        self.dropped = 0
        self.failed = False
        self._prepared_ms = 0
        self._oldest = _UNKNOWN
        self._lost_told = journal.lost
        self._more = True

    def add(self, kind: int, sender: int, *values: object) -> None:
        """Queue an entry: kind of journal_entries, and the fields of its body."""
        if len(self._queue) >= PLACES:
            self.dropped += 1
            return
        self._queue.append((kind, sender, self._time_s(), journal_entries.pack(kind, *values)))

    def waiting(self) -> int:
        """Entries that are not on flash yet."""
        return len(self._queue)

    def ready(self) -> bool:
        """Whether a session may begin: what it will have to say finds room."""
        return not self.failed and self.journal.room() >= ROOM

    def poll(self, now_ms: int, output_off: bool) -> None:
        """Write what waits, if the CPU can be spared; else make room, one step, with the output off."""
        if self._queue and self._can_write():
            self.flush()
        elif output_off and self._more and elapsed_ms(now_ms, self._prepared_ms) >= _GAP_MS:
            self._prepared_ms = now_ms
            self.make_room()

    def oldest(self) -> int:
        """Number of the oldest entry that can be read. Looked for once: only making room changes it."""
        if self._oldest == _UNKNOWN:
            self._oldest = self.journal.oldest
        return self._oldest

    def make_room(self) -> None:
        """One step. Raises nothing."""
        self._oldest = _UNKNOWN
        try:
            self._more = self.journal.prepare()
            if not self._more and self.journal.lost > self._lost_told:
                # All of it was looked through only now: single entries that cannot be read are counted.
                self._lost_told = self.journal.lost
                self.add(journal_entries.LOST, 0xFF, journal_entries.LOST_JOURNAL, self._lost_told)
        except OSError:
            self._more, self.failed = False, True

    def flush(self) -> bool:
        """Write all that waits now; whether it was. Raises nothing."""
        while self._queue:
            kind, sender, time_s, body = self._queue[0]
            try:
                self.journal.append(kind, sender, time_s, body)
            except OSError:
                self.failed = self._more = True
                return False
            self._queue.pop(0)
            self.failed = False
            self._more = True
            if self.dropped and len(self._queue) < PLACES:
                dropped, self.dropped = self.dropped, 0
                self.add(journal_entries.LOST, 0xFF, journal_entries.LOST_QUEUE, dropped)
        return True

    def state(self) -> int:
        """As of an area of stimfw.storage.areas."""
        return areas.UNUSABLE if self.failed else self.journal.state
