"""What flows through a lead and lies across it, like an oscilloscope on the lead's wires."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from .circuit_interval import CircuitInterval, values_at
from .network import BLOCKING_F

__all__ = ("CurrentTrace", "LeadTrace", "Segment", "SharedShunt", "VoltageTrace")

Segment = tuple[int, int, float, float]
"""(t0_ns, t1_ns, i0_ua, i1_ua): current goes in a straight line from i0 to i1. Cathodic is negative.
Of a voltage: (t0_ns, t1_ns, v0_v, v1_v)."""

NOTHING_UA = 0.05
"""Pieces below this are left out: leakage of an open lead, the end of a recharge."""
LEAST_NC = 0.002
"""The rest of a decay is left out below this charge: at 200 Hz it is a direct current of 0.4 nA."""
NOTHING_V = 0.001
"""Pieces below this are left out: the converter's steps are eight times as large."""
_STEP_V = 0.01
_UA_PER_NC_NS = 1e6
_MOST_PIECES = 16
_DIGITS = 6  # to a microvolt
_BENT = 0.05
"""How far the middle of a decay is off the straight line, as a share of its height."""


class CurrentTrace:
    """Pieces of non-zero current, in order of time; a piece is appended when it ends."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def clear(self) -> None:
        """Forget all pieces."""
        self.segments.clear()

    def copy(self) -> CurrentTrace:
        """The pieces that there are now."""
        made = CurrentTrace()
        made.segments = self.segments[:]
        return made

    def add(self, t0_ns: int, t1_ns: int, i0_ua: float, i1_ua: float) -> None:
        """Append a piece, or lengthen the last one if it goes on with the same constant current."""
        if abs(i0_ua) < NOTHING_UA and abs(i1_ua) < NOTHING_UA:
            return
        if self.segments and i0_ua == i1_ua:
            last = self.segments[-1]
            if last[1] == t0_ns and last[2] == i0_ua and last[3] == i0_ua:
                self.segments[-1] = (last[0], t1_ns, i0_ua, i0_ua)
                return
        self.segments.append((t0_ns, t1_ns, i0_ua, i1_ua))

    def add_line(self, times_ns: Sequence[int], currents_ua: Sequence[float]) -> None:
        """Append the pieces of a broken line through these points; a piece of no length is left out."""
        if currents_ua[0] == currents_ua[-1]:
            self.add(times_ns[0], times_ns[-1], currents_ua[0], currents_ua[-1])
            return
        pieces = zip(times_ns, times_ns[1:], currents_ua, currents_ua[1:], strict=False)
        self.segments += [
            piece
            for piece in pieces
            if piece[1] > piece[0] and (abs(piece[2]) >= NOTHING_UA or abs(piece[3]) >= NOTHING_UA)
        ]

    def add_decay(
        self, times_ns: Sequence[int], currents_ua: Sequence[float], charges_nc: Sequence[float]
    ) -> None:
        """Append a current that dies away, in straight pieces of which each has the charge that flowed.

        What is left when the current is next to nothing becomes one piece: 50 nA for 50 ms are as much charge
        as all imbalance of a pulse.

        Args:
            times_ns: the bounds of the pieces.
            currents_ua: at these times.
            charges_nc: what had flowed by then, from any zero.
        """
        kept = next((k for k in range(len(times_ns)) if abs(currents_ua[k]) < NOTHING_UA), len(times_ns) - 1)
        for k in range(kept):
            (t0_ns, t1_ns), (i0_ua, i1_ua) = times_ns[k : k + 2], currents_ua[k : k + 2]
            if t1_ns > t0_ns:
                mean_ua = (charges_nc[k + 1] - charges_nc[k]) / (t1_ns - t0_ns) * _UA_PER_NC_NS
                off_ua = mean_ua - (i0_ua + i1_ua) / 2
                self.segments.append((t0_ns, t1_ns, i0_ua + off_ua, i1_ua + off_ua))
        rest_nc = charges_nc[-1] - charges_nc[kept]
        if abs(rest_nc) >= LEAST_NC and times_ns[-1] > times_ns[kept]:
            rest_ua = rest_nc / (times_ns[-1] - times_ns[kept]) * _UA_PER_NC_NS
            self.segments.append((times_ns[kept], times_ns[-1], rest_ua, rest_ua))


class VoltageTrace:
    """The voltage between a lead's rails in pieces: steps of 10 mV, at most 16 in one interval.

    What makes the voltage of an interval is kept, 72 bytes; the pieces are made when somebody asks for them.
    """

    def __init__(self, present: Callable[[], tuple[CircuitInterval, int]] | None = None) -> None:
        """Begin empty.

        Args:
            present: the interval that has not ended yet, and how far it has come, ns.
        """
        self._present = present
        self._spans = array("q")  # begin and end of each interval
        self._terms = array("d")  # its value at the begin, and its weights
        self._rates: list[NDArray[np.float64]] = []  # a reference: circuits come again

    @property
    def segments(self) -> list[Segment]:
        """The pieces, the present interval's included."""
        kept = self.copy() if self._present is not None else self
        spans, terms = kept._spans, kept._terms
        found: list[Segment] = []
        for index, rates in enumerate(kept._rates):
            begin_ns, end_ns = spans[2 * index : 2 * index + 2]
            start, *weights = terms[index * (1 + len(rates)) : (index + 1) * (1 + len(rates))]
            found += _pieces(begin_ns, end_ns, rates, start, weights)
        return found

    def copy(self) -> VoltageTrace:
        """The pieces that there are now, the present interval's included."""
        made = VoltageTrace()
        made._spans, made._terms, made._rates = self._spans[:], self._terms[:], self._rates[:]
        if self._present is not None:
            made.add(*self._present())
        return made

    def clear(self) -> None:
        """Forget all pieces."""
        del self._spans[:], self._terms[:], self._rates[:]

    def take(self) -> tuple[list[Segment], list[Segment]]:
        """The pieces of the intervals that have ended, which are forgotten, and those of the present one."""
        present = VoltageTrace()
        if self._present is not None:
            present.add(*self._present())  # it may end an interval, so it comes first
        ended = VoltageTrace()
        ended._spans, ended._terms, ended._rates = self._spans[:], self._terms[:], self._rates[:]
        self.clear()
        return ended.segments, present.segments

    def add(self, interval: CircuitInterval, end_ns: int) -> None:
        """An interval has ended."""
        if end_ns > interval.t0_ns:
            rates, start, weights = interval.volts_terms()
            self._spans.append(interval.t0_ns)
            self._spans.append(end_ns)
            self._terms.append(start)
            self._terms.extend(weights)
            self._rates.append(rates)


class LeadTrace(CurrentTrace):
    """All that is recorded of one lead.

    Attributes:
        enabled: whether anything is.
        segments: the current through the lead, recharge included.
        shunt: what the pump delivers, the part of it that passes the shared shunt.
        voltage: between the rails.
    """

    def __init__(self, present: Callable[[], tuple[CircuitInterval, int]] | None = None) -> None:
        """Begin empty; `present` as of VoltageTrace."""
        super().__init__()
        self.enabled = True
        self.shunt = CurrentTrace()
        self.voltage = VoltageTrace(present)

    def clear(self) -> None:
        """Forget all pieces."""
        super().clear()
        self.shunt.clear()
        self.voltage.clear()

    def take(self) -> tuple[list[Segment], list[Segment], list[Segment]]:
        """What was recorded since the last call, for whoever keeps it elsewhere: it is forgotten here.

        Returns:
            The pieces of the current, those of the voltage, and the voltage's of the stretch that goes on.
        """
        voltage, present = self.voltage.take()
        current = self.segments[:]
        self.segments.clear()
        self.shunt.clear()
        return current, voltage, present

    def add_changing(self, stretch: CircuitInterval, end_ns: int, delivered: bool) -> None:
        """A current that changes within the stretch, in straight pieces: closer together at its begin.

        Args:
            stretch: the circuit.
            end_ns: its end.
            delivered: the pump's, so the shunt has it, too.
        """
        span = end_ns - stretch.t0_ns
        times = [stretch.t0_ns + span * k * k // _MOST_PIECES**2 for k in range(_MOST_PIECES + 1)]
        amps, volts = stretch.flow_at(times)
        currents = [each * 1e6 for each in amps]
        # The blocking capacitor knows what has flowed: straight pieces of a curve would be off by percents.
        self.add_decay(times, currents, [each * BLOCKING_F * 1e9 for each in volts])
        if delivered:
            self.shunt.add_line(times, currents)


class SharedShunt:
    """The current in the shunt that both leads share: what their pumps deliver, added up."""

    def __init__(self, traces: Iterable[CurrentTrace]) -> None:
        """Add these up."""
        self._traces = tuple(traces)

    def copy(self) -> SharedShunt:
        """As there is now."""
        return SharedShunt(trace.copy() for trace in self._traces)

    @property
    def segments(self) -> list[Segment]:
        """The pieces in order of time; the current is 0 between them."""
        columns = [_columns(trace.segments) for trace in self._traces if trace.segments]
        if not columns:
            return []
        bounds = np.unique(np.concatenate([times for t0, t1, _, _ in columns for times in (t0, t1)]))
        begins, ends = bounds[:-1], bounds[1:]
        first, last = np.zeros(len(begins)), np.zeros(len(begins))
        for column in columns:
            added = _across(column, begins, ends)
            first, last = first + added[0], last + added[1]
        kept = (first != 0) | (last != 0)
        rows = (begins[kept].tolist(), ends[kept].tolist(), first[kept].tolist(), last[kept].tolist())
        return list(zip(*rows, strict=True))


def _pieces(
    t0_ns: int, end_ns: int, rates: NDArray[np.float64], start: float, weights: Sequence[float]
) -> list[Segment]:
    """The voltage of one interval in straight pieces; none if it is next to nothing."""
    span = end_ns - t0_ns
    begin, middle, end = values_at(rates, start, weights, t0_ns, (t0_ns, t0_ns + span // 2, end_ns))
    if max(abs(begin), abs(end)) < NOTHING_V:
        return []
    pieces = min(_MOST_PIECES, max(1, ceil(abs(end - begin) / _STEP_V)))
    # A decay is steepest at its begin: the pieces are closer together there. A slope is the same all over.
    power = 2 if abs(middle - (begin + end) / 2) > _BENT * abs(end - begin) else 1
    at = sorted({t0_ns + span * k**power // pieces**power for k in range(pieces + 1)})
    values = [round(value, _DIGITS) for value in values_at(rates, start, weights, t0_ns, at)]
    return list(zip(at[:-1], at[1:], values[:-1], values[1:], strict=True))


_Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def _columns(pieces: Sequence[Segment]) -> _Columns:
    t0_ns, t1_ns, i0_ua, i1_ua = zip(*pieces, strict=True)
    return np.array(t0_ns), np.array(t1_ns), np.array(i0_ua), np.array(i1_ua)


def _across(
    column: _Columns, begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The current at the begin and at the end of each span, none of which a piece begins or ends within."""
    t0_ns, t1_ns, i0_ua, i1_ua = column
    piece = np.searchsorted(t0_ns, begins, side="right") - 1
    inside = (piece >= 0) & (begins < t1_ns[piece])
    slope = (i1_ua - i0_ua) / (t1_ns - t0_ns)
    first, last = (i0_ua[piece] + slope[piece] * (at - t0_ns[piece]) for at in (begins, ends))
    return np.where(inside, first, 0.0), np.where(inside, last, 0.0)
