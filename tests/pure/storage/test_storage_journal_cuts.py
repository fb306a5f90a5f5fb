"""The supply is cut in every operation of a journal that appends past blocks and thins more than twice."""

import sys

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.storage.areas import EMPTY, SOUND
from stimfw.storage.journal_format import kind_of, number_of
from support import journal_rig as rig
from support.control import control
from support.flash_fake import BLOCK, FlashFake
from support.journal_rig import FIRST, append, assert_whole, each_torn, prepare, read_all, recorded

A_BLOCK = 127
KEPT = 100
BLOCKS = 5
BEFORE = A_BLOCK + 100
MORE = 2 * A_BLOCK - 20
SLOT = 32
EACH = 1 if sys.implementation.name == "cpython" else 29
"""Every cut on CPython; each 29th one on MicroPython, which takes ten times as long for the same code."""


def opened(flash):
    return rig.opened(flash, KEPT, BLOCKS)


def begun():
    return rig.filled(BEFORE, KEPT, blocks=BLOCKS)


def going_on(flash):
    """Past the ends of two blocks: what is below thins several times."""
    journal = opened(flash)
    for _ in range(MORE):
        prepare(journal)
        flash.acknowledged = append(journal) + 1
    prepare(journal)


def is_append(record, index):
    """Whether an operation programs an entry into a block that has some already."""
    kind, address, old, new = record.changes[index]
    changed = [at // SLOT for at in range(0, len(old), SLOT) if old[at : at + SLOT] != new[at : at + SLOT]]
    return kind == "program" and changed and changed[0] > 0 and len(changed) == 1


def tail_of(journal, told):
    """The last entries, each as it was appended; the next number."""
    raw = journal.read(told - 5, 9)[1]
    slots = [raw[at : at + SLOT] for at in range(0, len(raw), SLOT)]
    walk = journal_format.Walk(number_of(slots[0]), journal_format.chain_of(slots[0]))
    for slot in slots[1:]:
        assert walk.feed(slot) == journal_format.SOUND
        assert rig.is_entry(slot) or kind_of(slot) == journal_entries.THINNED
    assert walk.last in (told - 1, told) and journal.next_number == walk.last + 1
    return walk.last + 1


def goes_on_after(flash, told, kind=None):
    """All is there; it can be prepared, and takes more; nothing counts as lost."""
    journal = opened(flash)
    assert journal.lost == 0 and journal.state in (SOUND, EMPTY)
    told = assert_whole(journal, told, kind).last + 1
    prepare(journal)
    assert (journal.lost, journal.state) == (0, SOUND if told else EMPTY)
    rig.run(journal, 3, kind)
    again = opened(flash)
    assert again.next_number == told + 3
    assert_whole(again, told + 3, kind)


@control("C-64")
def test_a_cut_at_every_operation():
    start = begun()
    record = recorded(start, going_on)
    kinds = [change[0] for change in record.changes]
    sealed = [
        1 for kind, address, old, new in record.changes if kind == "program" and address % BLOCK == 0
        and old[16] == 0xFF and new[16] in (2, 3)
    ]  # fmt: skip
    assert len(sealed) >= 2, "it thins twice at the least"
    assert len(kinds) > 300 and "erase" in kinds
    deep = 0
    for flash, index in each_torn(start, record, each=EACH):
        told = max(record.told[index], BEFORE)
        if is_append(record, index) and index % 16:
            journal = opened(flash)
            told = tail_of(journal, told)
            append(journal) if journal.room() else None
            told = tail_of(opened(flash), journal.next_number)
        else:
            goes_on_after(flash, told)
            deep += 1
    assert deep > 400 // EACH


def test_a_cut_at_every_operation_from_the_beginning():
    """The first blocks are made ready, and the first entries come."""
    start = rig.new_flash(BLOCKS)

    def begin(flash):
        journal = opened(flash)
        for _ in range(12):
            prepare(journal)
            flash.acknowledged = append(journal) + 1

    record = recorded(start, begin)
    for flash, index in each_torn(start, record):
        goes_on_after(flash, record.told[index])


def test_a_cut_where_what_was_thinned_is_thinned_again():
    """Entries of one kind: of routine ones little is left, and clinical ones go in a second turn."""
    for kind, count in ((journal_entries.MAGNET, 3 * A_BLOCK), (journal_entries.IMPEDANCE, 5 * A_BLOCK)):
        start = rig.filled(count - 1, KEPT, kind, blocks=BLOCKS)

        def thin(flash, kind=kind):
            journal = opened(flash)
            for _ in range(3):
                prepare(journal)
                flash.acknowledged = append(journal, kind) + 1
            prepare(journal)

        record = recorded(start, thin)
        assert "erase" in [change[0] for change in record.changes]
        for flash, index in each_torn(start, record):
            goes_on_after(flash, max(record.told[index], count - 1), kind)


def test_an_operation_that_is_not_done_and_not_told_loses_nothing():
    """A page does not take its program, a block is not erased: each one of a thinning."""
    for count, kind in ((2 * A_BLOCK, None), (3 * A_BLOCK, journal_entries.MAGNET)):
        start = rig.filled(count, KEPT, kind, blocks=BLOCKS + 1)

        def thin(flash, kind=kind):
            journal = rig.opened(flash, KEPT, BLOCKS + 1)
            while len(flash.changes) < 50:
                prepare(journal)
                flash.acknowledged = append(journal, kind) + 1
            assert_whole(journal, flash.acknowledged, kind)

        for refused in range(1, 50, 1 if EACH == 1 else 7):
            flash = recorded(start, thin, refused)
            again = rig.opened(flash, KEPT, BLOCKS + 1)
            assert_whole(again, flash.acknowledged, kind)
            prepare(again)
            assert again.lost == 0


def test_what_was_sealed_last_is_programmed_again_before_anything_is_erased():
    start = begun()
    record = recorded(start, going_on)
    seen = 0
    for memory, (kind, address, old, new), told, _ in each_done(start, record):
        if kind != "program" or address % BLOCK or old[16] != 0xFF or new[16] not in (2, 3):
            continue
        flash = rig.WeakFlash(memory, address, old, new)
        prepare(opened(flash))
        kinds = [each[0] for each in flash.operations]
        assert ("program", address // BLOCK, 0) in flash.operations[: kinds.index("erase")]
        assert_whole(opened(flash), told)
        seen += 1
    assert seen >= 2


def preparations(start):
    """(flash, told) cut half-way in operations of a thinning, some of each kind."""
    record = recorded(start, going_on)
    ends = []
    for index in range(len(record.changes)):
        if not is_append(record, index):
            ends.append(index)
    chosen = ends[:: max(1, len(ends) // 12)]
    for flash, index in each_torn(start, record, (128,)):
        if index in chosen:
            yield flash, max(record.told[index], BEFORE)


def test_a_cut_in_what_is_done_after_a_cut():
    def recover(flash):
        prepare(opened(flash))

    for torn, told in preparations(begun()):
        again = recorded(torn, recover)
        step = max(1, len(again.changes) // 6)
        for flash, index in each_torn(torn, again, (100, 256)):
            if index % (step * EACH) == 0 or again.changes[index][0] == "erase":
                journal = opened(flash)
                assert_whole(journal, told)
                assert journal.lost == 0


def each_done(start, record):
    """(memory before, change, told, index) of each operation."""
    memory = bytearray(start.memory)
    for index, (kind, address, old, new) in enumerate(record.changes):
        yield memory, (kind, address, old, new), max(record.told[index], BEFORE), index
        memory[address : address + len(new)] = new


def test_bits_that_only_just_read_as_they_should_are_made_firm():
    """A cut at the end of an operation: what the next start relies upon, it repeats before it goes on."""
    start = begun()
    record = recorded(start, going_on)
    for memory, (_, address, old, new), told, index in each_done(start, record):
        if index % (2 * EACH) or (is_append(record, index) and index % 16):
            continue
        flash = rig.WeakFlash(memory, address, old, new)
        journal = opened(flash)
        told = assert_whole(journal, told).last + 1
        prepare(journal)
        rig.run(journal, 2)
        flash.age()
        again = opened(flash)
        assert_whole(again, told + 2)
        prepare(again)
        assert again.lost == 0, index


@control("C-64")
def test_a_torn_entry_that_reads_well_later_is_not_taken_for_one():
    """Its number was given to another entry meanwhile."""
    start = begun()
    record = recorded(start, going_on)
    for memory, (_, address, old, new), told, index in each_done(start, record):
        if not is_append(record, index) or index % 4:
            continue
        flash = FlashFake(len(memory) // BLOCK)
        flash.memory[:] = memory
        flash.memory[address : address + len(old)] = rig.torn(old, new, 128, index)
        journal = opened(flash)
        assert journal.next_number == told
        prepare(journal)
        append(journal, journal_entries.EXPLANTED)
        for at in range(address, address + len(new)):
            flash.memory[at] &= new[at - address] | ~old[at - address] & 0xFF
        raw = opened(flash).read(told, 1)[1]
        assert number_of(raw) == told and kind_of(raw) == journal_entries.EXPLANTED


def test_the_supply_fails_at_every_start_and_the_journal_goes_on():
    """A cut in each of many starts, somewhere in the first operations: what was acknowledged is there."""
    for seed in range(2):
        flash, told = rig.new_flash(BLOCKS), 0
        for turn in range(150):
            journal = None
            flash.cut(turn % 7 + turn % 3, (turn * 37 + seed * 50) % 257, turn)
            try:
                journal = opened(flash)
                while True:
                    prepare(journal)
                    told = append(journal) + 1
            except BaseException as cut:
                assert type(cut).__name__ == "PowerCut"
            flash.power()
            flash.operations.clear()
            if turn % 10 == 0:
                told = assert_whole(opened(flash), told).last + 1
            else:
                told = max(told, opened(flash).next_number)
        prepare(opened(flash))
        assert_whole(opened(flash), told)
        assert opened(flash).lost == 0


def test_reading_while_it_is_prepared_doubles_nothing():
    """A host pulls while the board thins between its replies: no number comes twice, and none is left out."""
    journal = opened(begun())
    seen, first, due = [], 0, 0
    while True:
        if len(seen) < 900:
            rig.run(journal, 4)
        number, raw = journal.read(first, 7)
        if not raw:
            break
        for at in range(0, len(raw), SLOT):
            slot = raw[at : at + SLOT]
            assert number_of(slot) >= due
            assert journal_format.begin_of(slot) <= due, "nothing between"
            due = number_of(slot) + 1
            seen.append(slot)
        first = due
    assert due == journal.next_number


def test_blocks_of_the_ring_are_used_in_turn():
    flash = rig.new_flash(8)
    journal = rig.opened(flash, KEPT, 8)
    order = []
    for _ in range(16 * A_BLOCK):
        rig.run(journal, 1, journal_entries.MAGNET)
        if FIRST + journal._block not in order[-1:]:
            order.append(FIRST + journal._block)
    assert len(read_all(journal)) <= 7 * A_BLOCK
    for at in range(len(order) - 4):
        assert len(set(order[at : at + 4])) == 4, order
