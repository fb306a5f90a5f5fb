"""Thinning the journal when its blocks are full: the oldest ones are written again, without what may go.

The rule, of which each line holds only where the one before finds nothing more:

1. Routine entries go, but for the newest `kept_numbers` numbers.
2. Clinical entries go as well, from the oldest on, but for the same.
3. Routine entries go wherever they are.
4. Clinical entries go wherever they are, from the oldest on.

Safety entries never go, nor does one of a kind that this firmware does not know, nor one in the block that is
being written. A step ends when two blocks are free for the one it takes: no more goes than must.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.storage.journal_format import SLOT_BYTES, begin_of, kind_of, number_of
from stimfw.storage.journal_ring import A_PAGE, BAD, CLINICAL_GONE, FREE, ROUTINE_GONE, SLOTS

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


if TYPE_CHECKING:
    from stimfw.storage.journal_ring import Ring

KEPT_NUMBERS = const(1000)
"""So many of the newest numbers keep their routine entries while others can go: 25 days of 40 entries."""
_RULES = ((ROUTINE_GONE, True), (CLINICAL_GONE, True), (ROUTINE_GONE, False), (CLINICAL_GONE, False))
_ENOUGH = const(2)


def thin(ring: "Ring", next_number: int, kept_numbers: int) -> bool:
    """Write the oldest blocks that have something to drop into one that is ready. False: nothing may go.

    The blocks that it replaces are free then, to be erased by `Ring.make_ready`. A cut leaves either all of
    them, or the one that is complete.
    """
    order = ring.order()
    for use, spares_newest in _RULES:
        limit = next_number - (kept_numbers if spares_newest else 0)
        old = _old(ring, order, limit)
        start = _start(ring, old, use)
        if start < 0:
            continue
        while True:
            target = ring.next_ready(0)
            if target < 0:
                return False
            if _Thinned(ring, target, use).write(old[start:], order[len(old)]):
                return True
            ring.use[target] = BAD
    return False


def _old(ring: "Ring", order: "list[int]", limit: int) -> "list[int]":
    """The blocks of which all numbers are below `limit`, without the newest one."""
    count = 0
    while count + 1 < len(order) and ring.first[order[count + 1]] <= limit:
        count += 1
    return order[:count]


def _start(ring: "Ring", old: "list[int]", use: int) -> int:
    """Where the oldest block is in which something may go, or the one before if it has room; -1: nowhere."""
    for at, block in enumerate(old):
        if ring.use[block] < use:
            return at - 1 if at and ring.has_room(old[at - 1]) else at
    return -1


class _Thinned:
    """A block in the making, from entries of older ones in the order of their numbers."""

    def __init__(self, ring: "Ring", target: int, use: int) -> None:
        self._ring = ring
        self._target = target
        self._use = use
        self._page = ring.page(target, 0)
        self._place = 1
        self._is_written = True  # what was programmed read back
        self._keeps_clinical = False
        self._last = -1  # the last number that this block stands for
        self._run = bytearray()  # the last entry of a run that is dropped
        self._entries = self._clinical = 0  # of the run

    def write(self, old: "list[int]", following: int) -> bool:
        """Take these blocks until enough are free or this one is full; False: it does not take them.

        `following` is the block that comes after the last of them.
        """
        ring, spent, rest = self._ring, [], -1
        first = ring.first[old[0]]
        self._last = first - 1
        for at, block in enumerate(old):
            if not self._take_block(block):
                rest = block
                break
            spent.append(block)
            self._reach(ring.first[old[at + 1] if at + 1 < len(old) else following] - 1)
            if len(spent) == _ENOUGH:
                break
        self._drop_run()
        if self._place > 1 and not self._seal(first):
            return False
        for block in spent:
            ring.use[block] = FREE
        if rest >= 0:
            ring.first[rest] = self._last + 1
        return True

    def _take_block(self, block: int) -> bool:
        """False: this block is full before the end of that one."""
        for _, slot in self._ring.slots(block):
            if not self._take(slot):
                return False
        return True

    def _take(self, slot: bytearray) -> bool:
        """Keep or drop an entry; False: there is no room for it."""
        group = _group(slot)
        entries, clinical = journal_format.dropped(slot)
        if not entries and self._may_go(group):
            entries, clinical = 1, 1 if group == journal_entries.CLINICAL else 0
        if self._entries and (not entries or begin_of(slot) != self._last + 1):
            self._drop_run()
        if self._place == SLOTS:
            return False
        if entries:
            self._run = slot
            self._entries += entries
            self._clinical += clinical
        else:
            self._keeps_clinical = self._keeps_clinical or group == journal_entries.CLINICAL
            self._put(slot)
        self._last = number_of(slot)
        return True

    def _may_go(self, group: str) -> bool:
        return group == journal_entries.ROUTINE or (
            group == journal_entries.CLINICAL and self._use == CLINICAL_GONE
        )

    def _drop_run(self) -> None:
        """One marker in the place of the run. It has room: a run begins only where there is a place left."""
        if self._entries:
            self._put(journal_format.marker(self._run, self._entries, self._clinical))
            self._entries = self._clinical = 0

    def _reach(self, last: int) -> None:
        """A block ends, with number `last`. Numbers that are missing at its end are in no run."""
        if last != self._last:
            self._drop_run()
            self._last = last

    def _put(self, slot: "bytes | bytearray") -> None:
        at = self._place % A_PAGE * SLOT_BYTES
        self._page[at : at + SLOT_BYTES] = slot
        self._place += 1
        if self._place % A_PAGE == 0:
            self._program(self._place // A_PAGE - 1)

    def _program(self, page: int) -> None:
        ring = self._ring
        ring.program(self._target, page, self._page)
        if ring.page(self._target, page) != self._page:
            self._is_written = False
        self._page[:] = b"\xff" * len(self._page)

    def _seal(self, first: int) -> bool:
        ring = self._ring
        if self._place % A_PAGE:
            self._program(self._place // A_PAGE)
        if not self._is_written:
            return False
        use = self._use if self._keeps_clinical else CLINICAL_GONE
        page = ring.used_page(self._target, use, first, self._last)
        ring.program(self._target, 0, page)
        if ring.page(self._target, 0) != page:
            return False
        ring.take(self._target, use, first)
        return True


def _group(slot: bytearray) -> str:
    """What may happen to an entry; one of a kind that this firmware does not know is kept."""
    row = journal_entries.row_of(kind_of(slot))
    return journal_entries.SAFETY if row is None else row[journal_entries.GROUP]

