"""The states of the areas and the plan of a repair as numbers, and what is written in which order."""

from stimfw.crypto.drbg import Drbg
from stimfw.crypto.primitives import sha256
from stimfw.storage import areas, layout
from stimfw.storage.areas import Areas, is_limit_known, plan
from stimfw.storage.blocks import BLOCK_BYTES, DamagedError, LaterError, StorageError, UsedUpError
from stimfw.storage.epoch_limit import EpochLimit
from stimfw.storage.epochs import EpochLog, _record
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record
from support.damage import flip
from support.flash_board import KEY, MATERIAL, Shifted, at, begin_table, blank, damaged, key_of, opened, used

EPOCHS, LIMIT, PAIRINGS = 0, 1, 2
SOUND, EMPTY, ONE_BIT, DAMAGED, LATER, UNUSABLE, USED_UP = range(7)
SHIFT = layout.EPOCHS


def with_one_bit(flash, *of):
    for area in of:
        Record(Shifted(flash), layout.PAIRINGS if area == PAIRINGS else layout.EPOCH_LIMIT).load()
        for block in range(2):
            if flash.memory[at(area) + block * BLOCK_BYTES] == 0x53:
                flip(flash.memory, at(area) + block * BLOCK_BYTES + 14, 3)
    return flash


def at_its_end(flash):
    start = at(EPOCHS)
    flash.memory[start : start + 2 * BLOCK_BYTES] = b"\xff" * (2 * BLOCK_BYTES)
    record = _record(0xFFFFFFFF, bytes(32))
    flash.memory[start : start + len(record)] = record
    return flash


def erased_since(found, flash):
    flash.memory[:] = b"\xff" * len(flash.memory)
    return found


def test_the_numbers_are_those_of_other_versions():
    assert (areas.EPOCHS, areas.LIMIT, areas.PAIRINGS, areas.KEYS_GO) == (0, 1, 2, 128)
    states = (areas.SOUND, areas.EMPTY, areas.ONE_BIT, areas.DAMAGED, areas.LATER, areas.UNUSABLE)
    assert states + (areas.USED_UP,) == (0, 1, 2, 3, 4, 5, 6)
    assert len(areas.STATE_TEXTS) == 7 and areas.AREA_NAMES == ("epochs", "epoch limit", "pairings")


def test_what_a_plan_holds():
    for epochs, limit, pairings, todo, with_later in (
        (SOUND, SOUND, SOUND, 0, 0), (EMPTY, EMPTY, EMPTY, 0, 0), (UNUSABLE, UNUSABLE, UNUSABLE, 0, 0),
        (DAMAGED, SOUND, SOUND, 1, 1), (SOUND, DAMAGED, SOUND, 2, 2), (SOUND, SOUND, DAMAGED, 4, 4),
        (SOUND, ONE_BIT, ONE_BIT, 6, 6), (SOUND, LATER, SOUND, 0, 2), (SOUND, SOUND, LATER, 0, 4),
        (DAMAGED, ONE_BIT, SOUND, 3, 3), (DAMAGED, DAMAGED, SOUND, 131, 131),
        (DAMAGED, EMPTY, SOUND, 131, 131), (DAMAGED, UNUSABLE, SOUND, 131, 131),
        (DAMAGED, DAMAGED, EMPTY, 3, 3), (DAMAGED, EMPTY, DAMAGED, 7, 7),
        (DAMAGED, DAMAGED, ONE_BIT, 135, 135), (DAMAGED, DAMAGED, UNUSABLE, 131, 131),
        (DAMAGED, DAMAGED, USED_UP, 135, 135), (LATER, SOUND, SOUND, 0, 131), (LATER, LATER, LATER, 0, 7),
        (LATER, DAMAGED, SOUND, 2, 131), (DAMAGED, LATER, SOUND, 0, 131), (DAMAGED, DAMAGED, LATER, 2, 7),
        (DAMAGED, LATER, DAMAGED, 4, 7), (USED_UP, SOUND, SOUND, 131, 131),
        (USED_UP, ONE_BIT, SOUND, 131, 131),
        (USED_UP, SOUND, EMPTY, 3, 3), (USED_UP, SOUND, LATER, 0, 7), (USED_UP, LATER, SOUND, 0, 131),
        (ONE_BIT, SOUND, SOUND, 1, 1), (DAMAGED, USED_UP, SOUND, 131, 131),
    ):  # fmt: skip
        for states in ([epochs, limit, pairings], (epochs, limit, pairings)):
            assert plan(states, False) == todo, states
            assert plan(states, True) == with_later, states


def test_when_a_limit_is_known():
    for epochs in range(7):
        known = [limit for limit in range(7) if is_limit_known((epochs, limit, SOUND))]
        assert known == ([] if epochs in (LATER, USED_UP) else [SOUND, ONE_BIT])


def test_a_diagnosis_names_each_area_and_writes_nothing():
    for spoil, states in (
        (lambda flash: flash, [SOUND, SOUND, SOUND]),
        (lambda flash: with_one_bit(flash, LIMIT), [SOUND, ONE_BIT, SOUND]),
        (lambda flash: with_one_bit(flash, PAIRINGS), [SOUND, SOUND, ONE_BIT]),
        (lambda flash: with_one_bit(damaged(flash, EPOCHS, "zeros"), LIMIT, PAIRINGS), [3, ONE_BIT, ONE_BIT]),
        (lambda flash: damaged(flash, EPOCHS, "erased"), [DAMAGED, SOUND, SOUND]),
        (lambda flash: damaged(flash, EPOCHS, "later"), [LATER, SOUND, SOUND]),
        (lambda flash: damaged(flash, LIMIT, "later"), [SOUND, LATER, SOUND]),
        (lambda flash: damaged(flash, LIMIT, "erased"), [SOUND, EMPTY, SOUND]),
        (lambda flash: damaged(flash, PAIRINGS, "later"), [SOUND, SOUND, LATER]),
        (lambda flash: damaged(flash, PAIRINGS, "erased"), [SOUND, SOUND, DAMAGED]),
        (lambda flash: damaged(damaged(flash, PAIRINGS, "erased"), LIMIT, "random"), [SOUND, 3, DAMAGED]),
        (lambda flash: damaged(damaged(flash, EPOCHS, "erased"), LIMIT, "random"), [DAMAGED, DAMAGED, SOUND]),
        (lambda flash: damaged(damaged(flash, PAIRINGS, "erased"), LIMIT, "erased"), [SOUND, EMPTY, EMPTY]),
        (at_its_end, [USED_UP, SOUND, SOUND]),
    ):
        flash = used()
        found = opened(flash)
        spoil(flash)
        flash.operations.clear()
        assert found.diagnose() == states
        assert found.states == [SOUND] * 3 and not flash.operations


def test_what_was_erased_since_the_start_is_empty_and_half_a_first_record_is_not():
    flash = used()
    found = erased_since(opened(flash), flash)
    assert found.diagnose() == [EMPTY, EMPTY, EMPTY] and found.repair() == 0
    flash.memory[at(EPOCHS)] = 0x53  # all but the first byte of the first record is not there yet
    assert found.diagnose() == [SOUND, EMPTY, EMPTY]


def test_what_the_flash_does_not_take_stays_so_until_the_next_start():
    for area, states in (
        (EPOCHS, [UNUSABLE, EMPTY, EMPTY]),
        (LIMIT, [SOUND, UNUSABLE, SOUND]),
        (PAIRINGS, [SOUND, SOUND, UNUSABLE]),
    ):
        flash = blank()
        block = at(area) // BLOCK_BYTES
        flash.dead = {block, block + 1}
        found = opened(flash)
        assert found.states == states, area
        assert found.diagnose() == states and found.repair() == 0
        assert found.pairings_failed() == (area == PAIRINGS)
        assert found.epoch == (1 if area == PAIRINGS else 0) and not found.pairings.slots()


def test_only_unusable_pairings_have_failed():
    found = opened(used())
    for state in range(7):
        found.states[PAIRINGS] = state
        assert found.pairings_failed() == (state not in (SOUND, EMPTY))


def test_each_error_of_an_opening_is_a_state():
    for error, state in (
        (LaterError("x"), LATER), (UsedUpError("x"), USED_UP), (DamagedError("x"), DAMAGED),
        (StorageError("x"), UNUSABLE), (OSError(5), UNUSABLE), (ValueError("x"), DAMAGED),
        (KeyError(1), DAMAGED),
    ):  # fmt: skip

        def begin(table, random, error=error):
            raise error

        found = Areas(Shifted(blank()), PairingTable, begin, MATERIAL)
        assert found._opened(LIMIT, lambda: begin(None, None)) is None  # noqa: B023
        assert found.states[LIMIT] == state, error


def test_without_an_epoch_random_bytes_are_those_of_the_material():
    flash = damaged(used(), EPOCHS, "zeros")
    assert opened(flash, 0, b"m").random.take(40) == Drbg(sha256(b"m")).take(40)
    flash = used()
    _, seed = EpochLog(Shifted(flash.copy()), layout.EPOCHS).advance(b"m", 1)
    assert opened(flash, 0, b"m").random.take(40) == Drbg(seed).take(40)


def test_a_new_boards_pairings_come_before_its_limit():
    flash = blank()
    opened(flash)
    first = {}
    for index, (_, block, _) in enumerate(flash.operations):
        first.setdefault(block + SHIFT, index)
    assert first[layout.EPOCHS] < first[layout.PAIRINGS] < first[layout.EPOCH_LIMIT]


def fed_between(flash, found, later=False):
    """The areas that are written to between two calls of `feed`, and the plan."""
    fed = []
    flash.operations.clear()
    todo = found.repair(later, lambda: fed.append(len(flash.operations)))
    assert fed[0] == 0
    written = []
    for begin, end in zip(fed, fed[1:] + [len(flash.operations)]):
        blocks = [block + SHIFT & ~1 for _, block, _ in flash.operations[begin:end]]
        written.append(sorted(set(blocks)))
    return written, todo


def test_a_repair_feeds_before_each_area_and_goes_from_the_keys_to_the_epochs():
    flash = used()
    for area in (EPOCHS, LIMIT, PAIRINGS):
        damaged(flash, area, "zeros")
    order = [[layout.PAIRINGS], [layout.EPOCH_LIMIT], [layout.EPOCHS]]
    assert fed_between(flash, opened(flash)) == (order, 7)
    flash = used()
    for area in (EPOCHS, LIMIT):
        damaged(flash, area, "zeros")
    # The limit is not known: the log begins as on a new board, blank.
    assert fed_between(flash, opened(flash)) == (order, 131)
    flash = damaged(used(), EPOCHS, "erased")
    assert fed_between(flash, opened(flash)) == ([[], [], [layout.EPOCHS]], 1)
    assert fed_between(flash, opened(flash)) == ([[], [], []], 0)


def test_a_limit_that_lacks_a_bit_is_mended_and_the_log_goes_on_above_it():
    flash = with_one_bit(damaged(used(), EPOCHS, "zeros"), LIMIT)
    found = opened(flash)
    assert found.states == [DAMAGED, ONE_BIT, SOUND] and found.repair() == 3
    again = opened(flash)
    assert again.epoch == 4098 and key_of(again) == KEY


def test_a_limit_that_a_repair_cannot_go_by_is_forgotten_though_it_could_be_mended():
    for spoil, later in (
        (at_its_end, False),
        (lambda flash: damaged(flash, EPOCHS, "later"), True),
    ):
        flash = with_one_bit(spoil(used()), LIMIT)
        found = opened(flash)
        assert found.repair(later) == 131
        again = opened(flash)
        assert again.epoch == 1 and key_of(again) is None and again.states == [SOUND] * 3


def test_pairings_that_lack_a_bit_are_kept_and_damaged_ones_begun_again():
    flash = with_one_bit(used(), PAIRINGS)
    assert opened(flash).states == [SOUND, SOUND, ONE_BIT]
    assert opened(flash).repair() == 4
    assert key_of(opened(flash)) == KEY
    flash = damaged(used(), PAIRINGS, "random")
    assert opened(flash).repair() == 4
    table = PairingTable(Record(Shifted(flash), layout.PAIRINGS))
    assert len(table.base) == 4 and not table.slots()


def test_a_repair_that_the_flash_does_not_take_is_told():
    flash = damaged(used(), EPOCHS, "zeros")
    found = opened(flash)
    flash.dead = {0, 1}
    try:
        found.repair()
    except StorageError:
        return
    raise AssertionError("nothing was raised")


def test_a_table_is_begun_once():
    flash = blank()
    begun = []

    def begin(table, random):
        begun.append(bool(table.base))
        begin_table(table, random)

    for _ in range(3):
        assert Areas(Shifted(flash), PairingTable, begin, MATERIAL).pairings.base
    assert begun == [False, True, True]


def test_a_later_record_that_lacks_a_bit_is_still_a_later_one():
    for lost in ((PAIRINGS,), (EPOCHS, LIMIT), (EPOCHS, PAIRINGS), (EPOCHS, LIMIT, PAIRINGS)):
        flash = used()
        states = [SOUND, SOUND, SOUND]
        for area in lost:
            damaged(flash, area, "later")
            flip(flash.memory, at(area) + (100 if area else 5), 5)
            states[area] = LATER if area else DAMAGED
        found = opened(flash)
        assert found.states == states == found.diagnose(), lost
        assert not found.epoch or EPOCHS not in lost


def test_a_later_limit_that_lacks_a_bit_is_renewed_from_a_sound_log():
    flash = damaged(used(), LIMIT, "later")
    flip(flash.memory, at(LIMIT) + 100, 5)
    found = opened(flash)
    assert found.epoch == 4 and found.states == [SOUND] * 3 and key_of(found) == KEY


def test_a_damaged_limit_tells_that_a_board_is_not_new():
    for lost in ((EPOCHS,), (PAIRINGS,), (EPOCHS, PAIRINGS)):
        flash = damaged(used(), LIMIT, "zeros")
        states = [SOUND, SOUND, SOUND]
        for area in lost:
            damaged(flash, area, "erased")
            states[area] = DAMAGED
        if EPOCHS in lost:
            states[LIMIT] = DAMAGED
        found = opened(flash)
        assert found.states == states, lost
        assert found.epoch == (0 if EPOCHS in lost else 4) and not found.pairings.slots()


def test_the_limit_is_raised_by_the_first_epoch_above_it():
    flash = used()
    device = Shifted(flash)
    EpochLog(device, layout.EPOCHS).restart(4095, b"")
    for epoch, limit in ((4096, 4097), (4097, 4097), (4098, 8194), (4099, 8194)):
        assert opened(flash).epoch == epoch
        assert EpochLimit(device, layout.EPOCH_LIMIT).read() == limit, epoch


def test_a_repair_of_one_record_leaves_the_others():
    flash = damaged(used(), PAIRINGS, "zeros")
    assert fed_between(flash, opened(flash)) == ([[layout.PAIRINGS], [], []], 4)
    flash = used()
    found = opened(flash)
    damaged(flash, LIMIT, "zeros")
    assert fed_between(flash, found) == ([[], [layout.EPOCH_LIMIT], []], 2)


def test_a_repaired_log_begins_with_32_random_bytes():
    flash = damaged(used(), EPOCHS, "zeros")
    assert opened(flash).repair() == 1
    material = Drbg(sha256(MATERIAL)).take(32)
    assert flash.memory[at(EPOCHS) : at(EPOCHS) + 48] == _record(4097, sha256(b"restart" + material))


def test_a_start_diagnoses_only_what_it_has_to():
    class Counting(Areas):
        count = 0

        def _diagnose_records(self, states):
            Counting.count += 1
            return Areas._diagnose_records(self, states)

    for flash, count in (
        (used(), 0),
        (blank(), 0),
        (damaged(used(), PAIRINGS, "zeros"), 1),
        (damaged(used(), PAIRINGS, "later"), 0),
        (damaged(used(), EPOCHS, "later"), 1),
    ):
        Counting.count = 0
        Counting(Shifted(flash), PairingTable, begin_table, MATERIAL)
        assert Counting.count == count
