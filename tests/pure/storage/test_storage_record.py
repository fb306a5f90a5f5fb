"""A record is old or new, never half, wherever the supply fails; and what is forgotten is gone."""

import random

from stimfw.storage.blocks import BLOCK_BYTES, DamagedError, LaterError, StorageError
from stimfw.storage.record import MAX_PAYLOAD, Record, _page
from support.control import control
from support.flash_fake import NO_CUT, FlashFake, each_cut

OLD = b"old " * 10
NEW = b"NEW!" * 60
FIRST = 1


def record(flash):
    return Record(flash, FIRST)


def holding(*payloads):
    flash = FlashFake()
    for payload in payloads:
        record(flash).store(payload)
    flash.operations.clear()
    return flash


def load(flash):
    record(flash).load()


def store_new(flash):
    record(flash).store(NEW)


def forget(flash):
    record(flash).forget()


def raised(action, kind):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError("nothing was raised")


def assert_only(flash, payload):
    """What loads is `payload`, and no trace of anything else is left."""
    assert record(flash).load() == payload
    for other in (OLD, NEW):
        assert payload == other or other[:4] not in bytes(flash.memory)
    assert record(flash).load() == payload


def test_what_is_stored_is_loaded():
    for payload in (b"", b"x", bytes(range(MAX_PAYLOAD)), b"\xff" * MAX_PAYLOAD):
        assert record(holding(OLD, payload)).load() == payload


def test_a_blank_flash_holds_nothing_and_stays_blank():
    flash = FlashFake()
    assert record(flash).load() is None
    record(flash).forget()
    assert not flash.operations


def test_too_long():
    flash = holding(OLD)
    raised(lambda: record(flash).store(bytes(MAX_PAYLOAD + 1)), ValueError)
    assert not flash.operations and record(flash).load() == OLD


def test_it_keeps_to_its_two_blocks():
    flash = FlashFake()
    for block in (0, 3):
        flash.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES] = b"n" * BLOCK_BYTES
    for payload in (OLD, NEW, OLD):
        record(flash).store(payload)
    assert flash.memory[:BLOCK_BYTES] == b"n" * BLOCK_BYTES
    assert flash.memory[3 * BLOCK_BYTES :] == b"n" * BLOCK_BYTES


def test_a_store_is_one_program_and_one_erase_of_the_old():
    flash = holding(OLD)
    record(flash).store(NEW)
    assert [kind for kind, _, _ in flash.operations] == ["erase", "program", "erase"]
    assert_only(flash, NEW)
    flash.operations.clear()
    record(flash).store(OLD)
    assert [kind for kind, _, _ in flash.operations] == ["program", "erase"]
    assert_only(flash, OLD)


@control("C-35")
def test_a_cut_in_a_store_leaves_old_or_new():
    for before in ((), (OLD,), (b"older", OLD)):
        seen = set()
        for flash, cut in each_cut(holding(*before), store_new):
            found = record(flash).load()
            seen.add(found)
            assert found in (before[-1] if before else None, NEW), cut
            assert_only(flash, found)
            record(flash).store(b"after")
            assert_only(flash, b"after")
        assert len(seen) == 2


def test_a_cut_in_the_tidying_after_a_cut_loses_nothing():
    for torn, first in each_cut(holding(OLD), store_new, (8, 200, 250), (1,)):
        expected = record(torn.copy()).load()
        for flash, second in each_cut(torn, load, (0, 100, 250), (3,)):
            assert record(flash).load() == expected, (first, second)
            assert_only(flash, expected)


def test_a_cut_in_the_tidying_after_a_first_store_that_was_cut_is_no_damage():
    for torn, first in each_cut(FlashFake(), store_new, (8, 200, 250), (1,)):
        expected = record(torn.copy()).load()
        for flash, second in each_cut(torn, load, (0, 100, 250), (3,)):
            assert record(flash).load() == expected, (first, second)
            store_new(flash)
            assert_only(flash, NEW)


def test_bits_that_only_just_read_as_0_are_made_firm_before_the_other_copy_goes():
    """A cut at the end of programming: the new page reads back, and may not the next time."""
    for flash, cut in each_cut(holding(OLD, OLD), store_new, (0,), (1,)):
        if cut == NO_CUT or flash.operations[-1][0] != "erase":
            continue
        flash.operations.clear()
        load(flash)
        keep, other = [block for _, block, _ in flash.operations]
        assert flash.operations == [("program", keep, 0), ("erase", other, 0)] and keep != other
        assert flash.memory[keep * BLOCK_BYTES + 12 : keep * BLOCK_BYTES + 16] == NEW[:4]
        return
    raise AssertionError("no cut left both copies")


def test_a_cut_in_forgetting_leaves_all_or_nothing_or_damage():
    stale = None  # OLD is still there, whole, when NEW is forgotten
    for flash, cut in each_cut(holding(OLD), store_new, (0,), (1,)):
        if flash.operations[-1][0] == "erase" and cut != NO_CUT:
            stale = flash
    for start in (holding(NEW), stale):
        for flash, cut in each_cut(start, forget):
            try:
                assert_only(flash, record(flash).load())
            except DamagedError:
                assert cut != NO_CUT
                raised(lambda: record(flash).store(OLD), DamagedError)  # noqa: B023
                record(flash).forget()
                assert_only(flash, None)
        assert cut == NO_CUT and record(flash).load() is None


@control("C-34")
def test_worn_flash_is_told_and_the_old_still_holds():
    for wear in ("dead", "stuck"):
        flash = holding(OLD)
        if wear == "dead":
            flash.dead.add(FIRST + 1)
        else:
            flash.stuck[FIRST + 1, 20] = 0x10
            flash.memory[(FIRST + 1) * BLOCK_BYTES + 20] &= ~0x10 & 0xFF
        for _ in range(2):
            assert isinstance(raised(lambda: store_new(flash), StorageError), OSError)  # noqa: B023
            assert record(flash).load() == OLD


def test_forgetting_that_does_not_work_is_told():
    flash = holding(OLD)
    flash.dead.add(FIRST)
    raised(lambda: record(flash).forget(), StorageError)


def flipped(flash, index):
    """A copy with a bit of byte `index` of the first block changed."""
    changed = flash.copy()
    changed.memory[FIRST * BLOCK_BYTES + index] ^= 1 << index % 8
    return changed


@control("C-33")
def test_a_changed_bit_is_damage_which_stays_as_it_is():
    for flash in (holding(OLD), holding(OLD, OLD, OLD)):
        for index in range(256):
            changed = flipped(flash, index)
            for action in (load, store_new, lambda flash: record(flash).peek()):
                raised(lambda: action(changed), DamagedError)  # noqa: B023
            assert not changed.operations, index


def test_a_changed_bit_can_be_put_right_without_a_loss():
    flash = holding(OLD, OLD, OLD)
    for index in range(256):
        changed = flipped(flash, index)
        assert record(changed).can_mend() and not changed.operations
        record(changed).mend()
        assert_only(changed, OLD)
        record(changed).store(NEW)
        assert_only(changed, NEW)


def test_a_cut_in_mending_loses_nothing():
    start = flipped(holding(OLD, OLD, OLD), 40)
    for flash, cut in each_cut(start, lambda flash: record(flash).mend(), (0, 8, 128, 248), (1,)):
        try:
            assert record(flash).load() == OLD, cut
        except DamagedError:
            record(flash).mend()
        assert_only(flash, OLD)


def test_more_than_a_bit_cannot_be_put_right():
    whole = holding(OLD)
    assert not record(whole).can_mend() and not record(FlashFake()).can_mend()
    raised(lambda: record(whole).mend(), DamagedError)
    for pair in ((0, 1), (0, 200), (20, 21), (252, 255), (30, 253)):
        changed = flipped(flipped(whole, pair[0]), pair[1])
        assert not record(changed).can_mend(), pair
        raised(lambda: record(changed).mend(), DamagedError)  # noqa: B023
        assert not changed.operations


def test_a_changed_bit_in_one_copy_leaves_the_other():
    """A cut in the erase of the old copy left both; then one rots."""
    both = None
    for flash, cut in each_cut(holding(OLD, OLD), store_new, (0,), (1,)):
        if cut != NO_CUT and flash.operations[-1][0] == "erase":
            both = flash
    for block in (FIRST, FIRST + 1):
        for index in range(0, 256, 7):
            changed = both.copy()
            changed.memory[block * BLOCK_BYTES + index] ^= 1 << index % 8
            found = record(changed).load()
            assert found in (OLD, NEW)
            assert_only(changed, found)


def test_whatever_else_is_there_is_damage_which_stays_as_it_is():
    random.seed(7)
    for fill in (0x00, 0xA5, None):
        for blocks in ((FIRST,), (FIRST + 1,), (FIRST, FIRST + 1)):
            flash = FlashFake()
            for at in [block * BLOCK_BYTES + index for block in blocks for index in range(BLOCK_BYTES)]:
                flash.memory[at] = random.getrandbits(8) if fill is None else fill
            before = bytes(flash.memory)
            for action in (load, store_new):
                raised(lambda: action(flash), DamagedError)  # noqa: B023
            assert not record(flash).can_mend() and bytes(flash.memory) == before
            record(flash).forget()
            record(flash).store(NEW)
            assert_only(flash, NEW)


def test_sequences_go_round():
    flash = FlashFake()
    flash.memory[FIRST * BLOCK_BYTES : FIRST * BLOCK_BYTES + 256] = _page(OLD, 0xFFFFFFFE)
    for turn in range(4):
        for cut_flash, cut in each_cut(flash, store_new, (0, 250), (1,)):
            assert record(cut_flash).load() in (OLD, NEW), (turn, cut)
            if cut != NO_CUT and cut[0][0] == "erase":
                assert record(cut_flash).load() == NEW, "the later of two whole ones"
        record(flash).store(OLD)


def test_a_newer_format_is_left_alone():
    from binascii import crc32

    for version in (2, 255):
        flash = holding(OLD)
        at = FIRST * BLOCK_BYTES
        flash.memory[at + 4] = version
        flash.memory[at + 252 : at + 256] = crc32(flash.memory[at : at + 252]).to_bytes(4, "little")
        for action in (load, store_new, lambda flash: record(flash).peek()):
            raised(lambda: action(flash), LaterError)  # noqa: B023
        raised(lambda: record(flipped(flash, 77)).load(), DamagedError)  # noqa: B023
        raised(lambda: record(flipped(flash, 77)).can_mend(), LaterError)  # noqa: B023
        assert not flash.operations
        record(flash).forget()
        assert record(flash).load() is None
