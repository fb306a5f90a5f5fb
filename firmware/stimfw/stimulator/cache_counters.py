"""The flash cache's counters, over USB only."""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.stimulator.commands import Handler


class CacheCounters:
    """Answers XIP."""

    def __init__(self, read: "Callable[[bool], tuple[int, int]]") -> None:
        """Args: read: stimfw.drivers.xip.read."""
        self._read = read

    def handlers(self) -> "dict[int, Handler]":
        """For Commands.add."""
        return {messages.XIP: self._xip}

    def _xip(self, body: bytes) -> "tuple[int, bytes]":
        return messages.OK, struct.pack("<II", *self._read(body[0] == 1))
