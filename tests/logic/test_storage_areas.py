"""Whatever lies on flash, a board's records open: what is sound is used, all else is named and repaired."""

import random
import struct

from stimfw.crypto.primitives import sha256
from stimfw.storage import areas, layout
from stimfw.storage.areas import (
    DAMAGED,
    EMPTY,
    EPOCHS,
    KEYS_GO,
    LATER,
    LIMIT,
    ONE_BIT,
    PAIRINGS,
    SOUND,
    Areas,
)
from stimfw.storage.blocks import BLOCK_BYTES, PAGE_BYTES
from stimfw.storage.epoch_limit import STRIDE, EpochLimit
from stimfw.storage.epochs import MAX_EPOCH, EpochLog, _record
from stimfw.storage.pairings import PairingTable, RemotePairing
from stimfw.storage.record import Record, _page
from support.damage import FILLS, fill, flip, record_bytes
from support.flash_fake import NO_CUT, FlashFake, each_cut, is_cut

MATERIAL = b"48 bytes on a board" * 3
BLOCKS = {EPOCHS: layout.EPOCHS, LIMIT: layout.EPOCH_LIMIT, PAIRINGS: layout.PAIRINGS}
FIRST = layout.EPOCHS
BASE, PEER, KEY = b"\x11\x22\x33\x44", b"peer", b"k" * 32


class Shifted:
    """A flash of the blocks of the records only, as a board counts them: the rest would take long to copy."""

    def __init__(self, flash):
        self.flash = flash

    def readblocks(self, block, buffer, offset=0):
        self.flash.readblocks(block - FIRST, buffer, offset)

    def writeblocks(self, block, data, offset=None):
        self.flash.writeblocks(block - FIRST, data, offset)

    def ioctl(self, operation, argument):
        return self.flash.ioctl(operation, argument - FIRST)


def begin_table(table, random):
    if not table.base:
        table.create(random.take(4))


def begin_remote(record, random):
    if not record.own_id:
        record.keep_id(random.take(4))


BOARDS = ((PairingTable, begin_table), (RemotePairing, begin_remote))


def opened(flash, board=0, material=MATERIAL):
    return Areas(Shifted(flash), *BOARDS[board], material)


def blank():
    return FlashFake(layout.END - FIRST)


def used(board=0, boots=3):
    """A board that was paired and started a few times."""
    flash = blank()
    for _ in range(boots):
        found = opened(flash, board)
    if board == 0:
        found.pairings.create(BASE)
        found.pairings.promote(found.pairings.add(PEER, 1, KEY))
    else:
        found.pairings.store(PEER, BASE, 2, 1, KEY)
    flash.operations.clear()
    return flash


def key_of(found, board=0):
    """The key that a board would use; None if it has none."""
    if board:
        return found.pairings.key or None
    pairing = found.pairings.get(0)
    return pairing.key if pairing else None


def content(flash, area):
    start = (BLOCKS[area] - FIRST) * BLOCK_BYTES
    return bytes(flash.memory[start : start + 2 * BLOCK_BYTES])


def at(area):
    return (BLOCKS[area] - FIRST) * BLOCK_BYTES


def states_of(flash, board=0):
    before = bytes(flash.memory)
    states = opened(flash.copy(), board).states
    assert bytes(flash.memory) == before
    return states


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


def damaged(flash, area, name):
    fill(flash.memory, at(area), name, area == EPOCHS, 3)
    return flash


def test_each_fill_of_each_area_opens_and_keeps_what_is_sound():
    for board in range(2):
        for name in FILLS:
            for area in (EPOCHS, LIMIT, PAIRINGS):
                flash = damaged(used(board), area, name)
                before = {other: content(flash, other) for other in (EPOCHS, PAIRINGS)}
                found = opened(flash, board)
                expected = LATER if name == "later" else DAMAGED
                if area == LIMIT and name != "later":
                    assert found.epoch == 4 and key_of(found, board) == KEY, "a sound log tells it anew"
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


def test_a_repair_rewrites_what_is_damaged_and_keeps_what_is_sound():
    for board in range(2):
        for name in FILLS:
            for area in (EPOCHS, PAIRINGS):
                flash = damaged(used(board), area, name)
                other = PAIRINGS if area == EPOCHS else EPOCHS
                found = opened(flash, board)
                before = content(flash, other)
                done = found.repair()
                if name == "later":
                    assert done == 0 and content(flash, other) == before
                    continue
                assert done == 1 << area and content(flash, other) == before
                again = opened(flash, board)
                assert again.states == [SOUND] * 3
                assert key_of(again, board) == (None if area == PAIRINGS else KEY)
                assert again.epoch == (4 + 1 if area == PAIRINGS else 1 + STRIDE + 1)


def test_what_a_later_firmware_wrote_goes_only_when_it_is_asked_for():
    for board in range(2):
        for area in (EPOCHS, LIMIT, PAIRINGS):
            flash = damaged(used(board), area, "later")
            found = opened(flash, board)
            before = bytes(flash.memory)
            assert found.repair() == 0 and bytes(flash.memory) == before
            assert found.repair(True) & 1 << area
            again = opened(flash, board)
            assert again.states == [SOUND] * 3
            # A later firmware may have gone above the limit: keys that met its epochs are not used again.
            assert key_of(again, board) == (KEY if area == LIMIT else None)


def test_epochs_and_limit_lost_together_cost_the_keys():
    for board in range(2):
        for name in ("zeros", "random", "files"):
            flash = damaged(damaged(used(board), EPOCHS, name), LIMIT, name)
            found = opened(flash, board)
            assert found.states == [DAMAGED, DAMAGED, SOUND] and found.epoch == 0
            assert found.repair() == 1 << EPOCHS | 1 << LIMIT | KEYS_GO
            assert KEY not in bytes(flash.memory)
            again = opened(flash, board)
            assert again.epoch == 1 and again.states == [SOUND] * 3
            kept = again.pairings.own_id if board else again.pairings.base
            assert kept == (PEER if board else BASE), "what is no secret stays"


def test_everything_lost_is_a_new_board_after_a_repair():
    for board in range(2):
        flash = used(board)
        for area in (EPOCHS, LIMIT, PAIRINGS):
            damaged(flash, area, "random")
        found = opened(flash, board)
        assert found.states == [DAMAGED] * 3
        assert found.repair() == 7
        assert opened(flash, board).states == [SOUND] * 3


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
        flash.dead.add(layout.EPOCH_LIMIT - FIRST + block)
    found = opened(flash)
    assert found.epoch == 0 and found.states[LIMIT] == areas.UNUSABLE and key_of(found) is None
    assert found.repair() == 0, "no repair makes a flash take what it does not take"


def test_epochs_end_and_a_repair_begins_again_without_the_keys():
    flash = used()
    log_start = at(EPOCHS)
    flash.memory[log_start : log_start + 2 * BLOCK_BYTES] = b"\xff" * (2 * BLOCK_BYTES)
    record = _record(MAX_EPOCH, bytes(32))
    flash.memory[log_start : log_start + len(record)] = record
    found = opened(flash)
    assert found.epoch == 0 and found.states[EPOCHS] == areas.USED_UP
    assert found.repair() == 1 << EPOCHS | 1 << LIMIT | KEYS_GO
    again = opened(flash)
    assert again.epoch == 1 and key_of(again) is None and again.pairings.base == BASE


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
        flash.dead = set(range(layout.END - FIRST))
        found = opened(flash)
        assert found.epoch == 0 and found.states[EPOCHS] == areas.UNUSABLE and key_of(found) is None


def test_a_first_start_may_be_cut_anywhere():
    for board in range(2):
        for flash, cut in each_cut(blank(), lambda flash: opened(flash, board), (0, 30, 200, 252), (1,)):  # noqa: B023
            found = opened(flash, board)
            assert found.epoch in (1, 2) and found.states == [SOUND] * 3, cut


def test_a_repair_that_is_cut_can_be_asked_for_again():
    """Wherever it is cut: no key meets an epoch that it may have met, and the second repair completes it."""
    cases = (
        (("zeros", EPOCHS),),
        (("erased", EPOCHS),),
        (("random", PAIRINGS),),
        (("random", EPOCHS), ("random", LIMIT)),
        (("random", EPOCHS), ("random", LIMIT), ("random", PAIRINGS)),
    )
    for case in cases:
        start = used()
        for name, area in case:
            damaged(start, area, name)
        for flash, cut in each_cut(start, lambda flash: opened(flash).repair(), (0, 100, 250), (1,)):
            found = opened(flash)
            assert found.epoch == 0 or found.epoch > 3 or key_of(found) is None, (case, cut)
            found.repair()
            again = opened(flash)
            assert again.states == [SOUND] * 3 and again.epoch, (case, cut)
            assert again.epoch > 3 or key_of(again) is None, (case, cut)
            if len(case) == 1 and case[0][1] == EPOCHS:
                assert key_of(again) == KEY, (case, cut)


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


def test_the_plan_of_every_state():
    """A key is kept only if the epochs that it met are known; a later firmware's record goes if asked."""
    every = range(len(areas.STATE_TEXTS))
    for states in [(e, li, p) for e in every for li in every for p in every]:
        for later in (False, True):
            todo = areas.plan(states, later)
            for area, state in enumerate(states):
                if state == LATER and not later:
                    assert not todo & 1 << area, states
            if todo & 1 << EPOCHS and not areas.is_limit_known(states):
                gone = todo & KEYS_GO or (todo & 1 << PAIRINGS) or states[PAIRINGS] == EMPTY
                assert gone and todo & 1 << LIMIT, states
                assert todo & KEYS_GO or states[PAIRINGS] != ONE_BIT, "it would be mended and kept"
            elif todo & KEYS_GO:
                raise AssertionError(states)
    assert areas.plan((SOUND, SOUND, SOUND), True) == 0
    assert len(areas.STATE_TEXTS) == areas.USED_UP + 1 and len(areas.AREA_NAMES) == 3


def test_the_seed_of_a_start_is_the_logs():
    """Not only the material, which may always be the same."""
    flash = used()
    log = EpochLog(Shifted(flash.copy()), layout.EPOCHS)
    _, seed = log.advance(MATERIAL)
    first = opened(flash.copy()).random.take(8)
    assert first == sha256(seed + b"out" + struct.pack("<I", 0))[:8]
    assert first != opened(flash.copy(), 0, b"other").random.take(8)
