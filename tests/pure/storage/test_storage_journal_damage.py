"""What a damaged flash costs a journal: the entries that cannot be read, told as lost, and nothing else."""

import random
import sys

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.storage.areas import DAMAGED, EMPTY, SOUND
from stimfw.storage.journal_format import begin_of, number_of
from support import journal_rig as rig
from support.control import control
from support.damage import FILLS, flip
from support.flash_fake import BLOCK
from support.journal_rig import BLOCKS, FIRST, append, filled, opened, prepare, read_all

A_BLOCK = 127
SLOT = 32
EACH = 13 if sys.implementation.name == "cpython" else 47
"""Each 13th bit is changed, on MicroPython each 47th one: in turn all bits of a byte."""


def block_of(journal, number):
    return FIRST + journal._ring.holding(number)


def holes(slots, end):
    """The numbers that no slot stands for."""
    missing, due = [], 0
    for slot in slots:
        missing += range(due, begin_of(slot))
        due = number_of(slot) + 1
    return missing + list(range(due, end))


def assert_lost(flash, lost, end, kept_numbers=1000):
    """Just these numbers are missing, it says so, and goes on; the chain breaks there and nowhere else."""
    journal = opened(flash, kept_numbers)
    assert holes(read_all(journal, 0, 64), end) == lost
    prepare(journal)
    assert journal.lost == len(lost)
    assert journal.state == (DAMAGED if lost else SOUND)
    faults = journal_format.verify(read_all(journal, 0, 64)).faults
    assert [what for _, what in faults] == [journal_format.MISSING] * len(faults)
    assert len(faults) == len([n for n in lost if n + 1 not in lost and n + 1 < end])
    told = append(journal) + 1
    again = opened(flash, kept_numbers)
    assert again.next_number == told and holes(read_all(again, 0, 64), told) == lost


def test_a_wrong_bit_costs_one_entry_and_one_in_a_head_none():
    count = 2 * A_BLOCK + 60
    start = filled(count)
    journal = opened(start)
    for number in (0, A_BLOCK, 2 * A_BLOCK):
        block = block_of(journal, number)
        bits = list(range(8 * SLOT)) + [8 * SLOT * slot + (slot * 53) % 256 for slot in range(1, A_BLOCK + 1)]
        for bit in bits[::EACH]:
            flash = start.copy()
            flip(flash.memory, block * BLOCK + bit // 8, bit % 8)
            hit = number + bit // 256 - 1
            if hit < number:
                assert_lost(flash, [], count)
            elif hit < count - 1:
                assert_lost(flash, [hit], count)


def test_a_wrong_bit_in_a_thinned_block():
    count = 4 * A_BLOCK
    start = filled(count, 50)
    journal = opened(start, 50)
    oldest = FIRST + journal._ring.oldest()
    slots = read_all(journal)
    assert start.memory[oldest * BLOCK + 16] in (2, 3), "it is one"
    for bit in list(range(0, 8 * SLOT))[::EACH]:
        flash = start.copy()
        flip(flash.memory, oldest * BLOCK + bit // 8, bit % 8)
        assert read_all(opened(flash, 50)) == slots
        assert_lost(flash, [], count, 50)
    for place in range(1, 20, 3):
        flash = start.copy()
        flip(flash.memory, oldest * BLOCK + place * SLOT + 11, 3)
        gone = list(range(begin_of(slots[place - 1]), number_of(slots[place - 1]) + 1))
        assert_lost(flash, gone, count, 50)


def test_the_newest_entry_that_rots_is_as_if_it_were_never_acknowledged():
    """Only a host, or the head, can tell: its number is given again."""
    count = A_BLOCK + 9
    flash = filled(count)
    journal = opened(flash)
    flip(flash.memory, block_of(journal, count - 1) * BLOCK + 9 * SLOT + 12, 0)
    again = opened(flash)
    assert again.next_number == count - 1 and again.head() != journal.head()
    prepare(again)
    assert (again.lost, again.state) == (0, SOUND)
    append(again)
    assert journal_format.verify(read_all(opened(flash))).faults == []


def test_a_number_that_is_there_twice_comes_once():
    """Whatever wrote it: a slot once more, in the next place."""
    flash = filled(10)
    journal = opened(flash)
    at = block_of(journal, 9) * BLOCK + 10 * SLOT
    flash.memory[at + SLOT : at + 2 * SLOT] = flash.memory[at : at + SLOT]
    again = opened(flash)
    assert again.next_number == 10 and again.head() == journal.head()
    append(again)
    rig.assert_whole(opened(flash), 11)


def test_a_hole_is_never_told_as_thinned():
    """What rotted before its neighbours were dropped stays missing."""
    for hit in (3, 20, 21, 126, 127, 200):
        flash = filled(2 * A_BLOCK + 30, 50)
        block = block_of(opened(flash, 50), hit)
        flip(flash.memory, block * BLOCK + (hit % A_BLOCK + 1) * SLOT + 15, 2)
        journal = opened(flash, 50)
        rig.run(journal, 3 * A_BLOCK)
        assert [1 for slot in read_all(journal) if journal_format.dropped(slot)[0]]
        assert holes(read_all(journal), journal.next_number) == [hit]
        faults = journal_format.verify(read_all(journal)).faults
        assert [what for _, what in faults] == [journal_format.MISSING]
        assert journal.lost == 1
        again = opened(flash, 50)
        prepare(again)
        assert again.lost == 1 and again.state == DAMAGED


def test_a_lost_block_costs_its_entries_and_is_told_at_once():
    count = 2 * A_BLOCK + 60
    for fill in ("zeros", "erased", "random", "files"):
        for which in range(3):
            flash = filled(count)
            block = block_of(opened(flash), which * A_BLOCK)
            flash.memory[block * BLOCK : (block + 1) * BLOCK] = FILLS[fill](BLOCK, 5)
            lost = list(range(which * A_BLOCK, (which + 1) * A_BLOCK))
            if which == 2:  # the newest one: the journal ends before it, as far as it can tell
                journal = opened(flash)
                assert (journal.next_number, journal.state, journal.lost) == (2 * A_BLOCK, SOUND, 0)
                rig.run(journal, 10)
                assert len(read_all(opened(flash))) == 2 * A_BLOCK + 10
                continue
            journal = opened(flash)
            assert (journal.state, journal.lost) == (DAMAGED, A_BLOCK)
            assert_lost(flash, lost, count)


def test_garbage_everywhere_is_told_and_becomes_a_journal():
    for fill in ("zeros", "random", "files"):
        for seed in (1, 2):
            flash = rig.new_flash()
            flash.memory[:] = FILLS[fill](len(flash.memory), seed)
            journal = opened(flash)
            assert (journal.state, journal.lost, journal.next_number, journal.oldest) == (DAMAGED, 0, 0, 0)
            assert journal.read(0, 7) == (0, b"") and journal.room() == 0 and not flash.operations
            prepare(journal)
            assert journal.state == EMPTY
            append(journal)
            assert opened(flash).state == SOUND and opened(flash).next_number == 1


@control("C-64")
def test_garbage_is_never_taken_for_entries():
    """One random slot in 65536 has a right checksum: it must follow from another one, too."""
    random.seed(4)
    flash = rig.new_flash()
    for block in range(FIRST, FIRST + BLOCKS):
        flash.memory[block * BLOCK + 20] = 0
        for place in range(1, 128):
            slot = bytes([random.getrandbits(8) for _ in range(30)])
            slot += journal_format.checksum(slot).to_bytes(2, "little")
            assert journal_format.is_whole(slot)
            at = block * BLOCK + place * SLOT
            flash.memory[at : at + SLOT] = slot
    journal = opened(flash)
    assert (journal.state, journal.next_number) == (DAMAGED, 0) and read_all(journal) == []


def test_garbage_beside_a_journal_is_erased_in_its_turn():
    flash = filled(200)
    journal = opened(flash)
    for block in range(FIRST, FIRST + BLOCKS):
        if not journal._ring.holds(block - FIRST):
            flash.memory[block * BLOCK : (block + 1) * BLOCK] = FILLS["files"](BLOCK, block)
    again = opened(flash)
    assert (again.state, again.lost, again.next_number) == (SOUND, 0, 200)
    prepare(again)
    assert again.room() == (BLOCKS - 1) * A_BLOCK - 200
    rig.run(again, 300)
    rig.assert_whole(opened(flash), 500)


def test_reading_errors_of_the_device_are_no_crash():
    class Broken:
        def readblocks(self, block, buffer, offset=0):
            raise OSError(5)

        def writeblocks(self, block, data, offset=0):
            raise OSError(5)

        def ioctl(self, operation, argument):
            raise OSError(5)

    from stimfw.storage.areas import UNUSABLE
    from stimfw.storage.journal import Journal

    journal = Journal(Broken(), 0, BLOCKS)
    assert journal.state == UNUSABLE and journal.room() == 0
    prepare(journal)
    assert journal.state == UNUSABLE
    try:
        journal.append(journal_entries.FAULT, 0, 0, b"")
    except OSError:
        return
    raise AssertionError("it cannot have been written")
