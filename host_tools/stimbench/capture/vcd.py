"""Value Change Dumps: a capture written, and read back. GTKWave, Surfer and sigrok open them.

A digital channel `board.signal` is the wire `signal` in the scope `board`. A current is a real variable in uA
in the scope `currents_ua`, a voltage one in V in the scope `voltages_v`: the format has no place for a unit.
It holds values and the times at which they change, so a slope becomes steps. The currents in the phases of a
pulse are constant and come back as they were. A passive recharge, and a voltage, come back coarser.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from vcd import VCDWriter
from vcd.common import Timescale, VarType
from vcd.reader import TokenKind, VarDecl, VCDParseError, tokenize
from vcd.writer import Variable

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Edges, Segments, Voltages
from stimbench.errors import InputError

__all__ = ("read_vcd", "write_vcd")

_SCOPES: dict[type[Analog], str] = {Segments: "currents_ua", Voltages: "voltages_v"}
"""The scopes of the analog channels."""
_UNNAMED = "signals"
"""The scope of digital channels whose names have no dot."""
_Change = tuple[int, int, Variable[Any], Any]
_HIDDEN = ("libsigrok", *_SCOPES.values(), _UNNAMED)
"""Scopes that are no part of a channel's name."""
_REALS = (VarType.real, VarType.realtime)
_FS_PER_NS = 1_000_000


def write_vcd(capture: Capture, path: Path | str) -> None:
    """Write all channels with a time base of 1 ns. What changes at the first instant is the initial level."""
    with (
        Path(path).open("w", encoding="ascii") as stream,
        VCDWriter(stream, timescale="1 ns", date="", init_timestamp=capture.start_ns) as writer,
    ):
        changes: list[Iterator[_Change]] = []
        for order, name in enumerate(capture.digital):
            edges = capture.edges(name)
            scope, _, signal = name.rpartition(".")
            wire = writer.register_var(scope or _UNNAMED, signal, "wire", size=1, init=int(edges.initial))
            changes.append(_bits(edges, order, wire))
        for order, name in enumerate(capture.analog, len(changes)):
            waveform = capture.waveform(name)
            real = writer.register_var(_SCOPES[type(waveform)], name, "real", init=0.0)
            changes.append(_reals(waveform, order, real))
        last_ns = capture.start_ns
        for time_ns, _, variable, value in heapq.merge(*changes, key=lambda change: change[:2]):
            # A piece that began earlier has its value from the start on.
            last_ns = max(time_ns, capture.start_ns)
            writer.change(variable, last_ns, value)
        writer.close(max(last_ns, capture.end_ns))


def _bits(edges: Edges, order: int, variable: Variable[Any]) -> Iterator[_Change]:
    for time_ns, level in edges:
        yield time_ns, order, variable, int(level)


def _reals(waveform: Analog, order: int, variable: Variable[Any]) -> Iterator[_Change]:
    for time_ns, value in waveform.changes():
        yield time_ns, order, variable, value


def read_vcd(path: Path | str) -> Capture:
    """Read single-bit wires and real variables; of a wire, what is not 1 is low. Vectors are left out.

    Returns:
        Channels by scope and name, `board.signal`; the scopes of sigrok and of analog channels do not show. A
        real variable is a voltage in V in the scope `voltages_v`, else a current in uA. It begins and ends
        with the first and the last time in the file. What changes at the first time is the initial level.

    Raises:
        InputError: it cannot be read, or is no Value Change Dump.
    """
    reading = _Reading()
    try:
        with Path(path).open("rb") as stream:
            for token in tokenize(stream):
                reading.take(token.kind, token.data)
        return reading.capture(str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (VCDParseError, ValueError) as error:
        raise InputError(f"{path} is no Value Change Dump that can be read: {error}.") from error


@dataclass
class _Wire:
    name: str
    times: array[int] = field(default_factory=lambda: array("q"))
    levels: bytearray = field(default_factory=bytearray)


@dataclass
class _Real:
    name: str
    kind: type[Analog]
    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


class _Reading:
    """A file, token by token."""

    def __init__(self) -> None:
        self._scopes: list[str] = []
        self._wires: dict[str, list[_Wire]] = {}
        self._reals: dict[str, list[_Real]] = {}
        self._unit_fs = 0
        self._first: int | None = None
        self._now = 0

    def take(self, kind: TokenKind, data: Any) -> None:
        """The next token."""
        if kind is TokenKind.CHANGE_SCALAR:
            for wire in self._wires.get(data.id_code, ()):
                wire.times.append(self._now)
                wire.levels.append(data.value == "1")
        elif kind is TokenKind.CHANGE_TIME:
            self._now = self._to_ns(data)
            if self._first is None:
                self._first = self._now
        elif kind is TokenKind.CHANGE_REAL:
            for real in self._reals.get(data.id_code, ()):
                real.times.append(self._now)
                real.values.append(data.value)
        else:
            self._head(kind, data)

    def _head(self, kind: TokenKind, data: Any) -> None:
        if kind is TokenKind.SCOPE:
            self._scopes.append(data.ident)
        elif kind is TokenKind.UPSCOPE:
            self._scopes.pop()
        elif kind is TokenKind.VAR:
            self._declare(data)
        elif kind is TokenKind.TIMESCALE:
            self._unit_fs = _femtoseconds(data)

    def _declare(self, declared: VarDecl) -> None:
        scopes = [scope for scope in self._scopes if scope not in _HIDDEN]
        name = ".".join([*scopes, declared.ref_str])
        if declared.type_ in _REALS:
            kind = Voltages if _SCOPES[Voltages] in self._scopes else Segments
            self._reals.setdefault(declared.id_code, []).append(_Real(name, kind))
        elif declared.size == 1:
            self._wires.setdefault(declared.id_code, []).append(_Wire(name))

    def _to_ns(self, time: int) -> int:
        if not self._unit_fs:
            raise ValueError("it has no time scale")
        return time * self._unit_fs // _FS_PER_NS

    def capture(self, source: str) -> Capture:
        """All that was read."""
        start_ns = self._first or 0
        wires = [wire for same in self._wires.values() for wire in same]
        reals = [real for same in self._reals.values() for real in same]
        return Capture(
            {wire.name: _edges(wire, start_ns) for wire in wires},
            {real.name: _waveform(real, self._now) for real in reals},
            start_ns=start_ns, end_ns=self._now, source=source,
        )  # fmt: skip


def _femtoseconds(scale: Timescale) -> int:
    unit_fs = {"s": 10**15, "ms": 10**12, "us": 10**9, "ns": 10**6, "ps": 1000, "fs": 1}
    return int(scale.magnitude) * unit_fs[scale.unit.value]


def _edges(wire: _Wire, start_ns: int) -> Edges:
    times = np.frombuffer(wire.times, dtype=np.int64)
    levels = np.frombuffer(wire.levels, dtype=np.bool_)
    before = int(np.searchsorted(times, start_ns, side="right"))
    initial = bool(levels[before - 1]) if before else False
    return Edges.from_levels(times[before:], levels[before:], initial)


def _waveform(real: _Real, end_ns: int) -> Analog:
    """Each value until the next one; of several at one time the last."""
    times = np.frombuffer(real.times, dtype=np.int64)
    values = np.frombuffer(real.values, dtype=np.float64)
    ends = np.append(times[1:], end_ns)
    flows = (ends > times) & (values != 0)
    return real.kind(times[flows], ends[flows], values[flows], values[flows])
