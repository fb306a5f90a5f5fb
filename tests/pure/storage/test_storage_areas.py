"""Whatever lies on flash, a board's records open: what is sound is used, all else is named."""

import random
import struct

from stimfw.crypto.primitives import sha256
from stimfw.storage import areas, layout
from stimfw.storage.areas import DAMAGED, EPOCHS, LATER, LIMIT, ONE_BIT, PAIRINGS, SOUND, Areas
from stimfw.storage.blocks import BLOCK_BYTES, PAGE_BYTES
from stimfw.storage.epoch_limit import STRIDE, EpochLimit
from stimfw.storage.epochs import MAX_EPOCH, EpochLog
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record, _page
from support.control import control
from support.damage import FILLS, flip, record_bytes
from support.flash_board import (
    BOARDS,
    KEY,
    MATERIAL,
    Shifted,
    at,
    begin_table,
    blank,
    content,
    damaged,
    key_of,
    opened,
    states_of,
    used,
)
from support.flash_fake import NO_CUT, each_cut, is_cut


def test_a_new_board_begins_and_goes_on():
    for board in range(2):
        flash = blank()
        epochs = [opened(flash, board).epoch for _ in range(5)]
        assert epochs == [1, 2, 3, 4, 5] and states_of(flash, board) == [SOUND] * 3
        assert EpochLimit(Shifted(flash), layout.EPOCH_LIMIT).read() == 1 + STRIDE


def test_any_length_of_material_will_do():
    for size in (0, 1, 31, 32, 33, 48, 64):
        for flash in (blank(), used(), damaged(used(), EPOCHS, "zeros")):
            assert len(opened(flash, 0, bytes(size)).random.take(5)) == 5


def test_each_fill_of_each_area_opens_and_keeps_what_is_sound():
    for board in range(2):
        for name in FILLS:
            for area in (EPOCHS, LIMIT, PAIRINGS):
                flash = damaged(used(board), area, name)
                before = {other: content(flash, other) for other in (EPOCHS, PAIRINGS)}
                found = opened(flash, board)
                expected = LATER if name == "later" else DAMAGED
                if area == LIMIT and name != "later":
                    assert found.epoch == 4 and key_of(found, board) == KEY, "a sound log tells it again"
                    assert found.states == [SOUND] * 3
                    continue
                states = [SOUND] * 3
                states[area] = expected
                assert found.states == states, (board, name, area)
                assert content(flash, PAIRINGS) == before[PAIRINGS], "nothing is written over it"
                if area != PAIRINGS:
                    assert found.epoch == 0 and content(flash, EPOCHS) == before[EPOCHS]
                assert key_of(found, board) is None
                assert found.pairings_failed() == (area == PAIRINGS)


def test_the_next_start_finds_the_same():
    for area in (EPOCHS, PAIRINGS):
        for name in FILLS:
            flash = damaged(used(), area, name)
            first = opened(flash).states
            assert opened(flash).states == first == opened(flash).states


def test_a_wrong_bit_in_each_byte_of_each_record():
    """An epoch never comes twice, a key is never another one, and a repair loses neither."""
    for board in range(2):
        start = used(board)
        for area in (EPOCHS, LIMIT, PAIRINGS):
            for byte in record_bytes(content(start, area)):
                flash = start.copy()
                flip(flash.memory, at(area) + byte, byte % 8)
                found = opened(flash, board)
                assert found.epoch == 0 or found.epoch > 3, (area, byte)
                assert key_of(found, board) in (None, KEY)
                if found.states != [SOUND] * 3:
                    assert found.states == [SOUND, SOUND, ONE_BIT], (area, byte, found.states)
                    assert found.repair() == 1 << PAIRINGS
                    found = opened(flash, board)
                assert found.states == [SOUND] * 3 and key_of(found, board) == KEY, (area, byte)


def test_a_wrong_bit_in_the_only_record_of_a_log():
    start = used(boots=65)  # the first one in the second block
    for byte in range(12):
        flash = start.copy()
        flip(flash.memory, at(EPOCHS) + BLOCK_BYTES + byte, byte % 8)
        found = opened(flash)
        assert found.epoch == 0 and found.states == [DAMAGED, SOUND, SOUND]
        assert found.repair() == 1 << EPOCHS
        again = opened(flash)
        assert again.epoch == 1 + STRIDE + 1 and key_of(again) == KEY


def test_a_limit_is_raised_before_an_epoch_above_it_is_used():
    flash = used()
    log, limit = EpochLog(Shifted(flash), layout.EPOCHS), EpochLimit(Shifted(flash), layout.EPOCH_LIMIT)
    log.restart(STRIDE, b"")
    epochs = []
    for _ in range(4):
        found = opened(flash)
        epochs.append(found.epoch)
        assert limit.read() >= found.epoch
    assert epochs == [STRIDE + 1, STRIDE + 2, STRIDE + 3, STRIDE + 4]


def test_a_limit_that_cannot_be_raised_costs_the_epoch():
    flash = used()
    EpochLog(Shifted(flash), layout.EPOCHS).restart(1 + STRIDE, b"")
    for block in range(2):
        flash.dead.add(layout.EPOCH_LIMIT - layout.EPOCHS + block)
    found = opened(flash)
    assert found.epoch == 0 and found.states[LIMIT] == areas.UNUSABLE and key_of(found) is None
    assert found.repair() == 0, "no repair makes a flash take what it does not take"


def test_the_last_epochs_are_covered():
    flash = used()
    EpochLog(Shifted(flash), layout.EPOCHS).restart(MAX_EPOCH - 2, b"")
    assert opened(flash).epoch == MAX_EPOCH - 1
    assert EpochLimit(Shifted(flash), layout.EPOCH_LIMIT).read() == MAX_EPOCH
    assert opened(flash).epoch == MAX_EPOCH
    assert opened(flash).states[EPOCHS] == areas.USED_UP


def test_whole_records_of_nonsense_open():
    """Their CRCs are right: another program, or this one with a mistake, wrote them."""
    random.seed(11)
    payloads = [b"", b"\1", b"\0" * 240, b"\xff" * 240, b"\1" + b"\xff" * 238, b"\1" + b"\xff" * 42]
    for size in (5, 43, 239, 240):
        payloads.append(b"\1" + bytes([random.getrandbits(8) for _ in range(size - 1)]))
    for board in range(2):
        for area in (LIMIT, PAIRINGS):
            for payload in payloads:
                for sequence in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
                    flash = used(board)
                    flash.memory[at(area) : at(area) + BLOCK_BYTES] = b"\xff" * BLOCK_BYTES
                    flash.memory[at(area) : at(area) + PAGE_BYTES] = _page(payload, sequence)
                    other = at(area) + BLOCK_BYTES
                    flash.memory[other : other + BLOCK_BYTES] = b"\xff" * BLOCK_BYTES
                    found = opened(flash, board)
                    found.repair(True)
                    again = opened(flash, board)
                    assert again.epoch and again.states == [SOUND] * 3, (board, area, payload)


@control("C-33")
def test_random_bytes_anywhere_raise_nothing_that_is_not_declared():
    """The opener would catch it: here it is not asked to."""
    random.seed(5)
    for turn in range(60):
        flash = used(turn & 1, 1 + turn % 3)
        for _ in range(1 + turn % 7):
            area = random.getrandbits(8) % 3
            start = at(area) + random.getrandbits(16) % (2 * BLOCK_BYTES - 300) // (1 + turn % 40)
            for index in range(1 + random.getrandbits(8)):
                flash.memory[start + index] &= random.getrandbits(8)
        device = Shifted(flash)
        read = BOARDS[turn & 1][0]
        for action in (
            lambda: EpochLog(device, layout.EPOCHS).advance(MATERIAL),  # noqa: B023
            lambda: EpochLimit(device, layout.EPOCH_LIMIT).read(),  # noqa: B023
            lambda: read(Record(device, layout.PAIRINGS)),  # noqa: B023
        ):
            try:
                action()
            except OSError:
                pass
        opened(flash, turn & 1).repair(True)
        assert opened(flash, turn & 1).epoch


def test_an_undeclared_error_does_not_keep_a_board_from_starting():
    flash = used()

    def wrong(record):
        if type(record) is Record:
            raise ValueError("a mistake of ours")
        return PairingTable(record)

    found = Areas(Shifted(flash), wrong, begin_table, MATERIAL)
    assert found.epoch == 4 and not found.pairings.base

    def stuck(table, random):
        raise ValueError("random source is stuck")

    found = Areas(Shifted(blank()), PairingTable, stuck, MATERIAL)
    assert not found.pairings.base


def test_a_dead_flash_opens():
    for flash in (blank(), used()):
        flash.dead = set(range(layout.END - layout.EPOCHS))
        found = opened(flash)
        assert found.epoch == 0 and found.states[EPOCHS] == areas.UNUSABLE and key_of(found) is None


def test_a_first_start_may_be_cut_anywhere():
    for board in range(2):
        for flash, cut in each_cut(blank(), lambda flash: opened(flash, board), (0, 30, 200, 252), (1,)):  # noqa: B023
            found = opened(flash, board)
            assert found.epoch in (1, 2) and found.states == [SOUND] * 3, cut


def test_starts_of_a_damaged_board_that_are_cut_lose_nothing():
    start = damaged(used(), EPOCHS, "zeros")
    assert not is_cut(lambda flash: opened(flash), start) and not start.operations
    start = damaged(used(), LIMIT, "zeros")
    for flash, cut in each_cut(start, lambda flash: opened(flash), (0, 100, 250), (1,)):
        found = opened(flash)
        assert found.states == [SOUND] * 3 and found.epoch in ((5,) if cut == NO_CUT else (4, 5)), cut
        assert key_of(found) == KEY


def test_only_what_is_of_ours_keeps_leftovers_of_a_file_system():
    assert not areas.holds_something(Shifted(blank()))
    for name in ("zeros", "random", "files", "erased"):
        flash = used()
        for area in (EPOCHS, LIMIT):
            damaged(flash, area, name)
        assert areas.holds_something(Shifted(flash))
        damaged(flash, PAIRINGS, name)
        assert not areas.holds_something(Shifted(flash)), name
    for area in (EPOCHS, LIMIT, PAIRINGS):
        assert areas.holds_something(Shifted(damaged(blank(), area, "later")))


def test_the_seed_of_a_start_is_the_logs():
    """Not only the material, which may always be the same."""
    flash = used()
    log = EpochLog(Shifted(flash.copy()), layout.EPOCHS)
    _, seed = log.advance(MATERIAL)
    first = opened(flash.copy()).random.take(8)
    assert first == sha256(seed + b"out" + struct.pack("<I", 0))[:8]
    assert first != opened(flash.copy(), 0, b"other").random.take(8)
