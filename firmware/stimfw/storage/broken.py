"""What stands for a record on a flash that does not work."""

from stimfw.storage.blocks import StorageError
from stimfw.storage.record import Record


class BrokenRecord(Record):
    """Holds nothing and takes nothing."""

    def __init__(self) -> None:
        pass

    def load(self) -> None:
        """There is none."""

    def store(self, payload: bytes) -> None:
        """StorageError, always."""
        raise StorageError("the flash does not work")

    def forget(self) -> None:
        """StorageError, always."""
        raise StorageError("the flash does not work")
