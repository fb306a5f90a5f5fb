"""Random lives of a journal, drawn by Hypothesis; and what years of use do to its flash.

Not run by MicroPython: the years take too long there.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.storage.blocks import StorageError
from stimfw.storage.journal import Journal
from stimfw.storage.journal_format import begin_of, dropped, kind_of, number_of
from support import journal_rig as rig
from support.flash_fake import FlashFake, is_cut
from support.journal_rig import SLOT, prepare

A_BLOCK = 127
KINDS = (journal_entries.MAGNET, journal_entries.IMPEDANCE, journal_entries.FAULT, 200)
RATING = 100_000  # W25Q16JV, erases a sector: datasheet, "Features"

cuts = st.none() | st.tuples(st.integers(0, 30), st.integers(0, 256), st.integers(0, 1 << 16))
steps = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(1, 90), st.sampled_from([1, 3, 40]), cuts), max_size=14
)


class Model:
    """What was acknowledged: the kind of each number. The device that writes, and the host that checks."""

    def __init__(self, kept_numbers):
        self.flash = rig.new_flash(6)
        self.kept_numbers = kept_numbers
        self.kinds = []
        self.attempted = None

    def open(self):
        return rig.opened(self.flash, self.kept_numbers, 6)

    def use(self, kind, count, prepare_each):
        journal = self.open()
        if journal.next_number == len(self.kinds) + 1:
            self.kinds.append(self.attempted)  # it came to its end just before the cut
        assert journal.next_number == len(self.kinds)
        for turn in range(count):
            if turn % prepare_each == 0:
                rig.prepare(journal)
            self.attempted = kind
            try:
                assert journal.append(kind, 1, 7, b"") == len(self.kinds)
            except StorageError:
                continue
            self.kinds.append(kind)

    def check(self):
        journal = self.open()
        kinds = self.kinds + [self.attempted]
        slots = rig.read_all(journal, 0, 64)
        walk = journal_format.verify(slots)
        assert walk.faults == []
        assert len(self.kinds) <= journal.next_number <= len(kinds)
        assert walk.last + 1 == journal.next_number
        for slot in slots:
            gone = kinds[begin_of(slot) : number_of(slot) + 1]
            if dropped(slot)[0]:
                assert set(gone) <= {journal_entries.MAGNET, journal_entries.IMPEDANCE}
                assert dropped(slot) == (len(gone), gone.count(journal_entries.IMPEDANCE))
            else:
                assert kind_of(slot) == gone[0]
        assert journal.lost == 0


@pytest.mark.control("C-64")
@settings(max_examples=40, deadline=None)
@given(st.sampled_from([0, 60, 1000]), steps, st.sets(st.integers(1, 6), max_size=1))
def test_what_was_acknowledged_is_there_or_was_dropped_by_the_rule(kept_numbers, steps, dead):
    model = Model(kept_numbers)
    model.flash.dead = dead
    for kind, count, prepare_each, cut in steps:
        if cut is not None:
            model.flash.cut(*cut)
        is_cut(lambda _, values=(kind, count, prepare_each): model.use(*values), model.flash)
        model.flash.power()
        model.check()


def day_of(day):
    """The 40 kinds of entries of a day with two sessions, near enough; a fault every 30 days."""
    session = [
        journal_entries.IMPEDANCE,
        journal_entries.IMPEDANCE,
        journal_entries.SESSION_BEGAN,
        journal_entries.AMPLITUDE,
        journal_entries.DELIVERED,
        journal_entries.DELIVERED,
        journal_entries.CURRENT,
        journal_entries.CURRENT,
        journal_entries.SESSION_ENDED,
    ]
    routine = [journal_entries.REFUSED, journal_entries.MAGNET, journal_entries.BOOT]
    kinds = session * 2 + [journal_entries.DAILY_CHECK] + routine * 7
    return kinds + [journal_entries.FAULT, journal_entries.FAULT_FIGURES] * (day % 30 == 0)


def test_a_year_of_two_sessions_a_day():
    """40 entries a day: what is kept, and how worn each block is."""
    flash, erases = FlashFake(44), [0] * 44
    journal = Journal(flash, 0, 44)
    faults = 0
    for day in range(365):
        rig.prepare(journal)
        assert journal.room() >= 2 * A_BLOCK, "a day's entries fit without an erase"
        for kind in day_of(day):
            journal.append(kind, 254, 1_700_000_000 + day * 86400, b"")
            faults += kind == journal_entries.FAULT
        for kind, block, _ in flash.operations:
            erases[block] += kind == "erase"
        flash.operations.clear()
    slots = rig.read_all(journal, 0, 64)
    walk = journal_format.verify(slots)
    assert walk.faults == [] and walk.last == journal.next_number - 1 > 14_600
    assert len([1 for slot in slots if kind_of(slot) == journal_entries.FAULT]) == faults == 13
    routine = journal_entries.AMPLITUDE, journal_entries.MAGNET
    assert len([1 for slot in slots if kind_of(slot) in routine]) >= 9 * 25, "those of 25 days"
    clinical = [number_of(slot) for slot in slots if kind_of(slot) == journal_entries.DELIVERED]
    assert clinical[0] < 14_600 - 150 * 40, "what was delivered in the last 150 days"
    # 260 erases in all, 2 to 13 a block: docs/journal.md has these.
    assert sum(erases) <= 300 and min(erases) >= 1 and max(erases) <= 15, erases
    assert RATING / max(erases) > 1000, "years"


class CountingFlash(FlashFake):
    """Counts the reads, too."""

    reads = 0

    def readblocks(self, block, buffer, offset=0):
        self.reads += 1
        super().readblocks(block, buffer, offset)


def test_five_thousand_entries_are_kept_before_anything_goes_and_what_each_call_reads():
    """The figures of docs/journal.md."""
    flash = CountingFlash(44)
    journal = Journal(flash, 0, 44)
    kept = 0
    while True:
        prepare(journal)
        if kind_of(journal.read(0, 1)[1] or b"\x01" * SLOT) == journal_entries.THINNED:
            break
        kept = journal.append(journal_entries.MAGNET, 254, 5, b"\x01") + 1
        flash.operations.clear()
    assert kept == 41 * A_BLOCK + 1, "three blocks of 44 stay ready, for what comes next"
    assert kept >= 5000

    flash.reads = 0
    flash.operations.clear()
    journal = Journal(flash, 0, 44)
    assert flash.reads <= 44 + 3 + 16 + 1 and len(flash.operations) == 1, flash.reads
    prepare(journal)
    flash.reads = 0
    flash.operations.clear()
    journal.append(rig.SAFETY, 254, 0, b"")
    assert flash.reads == 1 and len(flash.operations) == 1
    worst, first = 0, 1000
    journal.read(first - 1, 1)
    while first < 1500:
        flash.reads = 0
        _, raw = journal.read(first, 7)
        worst = max(worst, flash.reads)
        first = number_of(raw[-SLOT:]) + 1
    assert worst == 2, "one after the other"
    flash.reads = 0
    journal.read(4321, 7)
    assert flash.reads <= 17, "anywhere"
