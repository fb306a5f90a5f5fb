"""What stands for a record that cannot be used, or that is only read."""

from stimfw.storage.blocks import StorageError
from stimfw.storage.record import Record


class UnavailableRecord(Record):
    """Holds nothing, or what it was given, and takes nothing."""

    def __init__(self, payload: "bytes | None" = None) -> None:
        """Args: payload: what `load` gives."""
        self._payload = payload

    def load(self) -> "bytes | None":
        """The payload that it was given."""
        return self._payload

    def store(self, payload: bytes) -> None:
        """StorageError, always."""
        raise StorageError("the record is not available")

    def forget(self) -> None:
        """StorageError, always."""
        raise StorageError("the record is not available")
