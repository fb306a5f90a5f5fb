"""What the pictures of several lessons have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis import intervals
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Floats
from stimbench.report.style import INK, LEAD_COLORS, MUTED

__all__ = ("draw_bars", "draw_current", "draw_line", "points_of")

LEFT = LEAD_COLORS[0]


def points_of(waveform: Analog, start_ns: int, end_ns: int, origin_ns: int) -> tuple[Floats, Floats]:
    """The corners of a waveform in a span, with both sides of each jump.

    Returns:
        Times after `origin_ns` in us, and values in the waveform's unit; shape (n,) both.
    """
    times: list[float] = [(start_ns - origin_ns) / 1000]
    values: list[float] = [0.0]
    for t0_ns, t1_ns, begin, end in waveform.between(start_ns, end_ns):
        t0_us, t1_us = (t0_ns - origin_ns) / 1000, (t1_ns - origin_ns) / 1000
        if t0_us > times[-1] + 1e-6:
            times += [times[-1], t0_us]
            values += [0.0, 0.0]
        times += [t0_us, t1_us]
        values += [begin, end]
    end_us = (end_ns - origin_ns) / 1000
    if times[-1] < end_us:
        times += [times[-1], end_us]
        values += [0.0, 0.0]
    return np.array(times), np.array(values)


def draw_line(axes: Any, times: Any, values: Any, color: str = LEFT, **style: Any) -> None:
    """A line, and the zero that it is read against."""
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.plot(times, values, color=color, linewidth=1.8, **style)


def draw_current(axes: Any, times_us: Floats, current_ua: Floats) -> None:
    """A current in mA, filled: its area is charge."""
    draw_line(axes, times_us, current_ua / 1000)
    axes.fill_between(times_us, current_ua / 1000, color=LEFT, alpha=0.15, linewidth=0)
    axes.set(ylabel="current, mA")


def draw_bars(
    axes: Any, capture: Capture, signals: dict[str, str], origin_ns: int, unit_ns: float, color: str = LEFT
) -> None:
    """A lane for each signal, with a bar for each time that it is high.

    Args:
        axes: to draw on.
        capture: has the signals.
        signals: `board.signal` by the name of its lane, from top to bottom.
        origin_ns: the time that is drawn at 0.
        unit_ns: of the axis: 1e6 for ms.
        color: of the bars.
    """
    for row, signal in enumerate(reversed(signals.values())):
        high: NDArray[np.int64] = intervals(capture.edges(signal), capture.end_ns)
        bars = [((start - origin_ns) / unit_ns, (end - start) / unit_ns) for start, end in high]
        axes.broken_barh(bars, (row - 0.35, 0.7), color=color)
    axes.set_yticks(range(len(signals)), list(reversed(signals)), color=INK)
    axes.set_ylim(-0.6, len(signals) - 0.4)
