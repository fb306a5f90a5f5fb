"""The bytes of both boards' pairings (stimfw.storage.pairings), and how those of an older firmware are read.

The stimulator's table (239 bytes):

    0        1..4  then 6 times 39 bytes
    version  base  head, peer id 4, key 32, generation u16

The head: bits 0-1 state, bits 2-4 rank (of a pending pairing by age, from 1 on; else 0), bits 5-6 role.

The remote's: version, own id 4 (5 bytes); while it is paired also base 4, slot, role, key 32, generation u16,
steps u8 (46 bytes).

Version 1 knew no generations. It is read as generation 0; the next change writes version 2:

    the table     version, base 4, rank of each slot, then 6 times 38 bytes: state, role, peer id 4, key 32
    the remote's  as version 2 without generation and steps
"""

import struct

from stimfw.protocol.messages import SLOTS
from stimfw.protocol.roles import KEY_ROLES
from stimfw.storage.blocks import DamagedError, LaterError

VERSION = 2
ID_BYTES = 4
KEY_BYTES = 32
FREE = 0
PENDING = 1
ACTIVE = 2
MOST_STEPS = 8
"""A peer goes so many generations beyond the last one that had an authentic answer, and no further."""
LAST_GENERATION = 0xFFFF
_SLOTS_AT = 1 + ID_BYTES
_SLOT = "<B4s32sH"
_SLOT_BYTES = 39
_TABLE_BYTES = _SLOTS_AT + SLOTS * _SLOT_BYTES
_REMOTE_ID = "<B4s"
_REMOTE_ID_BYTES = 5
_REMOTE = "<B4s4sBB32sHB"
_REMOTE_BYTES = 46

_RANKS_AT_1 = 5
_SLOTS_AT_1 = _RANKS_AT_1 + SLOTS
_SLOT_1 = "<BB4s32s"
_SLOT_BYTES_1 = 38
_TABLE_BYTES_1 = _SLOTS_AT_1 + SLOTS * _SLOT_BYTES_1
_REMOTE_BYTES_1 = 43


def sized(value: bytes, size: int) -> bytes:
    """`value`; ValueError if it has another length."""
    if len(value) != size:
        raise ValueError("%d bytes, %d wanted" % (len(value), size))
    return bytes(value)


# The stimulator's.


def empty_table(base: bytes) -> bytearray:
    """Six free slots."""
    return bytearray(bytes((VERSION,)) + base + bytes(_TABLE_BYTES - _SLOTS_AT))


def table_of_today(payload: "bytes | None") -> bytes:
    """A table as version 2, whichever of the two was loaded; empty if there is none.

    Raises:
        DamagedError, LaterError: it is no such table.
    """
    if payload is None:
        return b""
    version = _version(payload)
    if len(payload) != (_TABLE_BYTES if version == VERSION else _TABLE_BYTES_1):
        raise DamagedError("pairings of another format")
    if version == VERSION:
        return payload
    out = empty_table(payload[1:_SLOTS_AT])
    for slot in range(SLOTS):
        state, role, peer_id, key = struct.unpack_from(_SLOT_1, payload, _SLOTS_AT_1 + slot * _SLOT_BYTES_1)
        rank = payload[_RANKS_AT_1 + slot]
        _require_possible(slot, state, role)
        if rank > SLOTS:
            raise DamagedError("slot %d: rank %d" % (slot, rank))
        if state != FREE:
            put(out, slot, state, role, peer_id, key, 0)
            _set_rank(out, slot, rank)
    return bytes(out)


def slot_at(payload: bytes, slot: int) -> "tuple[int, int, bytes, bytes, int]":
    """State, role, peer id, key and generation; DamagedError if no slot can be so."""
    head, peer_id, key, generation = struct.unpack_from(_SLOT, payload, _head_at(slot))
    state, role = head & 3, head >> 5
    _require_possible(slot, state, role)
    return state, role, peer_id, key, generation


def put(
    payload: bytearray, slot: int, state: int, role: int, peer_id: bytes, key: bytes, generation: int
) -> None:
    """Write a slot, without a rank."""
    packed = struct.pack(_SLOT, state | role << 5, peer_id, key, generation)
    payload[_head_at(slot) : _head_at(slot) + _SLOT_BYTES] = packed


def free(payload: bytearray, slot: int) -> None:
    """Nothing of it stays."""
    payload[_head_at(slot) : _head_at(slot) + _SLOT_BYTES] = bytes(_SLOT_BYTES)


def rank(payload: "bytes | bytearray", slot: int) -> int:
    """Of a pending pairing by age, 1 the oldest; else 0."""
    return payload[_head_at(slot)] >> 2 & 7


def rank_last(payload: bytearray, slot: int) -> None:
    """Number the pending slots from 1 on by age, `slot` as the youngest."""
    ranked = [(rank(payload, other), other) for other in range(SLOTS) if rank(payload, other)]
    ranked.sort()
    for number, (_, other) in enumerate(ranked):
        _set_rank(payload, other, number + 1)
    _set_rank(payload, slot, len(ranked) + 1)


def _set_rank(payload: bytearray, slot: int, rank: int) -> None:
    payload[_head_at(slot)] = payload[_head_at(slot)] & ~(7 << 2) | rank << 2


def _head_at(slot: int) -> int:
    return _SLOTS_AT + slot * _SLOT_BYTES


def _require_possible(slot: int, state: int, role: int) -> None:
    if state not in (FREE, PENDING, ACTIVE) or (state != FREE and role not in KEY_ROLES):
        raise DamagedError("slot %d: state %d, role %d" % (slot, state, role))


# The remote's.


def remote_without_pairing(own_id: bytes) -> bytes:
    """Its own id alone."""
    return struct.pack(_REMOTE_ID, VERSION, own_id)


def remote(
    own_id: bytes, base: bytes, slot: int, role: int, key: bytes, generation: int, steps: int
) -> bytes:
    """Its own id and its pairing."""
    return struct.pack(_REMOTE, VERSION, own_id, base, slot, role, key, generation, steps)


def remote_of_today(payload: "bytes | None") -> bytes:
    """A remote's pairing as version 2, whichever of the two was loaded; empty if there is none.

    Raises:
        DamagedError, LaterError: it is no such pairing.
    """
    if payload is None:
        return b""
    version = _version(payload)
    paired = len(payload) == (_REMOTE_BYTES if version == VERSION else _REMOTE_BYTES_1)
    if not paired and len(payload) != _REMOTE_ID_BYTES:
        raise DamagedError("pairing of another format")
    if version == VERSION:
        return payload
    return bytes((VERSION,)) + payload[1:] + bytes(_REMOTE_BYTES - _REMOTE_BYTES_1 if paired else 0)


def remote_fields(payload: bytes) -> "tuple[bytes, int, int, bytes, int, int]":
    """Base, slot, role, key, generation, steps: empty or 0 if not paired. DamagedError if it cannot be."""
    if len(payload) != _REMOTE_BYTES:
        return b"", 0, 0, b"", 0, 0
    _, _, base, slot, role, key, generation, steps = struct.unpack(_REMOTE, payload)
    if slot >= SLOTS or role not in KEY_ROLES or steps > MOST_STEPS:
        raise DamagedError("slot %d, role %d, %d steps" % (slot, role, steps))
    return base, slot, role, key, generation, steps


def _version(payload: bytes) -> int:
    """1 or VERSION."""
    version = payload[0] if payload else 0
    if version > VERSION:
        raise LaterError("pairings of a later format")
    if version < 1:
        raise DamagedError("pairings of another format")
    return version
