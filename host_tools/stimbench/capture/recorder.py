"""Every edge of every digital signal, the currents through the leads, and what the sense amplifiers see."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Edges, Segments
from stimbench.capture.nearest import no_channel
from stimbench.capture.spi_trace import SpiByte, SpiRecord
from stimbench.parts.interfaces import PinPort, SpiLog
from stimbench.parts.trace import Segment

__all__ = ("RecordedBus", "Recorder", "WaveformTrace", "channel_name")

_NEVER = 1 << 61
"""Later than any bench time in ns, and twice it fits into 64 bits."""


class WaveformTrace(Protocol):
    """A current or a voltage over time, as a part records it."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Pieces in order of time; the value is 0 between them."""


class SensedTrace(WaveformTrace, Protocol):
    """One whose pieces are costly to list: they are when somebody asks for them."""

    def copy(self) -> WaveformTrace:
        """What there is now: later pieces are not in it."""


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
    """Collects edges while a bench runs. `capture` gives all of it, `edges` one signal of the live run."""

    def __init__(self) -> None:
        self._edges: dict[tuple[str, str], array[int]] = {}
        self._initial: dict[tuple[str, str], bool] = {}
        self._currents: dict[str, WaveformTrace] = {}
        self._sensed: dict[str, tuple[SensedTrace, type[Analog]]] = {}
        self._buses: dict[tuple[str, int], SpiRecord] = {}
        self._start_ns = 0
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

    def unwatch(self, board: str, signal: str) -> None:
        """Forget a net: it turned out to be analog, so its level means nothing."""
        del self._edges[board, signal], self._initial[board, signal]

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
        return [key for key in self._edges if _carrier(self._buses, *key) is not None]

    def add_current(self, name: str, trace: WaveformTrace) -> None:
        """Record the current through a lead, in uA, next to the signals."""
        self._currents[name] = trace

    def add_sensed(self, name: str, trace: SensedTrace, kind: type[Analog]) -> None:
        """Record what a sense amplifier is wired to: `Voltages` in V, or `Segments` in uA."""
        self._sensed[name] = (trace, kind)

    @property
    def signals(self) -> list[tuple[str, str]]:
        """Board and name of every recorded signal."""
        return list(self._edges)

    @property
    def currents(self) -> dict[str, WaveformTrace]:
        """The current through each lead, by name. What the amplifiers see is in captures only."""
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
            NoChannelError: no such signal is recorded; it is a KeyError too.
        """
        self._require(board, signal)
        packed = self._edges[board, signal]
        first = bisect_left(packed, start_ns << 1)
        last = len(packed) if end_ns is None else bisect_left(packed, end_ns << 1)
        own = [(value >> 1, bool(value & 1)) for value in packed[first:last]]
        carrier = _carrier(self._buses, board, signal)
        if carrier is None:
            return own
        drawn = carrier[0].edges(carrier[1], start_ns, end_ns)
        return list(heapq.merge(own, drawn)) if own else drawn

    def initial_level(self, board: str, signal: str) -> bool:
        """The level at the start of the recording.

        Raises:
            NoChannelError: no such signal is recorded.
        """
        self._require(board, signal)
        carrier = _carrier(self._buses, board, signal)
        if carrier is not None:
            return carrier[0].initial_level(carrier[1])
        return self._initial[board, signal]

    def forget_before(self, time_ns: int) -> None:
        """Drop edges before a time, to bound the memory of a long run."""
        self._start_ns = max(self._start_ns, time_ns)
        for key, packed in self._edges.items():
            dropped = bisect_left(packed, time_ns << 1)
            if dropped:
                self._initial[key] = bool(packed[dropped - 1] & 1)
                del packed[:dropped]
        for record in self._buses.values():
            record.forget_before(time_ns)

    @property
    def spi_channels(self) -> set[str]:
        """The lines of SPI buses, as a capture calls them: too fast for a slow sampling rate."""
        return {channel_name(*signal) for signal in self.spi_signals}

    def capture(self, start_ns: int = 0, end_ns: int | None = None) -> Capture:
        """What was recorded, as it stands: what is recorded later does not change it.

        An edge costs 8 bytes. The lines of an SPI bus, and currents, are made when somebody asks for them.

        Args:
            start_ns: where it begins.
            end_ns: where it ends: edges before it are in. Without it, all that was recorded.
        """
        start_ns = max(start_ns, self._start_ns)
        until_ns = _NEVER if end_ns is None else end_ns
        # The bytes are copied now, the lines' edges are drawn from them when somebody asks.
        buses = {key: record.copy() for key, record in self._buses.items()}
        digital: dict[str, Edges | Callable[[], Edges]] = {}
        for board, signal in self._edges:
            name, carrier = channel_name(board, signal), _carrier(buses, board, signal)
            if carrier is None:
                digital[name] = self._unpacked(board, signal, start_ns, until_ns)
            else:
                own = self._unpacked(board, signal, self._start_ns, _NEVER)
                digital[name] = partial(_drawn, own, *carrier, start_ns, until_ns)
        analog: dict[str, Callable[[], Analog]] = {
            name: partial(_flowed, list(trace.segments), start_ns, until_ns)
            for name, trace in self._currents.items()
        }
        for name, (sensed, kind) in self._sensed.items():
            analog[name] = partial(_sensed, kind, sensed.copy(), start_ns, until_ns)
        end_ns = max(start_ns, self.end_ns if end_ns is None else end_ns)
        return Capture(digital, analog, start_ns=start_ns, end_ns=end_ns, source="the bench")

    def _require(self, board: str, signal: str) -> None:
        if (board, signal) not in self._edges:
            names = [channel_name(*known) for known in self._edges]
            others = [*self._currents, *self._sensed]
            raise no_channel("the bench", "digital", channel_name(board, signal), names, others)

    def _unpacked(self, board: str, signal: str, start_ns: int, end_ns: int) -> Edges:
        packed = self._edges[board, signal]
        first, last = bisect_left(packed, start_ns << 1), bisect_left(packed, end_ns << 1)
        initial = bool(packed[first - 1] & 1) if first else self._initial[board, signal]
        # A copy: an array cannot grow while numpy looks at it.
        values = np.array(packed[first:last], dtype=np.int64)
        return Edges.from_levels(values >> 1, values & 1 != 0, initial)


def channel_name(board: str, signal: str) -> str:
    """What a capture calls a board's signal."""
    return f"{board}.{signal}"


def _carrier(
    buses: Mapping[tuple[str, int], SpiRecord], board: str, signal: str
) -> tuple[SpiRecord, int] | None:
    """The bus that uses a signal, and as which line."""
    for (owner, _), record in buses.items():
        if owner == board and signal in record.carriers:
            return record, record.carriers[signal]
    return None


def _drawn(own: Edges, record: SpiRecord, line: int, start_ns: int, end_ns: int) -> Edges:
    """An SPI line: the edges that the pin made otherwise, and those that the bytes made."""
    whole = Edges.of(heapq.merge(own, record.edges(line)), record.initial_level(line))
    return whole.between(start_ns, end_ns)


def _flowed(pieces: list[Segment], start_ns: int, end_ns: int) -> Segments:
    return Segments.of(pieces).between(start_ns, end_ns)


def _sensed(kind: type[Analog], trace: WaveformTrace, start_ns: int, end_ns: int) -> Analog:
    return kind.of(trace.segments).between(start_ns, end_ns)
