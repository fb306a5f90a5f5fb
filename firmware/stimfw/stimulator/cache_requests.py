"""The request for the counters of the flash cache. Over USB only."""

from typing import TYPE_CHECKING

from stimfw.protocol import refusals

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.protocol.refusals import Answer


class CacheRequests:
    """Its handler, named as in stimfw.protocol.requests.TABLE."""

    def __init__(self, read_cache: "Callable[[bool], tuple[int, int]]") -> None:
        """Args: read_cache: stimfw.drivers.xip.read."""
        self._read_cache = read_cache

    def xip(self, clear: int) -> "Answer":
        """Hits and accesses of the cache; 1: cleared afterwards."""
        return refusals.done(*self._read_cache(clear == 1))
