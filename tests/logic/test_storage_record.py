"""A record is old or new, never half, wherever the supply fails; and what is forgotten is gone."""

from stimfw.storage.blocks import BLOCK_BYTES, StorageError
from stimfw.storage.record import MAX_PAYLOAD, Record
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
    flash.memory[:] = b"n" * len(flash.memory)
    for payload in (OLD, NEW, OLD):
        record(flash).store(payload)
    assert flash.memory[:BLOCK_BYTES] == b"n" * BLOCK_BYTES
    assert flash.memory[3 * BLOCK_BYTES :] == b"n" * BLOCK_BYTES


def test_a_store_is_one_program_and_one_erase_of_the_old():
    flash = holding(OLD)
    record(flash).store(NEW)
    assert [kind for kind, _, _ in flash.operations] == ["program", "erase"]
    assert_only(flash, NEW)


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


def test_a_cut_in_forgetting_leaves_all_or_nothing():
    stale = None  # OLD is still there, whole, when NEW is forgotten
    for flash, cut in each_cut(holding(OLD), store_new, (0,), (1,)):
        if flash.operations[-1][0] == "erase" and cut != NO_CUT:
            stale = flash
    for start in (holding(NEW), stale):
        for flash, cut in each_cut(start, forget):
            found = record(flash).load()
            assert found in (None, NEW), cut
            assert_only(flash, found)
        assert found is None


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


def test_a_changed_bit_is_no_record():
    flash = holding(OLD)
    for index in range(256):
        changed = flash.copy()
        changed.memory[FIRST * BLOCK_BYTES + index] ^= 1 << index % 8
        assert record(changed).load() is None, index


def test_a_newer_format_is_left_alone():
    from binascii import crc32

    flash = holding(OLD)
    at = FIRST * BLOCK_BYTES
    flash.memory[at + 4] = 2
    flash.memory[at + 252 : at + 256] = crc32(flash.memory[at : at + 252]).to_bytes(4, "little")
    raised(lambda: record(flash).load(), StorageError)
    raised(lambda: record(flash).store(NEW), StorageError)
    assert not flash.operations
    record(flash).forget()
    assert record(flash).load() is None
