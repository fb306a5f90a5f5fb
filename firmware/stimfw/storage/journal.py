"""The journal of an implanted stimulator: entries that stay, numbered and chained, on flash.

How an entry lies there: stimfw.storage.journal_format. The ring of blocks: journal_ring. What goes when it is
full: journal_thin. docs/journal.md has it all in one place.
"""

from typing import TYPE_CHECKING

from stimfw.storage import journal_format, layout
from stimfw.storage.areas import DAMAGED, EMPTY, LATER, SOUND, UNUSABLE, USED_UP
from stimfw.storage.blocks import BLANK_PAGE, StorageError
from stimfw.storage.journal_format import FIRST_NUMBER, SLOT_BYTES, begin_of, chain_of, number_of
from stimfw.storage.journal_ring import A_PAGE, BAD, FREE, RAW, READY, SLOTS, Ring
from stimfw.storage.journal_thin import KEPT_NUMBERS, thin

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


if TYPE_CHECKING:
    from stimfw.storage.blocks import BlockDevice

READY_BLOCKS = const(3)
"""`prepare` thins while fewer are ready. One of them is never appended to: thinning writes into it."""
_SPARE = const(1)
_TRIES = const(6)
_TRIES_A_BLOCK = const(2)
_BLANK_SLOT = b"\xff" * SLOT_BYTES
_VOID_SLOT = bytes(SLOT_BYTES)


class Journal:
    """Looks at the blocks once, when it is made, and at the rest of the entries in `prepare`.

    Attributes:
        state: SOUND, EMPTY, DAMAGED, LATER, UNUSABLE, or USED_UP: full, and nothing in it may be dropped.
        lost: entries that are missing or cannot be read. Complete when `prepare` has given False.
        next_number: of the next entry.
    """

    def __init__(
        self,
        device: "BlockDevice",
        first_block: int = layout.JOURNAL,
        blocks: int = layout.JOURNAL_BLOCKS,
        kept_numbers: int = KEPT_NUMBERS,
    ) -> None:
        """Raises nothing, whatever is there. Programs a page at most.

        Args:
            device: has the blocks.
            first_block: `blocks` blocks from it on are the journal's alone.
            blocks: 5 at the least.
            kept_numbers: so many of the newest numbers keep their routine entries while others can go.
        """
        self._ring = Ring(device, first_block, blocks)
        self._kept_numbers = kept_numbers
        self._block = -1  # that is being written
        self._used = SLOTS  # of its slots
        self._head = journal_format.NO_CHAIN
        self._unchecked = blocks
        self._is_firm = False
        self._is_full = self._is_refused = False
        self._cursor = (-1, 0, 0)  # the number that is read next, its block and place
        self.lost = 0
        self.next_number = FIRST_NUMBER
        try:
            self._open()
        except OSError:
            self._is_refused = True
        self.state = self._judged()

    def head(self) -> bytes:
        """Chain hash of the newest entry, 8 bytes; zeros if there is none."""
        return self._head

    @property
    def oldest(self) -> int:
        """Number of the oldest slot that can be read; `next_number` if there is none."""
        return int(self.read(FIRST_NUMBER, 1)[0])

    def room(self) -> int:
        """Entries that `append` takes without another `prepare`."""
        if self._ring.is_later:
            return 0
        return int(SLOTS - self._used + (SLOTS - 1) * max(0, self._ring.count(READY) - _SPARE))

    def append(self, kind: int, sender: int, time_s: int, body: bytes) -> int:
        """Write an entry: its number. One page program; one or a few more where the flash does not take it.

        Args:
            kind: of stimfw.protocol.journal_entries.
            sender: slot of a peer, or messages.FROM_USB or FROM_NOBODY.
            time_s: seconds since 1970, or since the last boot if below 1 000 000 000.
            body: up to 12 bytes.

        Raises:
            StorageError: it was not written: the flash does not take it, no slot is blank, or a later
                firmware wrote here.
            ValueError: the body is longer.
        """
        number = self.next_number
        slot = journal_format.pack(number, time_s, kind, sender, body, self._head)
        if self._ring.is_later:
            raise StorageError("journal: written by a later firmware")
        self._is_refused = not self._is_written(slot)
        if not self._is_refused:
            self.next_number, self._head = number + 1, chain_of(slot)
        if self._is_refused or self.state != SOUND:
            self.state = self._judged()
        if self._is_refused:
            raise StorageError("journal: not programmed")
        return number

    def prepare(self) -> bool:
        """Make room, or look at a block: one step, one erase (0.4 s) at the most. True: ask again.

        Only while the output is off.
        """
        if self._ring.is_later:
            return False
        try:
            is_done = self._erased_one() or self._checked_one() or self._thinned_one()
        except OSError:
            is_done = False
            self._is_refused = True
        self._is_full = not is_done and self.room() == 0
        self.state = self._judged()
        return is_done

    def read(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` slots from number `first` or the next one on: the first one's number, and the slots.

        Without any, the number is `next_number`.
        """
        if self._ring.is_later:
            return self.next_number, b""
        ring = self._ring
        if self._cursor[0] == first and ring.holds(self._cursor[1]):
            _, block, begin = self._cursor
        else:
            block, begin = ring.holding(first), 1
            if block < 0:
                block = ring.oldest()
        slots = b""
        while block >= 0 and len(slots) < most * SLOT_BYTES:
            for place, slot in ring.slots(block, begin, first):
                slots += slot
                first = number_of(slot) + 1
                self._cursor = (first, block, place + 1)
                if len(slots) == most * SLOT_BYTES:
                    break
            else:
                block, begin = ring.next_of(block), 1
        return number_of(slots) if slots else self.next_number, slots

    # At a start.

    def _open(self) -> None:
        ring = self._ring
        ring.scan()
        if ring.is_later:
            return
        self._unchecked = 0
        block = ring.newest()
        if block < 0:
            return
        place, slot = self._resume(block)
        while slot is None:
            block = ring.holding(ring.first[block] - 1) if ring.first[block] else -1
            if block < 0:
                break
            _, place, slot = ring.tail(block)
        if slot is not None:
            self._head = chain_of(slot)
            self.next_number = max(self.next_number, number_of(slot) + 1)
        self.lost = ring.first[ring.oldest()] - FIRST_NUMBER + ring.missing

    def _resume(self, block: int) -> "tuple[int, bytearray | None]":
        """Place and content of the newest whole slot of the newest block, which is written on."""
        ring = self._ring
        used, place, slot = ring.tail(block)
        self.next_number = ring.first[block]
        if ring.use[block] == RAW:
            self._block, self._used = block, used
            self._make_firm(block, used, place)
        return place, slot

    def _make_firm(self, block: int, used: int, newest: int) -> None:
        """Program the last page once more, and what is no entry after the newest one to zeros.

        A cut at the end of programming may have left bits that only just read as 0, or as 1: what this start
        takes for an entry must be one at the next start, and what it passes over must not.
        """
        page = (used - 1) // A_PAGE
        content = self._ring.page(block, page)
        for place in range(max(newest + 1, page * A_PAGE, 1), used):
            at = place % A_PAGE * SLOT_BYTES
            content[at : at + SLOT_BYTES] = _VOID_SLOT
        self._ring.program(block, page, content)

    def _judged(self) -> int:
        ring = self._ring
        if ring.is_later:
            return LATER
        if self._is_refused or ring.count(BAD) == ring.blocks:
            return UNUSABLE
        if self._is_full:
            return USED_UP
        if self.lost or ring.is_garbage:
            return DAMAGED
        return EMPTY if self.next_number == FIRST_NUMBER else SOUND

    # Writing.

    def _is_written(self, slot: bytes) -> bool:
        """Program an entry where the flash takes it; StorageError: no slot is blank."""
        failed = 0
        for tries in range(_TRIES):
            if self._used < SLOTS:
                if self._put(slot):
                    return True
                failed += 1
                if failed == _TRIES_A_BLOCK:
                    self._used = SLOTS
                continue
            block = self._ring.next_ready(_SPARE)
            if block < 0:
                if tries:
                    return False
                raise StorageError("journal: full" if self._is_full else "journal: no slot is ready")
            if self._begin_block(block, slot):
                return True
        return False

    def _put(self, slot: bytes) -> bool:
        """Program the next blank slot of the block; whether it reads back. If not, it is made unreadable."""
        page, at = self._used // A_PAGE, self._used % A_PAGE * SLOT_BYTES
        self._used += 1
        content = bytearray(BLANK_PAGE)
        content[at : at + SLOT_BYTES] = slot
        self._ring.program(self._block, page, content)
        if self._ring.page(self._block, page)[at : at + SLOT_BYTES] == slot:
            return True
        content[at : at + SLOT_BYTES] = _VOID_SLOT
        self._ring.program(self._block, page, content)
        return False

    def _begin_block(self, block: int, slot: bytes) -> bool:
        """Program a ready block's first entry, and its head with it; whether they read back."""
        ring, number = self._ring, self.next_number
        content = ring.used_page(block, RAW, number)
        content[SLOT_BYTES : 2 * SLOT_BYTES] = slot
        ring.program(block, 0, content)
        if ring.page(block, 0) != content:
            ring.use[block] = BAD
            return False
        ring.take(block, RAW, number)
        self._block, self._used = block, 2
        return True

    # Preparing.

    def _erased_one(self) -> bool:
        ring = self._ring
        if not ring.count(FREE):
            return False
        if not self._is_firm:
            ring.make_seal_firm()
            self._is_firm = True
        ring.is_garbage = False
        return ring.make_ready()

    def _checked_one(self) -> bool:
        """Count what is missing in the next block that was there at the start."""
        ring = self._ring
        while self._unchecked < ring.blocks:
            block = self._unchecked
            self._unchecked += 1
            if ring.holds(block):
                self.lost += self._missing_in(block) - ring.missing_beyond(block)
                return True
        return False

    def _missing_in(self, block: int) -> int:
        due, missing = self._ring.first[block], 0
        for _, slot in self._ring.slots(block):
            missing += max(0, begin_of(slot) - due)
            due = number_of(slot) + 1
        following = self._ring.next_of(block)
        return missing + max(0, (self.next_number if following < 0 else self._ring.first[following]) - due)

    def _thinned_one(self) -> bool:
        ring = self._ring
        if ring.count(READY) >= READY_BLOCKS or not thin(ring, self.next_number, self._kept_numbers):
            return False
        self._cursor = (-1, 0, 0)
        self._is_firm = True
        return True
