"""Records byte by byte, as boards in the field have them on flash, and what a worn page does to them."""

import struct
from binascii import crc32

from stimfw.storage import blocks
from stimfw.storage.blocks import StorageError, is_blank, make_blank
from stimfw.storage.record import Record
from support.flash_fake import FlashFake

BLOCK = 4096
PAGE = 256
FIRST = 1


class WornFlash(FlashFake):
    """Programs a page, and one bit of it wrongly: as 0, or not at all."""

    def __init__(self, byte, as_zero):
        FlashFake.__init__(self)
        self.byte, self.as_zero = byte, as_zero

    def writeblocks(self, block, data, offset=None):
        changed = bytearray(data)
        changed[self.byte] = 0 if self.as_zero else 0xFF
        FlashFake.writeblocks(self, block, changed, offset)


def page(payload, sequence, magic=b"SBr1", version=1):
    """A record's page, written out a second time from the module's own table."""
    head = magic + bytes((version, len(payload), 0, 0)) + struct.pack("<I", sequence)
    body = head + payload + b"\xff" * (PAGE - 16 - len(payload))
    return body + struct.pack("<I", crc32(body))


def put(flash, block, content):
    flash.memory[block * BLOCK : block * BLOCK + len(content)] = content


def on(flash, block):
    return bytes(flash.memory[block * BLOCK : block * BLOCK + PAGE])


def told(action):
    try:
        action()
    except StorageError as error:
        return str(error)
    raise AssertionError("nothing was raised")


def watched(flash, written):
    """In place of flash.writeblocks: what is programmed is remembered as well."""
    write = flash.writeblocks

    def writeblocks(block, data, offset=None):
        written.append(bytes(data))
        write(block, data, offset)

    return writeblocks


def test_a_record_is_on_flash_as_its_table_says():
    flash = FlashFake()
    record = Record(flash, FIRST)
    for sequence in range(1, 8):
        payload = b"payload %d" % sequence
        record.store(payload)
        assert on(flash, FIRST + (sequence - 1) % 2) == page(payload, sequence)


def test_the_higher_sequence_holds_in_whichever_block_it_is():
    for here, there, holds in ((7, 3, b"here"), (3, 7, b"there"), (256, 255, b"here"), (255, 256, b"there")):
        flash = FlashFake()
        put(flash, FIRST, page(b"here", here))
        put(flash, FIRST + 1, page(b"there", there))
        assert Record(flash, FIRST).load() == holds, (here, there)


def test_the_copy_that_holds_is_made_firm_before_the_other_goes():
    for here, there in ((7, 6), (6, 7)):
        flash = FlashFake()
        put(flash, FIRST, page(b"here", here))
        put(flash, FIRST + 1, page(b"there", there))
        keep = FIRST if here > there else FIRST + 1
        before = on(flash, keep)
        written = []
        flash.writeblocks = watched(flash, written)
        Record(flash, FIRST).load()
        assert written == [before]
        assert flash.operations == [("program", keep, 0), ("erase", 2 * FIRST + 1 - keep, 0)]
        assert on(flash, keep) == before


def test_garbage_without_a_record_is_damage_and_is_left_as_it_is():
    for first in (0, 1, 2):
        flash = FlashFake()
        put(flash, first, b"garbage")
        put(flash, first + 1, b"garbage")
        assert told(Record(flash, first).load) == "block %d: damaged" % first
        assert flash.operations == []


def test_another_magic_is_damage_and_another_format_is_an_error():
    for magic in (b"SBr0", b"SBr2", b"TBr1", b"RBr1"):
        flash = FlashFake()
        put(flash, FIRST, page(b"x", 1, magic))
        assert told(Record(flash, FIRST).load) == "block %d: damaged" % FIRST, magic
    for version, reason in (
        (0, "block 1: damaged"), (2, "record of format 2"), (255, "record of format 255"),
    ):  # fmt: skip
        flash = FlashFake()
        put(flash, FIRST, page(b"x", 1, version=version))
        assert told(Record(flash, FIRST).load) == reason


def test_a_page_that_reads_back_lower_or_higher_is_told_and_erased():
    for as_zero in (True, False):
        for byte in (2, 13, 200, 255):
            flash = WornFlash(byte, as_zero)
            put(flash, FIRST, page(b"before", 1))
            record = Record(flash, FIRST)
            # 230 bytes of 0x55: both kinds of wear change each of the bytes.
            assert told(lambda record=record: record.store(b"\x55" * 230)) == "block 2: not programmed"
            assert is_blank(flash, FIRST + 1) and on(flash, FIRST) == page(b"before", 1)


def test_a_block_is_blank_only_if_each_of_its_bytes_is():
    flash = FlashFake()
    assert is_blank(flash, 2)
    for at in (0, 255, 256, 511, 2048, 4095):
        flash.memory[2 * BLOCK + at] = 0xFE
        assert not is_blank(flash, 2), at
        assert is_blank(flash, 1) and is_blank(flash, 3)
        flash.memory[2 * BLOCK + at] = 0xFF


def test_what_lies_in_any_page_of_a_block_is_erased():
    for at in (300, 4095):
        flash = FlashFake()
        flash.memory[2 * BLOCK + at] = 0
        make_blank(flash, 2)
        assert flash.operations == [("erase", 2, 0)] and is_blank(flash, 2)


def test_a_block_that_stays_as_it_is_is_told_by_its_number():
    flash = FlashFake()
    flash.memory[3 * BLOCK + 4095] = 0
    flash.dead.add(3)
    assert told(lambda: make_blank(flash, 3)) == "block 3: not erased"


def test_the_sizes_are_those_of_the_chip():
    assert (blocks.BLOCK_BYTES, blocks.PAGE_BYTES, blocks.PAGES) == (4096, 256, 16)
