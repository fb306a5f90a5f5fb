"""One small payload on flash that a power cut leaves old or new, never half.

Two blocks, of which page 0 is used:

    0..3     4        5       6..7  8..11           12..251             252..255
    "SBr1"   version  length  0     sequence (u32)  payload, then 0xFF  CRC-32 of all before it

The page that is whole and has the later sequence holds (the sequence wraps). `store` writes into the other
block, and erases the first one when the new page reads back: old keys do not stay. Whatever a cut leaves is
erased by the next `load`.

Where no page is whole, something was lost, unless it never was whole: the very first `store` puts a mark into
the second block, writes the first one, and then clears the mark's bits. While the mark can be read, or is not
whole yet and there is nothing else, this was a first `store` that a power cut ended.
"""

import binascii
import struct
from typing import TYPE_CHECKING

from stimfw.storage.blocks import (
    PAGE_BYTES,
    DamagedError,
    LaterError,
    StorageError,
    can_become,
    erase,
    is_blank,
    make_blank,
    program_page,
    read_page,
)

if TYPE_CHECKING:
    from stimfw.storage.blocks import BlockDevice

VERSION = 1
MAX_PAYLOAD = 240
_MAGIC = b"SBr1"
_HEADER = "<4sBBHI"
_PAYLOAD_AT = 12
_CRC_AT = PAGE_BYTES - 4
_MARK = b"SBr1 first"
_SPENT = bytes(len(_MARK))
_SEQUENCES = 0xFFFFFFFF
_HALF = 0x80000000


class Record:
    """A payload of up to MAX_PAYLOAD bytes in two blocks. Keeps nothing in RAM: it asks the flash.

    Every method raises LaterError where a later firmware has written, and leaves that as it is; only `forget`
    does not.
    """

    def __init__(self, device: "BlockDevice", first_block: int) -> None:
        """`first_block` and the one after it are this record's alone."""
        self._device = device
        self._first = first_block

    def peek(self) -> "bytes | None":
        """The payload, None if there never was one. Writes nothing.

        Raises:
            DamagedError: there was one, or something else is in its place.
        """
        found = self._find()
        if found is None:
            self._require_nothing_lost()
            return None
        return found[2]

    def load(self) -> "bytes | None":
        """As `peek`; erases what a power cut has left over."""
        found = self._find()
        if found is None:
            self._require_nothing_lost()
            # The mark last: while it is there, a cut in the erase of the other block is none of a record.
            make_blank(self._device, self._first)
            make_blank(self._device, self._first + 1)
            return None
        other = self._other(found[0])
        if not is_blank(self._device, other) and read_page(self._device, other, 0) != _begins(_SPENT):
            # The cut may have come at the end of programming, with bits that only just read as 0: the same
            # again makes them firm, before the other copy goes.
            program_page(self._device, found[0], 0, read_page(self._device, found[0], 0))
            erase(self._device, other)
        return found[2]

    def store(self, payload: bytes) -> None:
        """Put `payload` in the place of what was there: a page program and an erase, a few more at first.

        Raises:
            ValueError: it is longer than MAX_PAYLOAD bytes.
            DamagedError: what is there is damaged: only a repair says what goes.
            StorageError: it did not read back as written: the former payload still holds.
        """
        if len(payload) > MAX_PAYLOAD:
            raise ValueError("payload of %d bytes, %d fit" % (len(payload), MAX_PAYLOAD))
        found = self._find()
        if found is not None:
            self._write(self._other(found[0]), payload, found[1] + 1)
            erase(self._device, found[0])
            return
        self._require_nothing_lost()
        program_page(self._device, self._first + 1, 0, _begins(_MARK))
        self._write(self._first, payload, 1)
        program_page(self._device, self._first + 1, 0, _begins(_SPENT))

    def forget(self) -> None:
        """Erase it, whatever is there. A cut leaves it whole, damaged or gone.

        Raises:
            StorageError: something of it is still there.
        """
        try:
            found = self._find()
        except StorageError:
            found = None
        present = found[0] if found else self._first
        # The other block first: a stale copy in it must not come back when the present one is gone.
        make_blank(self._device, self._other(present))
        make_blank(self._device, present)

    def can_mend(self) -> bool:
        """Whether the payload is lost for one bit only. Takes some 50 ms on a board."""
        return self._mended() is not None

    def mend(self) -> None:
        """Correct that bit: the payload is written again, into the other block; then the damaged one goes.

        Raises:
            DamagedError: more than one bit is wrong, or none.
            StorageError: it did not read back as written.
        """
        mended = self._mended()
        if mended is None:
            raise DamagedError("block %d: more than a bit is wrong" % self._first)
        self._write(self._other(mended[0]), mended[2], mended[1] + 1)
        erase(self._device, mended[0])

    def _write(self, block: int, payload: bytes, sequence: int) -> None:
        page = _page(payload, sequence & _SEQUENCES)
        make_blank(self._device, block)
        program_page(self._device, block, 0, page)
        if read_page(self._device, block, 0) != page:
            erase(self._device, block)
            raise StorageError("block %d: not programmed" % block)

    def _require_nothing_lost(self) -> None:
        """For two blocks without a whole page: DamagedError unless no record was ever finished here."""
        mark = read_page(self._device, self._first + 1, 0)
        if is_blank(self._device, self._first + 1, 1) and (
            mark == _begins(_MARK)
            or (can_become(mark, _begins(_MARK)) and is_blank(self._device, self._first))
        ):
            return
        raise DamagedError("block %d: damaged" % self._first)

    def _other(self, block: int) -> int:
        return 2 * self._first + 1 - block

    def _find(self) -> "tuple[int, int, bytes] | None":
        """Block, sequence and payload of the page that holds."""
        best = None
        for block in (self._first, self._first + 1):
            best = _later(best, block, _parse(read_page(self._device, block, 0)))
        return best

    def _mended(self) -> "tuple[int, int, bytes] | None":
        """The same if there is none, but one that lacks a bit."""
        best = self._find()
        if best is None:
            for block in (self._first, self._first + 1):
                best = _later(best, block, _corrected(read_page(self._device, block, 0)))
            return best
        return None


def _later(
    best: "tuple[int, int, bytes] | None", block: int, read: "tuple[int, bytes] | None"
) -> "tuple[int, int, bytes] | None":
    """`best`, or what was `read` in a block if its sequence is the later one."""
    if read is None or (best is not None and not 0 < (read[0] - best[1] & _SEQUENCES) < _HALF):
        return best
    return block, read[0], read[1]


def _begins(first: bytes) -> bytes:
    """A page that is erased behind these bytes; not kept, as it takes heap."""
    return first + b"\xff" * (PAGE_BYTES - len(first))


def _page(payload: bytes, sequence: int) -> bytearray:
    page = bytearray(b"\xff" * PAGE_BYTES)
    struct.pack_into(_HEADER, page, 0, _MAGIC, VERSION, len(payload), 0, sequence)
    page[_PAYLOAD_AT : _PAYLOAD_AT + len(payload)] = payload
    struct.pack_into("<I", page, _CRC_AT, binascii.crc32(page[:_CRC_AT]))
    return page


def _is_whole(page: bytearray) -> bool:
    if page[:4] != _MAGIC:
        return False
    return bool(struct.unpack_from("<I", page, _CRC_AT)[0] == binascii.crc32(memoryview(page)[:_CRC_AT]))


def _parse(page: bytearray) -> "tuple[int, bytes] | None":
    """Sequence and payload of a whole page; None if it is not one."""
    if not _is_whole(page):
        return None
    _, version, length, _, sequence = struct.unpack_from(_HEADER, page, 0)
    if version > VERSION:
        raise LaterError("record of format %d" % version)
    if version != VERSION or length > MAX_PAYLOAD:
        return None
    return sequence, bytes(page[_PAYLOAD_AT : _PAYLOAD_AT + length])


def _corrected(page: bytearray) -> "tuple[int, bytes] | None":
    """The same of a page that one bit keeps from being whole.

    CRC-32 (IEEE 802.3) tells up to 4 wrong bits in 256 bytes, so three of them are never taken for one.
    """
    if sum([1 for index, byte in enumerate(_MAGIC) if page[index] != byte]) > 1:
        return None
    bit = _wrong_bit(struct.unpack_from("<I", page, _CRC_AT)[0] ^ binascii.crc32(memoryview(page)[:_CRC_AT]))
    if bit < 0:
        return None
    page[bit >> 3] ^= 1 << (bit & 7)
    return _parse(page)


def _wrong_bit(difference: int) -> int:
    """Which bit of a page makes this difference of CRCs; -1 if no single one does.

    Of the CRC itself: the one that differs. Else from the last bit before it backwards: each one's
    difference is that of the next one, shifted once more through the polynomial 0xEDB88320.
    """
    if difference & (difference - 1) == 0:
        bits = [bit for bit in range(32) if difference >> bit & 1]
        return 8 * _CRC_AT + bits[0] if bits else -1
    wanted_high, wanted_low = difference >> 16, difference & 0xFFFF
    high, low = 0xEDB8, 0x8320  # in halves: small integers, which take no heap on a board
    for bit in range(8 * _CRC_AT - 1, -1, -1):
        if high == wanted_high and low == wanted_low:
            return bit
        carry = low & 1
        low = low >> 1 | (high & 1) << 15
        high >>= 1
        if carry:
            high ^= 0xEDB8
            low ^= 0x8320
    return -1
