"""Targets of an implanted stimulator: prescriptions and their rules, and what it keeps on flash.

Runs on MicroPython too.
"""

import struct

from stimfw.protocol import requests
from stimfw.storage.blocks import PAGE_BYTES, PAGES, StorageError
from stimfw.storage.life import BENCH, Life
from stimfw.storage.prescriptions import PRESCRIPTION_BYTES, Prescriptions
from stimfw.storage.record import Record
from stimfw.therapy import prescription, rules
from stimfw.therapy.ranges import ParameterError
from stimfw.therapy.schedule import FIRST_S, Schedule

from stimbench.fuzz.script import Script

_BLOCKS = (0, 2, 4, 6, 8)
_KINDS = 4
_BLANK = b"\xff" * PAGE_BYTES


class _Flash:
    """`rp2.Flash` that keeps what was programmed: ten whole blocks do not fit into MicroPython's heap."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def readblocks(self, block: int, buffer: bytearray, offset: int) -> None:
        """A page."""
        buffer[:] = self._pages.get(block * PAGES + offset // PAGE_BYTES, _BLANK)

    def writeblocks(self, block: int, data: "bytes | bytearray", offset: int) -> None:
        """Clears bits of a page."""
        page = self.page(block, offset // PAGE_BYTES)
        for index in range(PAGE_BYTES):
            page[index] &= data[index]

    def ioctl(self, _operation: int, argument: int) -> int:
        """An erase."""
        for page in range(PAGES):
            self._pages.pop(argument * PAGES + page, None)
        return 0

    def page(self, block: int, page: int) -> bytearray:
        """Its bytes."""
        at = block * PAGES + page
        if at not in self._pages:
            self._pages[at] = bytearray(_BLANK)
        return self._pages[at]


def prescriptions(data: bytes) -> None:
    """A packed prescription, and what the rules say of it. Declared: ParameterError."""
    script = Script(data)
    packed = prescription.default().pack()
    while script.left():
        packed = script.mutated(packed) if script.below(3) else script.take(prescription.PACKED_BYTES)
        if len(packed) != prescription.PACKED_BYTES:
            packed = prescription.default().pack()
            continue
        values = struct.unpack(requests.PRESCRIPTION, packed)
        pairs = []
        for first in (prescription.lead_index(0, 0), prescription.lead_index(1, 0)):
            kind = script.below(_KINDS) if script.below(2) else 0
            pairs.append({(values[first], values[first + 1]): (kind, script.number(2), script.number(2))})
        readings = rules.Readings(tuple(pairs), script.number(4) if script.below(2) else 0)
        found = rules.failures(values, readings)
        try:
            one = prescription.unpack(packed)
        except ParameterError:
            assert found
            continue
        assert one.pack() == packed
        if not found:
            kept, _ = rules.accepted(values, readings)
            assert not rules.failures(kept.values, readings)


def therapy_records(data: bytes) -> None:
    """Life, prescriptions and schedule from whole, mutated and foreign records. Declared: ValueError."""
    script = Script(data)
    flash = _Flash()
    whole = (Schedule().pack(), bytes((1, 1)) + bytes(13), bytes((1, 1)) + bytes(6 + PRESCRIPTION_BYTES))
    while script.left():
        payload = whole[script.below(len(whole))]
        payload = script.mutated(payload) if script.below(3) else payload
        block = _BLOCKS[script.below(len(_BLOCKS))]
        try:
            Record(flash, block).store(payload[:240])
        except StorageError:
            pass
        if script.below(4) == 0:
            noise = script.chunk(64)
            flash.page(block, script.below(2))[: len(noise)] = noise
        one = Life(flash, 8)
        kept = Prescriptions(flash, 0)
        assert len([number for number in kept.numbers if number]) + kept.lost() <= len(kept.numbers)
        assert kept.history(0) is None or kept.history(0)[0] == kept.newest()  # type: ignore[index]
        if one.life != BENCH and script.below(4) == 0:
            one.explant()
            assert Life(flash, 8).life == BENCH
        if script.below(4) == 0:
            try:
                number = kept.store(script.take(PRESCRIPTION_BYTES), 1, 2)
            except StorageError:  # of a later firmware
                continue
            assert Prescriptions(flash, 0).newest() == number
        try:
            schedule = Schedule(payload)
        except ValueError:
            continue
        time_s = FIRST_S + script.number(4) // 4
        schedule.seen(time_s)
        schedule.next_s(time_s, script.number(2), prescription.default())
        assert Schedule(schedule.pack()).pack() == schedule.pack()


TARGETS = (
    ("prescription", prescriptions),
    ("therapy records", therapy_records),
)
