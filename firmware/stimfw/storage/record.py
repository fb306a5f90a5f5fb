"""One small payload on flash that a power cut leaves old or new, never half.

Two blocks, of which page 0 is used:

    0..3     4        5       6..7  8..11           12..251             252..255
    "SBr1"   version  length  0     sequence (u32)  payload, then 0xFF  CRC-32 of all before it

The page that is whole and has the higher sequence holds. `store` writes into the other block, and erases the
first one when the new page reads back: old keys do not stay. Whatever a cut leaves is erased by the next
`load`.
"""

import binascii
import struct

from stimfw.storage.blocks import (
    PAGE_BYTES,
    StorageError,
    erase,
    is_blank,
    make_blank,
    program_page,
    read_page,
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from stimfw.storage.blocks import BlockDevice

VERSION = 1
MAX_PAYLOAD = 240
_MAGIC = b"SBr1"
_HEADER = "<4sBBHI"
_PAYLOAD_AT = 12
_CRC_AT = PAGE_BYTES - 4


class Record:
    """A payload of up to MAX_PAYLOAD bytes in two blocks. Keeps nothing in RAM: it asks the flash."""

    def __init__(self, device: "BlockDevice", first_block: int) -> None:
        """`first_block` and the one after it are this record's alone."""
        self._device = device
        self._first = first_block

    def load(self) -> "bytes | None":
        """The payload, None if there is none. Erases what a power cut has left over.

        Raises:
            StorageError: a newer firmware's record, which is left as it is.
        """
        found = self._find()
        keep = found[0] if found else -1
        for block in (self._first, self._first + 1):
            if block != keep and not is_blank(self._device, block):
                if found:
                    # The cut may have come at the end of programming, with bits that only just read as 0:
                    # the same again makes them firm, before the other copy goes.
                    program_page(self._device, keep, 0, read_page(self._device, keep, 0))
                erase(self._device, block)
        return found[2] if found else None

    def store(self, payload: bytes) -> None:
        """Put `payload` in the place of what was there: a page program and an erase, 2 after a power cut.

        Raises:
            ValueError: it is longer than MAX_PAYLOAD bytes.
            StorageError: it did not read back as written: the former payload still holds.
        """
        if len(payload) > MAX_PAYLOAD:
            raise ValueError("payload of %d bytes, %d fit" % (len(payload), MAX_PAYLOAD))
        found = self._find()
        old = found[0] if found else self._first + 1
        new = self._other(old)
        page = _page(payload, found[1] + 1 if found else 1)
        make_blank(self._device, new)
        program_page(self._device, new, 0, page)
        if read_page(self._device, new, 0) != page:
            erase(self._device, new)
            raise StorageError("block %d: not programmed" % new)
        if not is_blank(self._device, old):
            erase(self._device, old)

    def forget(self) -> None:
        """Erase it, whatever is there.

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

    def _other(self, block: int) -> int:
        return 2 * self._first + 1 - block

    def _find(self) -> "tuple[int, int, bytes] | None":
        """Block, sequence and payload of the page that holds."""
        best = None
        for block in (self._first, self._first + 1):
            read = _parse(read_page(self._device, block, 0))
            if read is not None and (best is None or read[0] > best[1]):
                best = (block, read[0], read[1])
        return best


def _page(payload: bytes, sequence: int) -> bytearray:
    page = bytearray(b"\xff" * PAGE_BYTES)
    struct.pack_into(_HEADER, page, 0, _MAGIC, VERSION, len(payload), 0, sequence)
    page[_PAYLOAD_AT : _PAYLOAD_AT + len(payload)] = payload
    struct.pack_into("<I", page, _CRC_AT, binascii.crc32(page[:_CRC_AT]))
    return page


def _parse(page: bytearray) -> "tuple[int, bytes] | None":
    """Sequence and payload of a whole page; None if it is not one."""
    magic, version, length, _, sequence = struct.unpack_from(_HEADER, page, 0)
    if magic != _MAGIC or struct.unpack_from("<I", page, _CRC_AT)[0] != binascii.crc32(page[:_CRC_AT]):
        return None
    if version != VERSION:
        raise StorageError("record of format %d" % version)
    return (sequence, bytes(page[_PAYLOAD_AT : _PAYLOAD_AT + length])) if length <= MAX_PAYLOAD else None
