"""What a page's scope shows: windows of the record as binary frames, little-endian, aligned to 8 bytes.

    u8 kind (1), u8 view, u16 traces, u32 sequence
    f64 from_ns, f64 to_ns, f64 end_ns (of the record), u32 pulses left, u32 pulses right
    each trace: u8 lead, u8 quantity, u8 form, u8 age, u32 points, f64 origin_ns
                f64 times since the origin (ns), f32 values; of bands f32 lows, f32 highs; filled up to 8
    each pulse: 9 x f64, in the order of record.MEASURED

`lead` 0 left, 1 right; `quantity` 0 current (uA), 1 voltage (V); `form` 0 line, 1 bands; `age` 0 the newest
pulse of an overlay. Times of a triggered window count from its edge, others from 0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from stimbench.web.polyline import Bands, Line
from stimbench.web.record import LEADS, MEASURED, QUANTITIES, LeadRecord, Record
from stimbench.web.wire import Watch

__all__ = ("WINDOW", "Scope")

WINDOW = 1
"""The kind of a frame with a window."""
_HEAD = struct.Struct("<BBHI3dII")
_TRACE = struct.Struct("<4BId")
_MOST_PULSES = 256
"""A window with more pulses than these has figures of the newest ones."""
_LONGEST_PULSE_NS = 10_000_000


@dataclass(frozen=True)
class _Trace:
    lead: int
    quantity: int
    age: int
    origin_ns: int
    shape: Line | Bands


class Scope:
    """Makes the frames of one window that a page watches."""

    def __init__(self, watch: Watch) -> None:
        """Show what `watch` says."""
        self.watch = watch
        self._shown: Any = None

    def frame(self, record: Record, sequence: int) -> bytes | None:
        """The window as it looks now; None if it looks as it did at the last call."""
        shows = self._shows(record)
        if shows == self._shown:
            return None
        self._shown = shows
        if self.watch.mode == "pulse":
            from_ns = -int(self.watch.before_ns)
            to_ns = from_ns + int(self.watch.span_ns)
            traces, pulses = self._triggered(record, from_ns, to_ns)
        else:
            from_ns, to_ns = self._bounds(record)
            traces = self._traces(record, from_ns, to_ns)
            pulses = [lead.pulses_between(from_ns, to_ns)[-_MOST_PULSES:] for lead in record.leads.values()]
        return self._packed(record, sequence, (from_ns, to_ns), traces, pulses)

    def _shows(self, record: Record) -> Any:
        """What the frame depends on."""
        if self.watch.mode == "pulse":
            return [self._edges(record, name)[-1:] for name in LEADS]
        if self.watch.mode == "span":
            return min(record.end_ns, int(self.watch.to_ns))
        return record.end_ns

    def _bounds(self, record: Record) -> tuple[int, int]:
        if self.watch.mode == "span":
            return int(self.watch.from_ns), int(self.watch.to_ns)
        if self.watch.mode == "all":
            return 0, max(record.end_ns, 1)
        return record.end_ns - int(self.watch.span_ns), record.end_ns

    def _traces(self, record: Record, from_ns: int, to_ns: int) -> list[_Trace]:
        return [
            _Trace(at, quantity, 0, 0, record.leads[name].window(kind, from_ns, to_ns, self.watch.width))
            for at, name in enumerate(LEADS)
            for quantity, kind in enumerate(QUANTITIES)
        ]

    def _edges(self, record: Record, name: str) -> list[int]:
        """Where the pulses of the trigger begin, of those whose window the record has whole."""
        source = record.leads[name if self.watch.trigger == "own" else self.watch.trigger]
        behind_ns = min(int(self.watch.span_ns - self.watch.before_ns), _LONGEST_PULSE_NS)
        starts = source.pulses["start_ns"]
        whole = int(np.searchsorted(starts, record.end_ns - behind_ns, "right"))
        edges: list[int] = starts[max(0, whole - self.watch.overlay) : whole].tolist()
        return edges

    def _triggered(self, record: Record, from_ns: int, to_ns: int) -> tuple[list[_Trace], list[Any]]:
        traces, pulses = [], []
        for at, name in enumerate(LEADS):
            lead, edges = record.leads[name], self._edges(record, name)
            for age, edge_ns in enumerate(reversed(edges)):
                for quantity, kind in enumerate(QUANTITIES):
                    shape = lead.window(kind, edge_ns + from_ns, edge_ns + to_ns, self.watch.width)
                    traces.append(_Trace(at, quantity, age, edge_ns, shape))
            pulses.append(self._seen_pulses(lead, edges, from_ns, to_ns))
        return traces, pulses

    @staticmethod
    def _seen_pulses(lead: LeadRecord, edges: list[int], from_ns: int, to_ns: int) -> Any:
        if not edges:
            return np.empty(0, MEASURED)
        return lead.pulses_between(edges[-1] + from_ns, edges[-1] + to_ns)[-_MOST_PULSES:]

    def _packed(
        self,
        record: Record,
        sequence: int,
        bounds: tuple[int, int],
        traces: list[_Trace],
        pulses: list[Any],
    ) -> bytes:
        head = (WINDOW, self.watch.view, len(traces), sequence, *bounds, record.end_ns, *map(len, pulses))
        parts = [_HEAD.pack(*head)]
        for trace in traces:
            parts += _trace_parts(trace)
        for found in pulses:
            names = MEASURED.names or ()
            parts.append(np.column_stack([found[name].astype("<f8") for name in names]).tobytes())
        return b"".join(parts)


def _trace_parts(trace: _Trace) -> list[bytes]:
    shape = trace.shape
    count = len(shape.times_ns)
    is_line = isinstance(shape, Line)
    values = (shape.values,) if isinstance(shape, Line) else (shape.lows, shape.highs)
    data = b"".join(one.astype("<f4").tobytes() for one in values)
    return [
        _TRACE.pack(trace.lead, trace.quantity, 0 if is_line else 1, trace.age, count, trace.origin_ns),
        (shape.times_ns - trace.origin_ns).astype("<f8").tobytes(),
        data + b"\0" * (-len(data) % 8),
    ]
