"""A numpy array that grows at its end: amortised, and compact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ("Growing",)

_FIRST = 1024
_GROWTH = 1.25
"""An array of 10 MB has at most 2.5 MB to spare."""


class Growing:
    """One column of numbers or records. `view` shows what there is; it is valid until the next change."""

    def __init__(self, dtype: DTypeLike) -> None:
        """Begin empty."""
        self._buffer: NDArray[Any] = np.empty(_FIRST, dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def view(self) -> NDArray[Any]:
        """Shape (n,): all values. Not to be kept."""
        return self._buffer[: self._length]

    @property
    def nbytes(self) -> int:
        """How much memory it has."""
        return self._buffer.nbytes

    def extend(self, values: NDArray[Any]) -> None:
        """Append values of shape (k,)."""
        end = self._length + len(values)
        if end > len(self._buffer):
            grown = np.empty(max(end, int(len(self._buffer) * _GROWTH)), self._buffer.dtype)
            grown[: self._length] = self.view
            self._buffer = grown
        self._buffer[self._length : end] = values
        self._length = end

    def truncate(self, length: int) -> None:
        """Keep the first `length` values; there are at least so many."""
        self._length = min(self._length, length)
