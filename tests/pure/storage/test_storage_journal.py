"""The journal on flash: what is appended is there, in its order, and what must go goes by the stated rule."""

import struct
from binascii import crc32

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format, layout
from stimfw.storage.areas import EMPTY, LATER, SOUND, UNUSABLE, USED_UP
from stimfw.storage.blocks import StorageError
from stimfw.storage.journal_format import dropped, kind_of, number_of
from support import journal_rig as rig
from support.control import control
from support.flash_fake import BLOCK, PAGE, FlashFake
from support.journal_rig import BLOCKS, FIRST, append, assert_whole, filled, opened, prepare, read_all

SLOT = 32
A_BLOCK = 127


def raised(action, kind):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_blank_flash_is_empty_and_takes_entries_when_it_is_prepared():
    flash = rig.new_flash()
    journal = opened(flash)
    assert (journal.state, journal.lost, journal.next_number, journal.oldest) == (EMPTY, 0, 0, 0)
    assert journal.head() == bytes(8) and journal.read(0, 7) == (0, b"") and not flash.operations
    assert journal.room() == 0
    assert "ready" in str(raised(lambda: append(journal), StorageError))
    assert prepare(journal) == BLOCKS and journal.room() == (BLOCKS - 1) * A_BLOCK
    assert append(journal) == 0 and journal.state == SOUND and journal.oldest == 0
    assert journal.room() == (BLOCKS - 1) * A_BLOCK - 1


def test_entries_come_back_in_order_over_starts():
    flash = rig.new_flash()
    told = 0
    for count in (1, 6, 1, 40, 79, 1, 126, 2):
        rig.run(opened(flash), count)
        told += count
        journal = opened(flash)
        assert journal.next_number == told and journal.state == SOUND and journal.oldest == 0
        walk = assert_whole(journal, told)
        assert walk.entries == told
        for most in (1, 3, 7, 50):
            assert read_all(journal, 0, most) == read_all(journal)


def test_a_reply_begins_at_the_number_asked_for_or_the_next_one():
    journal = opened(filled(300))
    whole = read_all(journal)
    for first in (0, 1, 6, 7, 126, 127, 128, 253, 254, 299):
        for most in (1, 7):
            number, raw = journal.read(first, most)
            assert number == first and raw == b"".join(whole[first : first + most])
    assert journal.read(300, 7) == (300, b"") == journal.read(0xFFFFFFFE, 7)
    append(journal)
    assert journal.read(300, 7)[0] == 300 and len(journal.read(298, 7)[1]) == 3 * SLOT


def test_what_writing_costs():
    """A page program an entry, also where a block begins; never an erase."""
    flash = rig.new_flash()
    journal = opened(flash)
    prepare(journal)
    for number in range(3 * A_BLOCK):
        flash.operations.clear()
        append(journal)
        assert [kind for kind, _, _ in flash.operations] == ["program"], number
        flash.operations.clear()
        journal.read(0, 7)
        assert flash.operations == []


def test_a_step_of_preparing_is_one_erase_at_the_most():
    flash = rig.new_flash()
    journal = opened(flash)
    for _ in range(2 * BLOCKS * A_BLOCK):
        flash.operations.clear()
        while journal.prepare():
            assert len([1 for kind, _, _ in flash.operations if kind == "erase"]) <= 1
            flash.operations.clear()
        append(journal)


def test_it_keeps_to_its_blocks():
    flash = rig.new_flash()
    for block in (0, BLOCKS + 1):
        flash.memory[block * BLOCK : (block + 1) * BLOCK] = b"n" * BLOCK
    filled(900, 100, flash=flash)
    for block in (0, BLOCKS + 1):
        assert flash.memory[block * BLOCK : (block + 1) * BLOCK] == b"n" * BLOCK
    assert (layout.JOURNAL, layout.JOURNAL_BLOCKS) == (288, 44)


def read_marks(journal):
    """Of a journal's slots: the numbers of the entries, and those that are dropped."""
    there, gone, due = set(), set(), 0
    for slot in read_all(journal):
        number = number_of(slot)
        if dropped(slot)[0]:
            gone.update(range(due, number + 1))
        else:
            there.add(number)
        due = number + 1
    return there, gone


def test_routine_entries_go_first_oldest_first_and_not_the_newest():
    kept, blocks = 350, 10
    journal = opened(rig.new_flash(blocks), kept, blocks)
    seen = set()
    for number in range(7 * A_BLOCK, 12 * A_BLOCK, 41):
        while journal.next_number < number:
            prepare(journal)
            append(journal)
        prepare(journal)
        there, gone = read_marks(journal)
        routine_gone = {each for each in gone if rig.kind_of(each) in rig.ROUTINE}
        clinical_gone = gone - routine_gone
        oldest_routine = min([each for each in there if rig.kind_of(each) in rig.ROUTINE])
        oldest_clinical = min([each for each in there if rig.kind_of(each) in rig.CLINICAL])
        if routine_gone:
            seen.add("routine")
            assert max(routine_gone) < oldest_routine, "oldest first"
            assert max(routine_gone) < number - kept, "the newest ones are spared"
        if clinical_gone:
            seen.add("clinical")
            assert oldest_routine >= number - kept - 2 * A_BLOCK, "nothing routine is left before"
            assert max(clinical_gone) < oldest_clinical, "oldest first"
    assert seen == {"routine", "clinical"}


def test_the_newest_routine_entries_go_only_when_nothing_else_may():
    """More of the newest ones than the ring keeps: first all clinical entries of the older blocks go."""
    blocks, seen = 10, set()
    for kept in (350, 700):
        journal, before = opened(rig.new_flash(blocks), kept, blocks), set()
        for number in range(10 * A_BLOCK):
            if prepare(journal) > 1 and number > 7 * A_BLOCK:
                there, gone = read_marks(journal)
                newest = [n for n in gone - before if n >= number - kept and rig.kind_of(n) in rig.ROUTINE]
                oldest_clinical = min([n for n in there if rig.kind_of(n) in rig.CLINICAL])
                assert not newest or oldest_clinical >= number - kept - A_BLOCK
                assert not [n for n in gone if rig.kind_of(n) == rig.SAFETY]
                seen.add(bool(newest))
                before = gone
            append(journal)
    assert seen == {False, True}


def test_a_run_of_dropped_entries_is_one_marker():
    journal = opened(filled(6 * A_BLOCK, 100), 100)
    assert_whole(journal, 6 * A_BLOCK)
    slots = read_all(journal)
    markers = [slot for slot in slots if dropped(slot)[0]]
    assert markers and sum([dropped(slot)[0] for slot in markers]) > len(markers)
    doubled = [1 for one, other in zip(slots[:-1], slots[1:]) if dropped(one)[0] and dropped(other)[0]]
    assert len(doubled) <= 2, "only where a block ends"


@control("C-64")
def test_safety_entries_and_unknown_kinds_never_go():
    for kinds in ((rig.SAFETY, journal_entries.MAGNET), (250, journal_entries.IMPEDANCE)):
        flash = rig.new_flash()
        journal = opened(flash, 50)
        kept = []
        for number in range(12 * A_BLOCK):
            prepare(journal)
            is_kept = number % 12 == 0
            append(journal, kinds[0] if is_kept else kinds[1])
            flash.operations.clear()
            if is_kept:
                kept.append(number)
        there = [number_of(slot) for slot in read_all(opened(flash, 50)) if kind_of(slot) == kinds[0]]
        assert there == kept


def test_full_of_safety_entries():
    """Then it takes no more and says so; a start later as well; nothing is lost."""
    flash = rig.new_flash()
    journal = opened(flash)
    prepare(journal)
    for number in range((BLOCKS - 1) * A_BLOCK):
        assert journal.room() == (BLOCKS - 1) * A_BLOCK - number
        append(journal, rig.SAFETY)
        prepare(journal)
    for _ in range(3):
        assert journal.room() == 0
        assert "full" in str(raised(lambda: append(journal, rig.SAFETY), StorageError))  # noqa: B023
        assert journal.state == USED_UP and not journal.prepare()
        slots = read_all(journal)
        assert len(slots) == (BLOCKS - 1) * A_BLOCK
        assert journal_format.verify(slots).faults == []
        erases = len([1 for kind, _, _ in flash.operations if kind == "erase"])
        journal = opened(flash)
        prepare(journal)
    assert len([1 for kind, _, _ in flash.operations if kind == "erase"]) == erases, "no start wears it"


def test_a_full_journal_thins_again_when_there_is_something_to_drop():
    flash = rig.new_flash()
    journal = opened(flash)
    prepare(journal)
    while journal.room():
        append(journal)
    raised(lambda: append(journal), StorageError)
    assert journal.state == SOUND, "it was not prepared: that is not full"
    prepare(journal)
    assert journal.room() > 0
    told = append(journal) + 1
    assert_whole(opened(flash), told)


def test_a_later_format_is_left_alone():
    start = filled(200)
    for block in range(FIRST, FIRST + BLOCKS):
        flash = start.copy()
        page = flash.memory[block * BLOCK : block * BLOCK + PAGE]
        if page[:4] != b"SBj1":
            continue
        page[4] = 2
        page[12:16] = struct.pack("<I", crc32(page[:12]))
        flash.memory[block * BLOCK : block * BLOCK + PAGE] = page
        before = bytes(flash.memory)
        journal = opened(flash)
        assert journal.state == LATER and journal.room() == 0 and not journal.prepare()
        assert journal.read(0, 7) == (0, b"") and journal.oldest == 0
        raised(lambda: append(journal), StorageError)  # noqa: B023
        assert bytes(flash.memory) == before and not flash.operations


def test_dead_blocks_are_passed_over():
    for dead in ((FIRST,), (FIRST + 2,), (FIRST + BLOCKS - 1,), (FIRST + 1,)):
        flash = rig.new_flash()
        flash.dead.update(dead)
        journal = opened(flash, 100)
        rig.run(journal, 6 * A_BLOCK)
        assert_whole(journal, 6 * A_BLOCK)
        assert_whole(opened(flash, 100), 6 * A_BLOCK)
        assert journal.state == SOUND


def test_blocks_that_die_while_they_are_written_lose_nothing():
    for dies in (1, 127, 200, 3 * A_BLOCK + 1):
        flash = rig.new_flash()
        journal = opened(flash, 100)
        rig.run(journal, dies)
        newest = FIRST + journal._block
        flash.dead.add(newest)
        rig.run(journal, 4 * A_BLOCK)
        assert_whole(journal, dies + 4 * A_BLOCK)
        again = opened(flash, 100)
        assert_whole(again, dies + 4 * A_BLOCK)
        prepare(again)
        assert again.lost == 0
        rig.run(again, A_BLOCK)
        assert_whole(again, dies + 5 * A_BLOCK)


def test_a_block_that_dies_when_it_is_to_be_thinned_into_is_replaced():
    for after in (0, 20):
        flash = rig.new_flash(BLOCKS + 1)
        journal = opened(flash, 100, BLOCKS + 1)
        rig.run(journal, 4 * A_BLOCK + 1)
        flash.dead.add(FIRST + journal._ring.next_ready(0))
        rig.run(journal, 3 * A_BLOCK + after)
        assert_whole(journal, 7 * A_BLOCK + 1 + after)
        assert_whole(opened(flash, 100, BLOCKS + 1), 7 * A_BLOCK + 1 + after)


def test_a_block_with_a_stuck_bit_is_not_used():
    flash = rig.new_flash()
    flash.stuck[FIRST + 1, 2000] = 0x10
    flash.memory[(FIRST + 1) * BLOCK + 2000] = 0xEF
    journal = opened(flash, 100)
    rig.run(journal, 6 * A_BLOCK)
    assert_whole(opened(flash, 100), 6 * A_BLOCK)
    assert ("program", FIRST + 1, 0) not in flash.operations


def test_a_dead_flash_is_unusable():
    flash = rig.new_flash()
    flash.dead.update(range(BLOCKS + 2))
    journal = opened(flash)
    prepare(journal)
    assert journal.state == UNUSABLE and journal.room() == 0
    raised(lambda: append(journal), StorageError)
    flash = filled(200)
    flash.dead.update(range(BLOCKS + 2))
    journal = opened(flash)
    error = raised(lambda: append(journal), StorageError)
    assert "programmed" in str(error) or "ready" in str(error)
    assert journal.state == UNUSABLE
    assert len(read_all(journal)) == 200, "what is there can be read"


@control("C-64")


class CrackedFlash(FlashFake):
    """Some bytes of it take no program.

    Attributes:
        cracks: (block, first byte, end) of each place.
    """

    cracks = ()

    def writeblocks(self, block, data, offset=None):
        data = bytearray(data)
        for cracked, first, end in self.cracks:
            if cracked == block:
                for at in range(max(first, offset), min(end, offset + len(data))):
                    data[at - offset] = 0xFF
        super().writeblocks(block, data, offset)


def test_a_block_that_takes_its_head_and_not_its_first_entry_does_not_count():
    """The entry goes into the next block: two blocks begin with one number."""
    for number in (0, A_BLOCK):
        flash = CrackedFlash(BLOCKS + 2)
        flash.cracks = ((FIRST + number // A_BLOCK, SLOT, 2 * SLOT),)
        journal = opened(flash)
        rig.run(journal, number + 20)
        assert_whole(journal, number + 20)
        again = opened(flash)
        assert_whole(again, number + 20)
        prepare(again)
        assert (again.lost, again.state) == (0, SOUND)


def test_slots_that_take_no_program_are_passed_over():
    flash = CrackedFlash(BLOCKS + 2)
    flash.cracks = ((FIRST, 5 * SLOT, 5 * SLOT + 1), (FIRST, 20 * SLOT + 3, 21 * SLOT))
    journal = opened(flash)
    rig.run(journal, 140)
    for each in (journal, opened(flash)):
        assert_whole(each, 140)
        prepare(each)
        assert each.lost == 0
    assert flash.memory[FIRST * BLOCK + 5 * SLOT + 1 : FIRST * BLOCK + 6 * SLOT] == bytes(SLOT - 1)
