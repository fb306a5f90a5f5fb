"""An analog channel as an instrument takes it: values at equal distances, read in blocks.

Half an hour of two currents at 100 kS/s is 1.4 GB. So the values stay where they are, in an array or a file,
and whoever looks at all of them asks for one block after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimbench.capture.channels import Floats, Segments, Times, Voltages
from stimbench.errors import InputError

__all__ = ("BLOCK", "ArrayBlocks", "Blocks", "Samples")

BLOCK = 1 << 20
"""Samples in a block: 8 MB of float64."""
_NS_PER_S = 1_000_000_000
_MOST_PIECES = 8_000_000
"""As straight pieces each sample costs 32 bytes."""


class Blocks(Protocol):
    """Where the values are."""

    def __len__(self) -> int: ...

    def read(self, first: int, last: int) -> NDArray[np.floating[Any]]:
        """The values of index `first` to `last`, without `last`, in the channel's unit; shape (n,)."""


class ArrayBlocks:
    """Values in memory, or in a file that is mapped into it: numbers of any type, scaled when read."""

    def __init__(self, values: NDArray[Any], scale: float = 1.0, offset: float = 0.0) -> None:
        """Take an array of shape (n,); a value is `offset + scale * number`."""
        self._values, self._scale, self._offset = values, scale, offset

    def __len__(self) -> int:
        return len(self._values)

    def read(self, first: int, last: int) -> NDArray[np.floating[Any]]:
        """See Blocks.read."""
        raw = self._values[first:last]
        if self._scale == 1.0 and self._offset == 0.0 and raw.dtype.kind == "f":
            return raw
        scaled: NDArray[np.floating[Any]] = raw * np.float32(self._scale)
        if self._offset:
            scaled += np.float32(self._offset)
        return scaled


@dataclass(frozen=True, eq=False)
class Samples:
    """Equidistant values of a current in uA or a voltage in V.

    Attributes:
        start_ns: when the first one was taken.
        rate_hz: how many a second, at most 10 GHz.
        unit: `uA` or `V`.
        blocks: the values.
        first, count: which of them: a span shares the blocks of the whole.
        limits: the lowest and the highest value that the converter can give, if that is known. What is at one
            of them may have been beyond it.
    """

    KINDS: ClassVar[dict[str, type[Segments] | type[Voltages]]] = {"uA": Segments, "V": Voltages}
    start_ns: int
    rate_hz: int
    unit: str
    blocks: Blocks
    first: int = 0
    count: int = -1
    limits: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check unit and rate.

        Raises:
            ValueError: an unknown unit, a rate that is not positive, or a span that is not there.
        """
        if self.unit not in self.KINDS:
            raise ValueError(f"a sampled channel is in uA or V, not in {self.unit!r}")
        if self.rate_hz <= 0:
            raise ValueError(f"{self.rate_hz} samples a second are no rate")
        if self.count < 0:
            object.__setattr__(self, "count", len(self.blocks) - self.first)
        if not 0 <= self.first <= self.first + self.count <= len(self.blocks):
            raise ValueError(f"no samples {self.first} to {self.first + self.count}")

    @classmethod
    def of(cls, values: ArrayLike, start_ns: int, rate_hz: int, unit: str = "uA") -> Samples:
        """From values in memory, shape (n,)."""
        return cls(start_ns, rate_hz, unit, ArrayBlocks(np.asarray(values)))

    def __len__(self) -> int:
        return self.count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples):
            return NotImplemented
        same = (self.start_ns, self.rate_hz, self.unit, len(self)) == (
            other.start_ns, other.rate_hz, other.unit, len(other)
        )  # fmt: skip
        pairs = zip(self, other, strict=True) if same else ()
        return same and all(np.array_equal(one, two) for (_, one), (_, two) in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} samples in {self.unit} at {self.rate_hz} Hz from {self.start_ns} ns>"

    @property
    def period_ns(self) -> float:
        """From one sample to the next."""
        return _NS_PER_S / self.rate_hz

    @property
    def end_ns(self) -> int:
        """When the sample after the last one would be taken."""
        return self.start_ns + self.count * _NS_PER_S // self.rate_hz

    def __iter__(self) -> Iterator[tuple[int, NDArray[np.floating[Any]]]]:
        """Blocks of at most BLOCK values: the index of the first one, and the values."""
        for first in range(0, self.count, BLOCK):
            yield first, self.read(first, min(first + BLOCK, self.count))

    def read(self, first: int, last: int) -> NDArray[np.floating[Any]]:
        """The values of index `first` to `last`, without `last`; shape (last - first,)."""
        return self.blocks.read(self.first + first, self.first + last)

    def times_ns(self, indices: ArrayLike) -> Floats:
        """When samples were taken, in ns, same shape as `indices`."""
        return self.start_ns + np.asarray(indices, dtype=np.float64) * self.period_ns

    def index_at(self, times_ns: ArrayLike) -> Times:
        """The index of the first sample at or after each time; below 0 or from `count` on it is outside."""
        since = np.asarray(times_ns, dtype=np.float64) - self.start_ns
        # A time that was made from an index is that index, whatever the rounding.
        found: Times = np.ceil(since / self.period_ns - 1e-6).astype(np.int64)
        return found

    def between(self, start_ns: int, end_ns: int) -> Samples:
        """The samples at or after `start_ns` and before `end_ns`: nothing is read."""
        low, high = np.clip(self.index_at([start_ns, max(start_ns, end_ns)]), 0, self.count).tolist()
        begin_ns = round(float(self.times_ns(low)))
        return replace(self, start_ns=begin_ns, first=self.first + low, count=high - low)

    def shifted(self, by_ns: int) -> Samples:
        """The same, later by `by_ns`."""
        return replace(self, start_ns=self.start_ns + by_ns)

    def pieces(self) -> Segments | Voltages:
        """As straight pieces from each sample to the next.

        Raises:
            InputError: there are more than 8 million.
        """
        if self.count > _MOST_PIECES:
            raise InputError(
                f"{self.count} samples are too many to be taken piece by piece: cut the capture with "
                f"between(), to at most {_MOST_PIECES} samples a channel."
            )
        values = self.read(0, self.count).astype(np.float64)
        times = self.start_ns + np.arange(self.count, dtype=np.int64) * _NS_PER_S // self.rate_hz
        flows = ((values[:-1] != 0) | (values[1:] != 0)) & (times[1:] > times[:-1])
        kind = self.KINDS[self.unit]
        return kind(times[:-1][flows], times[1:][flows], values[:-1][flows], values[1:][flows])
