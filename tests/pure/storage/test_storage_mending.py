"""Records that lack a bit, first stores that were cut, and which of two pages is the later one."""

import struct
from binascii import crc32

from stimfw.storage import record as records
from stimfw.storage.blocks import DamagedError, LaterError, StorageError
from stimfw.storage.record import Record
from support.flash_fake import FlashFake

BLOCK = 4096
PAGE = 256
FIRST = 2
MARK = b"SBr1 first" + b"\xff" * 246
SPENT = bytes(10) + b"\xff" * 246


def page(payload, sequence, version=1, length=None):
    """A record's page, written out a second time from the module's own table."""
    size = len(payload) if length is None else length
    body = b"SBr1" + bytes((version, size, 0, 0)) + struct.pack("<I", sequence)
    body += payload + b"\xff" * (PAGE - 16 - len(payload))
    return body + struct.pack("<I", crc32(body))


def flash_with(first=b"", second=b""):
    flash = FlashFake(6)
    for block, content in ((FIRST, first), (FIRST + 1, second)):
        flash.memory[block * BLOCK : block * BLOCK + len(content)] = content
    return flash


def on(flash, block):
    return bytes(flash.memory[block * BLOCK : block * BLOCK + PAGE])


def flipped(content, *bits):
    changed = bytearray(content)
    for bit in bits:
        changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


def told(action, kind=StorageError):
    try:
        action()
    except kind as error:
        return str(error)
    raise AssertionError("nothing was raised")


def test_the_later_sequence_holds_all_the_way_round():
    for here, there, holds in (
        (5, 5, b"here"), (0, 1, b"there"), (1, 0, b"here"),
        (0xFFFFFFFF, 0, b"there"), (0, 0xFFFFFFFF, b"here"), (0xFFFFFFFE, 1, b"there"),
        (0, 0x7FFFFFFF, b"there"), (0x7FFFFFFF, 0, b"here"), (0, 0x80000001, b"here"),
        (0, 0x80000000, b"here"), (0x80000000, 0, b"here"), (0x80000001, 0, b"there"),
    ):  # fmt: skip
        flash = flash_with(page(b"here", here), page(b"there", there))
        assert Record(flash, FIRST).peek() == holds, (here, there)


def test_the_sequence_after_the_last_one_is_zero():
    flash = flash_with(page(b"old", 0xFFFFFFFF))
    Record(flash, FIRST).store(b"new")
    assert on(flash, FIRST + 1) == page(b"new", 0) and on(flash, FIRST) == b"\xff" * PAGE


def test_a_payload_is_of_240_bytes_at_most():
    assert Record(flash_with(page(bytes(240), 1)), FIRST).peek() == bytes(240)
    for version, length in ((1, 241), (1, 255), (0, 4), (0, 241)):
        flash = flash_with(page(bytes(240), 1, version, length))
        assert told(Record(flash, FIRST).peek, DamagedError) == "block 2: damaged"
        assert not Record(flash, FIRST).can_mend()
    assert told(lambda: Record(FlashFake(6), FIRST).store(bytes(241)), ValueError) == (
        "payload of 241 bytes, 240 fit"
    )


def test_any_one_bit_of_a_page_is_put_right():
    for payload in (b"", b"payload", bytes(range(240))):
        whole = page(payload, 0x01020304)
        for bit in list(range(0, 2016, 7)) + list(range(96)) + list(range(2008, 2048)):
            flash = flash_with(b"", flipped(whole, bit))
            assert told(Record(flash, FIRST).load, DamagedError) == "block 2: damaged"
            assert records._corrected(bytearray(flipped(whole, bit))) == (0x01020304, payload), bit


def test_what_is_mended_goes_into_the_other_block_with_the_next_sequence():
    for block in (FIRST, FIRST + 1):
        other = 2 * FIRST + 1 - block
        for sequence, following in ((1, 2), (77, 78), (0xFFFFFFFF, 0)):
            damaged = flipped(page(b"kept", sequence), 333)
            flash = flash_with(damaged) if block == FIRST else flash_with(b"", damaged)
            assert Record(flash, FIRST).can_mend() and not flash.operations
            Record(flash, FIRST).mend()
            assert on(flash, other) == page(b"kept", following)
            assert flash.operations == [("program", other, 0), ("erase", block, 0)]


def test_of_two_that_lack_a_bit_the_later_one_is_mended():
    for here, there, holds in ((7, 8, b"there"), (8, 7, b"here"), (0xFFFFFFFF, 0, b"there")):
        flash = flash_with(flipped(page(b"here", here), 500), flipped(page(b"there", there), 9))
        Record(flash, FIRST).mend()
        assert Record(flash, FIRST).load() == holds


def test_two_bits_or_another_magic_or_none_are_not_put_right():
    whole = page(b"payload", 9)
    pairs = ((0, 8), (0, 1), (31, 32), (2015, 2016), (2016, 2017), (2046, 2047), (100, 2040), (3, 2020))
    for bits in pairs + ((1, 9, 17), (5, 6, 7), (2016, 2017, 2018)):
        damaged = flipped(whole, *bits)
        flash = flash_with(damaged)
        assert not Record(flash, FIRST).can_mend(), bits
        text = "block 2: more than a bit is wrong"
        assert told(Record(flash, FIRST).mend, DamagedError) == text
        assert on(flash, FIRST) == damaged and not flash.operations
    for content in (whole, b"", MARK):
        flash = flash_with(content)
        assert not Record(flash, FIRST).can_mend()
        told(Record(flash, FIRST).mend, DamagedError)


def test_a_later_formats_page_with_a_wrong_bit_is_told_by_its_number():
    for version in (2, 255):
        flash = flash_with(flipped(page(b"later", 3, version), 700))
        assert told(Record(flash, FIRST).can_mend, LaterError) == "record of format %d" % version


def test_a_bit_is_found_from_what_it_changes():
    zeros = crc32(bytes(252))
    for bit in (0, 1, 7, 8, 1000, 2014, 2015):
        assert records._wrong_bit(zeros ^ crc32(flipped(bytes(252), bit))) == bit
    for bit in range(32):
        assert records._wrong_bit(1 << bit) == 2016 + bit
    for difference in (0, 3, 0x80000001, 0xFFFFFFFF, 0x12345678):
        assert records._wrong_bit(difference) == -1


def test_a_first_store_marks_the_second_block_and_spends_the_mark():
    flash = FlashFake(6)
    Record(flash, FIRST).store(b"first")
    assert flash.operations == [("program", FIRST + 1, 0), ("program", FIRST, 0), ("program", FIRST + 1, 0)]
    assert on(flash, FIRST) == page(b"first", 1) and on(flash, FIRST + 1) == SPENT


def test_a_first_store_that_was_cut_is_cleared_away_the_mark_last():
    half = page(b"first", 1)[:100]
    flash = flash_with(half, MARK)
    assert Record(flash, FIRST).peek() is None and not flash.operations
    assert Record(flash, FIRST).load() is None
    assert flash.operations == [("erase", FIRST, 0), ("erase", FIRST + 1, 0)]
    assert bytes(flash.memory) == b"\xff" * (6 * BLOCK)
    flash = flash_with(half, MARK)
    Record(flash, FIRST).store(b"again")
    assert Record(flash, FIRST).load() == b"again"


def test_a_mark_counts_where_it_is_whole_or_alone():
    torn = b"SB\xff\xff\xfffirst"
    half = page(b"first", 1)[:100]
    for first, second, fresh in (
        (b"", b"", True), (b"", MARK, True), (half, MARK, True), (b"", torn, True),
        (half, torn, False), (half, b"", False), (b"", SPENT, False), (half, SPENT, False),
        (b"", b"\0", False), (b"", b"TBr1 first", False), (b"", MARK + b"\xfe", False),
        (half, MARK + b"\xfe", False), (b"", b"\xff" * 4095 + b"\0", False), (b"", b"SBr1 first\xfe", False),
        (half, b"SBr1 first\xfe", False), (b"\xff" * 4095 + b"\0", torn, False),
    ):  # fmt: skip
        flash = flash_with(first, second)
        if fresh:
            assert Record(flash, FIRST).peek() is None
        else:
            assert told(Record(flash, FIRST).peek, DamagedError) == "block 2: damaged", (first, second)


def test_a_spent_mark_is_left_and_anything_else_beside_a_record_is_erased():
    for second, operations in (
        (SPENT, []),
        (b"", []),
        (MARK, [("program", FIRST, 0), ("erase", FIRST + 1, 0)]),
        (bytes(11), [("program", FIRST, 0), ("erase", FIRST + 1, 0)]),
        (b"\xff" * 300 + b"\0", [("program", FIRST, 0), ("erase", FIRST + 1, 0)]),
    ):
        flash = flash_with(page(b"kept", 4), second)
        assert Record(flash, FIRST).load() == b"kept" and flash.operations == operations, second


def test_what_is_forgotten_goes_last_where_it_is_whole():
    for first, second, order in (
        (page(b"a", 2), page(b"b", 1), [FIRST + 1, FIRST]),
        (page(b"a", 1), page(b"b", 2), [FIRST, FIRST + 1]),
        (b"x", b"y", [FIRST + 1, FIRST]),
        (page(b"a", 2, 2), page(b"b", 1), [FIRST + 1, FIRST]),
    ):
        flash = flash_with(first, second)
        Record(flash, FIRST).forget()
        assert flash.operations == [("erase", block, 0) for block in order]
        assert bytes(flash.memory) == b"\xff" * (6 * BLOCK)
