"""Value Change Dumps: a capture written, and read back. GTKWave, Surfer and sigrok open them.

A digital channel `board.signal` is the wire `signal` in the scope `board`. A current is a real variable in uA
in the scope `currents_ua`, a voltage one in V in the scope `voltages_v`: the format has no place for a unit.
It holds values and the times at which they change, so a slope becomes steps. The currents in the phases of a
pulse are constant and come back as they were. A passive recharge, and a voltage, come back coarser.
"""

from __future__ import annotations

import heapq
import os
import re
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

from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Analog, Edges, Segments, Voltages
from stimbench.capture.sr_session import parse_rate
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
_FS_PER_S = 10**15
_OURS = "stimbench"
_ENDS_WITH_A_TIME = (_OURS, "libsigrok")
"""Programs whose files end with the time of the end."""
_SIGROK_RATE = re.compile(r"Acquisition with .* at (.+Hz)")
_TIME_LINE = re.compile(rb"#\d+")
_TAIL_BYTES = 4096


def write_vcd(capture: Capture, path: Path | str) -> None:
    """Write all channels with a time base of 1 ns. What changes at the first instant is the initial level."""
    with (
        Path(path).open("w", encoding="ascii") as stream,
        VCDWriter(
            stream, timescale="1 ns", date="", version=_OURS, init_timestamp=capture.start_ns
        ) as writer,
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
            if time_ns > capture.end_ns:
                break  # a piece that reaches beyond the end of a slice
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
        Its origin has the sample rate, if sigrok wrote the file, and says whether the file is cut off: as far
        as one can tell, since a file that was cut after a whole line may look like another one.

    Raises:
        InputError: it cannot be read, or is no Value Change Dump.
    """
    reading = _Reading()
    try:
        with Path(path).open("rb") as stream:
            for token in tokenize(stream):
                reading.take(token.kind, token.data)
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return reading.capture(str(path), stream.read())
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
        self._begun = self._ends_with_a_time = False
        self._rate_hz = 0

    def take(self, kind: TokenKind, data: Any) -> None:
        """The next token."""
        if kind is TokenKind.CHANGE_SCALAR:
            for wire in self._wires.get(data.id_code, ()):
                wire.times.append(self._now)
                wire.levels.append(data.value == "1")
        elif kind is TokenKind.CHANGE_TIME:
            now = self._to_ns(data)
            if now < self._now:
                raise ValueError(f"its time runs back from {self._now} to {now} ns, as if it were cut off")
            self._now = now
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
        elif kind is TokenKind.VERSION:
            self._ends_with_a_time = data.startswith(_ENDS_WITH_A_TIME)
        elif kind is TokenKind.COMMENT:
            found = _SIGROK_RATE.search(data)
            self._rate_hz = parse_rate(found[1]) if found else self._rate_hz
        elif kind is TokenKind.ENDDEFINITIONS:
            self._begun = True

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

    def capture(self, source: str, tail: bytes) -> Capture:
        """All that was read; `tail` is the file's end."""
        if not self._begun:
            raise ValueError("it ends in its header")
        start_ns = self._first or 0
        wires = [wire for same in self._wires.values() for wire in same]
        reals = [real for same in self._reals.values() for real in same]
        return Capture(
            {wire.name: _edges(wire, start_ns) for wire in wires},
            {real.name: _waveform(real, self._now) for real in reals},
            start_ns=start_ns, end_ns=self._now, source=source,
            origin=Origin(instrument="", digital_hz=self._hz(), file=source, truncated=self._lost(tail)),
        )  # fmt: skip

    def _hz(self) -> int:
        """How finely times are known: the sample rate that sigrok wrote down, or the file's time scale."""
        scale_hz = _FS_PER_S // self._unit_fs if self._unit_fs > _FS_PER_NS else 0
        return min(filter(None, (scale_hz, self._rate_hz)), default=0)

    def _lost(self, tail: bytes) -> str:
        last = tail.rstrip(b"\r\n").rpartition(b"\n")[2].strip()
        if not tail.endswith(b"\n"):
            return f"it ends in the middle of a line, at {self._now} ns"
        if self._ends_with_a_time and not _TIME_LINE.fullmatch(last):
            return f"it ends at {self._now} ns without the time of its end"
        return ""


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
