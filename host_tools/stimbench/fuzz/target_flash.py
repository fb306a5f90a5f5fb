"""Targets that read flash: records, pairings, epochs, all areas. What lies there is whole, mutated or noise.

Whole means with right checks: what stands behind a CRC is reached as well. Runs on MicroPython too.
"""

import binascii
import struct

from stimfw.protocol import messages
from stimfw.storage import layout
from stimfw.storage.areas import Areas
from stimfw.storage.blocks import BLOCK_BYTES, PAGE_BYTES, StorageError
from stimfw.storage.epoch_limit import EpochLimit
from stimfw.storage.epochs import EpochLog
from stimfw.storage.event_store import EventStore
from stimfw.storage.pairings import PairingTable, RemotePairing
from stimfw.storage.record import MAX_PAYLOAD, Record
from stimfw.therapy.event_log import EventLog

from stimbench.fuzz.script import Script

_ERASE = 6
_PLACE_BYTES = 64
_SIZES = (0, 5, 43, 46, 239, MAX_PAYLOAD)
"""Of payloads that mean something to somebody."""


class Flash:
    """`rp2.Flash` with as many blocks as are touched. `takes`: whether it is programmed and erased at all."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}
        self.takes = True

    def block(self, number: int) -> bytearray:
        """Its bytes."""
        if number not in self._blocks:
            self._blocks[number] = bytearray(b"\xff" * BLOCK_BYTES)
        return self._blocks[number]

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """As of rp2.Flash."""
        buffer[:] = self.block(block)[offset : offset + len(buffer)]

    def writeblocks(self, block: int, data: "bytes | bytearray", offset: int = 0) -> None:
        """As of rp2.Flash: clears bits."""
        if self.takes:
            old = int.from_bytes(self.block(block)[offset : offset + len(data)], "little")
            new = old & int.from_bytes(data, "little")
            self.block(block)[offset : offset + len(data)] = new.to_bytes(len(data), "little")

    def ioctl(self, operation: int, argument: int) -> int:
        """As of rp2.Flash."""
        if operation == _ERASE and self.takes:
            self._blocks.pop(argument, None)
        return 0


def _put(flash: Flash, block: int, offset: int, data: bytes) -> None:
    flash.block(block)[offset : offset + len(data)] = data[: BLOCK_BYTES - offset]


def _page(script: Script, payload: bytes) -> bytes:
    """A record's page around `payload`, with a right CRC."""
    version = 1 if script.below(8) else script.byte()
    length = len(payload) if script.below(8) else script.byte()
    head = struct.pack("<4sBBHI", b"SBr1", version, length, 0, script.number(4 if script.below(2) else 1))
    body = head + payload[:MAX_PAYLOAD]
    body += b"\xff" * (PAGE_BYTES - 4 - len(body))
    return body + struct.pack("<I", binascii.crc32(body))


def _payload(script: Script) -> bytes:
    size = _SIZES[script.below(len(_SIZES))] if script.below(4) else script.byte() % (MAX_PAYLOAD + 1)
    found = script.take(size)
    return bytes((1 + script.below(2),)) + found[1:] if script.below(4) else found


def _fill_record(flash: Flash, first: int, script: Script) -> None:
    """Something in one or both blocks of a record."""
    for block in (first, first + 1):
        how = script.below(5)
        if how == 0:
            continue
        if how == 1:
            _put(flash, block, 16 * script.byte(), script.chunk(64))
            continue
        page = _page(script, _payload(script))
        _put(flash, block, 0, script.mutated(page) if how == 2 else page)


def _fill_epochs(flash: Flash, script: Script) -> None:
    """Places of the epoch log, most of them whole."""
    epoch = script.number(4 if script.below(4) == 0 else 1)
    for _ in range(script.below(12)):
        head = b"SBe1" + struct.pack("<I", epoch)
        head += struct.pack("<I", binascii.crc32(head))
        body = head + (script.take(4) * 8 if script.below(2) else bytes(32))
        place = body + struct.pack("<I", binascii.crc32(body)) + b"\xff" * 16
        if script.below(4) == 0:
            place = script.mutated(place)[:_PLACE_BYTES]
        block = layout.EPOCHS + script.below(2)
        _put(flash, block, _PLACE_BYTES * script.below(64), place)
        epoch = (epoch + script.below(3)) & 0xFFFFFFFF


def record(data: bytes) -> None:
    """A record. Declared: StorageError and its kinds; ValueError of store, for a payload that is too long."""
    script = Script(data)
    flash = Flash()
    _fill_record(flash, 0, script)
    kept = Record(flash, 0)
    while script.left():
        how = script.below(7)
        try:
            if how < 2:
                found = kept.peek() if how else kept.load()
                assert found is None or len(found) <= MAX_PAYLOAD
            elif how == 2:
                payload = script.chunk(MAX_PAYLOAD)
                kept.store(payload)
                assert not flash.takes or kept.peek() == payload
            elif how == 3:
                kept.forget()
            elif how == 4:
                if kept.can_mend():
                    kept.mend()
            elif how == 5:
                flash.takes = not flash.takes
            else:
                _fill_record(flash, 0, script)
        except StorageError:
            pass


def table(data: bytes) -> None:
    """A stimulator's pairings. Declared: StorageError; ValueError of a change (TableFullError is one)."""
    script = Script(data)
    flash = Flash()
    _fill_record(flash, 0, script)
    try:
        pairings = PairingTable(Record(flash, 0))
    except StorageError:
        return
    while script.left():
        how = script.below(6)
        try:
            if how == 0:
                pairings.create(script.take(4))
            elif how == 1:
                pairings.add(script.take(4), script.below(4), script.take(4) * 8)
            elif how == 2:
                pairings.forget(script.below(8))
            elif how == 3:
                pairings.forget_all()
            elif how == 4:
                pairings.settle(script.below(8), script.number(2), script.take(4) * 8)
            else:
                flash.takes = not flash.takes
        except (StorageError, ValueError):
            pass
        assert len(pairings.listing()) == 7 * len(pairings.slots())
        for slot in range(-1, 8):
            found = pairings.get(slot)
            assert found is None or (len(found.key) == 32 and len(found.peer_id) == 4)


def remote_record(data: bytes) -> None:
    """A remote's pairing. Declared: StorageError; ValueError of a change."""
    script = Script(data)
    flash = Flash()
    _fill_record(flash, 0, script)
    try:
        pairing = RemotePairing(Record(flash, 0))
    except StorageError:
        return
    while script.left():
        how = script.below(6)
        try:
            if how == 0:
                pairing.keep_id(script.take(4))
            elif how == 1:
                pairing.store(
                    script.take(4), script.take(4), script.below(8), script.below(4), script.take(4) * 8
                )
            elif how == 2:
                pairing.forget_all()
            elif how == 3:
                pairing.step(script.take(4) * 8)
            elif how == 4:
                pairing.confirmed()
            else:
                flash.takes = not flash.takes
        except (StorageError, ValueError):
            pass
        assert not pairing.paired or (len(pairing.key) == 32 and len(pairing.base) == 4 and pairing.slot < 6)


def epochs(data: bytes) -> None:
    """The epoch log and its limit. Declared: StorageError. No epoch is given twice."""
    script = Script(data)
    flash = Flash()
    _fill_epochs(flash, script)
    log, limit = EpochLog(flash, layout.EPOCHS), EpochLimit(flash, layout.EPOCH_LIMIT)
    last = 0
    for _ in range(1 + script.below(6)):
        try:
            due = log.check(script.below(2))
            epoch, seed = log.advance(script.take(4), script.below(2))
            assert epoch == due and epoch > last and len(seed) == 32
            last = epoch
            assert limit.renew(epoch) >= epoch
            assert limit.read() >= epoch
        except StorageError:
            pass
        if script.below(4) == 0:
            flash.takes = not flash.takes
        if script.below(4) == 0:
            _put(flash, layout.EPOCHS + script.below(2), 8 * script.byte(), script.chunk(16))
    log.is_there()


def areas(data: bytes) -> None:
    """All records of a board at its start, and a repair. Declared: StorageError of the repair alone."""
    script = Script(data)
    flash = Flash()
    if script.below(2):
        _fill_epochs(flash, script)
    for first in (layout.EPOCH_LIMIT, layout.PAIRINGS):
        _fill_record(flash, first, script)
    flash.takes = script.below(8) > 0
    if script.below(2):
        kept = Areas(flash, PairingTable, _begin_table, script.take(4))
    else:
        kept = Areas(flash, RemotePairing, _begin_remote, script.take(4))
    assert len(kept.random.take(4)) == 4
    kept.diagnose()
    try:
        kept.repair(script.below(2) == 1)
    except StorageError:
        pass


def _fill_events(flash: Flash, script: Script) -> None:
    """Places of the log's ring, most of them whole."""
    number = script.number(4 if script.below(4) == 0 else 1)
    for _ in range(script.below(20)):
        body = struct.pack("<I", number) + script.take(4) * 2
        place = body + struct.pack("<I", binascii.crc32(body, binascii.crc32(b"SBl1")))
        if script.below(4) == 0:
            place = script.mutated(place)[:16]
        _put(flash, layout.EVENTS + script.below(2), 16 * script.byte(), place)
        number = (number + script.below(3)) & 0xFFFFFFFF


def events(data: bytes) -> None:
    """The log's ring on flash, and the log in RAM before it. Declared: StorageError of append."""
    script = Script(data)
    flash = Flash()
    _fill_events(flash, script)
    store = EventStore(flash, layout.EVENTS)
    log = EventLog(lambda: script.number(2), store.next_number)
    while script.left():
        how = script.below(5)
        if how == 0:
            log.add(script.below(len(messages.EVENT_NAMES)), script.byte(), script.number(2))
        elif how == 1:
            first, found = log.read(script.number(1), script.byte())
            assert len(found) % 8 == 0 and first >= 0
        elif how == 2:
            try:
                store.append(store.next_number, script.take(8 * script.below(40)))
            except StorageError:
                pass
        elif how == 3:
            first, found = store.read(script.number(4 if script.below(2) else 1), script.byte())
            assert len(found) % 8 == 0 and 0 <= first <= 0xFFFFFFFF
        else:
            flash.takes = not flash.takes
    assert EventStore(flash, layout.EVENTS).next_number <= store.next_number


def _begin_table(pairings: PairingTable, random: object) -> None:
    if not pairings.base:
        pairings.create(b"base")


def _begin_remote(pairing: RemotePairing, random: object) -> None:
    if not pairing.own_id:
        pairing.keep_id(b"id__")


TARGETS = (
    ("record", record),
    ("table", table),
    ("remote record", remote_record),
    ("epochs", epochs),
    ("areas", areas),
    ("events", events),
)
