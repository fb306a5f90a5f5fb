"""Who a board is paired with, as one record on flash: each change is there wholly or not at all.

The bytes: stimfw.storage.pairing_format.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol.messages import SLOTS
from stimfw.protocol.roles import KEY_ROLES
from stimfw.storage import pairing_format as fmt
from stimfw.storage.blocks import StorageError
from stimfw.storage.pairing_format import sized

if TYPE_CHECKING:
    from stimfw.storage.record import Record

FREE = fmt.FREE
PENDING = fmt.PENDING
ACTIVE = fmt.ACTIVE
MOST_STEPS = fmt.MOST_STEPS
LAST_GENERATION = fmt.LAST_GENERATION
_LISTED = "<BBB4s"  # stimfw.protocol.requests.PAIRING_RECORD


class TableFullError(ValueError):
    """Every slot is taken by an active pairing: one must be forgotten first."""


class RoleClashError(ValueError):
    """The id belongs to a peer of another role: that one must be forgotten first."""


class PairingRecord:
    """What a slot of a stimulator holds.

    Attributes:
        state: PENDING (given, not used yet) or ACTIVE.
        role: stimfw.protocol.roles.PATIENT or CLINICIAN.
        peer_id: 4 bytes.
        key: 32 bytes.
        generation: how often the key was stepped on since it was given (0-LAST_GENERATION).
    """

    def __init__(self, state: int, role: int, peer_id: bytes, key: bytes, generation: int = 0) -> None:
        self.state = state
        self.role = role
        self.peer_id = peer_id
        self.key = key
        self.generation = generation

    @property
    def pending(self) -> bool:
        """Whether its key was given out and not used yet."""
        return self.state == PENDING


class PairingTable:
    """The stimulator's. A change that the flash does not take raises StorageError and changes nothing.

    An id is one peer's, of one role. Beside its active pairing there is at most one that is pending.
    """

    def __init__(self, record: "Record") -> None:
        """Read what there is.

        Raises:
            DamagedError, LaterError: what is on flash is no such table.
        """
        self._record = record
        self.base = b""
        """4 random bytes, the bench's radio address; empty on a board that has no table yet."""
        self._take_over(fmt.table_of_today(record.load()))

    def create(self, base: bytes) -> None:
        """A new table without pairings: a board's first start, or its factory reset.

        Raises:
            ValueError: `base` is not of 4 bytes.
        """
        self._store(fmt.empty_table(sized(base, fmt.ID_BYTES)))

    def get(self, slot: int) -> "PairingRecord | None":
        """The pairing in a slot; None if it is free or there is no such slot."""
        return self._pairings[slot] if 0 <= slot < SLOTS else None

    def slots(self) -> "list[int]":
        """The slots that are taken, ascending."""
        return [slot for slot in range(SLOTS) if self._pairings[slot] is not None]

    def holds_keys(self) -> bool:
        """Whether any slot is taken: epochs were used then."""
        return bool(self.slots())

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
            ValueError: a length is wrong, or no key may have this role.
            RoleClashError: a peer of another role has this id.
            TableFullError: all are active.
        """
        if role not in KEY_ROLES:
            raise ValueError("role %d" % role)
        sized(peer_id, fmt.ID_BYTES)
        sized(key, fmt.KEY_BYTES)
        for slot, its in self._taken():
            if its.peer_id == peer_id and its.role != role:
                raise RoleClashError("the peer in slot %d has another role" % slot)
        slot = self._place_for(peer_id)
        wanted = self._copy()
        fmt.put(wanted, slot, PENDING, role, peer_id, key, 0)
        fmt.rank_last(wanted, slot)
        self._store(wanted)
        return slot

    def settle(self, slot: int, generation: int, key: bytes) -> None:
        """Its key was used. In one write: it is ACTIVE, of this generation; the peer's older slots are free.

        A pending one beside an active one is the younger: the use of the older key does not undo it.
        No write if it is so already, or the slot is free.

        Args:
            slot: whose key was used.
            generation: of the key; never below the one that is kept.
            key: of that generation, 32 bytes.

        Raises:
            ValueError: an older generation, one that is none, or a length that is wrong.
        """
        sized(key, fmt.KEY_BYTES)
        pairing = self.get(slot)
        if pairing is None:
            return
        if not pairing.generation <= generation <= LAST_GENERATION:
            raise ValueError("generation %d, %d is kept" % (generation, pairing.generation))
        others = [
            other
            for other, its in self._taken()
            if other != slot and _same_peer(its, pairing) and (pairing.pending or not its.pending)
        ]
        if not pairing.pending and not others and generation == pairing.generation:
            return
        wanted = self._copy()
        fmt.put(wanted, slot, ACTIVE, pairing.role, pairing.peer_id, key, generation)
        for other in others:
            fmt.free(wanted, other)
        self._store(wanted)

    def promote(self, slot: int) -> None:
        """`settle` with the key and the generation that are kept. No write if the slot is free."""
        pairing = self.get(slot)
        if pairing is not None:
            self.settle(slot, pairing.generation, pairing.key)

    def forget(self, slot: int) -> None:
        """Free a slot. No write if it is free."""
        self._free([taken for taken in self.slots() if taken == slot])

    def forget_all(self) -> None:
        """Free every slot; the base stays."""
        self._free(self.slots())

    def _taken(self) -> "list[tuple[int, PairingRecord]]":
        return [(slot, pairing) for slot, pairing in enumerate(self._pairings) if pairing is not None]

    def _place_for(self, peer_id: bytes) -> int:
        pending = [(fmt.rank(self._payload, slot), slot) for slot, its in self._taken() if its.pending]
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
                fmt.free(wanted, slot)
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
        self.base = payload[1 : 1 + fmt.ID_BYTES]
        self._pairings: "list[PairingRecord | None]" = [None] * SLOTS
        for slot in range(SLOTS if payload else 0):
            state, role, peer_id, key, generation = fmt.slot_at(payload, slot)
            if state != FREE:
                self._pairings[slot] = PairingRecord(state, role, peer_id, key, generation)


class RemotePairing:
    """The remote's. A change that the flash does not take raises StorageError and changes nothing.

    Attributes:
        own_id: 4 bytes, the remote's own id; empty if none was ever stored. Outlives `forget_all`.
        paired: whether there is a pairing; without one the others are empty or 0.
        base: 4 bytes, the stimulator's.
        slot: 0-5, the remote's slot at the stimulator.
        role: stimfw.protocol.roles.PATIENT or CLINICIAN.
        key: 32 bytes, of this generation; those before it are erased.
        generation: how often the key was stepped on since it was given (0-LAST_GENERATION).
        steps: how many of these steps had no authentic answer yet (0-MOST_STEPS).
    """

    def __init__(self, record: "Record") -> None:
        """Read what there is.

        Raises:
            DamagedError, LaterError: what is on flash is no such pairing.
        """
        self._record = record
        self._take_over(fmt.remote_of_today(record.load()))

    def holds_keys(self) -> bool:
        """Whether there is a pairing: epochs were used then."""
        return self.paired

    def store(self, own_id: bytes, base: bytes, slot: int, role: int, key: bytes) -> None:
        """Put a pairing in the place of the present one; its key is of generation 0.

        Raises:
            ValueError: a length, the slot or the role is wrong.
        """
        if not 0 <= slot < SLOTS or role not in KEY_ROLES:
            raise ValueError("slot %d, role %d" % (slot, role))
        for value, size in ((own_id, fmt.ID_BYTES), (base, fmt.ID_BYTES), (key, fmt.KEY_BYTES)):
            sized(value, size)
        self._store(fmt.remote(own_id, base, slot, role, key, 0, 0))

    def may_step(self) -> bool:
        """Whether there may be one more generation before the stimulator has answered."""
        return self.paired and self.steps < MOST_STEPS and self.generation < LAST_GENERATION

    def step(self, next_key: bytes) -> None:
        """Put the key of the next generation in the place of the present one, before anything uses it.

        Raises:
            ValueError: not `may_step()`, or a length that is wrong.
        """
        sized(next_key, fmt.KEY_BYTES)
        if not self.may_step():
            raise ValueError("generation %d, %d steps" % (self.generation, self.steps))
        self._keep(next_key, self.generation + 1, self.steps + 1)

    def confirmed(self) -> None:
        """An authentic answer came under the present key: no step is open. No write if none was."""
        if self.steps:
            self._keep(self.key, self.generation, 0)

    def keep_id(self, own_id: bytes) -> None:
        """Store the own id, without a pairing. ValueError if it is not of 4 bytes."""
        self._store(fmt.remote_without_pairing(sized(own_id, fmt.ID_BYTES)))

    def forget_all(self) -> None:
        """No pairing any more, its key erased; the own id stays. No write if there is none."""
        if self.paired:
            self.keep_id(self.own_id)

    def _keep(self, key: bytes, generation: int, steps: int) -> None:
        self._store(fmt.remote(self.own_id, self.base, self.slot, self.role, key, generation, steps))

    def _store(self, payload: bytes) -> None:
        self._record.store(payload)
        self._take_over(payload)

    def _take_over(self, payload: bytes) -> None:
        self.own_id = payload[1 : 1 + fmt.ID_BYTES]
        self.base, self.slot, self.role, self.key, self.generation, self.steps = fmt.remote_fields(payload)
        self.paired = bool(self.key)


def _same_peer(one: PairingRecord, other: PairingRecord) -> bool:
    return one.peer_id == other.peer_id and one.role == other.role
