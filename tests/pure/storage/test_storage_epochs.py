"""No epoch and no seed comes twice, wherever the supply fails, whatever the random bits are worth."""

import struct
from binascii import crc32

from stimfw.crypto.primitives import sha256
from stimfw.storage.blocks import BLOCK_BYTES, DamagedError, LaterError, StorageError
from stimfw.storage.epochs import PLACES, EpochLog
from support.control import control
from support.flash_fake import NO_CUT, FlashFake, each_cut, is_cut

FIRST = 1
SAME = b"always the same"
BOOTS = 3 * PLACES + 5


def advance(flash):
    return EpochLog(flash, FIRST).advance(SAME)


def after(boots):
    flash = FlashFake()
    for _ in range(boots):
        advance(flash)
    flash.operations.clear()
    return flash


def fails(flash):
    try:
        advance(flash)
    except StorageError:
        return True
    return False


def place_at(boot):
    """Where in the flash's memory the record of the n-th boot begins."""
    return FIRST * BLOCK_BYTES + (boot - 1) % (2 * PLACES) * 64


def test_epochs_count_boots_and_seeds_differ_though_the_material_does_not():
    flash = FlashFake()
    told = [advance(flash) for _ in range(BOOTS)]
    assert [epoch for epoch, _ in told] == list(range(1, BOOTS + 1))
    assert len({seed for _, seed in told}) == BOOTS and all([len(seed) == 32 for _, seed in told])


def test_the_material_counts():
    start = after(3)
    seeds = {EpochLog(start.copy(), FIRST).advance(material)[1] for material in (b"", b"a", b"b")}
    assert len(seeds) == 3


def test_what_a_boot_writes():
    flash = FlashFake()
    for boot in range(1, BOOTS + 1):
        flash.operations.clear()
        advance(flash)
        kinds = [kind for kind, _, _ in flash.operations]
        if boot > 1 and boot % PLACES == 1:
            assert kinds == ["program", "erase"]  # the new record first: nothing waits for an erase
        else:
            assert kinds == ["program"] * (1 if boot == 1 else 2)


def test_flash_tells_neither_the_seed_in_use_nor_how_to_compute_it():
    flash = FlashFake()
    for _ in range(PLACES + 3):
        epoch, seed = advance(flash)
        memory = bytes(flash.memory[FIRST * BLOCK_BYTES : (FIRST + 2) * BLOCK_BYTES])
        assert seed not in memory
        for at in range(12, len(memory), 64):
            assert sha256(b"use" + memory[at : at + 32] + SAME + struct.pack("<I", epoch)) != seed


@control("C-26")
def test_a_cut_at_any_moment_repeats_nothing():
    for boots in (0, 1, 5, PLACES - 1, PLACES, PLACES + 1, 2 * PLACES - 1, 2 * PLACES):
        start = after(boots)
        for flash, cut in each_cut(start, advance, (0, 30, 200, 252), (1,)):
            told = [advance(flash) for _ in range(3)]
            expected = boots + (2 if cut == NO_CUT else 1)
            assert told[0][0] >= expected, (boots, cut)
            assert [epoch - told[0][0] for epoch, _ in told] == [0, 1, 2], (boots, cut)
            assert len({seed for _, seed in told}) == 3


def test_boots_that_are_cut_short_again_and_again_use_up_places_only():
    for seed in range(6):
        flash = FlashFake()
        last = 0
        for boot in range(2 * PLACES + 10):
            flash.cut(boot % 2, (boot * 37 + seed * 50) % 256, boot)
            cut = is_cut(advance, flash)
            flash.power()
            if cut and boot % 3:
                continue
            epoch, _ = advance(flash)
            assert epoch > last
            last = epoch


def test_a_new_board_outlives_cuts_of_its_first_boots():
    flash = FlashFake()
    for boot in range(PLACES - 1):
        flash.cut(0, 40, boot)
        assert is_cut(advance, flash)
        flash.power()
    epoch, _ = advance(flash)
    assert epoch >= 1 and advance(flash)[0] == epoch + 1


def test_a_damaged_log_never_starts_again():
    for boots in (1, 2, 3, PLACES, PLACES + 1, PLACES + 9, 2 * PLACES + 1):
        for fill in (0x00, 0xA5):
            flash = after(boots)
            for at in range(FIRST * BLOCK_BYTES, (FIRST + 2) * BLOCK_BYTES):
                if flash.memory[at] != 0xFF:
                    flash.memory[at] = fill
            flash.operations.clear()
            assert fails(flash) and fails(flash), boots
            assert not flash.operations


def test_rot_in_the_only_record_of_a_later_round_is_damage():
    flash = after(2 * PLACES + 1)
    assert flash.memory[place_at(1)] != 0xFF and flash.memory[place_at(PLACES + 1)] == 0xFF
    flash.memory[place_at(1) + 5] ^= 0x40
    assert fails(flash)


def test_an_older_record_stands_in_for_a_rotten_one_without_repeating_its_epoch():
    flash = after(9)
    flash.memory[place_at(9) + 20] ^= 1  # its seed
    other = after(9)
    other.memory[place_at(9) + 45] ^= 1  # its seed's CRC
    told = (advance(flash), advance(other))
    assert [epoch for epoch, _ in told] == [10, 10]
    assert advance(flash)[0] == 11 and advance(flash)[1] != told[0][1]


def test_a_place_that_does_not_take_it_is_passed_over():
    flash = after(4)
    at = place_at(5) + 3
    flash.stuck[FIRST, at - FIRST * BLOCK_BYTES] = 0x80
    flash.memory[at] &= 0x7F
    told = [advance(flash)[0] for _ in range(3 * PLACES)]
    assert told[:3] == [6, 7, 8], "it may have held the epoch 5 once"
    assert all([0 < after - before <= PLACES + 1 for before, after in zip(told, told[1:])])


def test_a_dead_flash_is_told():
    for boots in (0, 3, PLACES):
        flash = after(boots)
        flash.dead |= {FIRST, FIRST + 1}
        assert fails(flash)


@control("C-26")
def test_a_wrong_bit_anywhere_repeats_no_epoch():
    for boots in (2, 3, PLACES - 1, PLACES, PLACES + 2, 2 * PLACES, 2 * PLACES + 2):
        start = after(boots)
        for back in range(min(boots, 3)):
            if place_at(boots - back) // BLOCK_BYTES != place_at(boots) // BLOCK_BYTES:
                continue
            for byte in range(64):
                flash = start.copy()
                flash.memory[place_at(boots - back) + byte] ^= 1 << byte % 8
                epochs = [advance(flash)[0] for _ in range(3)]
                assert boots < epochs[0] <= boots + 2, (boots, back, byte)
                assert epochs == [epochs[0], epochs[0] + 1, epochs[0] + 2]


def test_damage_among_records_repeats_no_epoch():
    """The newest ones unreadable, a few or all but one of them; and bits in blank places."""
    for boots in (9, PLACES, PLACES + 9):
        first = boots - (boots - 1) % PLACES
        for good in (first, boots - 2, boots - 1):
            flash = after(boots)
            for boot in range(good + 1, boots + 1):
                flash.memory[place_at(boot) + boot % 12] ^= 4
            assert advance(flash)[0] > boots
    flash = after(9)
    flash.memory[place_at(40) + 3] = 0
    other = flash.copy()
    assert advance(flash)[0] > 9
    other.memory[place_at(PLACES + 60)] = 0
    assert advance(other)[0] > 9


def test_with_a_limit_a_log_without_records_is_one_that_was_lost():
    for flash in (FlashFake(), after(9)):
        empty = flash.copy()
        empty.memory[:] = b"\xff" * len(empty.memory)
        log = EpochLog(empty, FIRST)
        for ask in (lambda: log.advance(SAME, 5), lambda: log.check(5)):  # noqa: B023
            try:
                ask()
            except DamagedError:
                continue
            raise AssertionError("taken for a new board")
        assert not empty.operations and log.check() == 1
    assert EpochLog(after(9), FIRST).advance(SAME, 4096)[0] == 10


def test_a_log_that_was_lost_goes_on_above_a_limit():
    for limit in (1, 4096, 0x12345678):
        flash = after(9)
        flash.memory[FIRST * BLOCK_BYTES : FIRST * BLOCK_BYTES + 3000] = bytes(3000)
        EpochLog(flash, FIRST).restart(limit, SAME)
        assert EpochLog(flash, FIRST).check(limit) == limit + 1
        assert [EpochLog(flash, FIRST).advance(SAME, limit)[0] for _ in range(3)] == [
            limit + 1, limit + 2, limit + 3
        ]  # fmt: skip
    EpochLog(flash, FIRST).restart(0, SAME)
    assert advance(flash)[0] == 1


def test_a_cut_in_a_restart_leaves_no_log_or_the_new_one():
    start = after(9)
    start.memory[FIRST * BLOCK_BYTES : FIRST * BLOCK_BYTES + 3000] = bytes(3000)
    for flash, cut in each_cut(start, lambda flash: EpochLog(flash, FIRST).restart(4096, SAME)):
        try:
            assert EpochLog(flash, FIRST).check(4096) in (4097, 4098), cut
        except DamagedError:
            assert cut != NO_CUT


def test_a_later_formats_log_is_named_so_and_stays():
    for boots in (0, 9, PLACES):
        flash = after(boots)
        head = b"SBe2" + struct.pack("<I", 77)
        flash.memory[place_at(boots + 1) : place_at(boots + 1) + 12] = head + struct.pack("<I", crc32(head))
        before = bytes(flash.memory)
        try:
            advance(flash)
        except LaterError:
            assert bytes(flash.memory) == before and EpochLog(flash, FIRST).is_there()
            continue
        raise AssertionError("written over")


def test_the_seed_that_is_kept_counts():
    """Two boards that are alike now, but for what the bits were at their first start."""
    boards = [FlashFake(), FlashFake()]
    for flash, first in zip(boards, (b"one", b"other")):
        EpochLog(flash, FIRST).advance(first)
    for _ in range(3):
        assert len({advance(flash)[1] for flash in boards}) == 2


def test_garbage_where_a_log_should_be_is_damage():
    flash = FlashFake()
    flash.memory[FIRST * BLOCK_BYTES : FIRST * BLOCK_BYTES + 4] = b"lfs2"
    assert fails(flash)


def test_epochs_end():
    from stimfw.storage import epochs

    flash = FlashFake()
    for epoch, works in ((epochs.MAX_EPOCH - 1, True), (epochs.MAX_EPOCH, False)):
        record = epochs._record(epoch, bytes(32))
        flash.memory[place_at(1) : place_at(1) + len(record)] = record
        assert fails(flash.copy()) != works
