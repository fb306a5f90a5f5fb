"""The present prescription and up to three former ones: of four records the newest that is whole holds.

    0        1..2           3       4..7          8..
    version  number (u16)   sender  set at (u32)  prescription (49 bytes, stimfw.therapy.prescription)

Numbers begin at 1 and go round after 65535, passing over 0. A new one takes the record after the newest, so
a power cut leaves the old one, or the new one. A record that is damaged loses its own prescription and no
other.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.storage import layout
from stimfw.storage.blocks import DamagedError, LaterError, StorageError
from stimfw.storage.record import Record

if TYPE_CHECKING:
    from stimfw.storage.blocks import BlockDevice

    Kept = tuple[int, int, int, bytes]

RECORDS = 4
_BLOCKS_A_RECORD = 2
_VERSION = 1
_HEADER = "<BHBI"
_HEADER_BYTES = struct.calcsize(_HEADER)
PRESCRIPTION_BYTES = 49
_NUMBERS = 0xFFFF
_HALF = 0x8000

BLANK = 0
WHOLE = 1
DAMAGED = 2
LATER = 3


class Prescriptions:
    """Which numbers are where. What they say stays on flash until it is asked for.

    Attributes:
        numbers: of each record; 0: it holds none.
        states: of each record: BLANK, WHOLE, DAMAGED or LATER (of a later firmware).
    """

    def __init__(self, device: "BlockDevice", first_block: int = layout.PRESCRIPTIONS) -> None:
        """Find them. Raises nothing. Output off only: it erases what a power cut has left over."""
        self._records = [Record(device, first_block + _BLOCKS_A_RECORD * at) for at in range(RECORDS)]
        self.numbers = [0] * RECORDS
        self.states = [BLANK] * RECORDS
        for at in range(RECORDS):
            self._look(at)

    def lost(self) -> int:
        """How many records cannot be read: journal_entries.LOST_PRESCRIPTION."""
        return len([state for state in self.states if state >= DAMAGED])

    def newest(self) -> int:
        """The number of the present prescription; 0: there is none."""
        at = self._newest_at()
        return 0 if at < 0 else self.numbers[at]

    def history(self, back: int) -> "Kept | None":
        """Number, sender, time in seconds since 1970, and the packed prescription.

        Args:
            back: 0: the present one; 1: the one before it that can still be read, and so on. None: no such
                one.
        """
        order = [at for at in range(RECORDS) if self.numbers[at]]
        newest = self.newest()
        order.sort(key=lambda at: newest - self.numbers[at] & _NUMBERS)
        if not 0 <= back < len(order):
            return None
        try:
            return _parsed(self._records[order[back]].peek())
        except OSError:  # damaged since the start
            return None

    def store(self, prescription: bytes, sender: int, set_s: int, after: int = 0) -> int:
        """Keep a new prescription as the present one: its number. Output off only: erases, up to 0.4 s each.

        Args:
            prescription: PRESCRIPTION_BYTES bytes.
            sender: a slot, or messages.FROM_USB.
            set_s: seconds since 1970; 0: the clock is unknown.
            after: a number that was given out before, whatever has become of its record: none comes twice.

        Raises:
            ValueError: it has another length.
            StorageError: the flash did not take it; what held before still holds.
        """
        if len(prescription) != PRESCRIPTION_BYTES:
            raise ValueError("prescription of %d bytes" % len(prescription))
        at = self._next_at()
        if self.states[at] == LATER:
            raise LaterError("the next record is of a later firmware")
        last = self.newest()
        if after and 0 < (after - last & _NUMBERS) < _HALF:
            last = after
        number = last % _NUMBERS + 1
        record = self._records[at]
        if self.states[at] == DAMAGED:
            record.forget()
        else:
            self._tidy(record)
        payload = struct.pack(_HEADER, _VERSION, number, sender, set_s) + prescription
        record.store(payload)
        if record.peek() != payload:
            raise StorageError("prescription not kept")
        self.numbers[at], self.states[at] = number, WHOLE
        return number

    def _look(self, at: int) -> None:
        try:
            self._tidy(self._records[at])
            kept = _parsed(self._records[at].peek())
            if kept is not None:
                self.numbers[at], self.states[at] = kept[0], WHOLE
        except LaterError:
            self.states[at] = LATER
        except OSError:
            self.states[at] = DAMAGED

    @staticmethod
    def _tidy(record: Record) -> None:
        try:
            record.load()
        except (DamagedError, LaterError):
            raise
        except OSError:  # worn flash is not erased: what can be read holds all the same
            pass

    def _newest_at(self) -> int:
        newest = -1
        for at, number in enumerate(self.numbers):
            if number and (newest < 0 or 0 < (number - self.numbers[newest] & _NUMBERS) < _HALF):
                newest = at
        return newest

    def _next_at(self) -> int:
        return (self._newest_at() + 1) % RECORDS


def _parsed(payload: "bytes | None") -> "Kept | None":
    """What a record's payload says.

    Raises:
        DamagedError, LaterError: it is no prescription.
    """
    if payload is None:
        return None
    if payload[:1] > bytes((_VERSION,)):
        raise LaterError("prescription of a later format")
    if len(payload) != _HEADER_BYTES + PRESCRIPTION_BYTES or payload[0] != _VERSION:
        raise DamagedError("prescription of another format")
    _, number, sender, set_s = struct.unpack_from(_HEADER, payload, 0)
    if not number:
        raise DamagedError("prescription without a number")
    return number, sender, set_s, payload[_HEADER_BYTES:]
