"""The epoch log place by place, as boards in the field have it on flash, and a generator's bytes."""

import struct
from binascii import crc32

from stimfw.crypto import drbg
from stimfw.crypto.drbg import Drbg
from stimfw.crypto.primitives import sha256
from stimfw.storage import epochs
from stimfw.storage.blocks import StorageError
from stimfw.storage.epochs import EpochLog
from support.flash_fake import FlashFake

FIRST = 1
BLOCK = 4096
PLACE = 64
A_BLOCK = 64  # places
SAME = b"always the same"
NO_SEED = bytes(32)


class OnceWorn(FlashFake):
    """One byte of one place does not take its bits the first time: they read as 0 or stay 1."""

    def __init__(self, at, as_zero):
        FlashFake.__init__(self)
        self.at, self.as_zero = at, as_zero

    def writeblocks(self, block, data, offset=None):
        start = block * BLOCK + offset
        changed = bytearray(data)
        if start <= self.at < start + len(data) and changed[self.at - start] != 0xFF:
            changed[self.at - start] = 0 if self.as_zero else 0xFF
        FlashFake.writeblocks(self, block, changed, offset)


def header(epoch, magic=b"SBe1"):
    head = magic + struct.pack("<I", epoch)
    return head + struct.pack("<I", crc32(head))


def record(epoch, seed):
    body = header(epoch) + seed
    return body + struct.pack("<I", crc32(body))


def mixed(label, seed, epoch):
    return sha256(label + seed + SAME + struct.pack("<I", epoch))


def advance(flash):
    return EpochLog(flash, FIRST).advance(SAME)


def boot(flash, boots):
    for _ in range(boots):
        advance(flash)
    flash.operations.clear()
    return flash


def place(flash, index):
    at = FIRST * BLOCK + index * PLACE
    return bytes(flash.memory[at : at + PLACE])


def told(action):
    try:
        action()
    except StorageError as error:
        return str(error)
    raise AssertionError("nothing was raised")


def test_each_boot_leaves_a_record_whose_seed_the_next_one_wipes():
    flash = FlashFake()
    seed = NO_SEED
    for epoch in range(1, 3 * A_BLOCK):
        assert advance(flash) == (epoch, mixed(b"use", seed, epoch))
        seed = mixed(b"next", seed, epoch)
        index = (epoch - 1) % (2 * A_BLOCK)
        assert place(flash, index) == record(epoch, seed) + b"\xff" * 16, epoch
        if (epoch - 1) % A_BLOCK:
            assert place(flash, index - 1) == header(epoch - 1) + bytes(36) + b"\xff" * 16, epoch


def test_the_numbers_of_the_log_are_those_of_other_versions():
    assert (epochs.PLACES, epochs.SEED_BYTES, epochs.MAX_EPOCH) == (64, 32, 4_294_967_295)


def test_a_place_that_reads_back_wrong_is_passed_over_by_one():
    for as_zero in (True, False):
        for byte in (4, 20, 46):
            flash = OnceWorn(FIRST * BLOCK + 5 * PLACE + byte, as_zero)
            boot(flash, 5)
            epoch, _ = advance(flash)
            assert place(flash, 6)[:12] == header(epoch), (as_zero, byte)
            assert place(flash, 7) == b"\xff" * PLACE
            assert advance(flash)[0] > epoch


def test_a_block_that_takes_nothing_is_told_by_its_number():
    flash = boot(FlashFake(), 3)
    flash.dead.add(FIRST)
    assert told(lambda: advance(flash)) == "block 1: not programmed"


def test_a_header_with_another_magic_is_no_record_though_its_checksum_fits():
    for magic in (b"SBe0", b"SBf1", b"SBd2", b"TBe2", b"RBe2", b"AAAA", b"zzzz"):
        flash = FlashFake()
        flash.memory[FIRST * BLOCK : FIRST * BLOCK + 12] = header(77, magic)
        assert told(lambda flash=flash: advance(flash)) == "epoch log damaged", magic
    for magic in (b"SBe2", b"SBe9", b"SBe\xff"):
        flash = FlashFake()
        flash.memory[FIRST * BLOCK : FIRST * BLOCK + 12] = header(77, magic)
        assert told(lambda flash=flash: advance(flash)) == "epoch log of a later format", magic


def test_a_check_tells_what_is_due_and_writes_nothing():
    flash = FlashFake()
    assert EpochLog(flash, FIRST).check() == 1 and not EpochLog(flash, FIRST).is_there()
    for epoch in range(1, 3 * A_BLOCK + 2):
        advance(flash)
        flash.operations.clear()
        for limit in (0, 1, 4096):
            assert EpochLog(flash, FIRST).check(limit) == epoch + 1
        assert EpochLog(flash, FIRST).is_there() and not flash.operations, epoch


def test_a_check_fails_as_an_advance_does():
    flash = FlashFake()
    assert told(lambda: EpochLog(flash, FIRST).check(1)) == "epoch log damaged"
    for block in (FIRST, FIRST + 1):
        for content, text in (
            (header(0xFFFFFFFF), "epochs used up"),
            (header(77, b"SBe2"), "epoch log of a later format"),
            (b"garbage", "epoch log damaged"),
        ):
            flash = FlashFake()
            flash.memory[block * BLOCK : block * BLOCK + len(content)] = content
            for limit in (0, 5):
                assert told(lambda flash=flash, limit=limit: EpochLog(flash, FIRST).check(limit)) == text
            assert EpochLog(flash, FIRST).is_there() == (content != b"garbage")


def test_a_restart_leaves_one_record_or_none():
    for before in (0, 5, A_BLOCK, A_BLOCK + 5):
        for epoch in (0, 1, 4097, 0xFFFFFFFE):
            flash = boot(FlashFake(), before)
            EpochLog(flash, FIRST).restart(epoch, b"material")
            one = record(epoch, sha256(b"restartmaterial")) if epoch else b""
            area = bytes(flash.memory[FIRST * BLOCK : (FIRST + 2) * BLOCK])
            assert area == one + b"\xff" * (2 * BLOCK - len(one)), (before, epoch)
            assert advance(flash)[0] == epoch + 1


def test_the_highest_epoch_of_a_block_counts_wherever_it_stands():
    for found, due in (((5, 9), 10), ((9, 5), 11), ((9, 5, 7), 12), ((9, 5, 10), 11)):
        flash = FlashFake()
        for index, epoch in enumerate(found):
            at = FIRST * BLOCK + index * PLACE
            flash.memory[at : at + 48] = record(epoch, NO_SEED)
        assert EpochLog(flash, FIRST).check() == due == advance(flash)[0], found


def test_a_seed_whose_checksum_is_wrong_is_not_used():
    for bits in (0x00, 0xFF):
        flash = boot(FlashFake(), 1)
        at = FIRST * BLOCK + 44
        assert flash.memory[at] not in (0x00, 0xFF)
        flash.memory[at] = bits
        assert advance(flash) == (2, mixed(b"use", NO_SEED, 2)), bits


def test_what_a_cut_erase_left_in_a_later_page_counts_as_used():
    flash = boot(FlashFake(), A_BLOCK)
    left = (FIRST + 1) * BLOCK + 9 * 256 + 5
    flash.memory[left] = 0
    # Place 37 of the block: all up to it are passed over, and no epoch is given twice.
    assert advance(flash)[0] == A_BLOCK + 38


def test_what_is_left_behind_a_blank_page_is_no_virgin_flash():
    flash = FlashFake()
    flash.memory[FIRST * BLOCK + 9 * 256] = 0
    assert told(lambda: advance(flash)) == "epoch log damaged"


def test_the_last_epoch_is_given_and_then_no_more():
    flash = FlashFake()
    flash.memory[FIRST * BLOCK : FIRST * BLOCK + 48] = record(0xFFFFFFFE, NO_SEED)
    assert advance(flash)[0] == 0xFFFFFFFF
    assert told(lambda: advance(flash)) == "epochs used up"


def test_a_generators_bytes_are_those_of_its_construction():
    seed = bytes(range(32))
    one = Drbg(seed)
    wanted = sha256(seed + b"out\0\0\0\0") + sha256(seed + b"out\1\0\0\0") + sha256(seed + b"out\2\0\0\0")
    assert one.take(70) == wanted[:70]
    key = sha256(seed + b"key")
    assert one.take(32) == sha256(key + b"out\0\0\0\0")
    one.stir(b"more")
    key = sha256(sha256(key + b"key") + b"stirmore")
    assert one.take(5) == sha256(key + b"out\0\0\0\0")[:5]


def test_a_generator_computes_no_more_than_it_gives():
    """One SHA-256 for the next key, and one for each 32 bytes."""
    calls = []
    drbg.sha256 = lambda data: calls.append(1) or sha256(data)
    try:
        for count, hashes in ((0, 1), (1, 2), (32, 2), (33, 3), (64, 3), (65, 4)):
            calls.clear()
            Drbg(bytes(32)).take(count)
            assert len(calls) == hashes, count
    finally:
        drbg.sha256 = sha256


def test_a_wrong_seed_is_told_in_words():
    try:
        Drbg(bytes(31))
    except ValueError as error:
        assert str(error) == "seed of 31 bytes, 32 wanted"
    else:
        assert False, "taken"  # noqa: B011


def test_everything_is_where_other_versions_put_it():
    """1408 KB in blocks of 4 KB; a board that is updated finds its epochs and pairings again."""
    from stimfw.storage import layout

    assert layout.BLOCKS == layout.END == 352 and layout.BLOCKS * 4 == 1408
    assert (layout.FILESYSTEM_BLOCKS, layout.EVENTS, layout.EPOCHS) == (286, 334, 336)
    assert (layout.PAIRINGS, layout.PRESCRIPTIONS, layout.LIFE) == (338, 340, 348)
    assert (layout.JOURNAL, layout.JOURNAL_BLOCKS, layout.PROGRESS) == (288, 44, 332)
    assert layout.EPOCH_LIMIT == 350 and layout.CALIBRATION == 286
