"""A number that no epoch has exceeded, kept apart from the epoch log: what is left if the log is lost.

The log (stimfw.storage.epochs) says which epoch is due only while it can be read. With this limit a log that
was lost can go on above every epoch that was ever used. It is raised by STRIDE, once in so many starts,
before an epoch above it is used.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.storage.blocks import DamagedError, LaterError
from stimfw.storage.epochs import MAX_EPOCH
from stimfw.storage.record import Record

if TYPE_CHECKING:
    from stimfw.storage.blocks import BlockDevice

STRIDE = 4096
VERSION = 1
_LAYOUT = "<BI"


class EpochLimit:
    """The highest epoch that may have been used."""

    def __init__(self, device: "BlockDevice", first_block: int) -> None:
        """`first_block` and the one after it are this limit's alone."""
        self.record = Record(device, first_block)

    def read(self) -> int:
        """The limit; 0 on a board that has none yet. Writes nothing.

        Raises:
            DamagedError, LaterError: it cannot be read.
        """
        return value_of(self.record.peek())

    def renew(self, epoch: int) -> int:
        """Raise it so that `epoch` may be used: the new limit. It takes the place of a damaged one too.

        Call it only with an epoch from a sound log.

        Raises:
            StorageError: the flash did not take it.
        """
        try:
            self.read()
        except DamagedError:
            self.record.forget()
        limit = min(epoch + STRIDE, MAX_EPOCH)
        self.record.store(struct.pack(_LAYOUT, VERSION, limit))
        return limit


def value_of(payload: "bytes | None") -> int:
    """The limit in a record's payload.

    Raises:
        DamagedError, LaterError: it is none.
    """
    if payload is None:
        return 0
    if payload[:1] > bytes((VERSION,)):
        raise LaterError("epoch limit of a later format")
    if len(payload) != struct.calcsize(_LAYOUT) or payload[0] != VERSION:
        raise DamagedError("epoch limit of another format")
    return int(struct.unpack(_LAYOUT, payload)[1])
