"""Which of its two lives a stimulator has: on the bench, or implanted, and since when.

    0        1     2..9       10..13             14
    version  life  device id  implanted at (u32) healing time in days

One record at layout.LIFE. Whoever reads it must be safe with whatever is there: a record that cannot be
read was most likely that of an implanted device, so the board is none of the bench's any more, and its
output stays off.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.storage import layout
from stimfw.storage.blocks import DamagedError
from stimfw.storage.record import Record

if TYPE_CHECKING:
    from stimfw.storage.blocks import BlockDevice

BENCH = 0
IMPLANTED = 1
UNUSABLE = 2
"""Something is there that cannot be read: implanted, but no output. `explant` ends it."""
LIFE_NAMES = ("bench", "implanted", "unusable")

ID_BYTES = 8
DAY_SECONDS = 86_400
_VERSION = 1
_FORMAT = "<BB8sIB"


class Life:
    """The record as it was read or last written.

    Attributes:
        life: BENCH, IMPLANTED or UNUSABLE.
        device_id: 8 bytes, pseudonymous; zeros if there never was one.
        implanted_s: seconds since 1970, of the host that said so.
        healing_days: no therapy before they have passed since.
    """

    def __init__(self, device: "BlockDevice", first_block: int = layout.LIFE) -> None:
        """Read it. Raises nothing, whatever is on flash, and writes nothing."""
        self._record = Record(device, first_block)
        self.device_id, self.implanted_s, self.healing_days = bytes(ID_BYTES), 0, 0
        self.life = UNUSABLE
        try:
            self._take_over(self._record.peek())
        except OSError:  # damaged, or of a later firmware
            pass

    def earliest_s(self) -> int:
        """When the healing time is over, seconds since 1970."""
        return self.implanted_s + self.healing_days * DAY_SECONDS

    def implant(self, device_id: bytes, implanted_s: int, healing_days: int) -> None:
        """From now on the board is a therapy device.

        Args:
            device_id: ID_BYTES bytes.
            implanted_s: now, seconds since 1970.
            healing_days: 0-255.

        Raises:
            ValueError: it is implanted already or unusable, or a value is none.
            StorageError: the flash did not take it; the board is what it was.
        """
        if self.life != BENCH or len(device_id) != ID_BYTES or not 0 <= healing_days <= 0xFF:
            raise ValueError("%s, %d bytes of id" % (LIFE_NAMES[self.life], len(device_id)))
        self._store(IMPLANTED, device_id, implanted_s, healing_days)

    def explant(self) -> None:
        """From now on the board is on the bench, whatever was there. The id stays readable.

        Raises:
            StorageError: the flash did not take it; the board is what it was, or UNUSABLE.
        """
        if self.life == UNUSABLE:
            self._record.forget()
        self._store(BENCH, self.device_id, self.implanted_s, self.healing_days)

    def _store(self, life: int, device_id: bytes, implanted_s: int, healing_days: int) -> None:
        payload = struct.pack(_FORMAT, _VERSION, life, device_id, implanted_s, healing_days)
        self._record.store(payload)
        self._take_over(payload)

    def _take_over(self, payload: "bytes | None") -> None:
        if payload is None:
            self.life = BENCH
            return
        if len(payload) != struct.calcsize(_FORMAT) or payload[0] != _VERSION or payload[1] > IMPLANTED:
            raise DamagedError("life of another format")
        _, self.life, self.device_id, self.implanted_s, self.healing_days = struct.unpack(_FORMAT, payload)
