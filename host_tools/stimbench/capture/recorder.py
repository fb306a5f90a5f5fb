"""Every edge of every named signal, and the currents through the leads."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from stimbench.capture.spi_trace import SpiByte, SpiRecord
from stimbench.parts.interfaces import PinPort, SpiLog

__all__ = ("CurrentTrace", "RecordedBus", "Recorder", "Segment")

Segment = tuple[int, int, float, float]
"""t0_ns, t1_ns, current at t0 in uA, current at t1 in uA; straight between."""


class CurrentTrace(Protocol):
    """A current over time, as a part records it."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Pieces in order of time; the current is 0 between them."""


class RecordedBus(Protocol):
    """An SPI bus that tells a log what goes over it."""

    record: SpiLog | None

    @property
    def index(self) -> int:
        """Which peripheral of its board, 0 or 1."""

    @property
    def mode(self) -> int:
        """The SPI mode that is set."""


class Recorder:
    """Collects edges while a bench runs, and writes them out."""

    def __init__(self) -> None:
        self._edges: dict[tuple[str, str], array[int]] = {}
        self._initial: dict[tuple[str, str], bool] = {}
        self._currents: dict[str, CurrentTrace] = {}
        self._buses: dict[tuple[str, int], SpiRecord] = {}
        self.end_ns = 0
        """How far the recording goes; the bench moves it."""

    def watch(self, board: str, net: PinPort) -> None:
        """Record a net's edges from now on."""
        key = (board, net.name)
        times = self._edges[key] = array("q")
        self._initial[key] = net.level
        add = times.append
        # Time and level in one integer: 8 bytes an edge let a night's run fit into memory.
        net.on_edge(lambda level, time_ns: add(time_ns << 1 | level))

    def watch_spi(self, board: str, bus: RecordedBus) -> None:
        """Record an SPI bus's bytes from now on; its lines' edges are drawn from them when asked for."""
        bus.record = self._buses[board, bus.index] = SpiRecord(bus.mode)

    def spi_bytes(
        self, board: str, index: int, start_ns: int = 0, end_ns: int | None = None
    ) -> list[SpiByte]:
        """The bytes on SPI bus 0 or 1 of a board that ended in a span; KeyError if it is not recorded."""
        return self._buses[board, index].bytes_between(start_ns, end_ns)

    @property
    def spi_signals(self) -> list[tuple[str, str]]:
        """Board and name of every recorded signal that an SPI bus has used as SCK, MOSI or MISO."""
        return [key for key in self._edges if self._carrier(*key) is not None]

    def _carrier(self, board: str, signal: str) -> tuple[SpiRecord, int] | None:
        for (owner, _), record in self._buses.items():
            if owner == board and signal in record.carriers:
                return record, record.carriers[signal]
        return None

    def add_current(self, name: str, trace: CurrentTrace) -> None:
        """Record a current, in uA, next to the signals."""
        self._currents[name] = trace

    @property
    def signals(self) -> list[tuple[str, str]]:
        """Board and name of every recorded signal."""
        return list(self._edges)

    @property
    def currents(self) -> dict[str, CurrentTrace]:
        """Every recorded current by name."""
        return dict(self._currents)

    def edges(
        self, board: str, signal: str, start_ns: int = 0, end_ns: int | None = None
    ) -> list[tuple[int, bool]]:
        """The edges of a signal. Those of an SPI bus are drawn from its bytes.

        Args:
            board: the board's name.
            signal: the name in its pins.csv.
            start_ns: only edges at or after this time.
            end_ns: only edges before this time.

        Returns:
            `(time_ns, level after it)` in order of time.

        Raises:
            KeyError: no such signal is recorded.
        """
        packed = self._edges[board, signal]
        first = bisect_left(packed, start_ns << 1)
        last = len(packed) if end_ns is None else bisect_left(packed, end_ns << 1)
        own = [(value >> 1, bool(value & 1)) for value in packed[first:last]]
        carrier = self._carrier(board, signal)
        if carrier is None:
            return own
        drawn = carrier[0].edges(carrier[1], start_ns, end_ns)
        return list(heapq.merge(own, drawn)) if own else drawn

    def initial_level(self, board: str, signal: str) -> bool:
        """The level at the start of the recording."""
        carrier = self._carrier(board, signal)
        if carrier is not None:
            return carrier[0].initial_level(carrier[1])
        return self._initial[board, signal]

    def forget_before(self, time_ns: int) -> None:
        """Drop edges before a time, to bound the memory of a long run."""
        for key, packed in self._edges.items():
            dropped = bisect_left(packed, time_ns << 1)
            if dropped:
                self._initial[key] = bool(packed[dropped - 1] & 1)
                del packed[:dropped]
        for record in self._buses.values():
            record.forget_before(time_ns)

    def write_vcd(self, path: Path | str, signals: Iterable[tuple[str, str]] | None = None) -> None:
        """Write a Value Change Dump in ns, with currents as real variables in uA."""
        from stimbench.capture.export import write_vcd

        write_vcd(self, Path(path), list(signals) if signals is not None else self.signals)

    def write_sr(self, path: Path | str, rate_hz: int = 1_000_000, **options: Any) -> None:
        """Write a sigrok session (PulseView opens it), sampled at `rate_hz`; see `export.write_sr`."""
        from stimbench.capture.export import write_sr

        write_sr(self, Path(path), rate_hz, **options)
