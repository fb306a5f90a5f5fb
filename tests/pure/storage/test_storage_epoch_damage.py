"""Whatever single block is damaged, and when: an epoch is above every one given before, or there is none."""

import random

from stimfw.storage.areas import DAMAGED, EPOCHS, PAIRINGS, SOUND, Areas
from stimfw.storage.pairings import PairingTable
from support.damage import flip
from support.flash_board import (
    BASE,
    KEY,
    MATERIAL,
    PEER,
    Shifted,
    at,
    begin_table,
    blank,
    key_of,
    opened,
    states_of,
    used,
)
from support.flash_fake import NO_CUT, each_cut

PLACES, PLACE, BLOCK, HEADER = 64, 64, 4096, 12
RECORDS = (0, 1, 2, 3, 14, 15)
"""Blocks of the epochs, the pairings and the limit, counted from the first."""
STARTS = (0, 1, 2, 63, 64, 65, 127, 128, 129)
SHARES = (40, 250)  # of 256 bits: how far a cut lets an operation come


def start(flash):
    """A start of the board: its epoch, 0 if it has no radio."""
    return Areas(Shifted(flash), PairingTable, begin_table, MATERIAL).epoch


def paired_after(starts):
    """A flash after so many starts, paired in the first one."""
    flash = blank()
    for number in range(starts):
        found = Areas(Shifted(flash), PairingTable, begin_table, MATERIAL)
        assert found.epoch == number + 1
        if number == 0:
            found.pairings.create(BASE)
            found.pairings.promote(found.pairings.add(PEER, 1, KEY))
    flash.operations.clear()
    return flash


def stages(starts):
    """The flash before and after one more start: whole, cut in each operation, and started again after it."""
    before = paired_after(starts)
    yield before, starts
    for flash, cut in each_cut(before, start, SHARES, (1,)):
        yield flash, starts + 1 if cut == NO_CUT else starts
        if cut != NO_CUT:
            again = flash.copy()
            given = start(again)
            if given:
                yield again, given


def newest_places(flash, block):
    used = []
    for place in range(PLACES):
        begin = block * BLOCK + place * PLACE
        if bytes(flash.memory[begin : begin + PLACE]) != b"\xff" * PLACE:
            used.append(place)
    return used


def damages(flash, seed):
    """Copies with one block damaged: what it is, and the copy."""
    random.seed(seed)
    noise = bytes([random.getrandbits(8) for _ in range(BLOCK)])
    for block in RECORDS:
        begin = block * BLOCK
        for name, content in (
            ("erased", b"\xff" * BLOCK),
            ("zeroed", bytes(BLOCK)),
            ("random", noise),
            ("its second half random", bytes(flash.memory[begin : begin + 2048]) + noise[:2048]),
        ):
            copy = flash.copy()
            copy.memory[begin : begin + BLOCK] = content
            yield (block, name), copy


def bits(flash):
    """Copies with one bit flipped: all of the newest headers, some of the rest of it, and of others."""
    for block in (0, 1):
        taken = newest_places(flash, block)
        for place in taken[-1:]:
            begin = block * BLOCK + place * PLACE
            every = [(begin + bit // 8, bit % 8) for bit in range(8 * HEADER)]
            for byte, bit in every + [(begin + byte, byte % 8) for byte in range(HEADER, PLACE, 7)]:
                copy = flash.copy()
                flip(copy.memory, byte, bit)
                yield (block, place, byte - begin, bit), copy
        for place in taken[:-1:9]:
            copy = flash.copy()
            flip(copy.memory, block * BLOCK + place * PLACE + place % HEADER, place % 8)
            yield (block, place, place % HEADER, place % 8), copy


def assert_above(flash, given, what):
    """Two starts: each epoch is above all that were given, or there is none."""
    for _ in range(2):
        epoch = start(flash)
        assert epoch == 0 or epoch > given, (what, given, epoch)
        given = max(given, epoch)


def test_an_epoch_never_comes_twice_under_a_single_damaged_block():
    count = 0
    for starts in STARTS:
        for flash, given in stages(starts):
            for what, copy in damages(flash, starts):
                assert_above(copy, given, (starts, what))
                count += 1
    assert count > 1000


def test_an_epoch_never_comes_twice_under_a_wrong_bit():
    for starts in STARTS:
        flash = paired_after(starts)
        for what, copy in bits(flash):
            assert_above(copy, starts, (starts, what))


def test_nor_under_a_wrong_bit_after_a_cut():
    """The newest header, after a start that was cut and the one that followed."""
    count = 0
    for starts in (1, PLACES, 2 * PLACES):
        for flash, given in stages(starts):
            for block in (0, 1):
                for place in newest_places(flash, block)[-1:]:
                    for bit in range(0, 8 * HEADER, 5):
                        copy = flash.copy()
                        flip(copy.memory, block * BLOCK + place * PLACE + bit // 8, bit % 8)
                        assert_above(copy, given, (starts, block, place, bit))
                        count += 1
    assert count > 500


def test_a_log_that_jumped_is_no_worse_than_one_that_did_not():
    """A cut in the erase of the full block makes the next epoch jump: that one was lost with a single bit."""
    jumped = 0
    for flash, cut in each_cut(paired_after(PLACES), start, (40,), (1,)):
        if cut == NO_CUT or cut[0][0] != "erase":
            continue
        given = start(flash)
        assert given > PLACES + 2
        for block in (0, 1):
            for place in newest_places(flash, block)[-1:]:
                for bit in range(8 * HEADER):
                    copy = flash.copy()
                    flip(copy.memory, block * BLOCK + place * PLACE + bit // 8, bit % 8)
                    assert_above(copy, given, bit)
                    jumped += 1
    assert jumped == 8 * HEADER


def test_a_start_after_a_jump_may_be_cut_too():
    for flash, cut in each_cut(paired_after(PLACES), start, (40,), (1,)):
        if cut != NO_CUT and cut[0][0] == "erase":
            for again, _ in each_cut(flash, start, SHARES, (2,)):
                epochs = [start(again) for _ in range(3)]
                assert PLACES < epochs[0] < epochs[1] < epochs[2], cut


def erase(flash, *blocks):
    for block in blocks:
        flash.memory[block * BLOCK : (block + 1) * BLOCK] = b"\xff" * BLOCK


def test_keys_without_any_epoch_are_a_fault_until_a_repair_takes_them():
    """The log and its limit both erased, as on a new board: but a new board has no keys."""
    for board in range(2):
        for pairings in ("sound", "a wrong bit", "zeroed"):
            flash = used(board)
            erase(flash, 0, 1, 14, 15)
            if pairings == "a wrong bit":
                flip(flash.memory, at(PAIRINGS) + 100, 3)
                flip(flash.memory, at(PAIRINGS) + BLOCK + 100, 3)
            elif pairings == "zeroed":
                flash.memory[at(PAIRINGS) : at(PAIRINGS) + 2 * BLOCK] = bytes(2 * BLOCK)
            for _ in range(2):
                found = opened(flash, board)
                assert found.epoch == 0 and key_of(found, board) is None, pairings
                assert found.states[EPOCHS] == DAMAGED == found.diagnose()[EPOCHS], pairings
            assert not flash.operations, "nothing is written over it"
            assert found.repair() & (1 << EPOCHS)
            again = opened(flash, board)
            assert again.states == [SOUND] * 3 and again.epoch and key_of(again, board) is None, pairings


def test_a_board_without_keys_may_begin_again():
    """Nothing was ever encrypted with what it has."""
    flash = blank()
    opened(flash)
    erase(flash, 0, 1, 14, 15)
    assert opened(flash).epoch == 1 and states_of(flash) == [SOUND] * 3
