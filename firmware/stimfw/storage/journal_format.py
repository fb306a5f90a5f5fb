"""A slot of the journal: 32 bytes, chained to the one before. Boards and hosts read it by the same code.

    0..3          4..7          8     9       10..21              22..29      30..31
    number (u32)  time_s (u32)  kind  sender  body, then zeros    chain hash  CRC-16 of all before it

The chain hash is the first 8 bytes of SHA-256 over "SBj1", the chain hash of the entry before (8 zero bytes
before the first one) and bytes 0..21. The CRC is CRC-16/IBM-3740 (polynomial 0x1021, begins at 0xFFFF), which
tells up to 3 wrong bits in a slot.

A marker, kind THINNED, stands in the place of consecutive entries that the journal dropped. Its number and
its chain hash are those of the last one of them, so the next entry still follows from it; how many they were
is in its body.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.crypto.primitives import sha256
from stimfw.protocol import journal_entries
from stimfw.protocol.journal_entries import BODY_BYTES, THINNED

if TYPE_CHECKING:
    from collections.abc import Iterable

    Buffer = bytes | bytearray | memoryview

try:
    from binascii import crc_hqx  # type: ignore[attr-defined,unused-ignore]
except ImportError:  # MicroPython

    def crc_hqx(data: bytes, crc: int) -> int:  # type: ignore[misc,unused-ignore]
        """CRC-16 of polynomial 0x1021, most significant bit first: a byte at once, without a table."""
        for byte in data:
            mixed = crc >> 8 ^ byte
            mixed ^= mixed >> 4
            crc = (crc << 8 ^ mixed << 12 ^ mixed << 5 ^ mixed) & 0xFFFF
        return crc


SLOT_BYTES = 32
FIRST_NUMBER = 0
NO_CHAIN = bytes(8)
"""What the first entry is chained to."""
LAST_NUMBER = 0xFFFFFFFE

_HEAD = "<IIBB"
_BODY_AT = 10
_CHAIN_AT = _BODY_AT + BODY_BYTES
_CRC_AT = 30
_CRC_START = 0xFFFF
_SALT = b"SBj1"

# What is wrong with a slot, seen from the one before.
SOUND = 0
UNREADABLE = 1
ORDER = 2
MISSING = 3
CHANGED = 4
FAULT_TEXTS = (
    "follows from the entry before",
    "its checksum is wrong",
    "its number does not come after the one before",
    "entries before it are missing, and no marker says that they were dropped",
    "it, or the entry before it, was changed",
)


def pack(number: int, time_s: int, kind: int, sender: int, body: bytes, before: bytes) -> bytes:
    """The slot of an entry.

    Args:
        number: 0 to LAST_NUMBER.
        time_s: seconds since 1970, or since the last start if below 1 000 000 000.
        kind: of journal_entries.
        sender: 0-255.
        body: up to BODY_BYTES bytes.
        before: chain hash of the entry before, NO_CHAIN if there is none.

    Raises:
        ValueError: the body is longer, or the number is past LAST_NUMBER.
    """
    if len(body) > BODY_BYTES:
        raise ValueError("body of %d bytes, %d fit" % (len(body), BODY_BYTES))
    if number > LAST_NUMBER:
        raise ValueError("no number is left")
    head = struct.pack(_HEAD, number, time_s, kind, sender) + body + bytes(BODY_BYTES - len(body))
    return _closed(head + chained(before, head))


def marker(last: "Buffer", entries: int, clinical: int) -> bytes:
    """The slot that stands for `entries` dropped ones, `last` the last of them; `clinical` were so."""
    number, time_s, _, _, _, chain = fields(last)
    body = journal_entries.pack(THINNED, entries, clinical)
    head = struct.pack(_HEAD, number, time_s, THINNED, 0) + body + bytes(BODY_BYTES - len(body))
    return _closed(head + chain)


def checksum(data: "Buffer") -> int:
    """CRC-16/IBM-3740."""
    return int(crc_hqx(data, _CRC_START))


def _closed(slot: bytes) -> bytes:
    return slot + struct.pack("<H", checksum(slot))


def is_whole(slot: "Buffer") -> bool:
    """Whether the checksum of 32 bytes holds."""
    return bool(checksum(slot[:_CRC_AT]) == slot[_CRC_AT] | slot[_CRC_AT + 1] << 8)


def fields(slot: "Buffer") -> "tuple[int, int, int, int, bytes, bytes]":
    """Number, time, kind, sender, body and chain hash of a slot, whether or not it is whole."""
    number, time_s, kind, sender = struct.unpack_from(_HEAD, slot, 0)
    return number, time_s, kind, sender, bytes(slot[_BODY_AT:_CHAIN_AT]), chain_of(slot)


def number_of(slot: "Buffer") -> int:
    """The number of a slot."""
    return int(struct.unpack_from("<I", slot, 0)[0])


def kind_of(slot: "Buffer") -> int:
    """The kind of a slot."""
    return slot[8]


def chain_of(slot: "Buffer") -> bytes:
    """The chain hash of a slot."""
    return bytes(slot[_CHAIN_AT:_CRC_AT])


def dropped(slot: "Buffer") -> "tuple[int, int]":
    """How many entries a marker stands for, and how many of them were clinical; (0, 0): it is no marker."""
    if kind_of(slot) != THINNED:
        return 0, 0
    entries, clinical = struct.unpack_from("<II", slot, _BODY_AT)
    return entries, clinical


def begin_of(slot: "Buffer") -> int:
    """The number of the first entry that a slot stands for: its own, or the first one that was dropped."""
    entries = dropped(slot)[0]
    return number_of(slot) + 1 - (entries or 1)


def chained(before: bytes, slot: "Buffer") -> bytes:
    """The chain hash that a slot must have after an entry whose chain hash is `before`."""
    return sha256(_SALT + before + bytes(slot[:_CHAIN_AT]))[:8]


def fault_of(slot: "Buffer", last: int, before: bytes) -> int:
    """What is wrong with a slot that comes after entry `last`, whose chain hash is `before`: SOUND, ...

    A marker's own chain hash cannot be recomputed: only its number and count are compared. Whoever can write
    the flash can put a marker over entries that the journal did not drop; only what a host has pulled before
    tells that. Likewise it takes a host's memory, or the head, to tell that the end is missing.

    Args:
        slot: 32 bytes.
        last: FIRST_NUMBER - 1 if the slot ought to be the first one.
        before: NO_CHAIN if the slot ought to be the first one.
    """
    if not is_whole(slot):
        return UNREADABLE
    number, begin = number_of(slot), begin_of(slot)
    if number <= last:
        return ORDER
    if kind_of(slot) == THINNED:
        entries, clinical = dropped(slot)
        if begin <= last or not entries or clinical > entries:
            return CHANGED
        return MISSING if begin > last + 1 else SOUND
    if begin > last + 1:
        return MISSING
    return SOUND if chained(before, slot) == chain_of(slot) else CHANGED


class Walk:
    """Verifies slots, one after the other.

    Attributes:
        last: number of the last slot that could be read.
        head: its chain hash.
        entries: slots that are entries.
        markers: slots that are markers: what they stand for is taken as they say it.
        thinned: entries that the markers stand for.
        faults: (number, what) of each fault; the number of an unreadable slot is the one that is due.
    """

    def __init__(self, last: int = FIRST_NUMBER - 1, head: bytes = NO_CHAIN) -> None:
        """Begin after entry `last` with chain hash `head`; by default at the journal's beginning."""
        self.last = last
        self.head = head
        self.entries = self.markers = self.thinned = 0
        self.faults: "list[tuple[int, int]]" = []

    def feed(self, slot: "Buffer") -> int:
        """What is wrong with the next slot: SOUND, UNREADABLE, ... Later ones are compared with it anyway."""
        fault = fault_of(slot, self.last, self.head)
        if fault == UNREADABLE:
            self.faults.append((self.last + 1, fault))
            return fault
        if fault != SOUND:
            self.faults.append((number_of(slot), fault))
        if kind_of(slot) == THINNED:
            self.markers += 1
            self.thinned += dropped(slot)[0]
        else:
            self.entries += 1
        self.last, self.head = number_of(slot), chain_of(slot)
        return fault


def verify(slots: "Iterable[Buffer]") -> Walk:
    """Walk along a whole journal, its slots in order."""
    walk = Walk()
    for slot in slots:
        walk.feed(slot)
    return walk
