"""Journals on flash that forgets: entries of every group, and flash whose operations are cut at each point.

Runs on MicroPython too.
"""

import random
import struct

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.storage.journal import Journal

from support.flash_fake import BLOCK, FlashFake

FIRST = 1
BLOCKS = 6
SLOT = 32
ROUTINE = (journal_entries.MAGNET, journal_entries.REFUSED, journal_entries.BOOT)
CLINICAL = (journal_entries.IMPEDANCE, journal_entries.DELIVERED)
SAFETY = journal_entries.FAULT


def kind_of(number):
    """Of the entry with this number: a mix, in which a tenth is of safety."""
    if number % 10 == 7:
        return SAFETY
    return ROUTINE[number % 3] if number % 2 else CLINICAL[number % 4 // 2]


def body_of(number):
    return struct.pack("<IH", number * 40503 & 0xFFFFFFFF, number & 0xFFFF)


def opened(flash, kept_numbers=1000, blocks=BLOCKS):
    return Journal(flash, FIRST, blocks, kept_numbers)


def append(journal, kind=None):
    """The next entry; its number."""
    number = journal.next_number
    kind = kind_of(number) if kind is None else kind
    assert journal.append(kind, number % 251, 1_700_000_000 + number, body_of(number)) == number
    return number


def prepare(journal):
    """Until there is no more to do; how many steps it took."""
    steps = 0
    while journal.prepare():
        steps += 1
        assert steps < 1000, "it must come to an end"
    return steps


def run(journal, count, kind=None):
    """Append as a device does: what needs preparing is prepared between entries."""
    for _ in range(count):
        prepare(journal)
        append(journal, kind)


def new_flash(blocks=BLOCKS):
    return FlashFake(blocks + 2)


def filled(count, kept_numbers=1000, kind=None, flash=None, blocks=BLOCKS):
    """A flash with so many entries."""
    flash = flash or new_flash(blocks)
    journal = opened(flash, kept_numbers, blocks)
    for _ in range(count):
        run(journal, 1, kind)
        flash.operations.clear()
    return flash


def read_all(journal, first=0, most=7):
    """The slots from a number on, as a host reads them: reply after reply."""
    slots = []
    while True:
        number, raw = journal.read(first, most)
        assert number >= first and len(raw) <= most * SLOT and len(raw) % SLOT == 0
        if not raw:
            assert number == journal.next_number or first > journal.next_number
            return slots
        assert journal_format.number_of(raw[:SLOT]) == number
        for at in range(0, len(raw), SLOT):
            slots.append(raw[at : at + SLOT])
        first = journal_format.number_of(slots[-1]) + 1


def is_entry(slot, kind=None):
    """Whether a slot is what `append` wrote."""
    number, time_s, found, sender, body, _ = journal_format.fields(slot)
    wanted = (1_700_000_000 + number, kind_of(number) if kind is None else kind, number % 251)
    return (time_s, found, sender) == wanted and body[:6] == body_of(number)


def assert_whole(journal, told, kind=None):
    """Every number below `told` is there, or a marker stands for it; the chain holds; none is doubled.

    kind: of every entry, instead of the mix.

    Gives the walk along it. One entry more is there if the cut came at the end of its programming.
    """
    slots = read_all(journal, 0, 64)
    walk = journal_format.verify(slots)
    assert walk.faults == [], walk.faults
    assert walk.last in (told - 1, told) and journal.next_number == walk.last + 1, (walk.last, told)
    assert journal.head() == walk.head
    due = 0
    for slot in slots:
        number = journal_format.number_of(slot)
        if journal_format.kind_of(slot) == journal_entries.THINNED:
            entries, clinical = journal_format.dropped(slot)
            gone = [kind_of(each) if kind is None else kind for each in range(due, number + 1)]
            assert entries == len(gone) and SAFETY not in gone, (number, entries)
            assert clinical == len([each for each in gone if each in CLINICAL]), number
        else:
            assert number == due and is_entry(slot, kind), number
        due = number + 1
    return walk


class RecordingFlash(FlashFake):
    """Keeps what each operation changed.

    Attributes:
        changes: (kind, address, old, new) of each operation, in order.
        told: of each, how many entries were acknowledged before it: what `acknowledged` was.
    """

    def __init__(self, blocks=BLOCKS + 2):
        super().__init__(blocks)
        self.changes = []
        self.told = []
        self.acknowledged = 0

    def _change(self, kind, start, old, new):
        self.changes.append((kind, start, bytes(old), bytes(new)))
        self.told.append(self.acknowledged)
        super()._change(kind, start, old, new)


class RefusingFlash(RecordingFlash):
    """Does not do one of its operations, and says nothing.

    Attributes:
        refused: the index of that operation.
    """

    refused = -1

    def _change(self, kind, start, old, new):
        super()._change(kind, start, old, old if len(self.changes) == self.refused else new)


def recorded(start, action, refused=None):
    """Run `action(flash)` on a copy of `start` that records, and does not do operation `refused`."""
    blocks = len(start.memory) // BLOCK
    flash = RecordingFlash(blocks) if refused is None else RefusingFlash(blocks)
    flash.refused = refused
    flash.memory[:] = start.memory
    action(flash)
    return flash


def torn(old, new, share_256, seed):
    """A half-done operation: each changed bit is done with share_256 of 256."""
    random.seed(seed)
    if share_256 in (0, 256):
        return new if share_256 else old
    mixed = bytearray(old)
    for index in range(len(old)):
        change = old[index] ^ new[index]
        if change:
            mask = random.getrandbits(8)
            other = random.getrandbits(8)
            mask = mask & other if share_256 < 100 else mask | other if share_256 > 156 else mask
            mixed[index] = old[index] ^ (change & mask)
    return bytes(mixed)


def each_torn(start, record, shares=(64, 192, 256), each=1):
    """(flash, index of the operation): cut in each operation of a record, at each share of its bits.

    each: give only each so manieth of them.
    """
    memory = bytearray(start.memory)
    turn = 0
    for index, (_, address, old, new) in enumerate(record.changes):
        for share in shares:
            turn += 1
            if turn % each == 0:
                flash = FlashFake(len(memory) // BLOCK)
                flash.memory[:] = memory
                flash.memory[address : address + len(old)] = torn(old, new, share, index)
                yield flash, index
        memory[address : address + len(old)] = new


class WeakFlash(FlashFake):
    """Flash after a cut at the end of an operation: its bits read as done; a repetition keeps them so."""

    def __init__(self, memory, address, old, new):
        super().__init__(len(memory) // BLOCK)
        self.memory[:] = memory
        self.memory[address : address + len(new)] = new
        self._weak = {}  # address to the bits that are not firm, and the byte as it was
        for index in range(len(new)):
            if old[index] != new[index]:
                self._weak[address + index] = (old[index] ^ new[index], old[index])

    def _change(self, kind, start, old, new):
        super()._change(kind, start, old, new)
        for index in range(len(new)):
            weak = self._weak.get(start + index)
            if weak is not None:
                bits = 0 if kind == "erase" else weak[0] & self._written[index]
                self._weak[start + index] = (bits, weak[1])

    def writeblocks(self, block, data, offset=None):
        self._written = data  # what is 1 in it is not programmed
        super().writeblocks(block, data, offset)

    def age(self):
        """The bits that were not made firm read as before the operation."""
        for address, (bits, old) in self._weak.items():
            self.memory[address] = self.memory[address] & ~bits & 0xFF | old & bits
        self._weak = {}
        return self
