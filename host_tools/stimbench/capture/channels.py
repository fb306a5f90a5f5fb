"""What a channel of a capture holds: the edges of a digital signal, or the straight pieces of an analog one.

All arrays are read-only. A slice shares its memory with what it was cut from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimbench.parts.trace import Segment

__all__ = ("Analog", "Edges", "Floats", "Segments", "Times", "Voltages")

Times = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Edges:
    """The edges of one digital signal: 8 bytes each.

    Attributes:
        times_ns: shape (n,), in order of time. The level changes at each: levels alternate.
        initial: the level before the first edge.
    """

    times_ns: Times
    initial: bool = False

    def __post_init__(self) -> None:
        """Check the order.

        Raises:
            ValueError: the times run backwards.
        """
        times: Times = _read_only(np.asarray(self.times_ns, dtype=np.int64))
        back = np.flatnonzero(times[1:] < times[:-1])
        if len(back):
            raise ValueError(f"an edge at {times[back[0] + 1]} ns follows one at {times[back[0]]} ns")
        object.__setattr__(self, "times_ns", times)

    @classmethod
    def of(cls, changes: Iterable[tuple[int, bool]], initial: bool = False) -> Edges:
        """From `(time_ns, level after it)` in order of time. One to the level that is already there is none.

        Raises:
            ValueError: the times run backwards.
        """
        pairs = list(changes)
        times = np.fromiter((time_ns for time_ns, _ in pairs), np.int64, len(pairs))
        levels = np.fromiter((bool(level) for _, level in pairs), np.bool_, len(pairs))
        return cls.from_levels(times, levels, initial)

    @classmethod
    def from_levels(cls, times_ns: Times, levels: NDArray[np.bool_], initial: bool) -> Edges:
        """From the times and levels of changes, both of shape (n,); repeated levels are dropped.

        Raises:
            ValueError: the times run backwards, even those that are dropped.
        """
        cls(times_ns)
        changed = np.diff(levels, prepend=initial)
        return cls(times_ns if changed.all() else times_ns[changed], bool(initial))

    def __len__(self) -> int:
        return len(self.times_ns)

    def __iter__(self) -> Iterator[tuple[int, bool]]:
        """`(time_ns, level after it)`, as Python's own numbers."""
        level = self.initial
        for time_ns in self.times_ns.tolist():
            level = not level
            yield time_ns, level

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Edges):
            return NotImplemented
        return self.initial == other.initial and np.array_equal(self.times_ns, other.times_ns)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not len(self):
            return f"<no edges: {'high' if self.initial else 'low'} all the time>"
        span = f"{self.times_ns[0]} to {self.times_ns[-1]} ns"
        edges = f"{len(self)} edge{'' if len(self) == 1 else 's'}"
        return f"<{edges}, {span}: {'high' if self.initial else 'low'} before the first>"

    @property
    def rises_ns(self) -> Times:
        """When it went high."""
        return self.times_ns[int(self.initial) :: 2]

    @property
    def falls_ns(self) -> Times:
        """When it went low."""
        return self.times_ns[int(not self.initial) :: 2]

    @property
    def final(self) -> bool:
        """The level after the last edge."""
        return self.initial ^ bool(len(self) % 2)

    def inverted(self) -> Edges:
        """The same edges, high for low: of a signal that is active when low."""
        return self._checked(self.times_ns, not self.initial)

    def between(self, start_ns: int, end_ns: int) -> Edges:
        """The edges at or after `start_ns` and before `end_ns`: a view."""
        first, last = np.searchsorted(self.times_ns, (start_ns, end_ns))
        return self._checked(self.times_ns[first:last], self.initial ^ bool(first % 2))

    @classmethod
    def _checked(cls, times_ns: Times, initial: bool) -> Self:
        """A view of times that are in order: they are not checked again."""
        made = object.__new__(cls)
        object.__setattr__(made, "times_ns", times_ns)
        object.__setattr__(made, "initial", initial)
        return made


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class _Pieces:
    """A quantity as straight pieces in order of time, 0 between them: 32 bytes each.

    Whoever inherits from it adds two columns, the value at the begin and at the end of each piece.
    """

    UNIT: ClassVar[str]
    _WHAT: ClassVar[str]
    t0_ns: Times
    t1_ns: Times

    def __post_init__(self) -> None:
        """Check the order.

        Raises:
            ValueError: a piece is empty or runs backwards, or overlaps the one before.
        """
        for name in self._columns():
            kind = np.int64 if name.endswith("_ns") else np.float64
            object.__setattr__(self, name, _read_only(np.asarray(getattr(self, name), dtype=kind)))
        if np.any(self.t1_ns <= self.t0_ns) or np.any(self.t0_ns[1:] < self.t1_ns[:-1]):
            raise ValueError(f"pieces of {self._WHAT} must follow each other in time")

    @classmethod
    def of(cls, pieces: Iterable[Segment]) -> Self:
        """From `(t0_ns, t1_ns, value at t0, value at t1)` in order of time.

        Raises:
            ValueError: a piece is empty or runs backwards, or overlaps the one before.
        """
        columns = list(zip(*pieces, strict=True)) or [(), (), (), ()]
        times = [np.array(column, dtype=np.int64) for column in columns[:2]]
        return cls._made(*times, *(np.array(column, dtype=np.float64) for column in columns[2:]))

    @classmethod
    def _made(cls, *columns: NDArray[Any]) -> Self:
        return cls(**dict(zip(cls._columns(), columns, strict=True)))

    @classmethod
    def _columns(cls) -> tuple[str, ...]:
        return tuple(column.name for column in fields(cls))

    @property
    def values(self) -> tuple[Floats, Floats]:
        """At the begin and at the end of each piece, in `UNIT`, shape (n,) both."""
        begin, end = self._columns()[2:]
        return getattr(self, begin), getattr(self, end)

    def __len__(self) -> int:
        return len(self.t0_ns)

    def __iter__(self) -> Iterator[Segment]:
        """Each piece, as Python's own numbers."""
        return zip(*(getattr(self, name).tolist() for name in self._columns()), strict=True)

    def __repr__(self) -> str:
        if not len(self):
            return f"<{self._WHAT} of no pieces: 0 {self.UNIT} all the time>"
        low, high = (float(pick(self.values)) for pick in (np.min, np.max))
        span = f"{self.t0_ns[0]} to {self.t1_ns[-1]} ns"
        pieces = f"{len(self)} piece{'' if len(self) == 1 else 's'}"
        return f"<{self._WHAT} of {pieces}, {span}: {low:g} to {high:g} {self.UNIT}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self._columns())

    __hash__ = None  # type: ignore[assignment]

    def between(self, start_ns: int, end_ns: int) -> Self:
        """The pieces that lie in a span or reach into it, whole: views."""
        first = np.searchsorted(self.t1_ns, start_ns, side="right")
        last = max(first, np.searchsorted(self.t0_ns, end_ns))
        # Pieces that are in order stay so: they are not checked again.
        made = object.__new__(type(self))
        for name in self._columns():
            object.__setattr__(made, name, getattr(self, name)[first:last])
        return made

    def shifted(self, by_ns: int) -> Self:
        """The same, later by `by_ns`."""
        return self._made(self.t0_ns + by_ns, self.t1_ns + by_ns, *self.values)

    def at(self, times_ns: ArrayLike) -> Floats:
        """The values at `times_ns`, same shape, in `UNIT`; at a jump, the one after it."""
        times = np.asarray(times_ns, dtype=np.int64)
        if not len(self):
            return np.zeros(times.shape)
        index = np.searchsorted(self.t0_ns, times, side="right") - 1
        piece = np.maximum(index, 0)
        begin, end = (values[piece] for values in self.values)
        share = (times - self.t0_ns[piece]) / (self.t1_ns[piece] - self.t0_ns[piece])
        return np.where((index >= 0) & (times < self.t1_ns[piece]), begin + (end - begin) * share, 0.0)

    def changes(self) -> list[tuple[int, float]]:
        """The points where the value changes: `(time_ns, value)`, 0 between the pieces.

        A file of value changes holds these. What lies on a slope between two of them is lost there.
        """
        points: list[tuple[int, float]] = []
        value, last_ns = 0.0, 0
        for t0_ns, t1_ns, begin, end in self:
            rest = [(last_ns, 0.0)] if t0_ns > last_ns else []
            for time_ns, wanted in (*rest, (t0_ns, begin), (t1_ns, end)):
                if wanted != value:
                    value = wanted
                    points.append((time_ns, value))
            last_ns = t1_ns
        return [*points, (last_ns, 0.0)] if value else points


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Segments(_Pieces):
    """A current as straight pieces in order of time, 0 between them: 32 bytes each. Cathodic is negative.

    Attributes:
        t0_ns, t1_ns: shape (n,), where each piece begins and ends.
        i0_ua, i1_ua: shape (n,), the current at its begin and at its end.
    """

    UNIT: ClassVar[str] = "uA"
    _WHAT: ClassVar[str] = "current"
    i0_ua: Floats
    i1_ua: Floats


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Voltages(_Pieces):
    """A voltage as straight pieces in order of time, 0 between them: 32 bytes each.

    Attributes:
        t0_ns, t1_ns: shape (n,), where each piece begins and ends.
        v0_v, v1_v: shape (n,), the voltage at its begin and at its end.
    """

    UNIT: ClassVar[str] = "V"
    _WHAT: ClassVar[str] = "voltage"
    v0_v: Floats
    v1_v: Floats


Analog: TypeAlias = Segments | Voltages
"""What an analog channel holds."""


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view
