"""Analog samples of a sigrok session, unpacked when somebody asks for them and a little ahead.

Half an hour of two currents at 100 kS/s is 1.4 GB. A few chunks of 4 MB are in memory at a time. Whoever
reads in order gets the next chunks from two threads that have unpacked them meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.sr_session import Chunks

__all__ = ("SrBlocks",)

_AHEAD_BYTES = 8 << 20
"""How far ahead is unpacked: two chunks of 4 MB, one a thread."""
_AHEAD_CHUNKS = 64
_KEEP_BYTES = 16 << 20
_THREADS = 2
_Floats = NDArray[np.float32]


class SrBlocks:
    """See stimbench.capture.samples.Blocks. Several threads may read."""

    def __init__(self, chunks: Chunks, count: int) -> None:
        """Take a channel's chunks, and how many of its samples are to be seen."""
        self._chunks, self._count = chunks, count
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Future[_Floats]] = OrderedDict()
        self._pool: ThreadPoolExecutor | None = None
        self._last = -1

    def __len__(self) -> int:
        return self._count

    def read(self, first: int, last: int) -> NDArray[np.floating[Any]]:
        """See Blocks.read.

        Raises:
            InputError: a chunk is damaged.
        """
        parts: list[_Floats] = []
        while first < last:
            chunk = self._chunks.holding(first)
            begin, end = self._chunks.bounds(chunk)
            upto = min(last, end)
            parts.append(self._unpacked(chunk)[first - begin : upto - begin])
            first = upto
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)

    def _unpacked(self, chunk: int) -> _Floats:
        with self._lock:
            in_order = chunk in (0, self._last, self._last + 1)
            self._last = chunk
            wanted = self._asked(chunk)
            if in_order:
                self._ask_ahead(chunk)
            self._forget()
        return wanted.result()

    def _ask_ahead(self, chunk: int) -> None:
        size = 0
        for ahead in range(chunk + 1, min(chunk + 1 + _AHEAD_CHUNKS, len(self._chunks))):
            begin, end = self._chunks.bounds(ahead)
            if begin >= self._count or size >= _AHEAD_BYTES:
                return
            size += (end - begin) * self._chunks.unit
            self._asked(ahead)

    def _asked(self, chunk: int) -> Future[_Floats]:
        """The chunk, which may still be unpacked; the newest of those that are kept."""
        if chunk not in self._kept:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, "unpack")
            self._kept[chunk] = self._pool.submit(_unpack, self._chunks, chunk)
        self._kept.move_to_end(chunk)
        return self._kept[chunk]

    def _forget(self) -> None:
        sizes = {chunk: self._size(chunk) for chunk in self._kept}
        total = sum(sizes.values())
        while total > _KEEP_BYTES and len(self._kept) > 1:
            chunk, _ = self._kept.popitem(last=False)
            total -= sizes[chunk]

    def _size(self, chunk: int) -> int:
        begin, end = self._chunks.bounds(chunk)
        return (end - begin) * self._chunks.unit


def _unpack(chunks: Chunks, chunk: int) -> _Floats:
    values: _Floats = np.frombuffer(chunks.load(chunk), dtype="<f4")
    return values
