"""Who a board is paired with, as one record on flash: each change is there wholly or not at all.

The stimulator's table (239 bytes):

    0        1..4  5..10                                then 6 times 38 bytes
    version  base  rank of each slot's pending pairing  state, role, peer id 4, key 32

The remote's: version, own id 4 (5 bytes); while it is paired also base 4, slot, role, key 32 (43 bytes).
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol.messages import SLOTS
from stimfw.storage.blocks import DamagedError, LaterError, StorageError

if TYPE_CHECKING:
    from stimfw.storage.record import Record

VERSION = 1
ID_BYTES = 4
KEY_BYTES = 32
FREE = 0
PENDING = 1
ACTIVE = 2
_RANKS_AT = 5
_SLOTS_AT = _RANKS_AT + SLOTS
_SLOT_BYTES = 38
_SLOT = "<BB4s32s"
_FREE_SLOT = bytes(_SLOT_BYTES)
_TABLE_BYTES = _SLOTS_AT + SLOTS * _SLOT_BYTES
_LISTED = "<BBB4s"  # stimfw.protocol.requests.PAIRING_RECORD
_REMOTE_ID = "<B4s"
_REMOTE = "<B4s4sBB32s"


class TableFullError(ValueError):
    """Every slot is taken by an active pairing: one must be forgotten first."""


class PairingRecord:
    """What a slot of a stimulator holds.

    Attributes:
        state: PENDING (given, not used yet) or ACTIVE.
        role: stimfw.protocol.roles.PATIENT or CLINICIAN.
        peer_id: 4 bytes.
        key: 32 bytes.
        generation: of the key.
    """

    def __init__(self, state: int, role: int, peer_id: bytes, key: bytes) -> None:
        self.state = state
        self.role = role
        self.peer_id = peer_id
        self.key = key
        self.generation = 0

    @property
    def pending(self) -> bool:
        """Whether its key was given out and not used yet."""
        return self.state == PENDING


class PairingTable:
    """The stimulator's. A change that the flash does not take raises StorageError and changes nothing."""

    def __init__(self, record: "Record") -> None:
        """Read what there is.

        Raises:
            DamagedError, LaterError: what is on flash is no such table.
        """
        self._record = record
        self.base = b""
        """4 random bytes, the bench's radio address; empty on a board that has no table yet."""
        payload = record.load()
        if payload is not None and len(payload) != _TABLE_BYTES:
            _checked(payload)
            raise DamagedError("pairings of another format")
        self._take_over(_checked(payload))

    def create(self, base: bytes) -> None:
        """A new table without pairings: a board's first start, or its factory reset.

        Raises:
            ValueError: `base` is not of 4 bytes.
        """
        self._store(bytearray(bytes((VERSION,)) + _sized(base, ID_BYTES) + bytes(_TABLE_BYTES - _RANKS_AT)))

    def get(self, slot: int) -> "PairingRecord | None":
        """The pairing in a slot; None if it is free or there is no such slot."""
        return self._pairings[slot] if 0 <= slot < SLOTS else None

    def slots(self) -> "list[int]":
        """The slots that are taken, ascending."""
        return [slot for slot in range(SLOTS) if self._pairings[slot] is not None]

    def listing(self) -> bytes:
        """Slot, state, role and peer id of each (requests.PAIRING_RECORD): never a key."""
        out = b""
        for slot, pairing in self._taken():
            out += struct.pack(_LISTED, slot, pairing.state, pairing.role, pairing.peer_id)
        return out

    def add(self, peer_id: bytes, role: int, key: bytes) -> int:
        """Keep a pairing as PENDING, beside an active one of the same peer; its slot.

        It takes the place of a pending one of the same peer, else a free slot, else the oldest pending one.

        Raises:
            ValueError: a length or the role (1-255) is wrong.
            TableFullError: all are active.
        """
        if not 1 <= role <= 255:
            raise ValueError("role %d" % role)
        packed = struct.pack(_SLOT, PENDING, role, _sized(peer_id, ID_BYTES), _sized(key, KEY_BYTES))
        slot = self._place_for(peer_id)
        wanted = self._copy()
        _put(wanted, slot, packed)
        _rank_last(wanted, slot)
        self._store(wanted)
        return slot

    def promote(self, slot: int) -> None:
        """Its key was used: it is ACTIVE, the peer's other slots are free. No write if it is so already."""
        pairing = self.get(slot)
        if pairing is None:
            return
        others = [other for other, its in self._taken() if other != slot and its.peer_id == pairing.peer_id]
        if pairing.pending or others:
            wanted = self._copy()
            wanted[_SLOTS_AT + slot * _SLOT_BYTES] = ACTIVE
            wanted[_RANKS_AT + slot] = 0
            for other in others:
                _put(wanted, other, _FREE_SLOT)
            self._store(wanted)

    def drop_pending(self, peer_id: bytes) -> None:
        """The peer has used its old key: it did not take the new one. No write if there is none."""
        self._free([slot for slot, its in self._taken() if its.pending and its.peer_id == peer_id])

    def forget(self, slot: int) -> None:
        """Free a slot. No write if it is free."""
        self._free([taken for taken in self.slots() if taken == slot])

    def forget_all(self) -> None:
        """Free every slot; the base stays."""
        self._free(self.slots())

    def _taken(self) -> "list[tuple[int, PairingRecord]]":
        return [(slot, pairing) for slot, pairing in enumerate(self._pairings) if pairing is not None]

    def _place_for(self, peer_id: bytes) -> int:
        pending = [(self._payload[_RANKS_AT + slot], slot) for slot, its in self._taken() if its.pending]
        for _, slot in pending:
            pairing = self.get(slot)
            if pairing is not None and pairing.peer_id == peer_id:
                return slot
        taken = self.slots()
        for slot in range(SLOTS):
            if slot not in taken:
                return slot
        if not pending:
            raise TableFullError("all %d slots are taken" % SLOTS)
        return min(pending)[1]

    def _free(self, slots: "list[int]") -> None:
        if slots:
            wanted = self._copy()
            for slot in slots:
                _put(wanted, slot, _FREE_SLOT)
            self._store(wanted)

    def _copy(self) -> bytearray:
        if not self.base:
            raise StorageError("no table yet")
        return bytearray(self._payload)

    def _store(self, payload: bytearray) -> None:
        self._record.store(bytes(payload))
        self._take_over(bytes(payload))

    def _take_over(self, payload: bytes) -> None:
        self._payload = payload
        self.base = payload[1:_RANKS_AT]
        self._pairings: "list[PairingRecord | None]" = [None] * SLOTS
        for slot in range(SLOTS if payload else 0):
            state, role, peer_id, key = struct.unpack_from(_SLOT, payload, _SLOTS_AT + slot * _SLOT_BYTES)
            if state in (PENDING, ACTIVE) and role:
                self._pairings[slot] = PairingRecord(state, role, peer_id, key)
            elif state != FREE:
                raise DamagedError("slot %d: state %d, role %d" % (slot, state, role))


class RemotePairing:
    """The remote's. A change that the flash does not take raises StorageError and changes nothing.

    Attributes:
        own_id: 4 bytes, the remote's own id; empty if none was ever stored. Outlives `forget_all`.
        paired: whether there is a pairing; without one the others are empty or 0.
        base: 4 bytes, the stimulator's.
        slot: 0-5, the remote's slot at the stimulator.
        role: stimfw.protocol.roles.
        key: 32 bytes.
    """

    def __init__(self, record: "Record") -> None:
        """Read what there is.

        Raises:
            DamagedError, LaterError: what is on flash is no such pairing.
        """
        self._record = record
        self._take_over(_checked(record.load()))

    def store(self, own_id: bytes, base: bytes, slot: int, role: int, key: bytes) -> None:
        """Put a pairing in the place of the present one.

        Raises:
            ValueError: a length, the slot or the role is wrong.
        """
        if not 0 <= slot < SLOTS or not 1 <= role <= 255:
            raise ValueError("slot %d, role %d" % (slot, role))
        for value, size in ((own_id, ID_BYTES), (base, ID_BYTES), (key, KEY_BYTES)):
            _sized(value, size)
        self._store(struct.pack(_REMOTE, VERSION, own_id, base, slot, role, key))

    def keep_id(self, own_id: bytes) -> None:
        """Store the own id, without a pairing. ValueError if it is not of 4 bytes."""
        self._store(struct.pack(_REMOTE_ID, VERSION, _sized(own_id, ID_BYTES)))

    def forget_all(self) -> None:
        """No pairing any more, its key erased; the own id stays. No write if there is none."""
        if self.paired:
            self.keep_id(self.own_id)

    def _store(self, payload: bytes) -> None:
        self._record.store(payload)
        self._take_over(payload)

    def _take_over(self, payload: bytes) -> None:
        self.own_id = payload[1 : 1 + ID_BYTES]
        self.paired = len(payload) == struct.calcsize(_REMOTE)
        self.base, self.slot, self.role, self.key = b"", 0, 0, b""
        if self.paired:
            _, _, self.base, self.slot, self.role, self.key = struct.unpack(_REMOTE, payload)
            if self.slot >= SLOTS or self.role == 0:
                raise DamagedError("slot %d, role %d" % (self.slot, self.role))
        elif len(payload) not in (0, struct.calcsize(_REMOTE_ID)):
            raise DamagedError("pairing of another format")


def _checked(payload: "bytes | None") -> bytes:
    """What was loaded, empty if nothing was."""
    if payload is None:
        return b""
    if payload[:1] > bytes((VERSION,)):
        raise LaterError("pairings of a later format")
    if payload[:1] != bytes((VERSION,)):
        raise DamagedError("pairings of another format")
    return payload


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise ValueError("%d bytes, %d wanted" % (len(value), size))
    return bytes(value)


def _put(payload: bytearray, slot: int, packed: bytes) -> None:
    start = _SLOTS_AT + slot * _SLOT_BYTES
    payload[start : start + _SLOT_BYTES] = packed
    payload[_RANKS_AT + slot] = 0


def _rank_last(payload: bytearray, slot: int) -> None:
    """Number the pending slots from 1 on by age, `slot` as the youngest."""
    ranked = [(payload[_RANKS_AT + other], other) for other in range(SLOTS) if payload[_RANKS_AT + other]]
    ranked.sort()
    for rank, (_, other) in enumerate(ranked):
        payload[_RANKS_AT + other] = rank + 1
    payload[_RANKS_AT + slot] = len(ranked) + 1
