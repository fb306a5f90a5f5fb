"""The record of a run: both leads' currents and voltages, and every pulse with what was measured in it.

The bench's process sends what was new in short intervals; here it is kept whole, and asked for windows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis import find_pulses
from stimbench.analysis.shape import of_pieces
from stimbench.capture.channels import Edges, Segments, Voltages
from stimbench.web.captured import Captured, CapturedLead
from stimbench.web.growing import Growing
from stimbench.web.measured import LEADS, MEASURED, QUANTITIES
from stimbench.web.pieces import Floats, Piecewise
from stimbench.web.polyline import Bands, Line, Polyline

__all__ = (
    "LEADS", "MEASURED", "MOST_CAPTURED_BYTES", "QUANTITIES", "LeadNews", "LeadRecord", "Record",
)  # fmt: skip
MOST_CAPTURED_BYTES = 512 << 20
"""Of the record of a wired bench: then the currents and voltages of further captures are left out."""
_NOT_KNOWN = np.float32(np.nan)
_CAPTURES_NS = 120_000_000_000
"""Digital signals are kept for so long, as on the emulated bench (web.feed)."""


@dataclass(frozen=True)
class LeadNews:
    """What is new of one lead.

    Attributes:
        current, voltage: pieces that have ended, shape (n, 4), as of pieces.as_pieces.
        rising: the voltage's pieces of the stretch that has not ended, shape (k, 4).
        driven: whether a phase is on now, whose current is not known before it ends.
        switches: new edges of the bridge's three lines, cathodic, anodic, recharge: `time_ns << 1 | level`.
    """

    current: Floats
    voltage: Floats
    rising: Floats
    driven: bool
    switches: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass
class LeadRecord:
    """All that is known of one lead."""

    lines: dict[str, Polyline] = field(default_factory=lambda: {name: Polyline() for name in QUANTITIES})
    """By quantity: the current in uA, cathodic negative, and the voltage between the rails in V."""
    _makers: dict[str, Piecewise] = field(default_factory=lambda: {name: Piecewise() for name in QUANTITIES})
    _settled: dict[str, int] = field(default_factory=lambda: dict.fromkeys(QUANTITIES, 0))
    _pulses: Growing = field(default_factory=lambda: Growing(MEASURED))
    _pending: list[NDArray[np.int64]] = field(default_factory=lambda: [np.empty(0, np.int64)] * 3)

    @property
    def pulses(self) -> NDArray[Any]:
        """Shape (n,), dtype MEASURED: every pulse that is over. A view, valid until more is added."""
        return self._pulses.view

    @property
    def nbytes(self) -> int:
        """How much memory it has."""
        return sum(line.nbytes for line in self.lines.values()) + self._pulses.nbytes

    def add(self, news: LeadNews, end_ns: int) -> None:
        """Take what is new; the bench's time is `end_ns`."""
        self._draw("current", news.current, news.current[:0], None if news.driven else end_ns)
        self._draw("voltage", news.voltage, news.rising, end_ns)
        self._pending = [
            np.concatenate([old, new]) for old, new in zip(self._pending, news.switches, strict=True)
        ]
        self._measure()

    def add_captured(self, seen: CapturedLead, with_lines: bool) -> None:
        """Take what an instrument saw of this lead; behind its end nothing is known: NaN.

        Args:
            seen: later than all before.
            with_lines: whether there is room for currents and voltages.
        """
        for quantity, (times, values) in seen.lines.items() if with_lines else ():
            if len(times):
                self.lines[quantity].extend(np.append(times, times[-1]), np.append(values, _NOT_KNOWN))
        self._pulses.extend(seen.pulses)

    def _draw(self, quantity: str, pieces: Floats, ahead: Floats, until_ns: int | None) -> None:
        line, maker = self.lines[quantity], self._makers[quantity]
        line.truncate(self._settled[quantity])
        line.extend(*maker.points(pieces))
        self._settled[quantity] = len(line)
        line.extend(*maker.ahead(ahead, until_ns))

    def _measure(self) -> None:
        """Measure the pulses that are over: the next one, or a recharge, has begun."""
        if len(self._pending[0]) < 2:
            return
        switches = [Edges.from_levels(one >> 1, one & 1 != 0, False) for one in self._pending]
        found = find_pulses(*switches)
        over = int(np.count_nonzero(found["recharge_ns"] > 0)) if len(found) else 0
        over = max(over, len(found) - 1)
        if over <= 0:
            return
        found = found[:over]
        last_end_ns = int((found["start_ns"] + found["cathodic_ns"])[-1])
        segments = self.segments("current", int(found["start_ns"][0]), self._end_of(found) + 1)
        shapes = of_pieces(segments, found, int(found["start_ns"][0]), self._end_of(found)).pulses
        rows = np.zeros(over, MEASURED)
        for name in ("start_ns", "cathodic_ns", "gap_ns", "anodic_ns", "period_ns"):
            rows[name] = found[name]
        for name in ("cathodic_ua", "anodic_ua", "cathodic_nc", "anodic_nc"):
            rows[name] = shapes[name]
        if len(self._pulses):
            rows["period_ns"][0] = rows["start_ns"][0] - self._pulses.view["start_ns"][-1]
        self._pulses.extend(rows)
        next_ns = self._next_start(last_end_ns)
        self._pending = [one[np.searchsorted(one, next_ns << 1) :] for one in self._pending]

    @staticmethod
    def _end_of(pulses: NDArray[Any]) -> int:
        last = pulses[-1]
        return int(last["start_ns"] + last["cathodic_ns"] + max(last["gap_ns"], 0) + last["anodic_ns"])

    def _next_start(self, after_ns: int) -> int:
        """Where the first pulse begins whose cathodic phase starts at or after a time; far ahead if none."""
        cathodic = self._pending[0]
        rises = cathodic[(cathodic & 1 == 1) & (cathodic >> 1 >= after_ns)]
        if len(rises):
            return int(rises[0] >> 1)
        latest = max((int(one[-1] >> 1) for one in self._pending if len(one)), default=0)
        return latest + 1

    def window(self, quantity: str, from_ns: int, to_ns: int, width: int) -> Line | Bands:
        """What a screen `width` pixels wide shows of a span; see Polyline.window."""
        return self.lines[quantity].window(from_ns, to_ns, width)

    def pulses_between(self, from_ns: int, to_ns: int) -> NDArray[Any]:
        """The pulses that begin within a span, dtype MEASURED."""
        first, last = np.searchsorted(self.pulses["start_ns"], (from_ns, to_ns))
        return self.pulses[first:last]

    def segments(self, quantity: str, from_ns: int, to_ns: int) -> Segments:
        """The pieces of the current that reach into a span, as a capture has them."""
        return Segments(*_pieces(self.lines[quantity], from_ns, to_ns))

    def voltages(self, from_ns: int, to_ns: int) -> Voltages:
        """The pieces of the voltage that reach into a span, as a capture has them."""
        return Voltages(*_pieces(self.lines["voltage"], from_ns, to_ns))


class Record:
    """What was recorded of a run so far.

    Attributes:
        leads: by name, `left` and `right`.
        end_ns: how far it goes, bench time.
        memory: what views make of it and keep, under their names.
        captures: of a wired bench, those of the last minutes, the oldest first.
        is_full: captures leave no room for more currents and voltages: pulses alone are kept.
    """

    def __init__(self) -> None:
        """Begin with nothing at 0 ns."""
        self.leads = {name: LeadRecord() for name in LEADS}
        self.end_ns = 0
        self.memory: dict[str, Any] = {}
        self.captures: deque[Captured] = deque()
        self.is_full = False

    @property
    def nbytes(self) -> int:
        """How much memory it has."""
        return sum(lead.nbytes for lead in self.leads.values())

    def add(self, news: dict[str, LeadNews], end_ns: int) -> None:
        """Take what is new of each lead; the bench's time is `end_ns`."""
        for name, one in news.items():
            self.leads[name].add(one, end_ns)
        self.end_ns = end_ns

    def add_captured(self, captured: Captured) -> None:
        """Take a capture of a wired bench. It is later than all before; one that is not is left out."""
        if captured.begin_ns < self.end_ns:
            return
        self.is_full = self.is_full or self.nbytes > MOST_CAPTURED_BYTES
        for name, one in captured.leads.items():
            self.leads[name].add_captured(one, not self.is_full)
        self.end_ns = captured.end_ns
        self.captures.append(captured)
        while self.captures[0].end_ns < self.end_ns - _CAPTURES_NS:
            self.captures.popleft()


def _pieces(line: Polyline, from_ns: int, to_ns: int) -> tuple[Any, Any, Any, Any]:
    """Of a line's points from before a time to behind another: pieces that last and are not 0."""
    times, values = line.times_ns, line.values
    first = max(0, int(np.searchsorted(times, from_ns, "left")) - 1)
    last = int(np.searchsorted(times, to_ns, "right")) + 1
    times, values = times[first:last], values[first:last].astype(np.float64)
    t0, t1, v0, v1 = times[:-1], times[1:], values[:-1], values[1:]
    kept = (t1 > t0) & ((v0 != 0) | (v1 != 0)) & np.isfinite(v0) & np.isfinite(v1)
    return t0[kept], t1[kept], v0[kept], v1[kept]
