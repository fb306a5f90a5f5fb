"""The pictures of the demonstration: what an oscilloscope, a logic analyser and a notebook would show."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure as Canvas
from stimfw.protocol import messages
from stimfw.therapy.ranges import ELECTRODES_A_LEAD, LEADS

from stimbench.analysis import intervals
from stimbench.demo.measured import Measured
from stimbench.demo.recording import BRIDGES, Air, Recording
from stimbench.report.style import (
    ACCENT,
    GOOD,
    HOLD,
    INK,
    LEAD_COLORS,
    LEAD_STYLES,
    MUTED,
    RAMP,
    Chart,
    Layout,
)

__all__ = ("charts",)

_STATE_SHADES = {messages.RAMP_UP: RAMP, messages.HOLD: HOLD, messages.RAMP_DOWN: RAMP}
_STOP_WINDOW_MS = (-60.0, 60.0)
_LEAST_BAR_MS = 0.5
"""Packets take 0.1 ms: drawn wide enough to be seen."""
_NAMED_PACKETS = 4
_HISTOGRAM_NS = 12
_CELL_INK = "#1d2734"
"""Of numbers on coloured cells, which are pale on a light and on a dark page: no colour of the page's."""
_CELLS = LinearSegmentedColormap.from_list("cells", ("#f2b27a", "#f6f3ef", "#b7b1dc"))
_CELLS_SHARE = 0.05


def charts(recording: Recording, measured: Measured, timing_limit_ns: float) -> list[Chart]:
    """Every picture, in the order of the page."""
    return [
        _one_pulse(recording, measured),
        _envelope(recording, measured),
        _stop(recording, measured),
        _impedance(recording),
        _timing(measured, timing_limit_ns),
    ]


def _envelope(recording: Recording, measured: Measured) -> Chart:
    left, right = recording.program.amplitude_ua

    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        origin = recording.marks.start_pressed
        _shade_states(axes, recording, origin)
        for name, lead, color, style in zip(LEADS, measured.leads, LEAD_COLORS, LEAD_STYLES, strict=True):
            seconds = (lead.pulses["start_ns"] - origin) / 1e9
            # A rest is a gap in the line, not a slope across it.
            gaps = np.flatnonzero(np.diff(seconds) > 0.5) + 1
            x = np.insert(seconds, gaps, np.nan)
            y = np.insert(lead.cathodic_ua / 1000, gaps, np.nan)
            axes.plot(x, y, color=color, linestyle=style, marker=".", markersize=4, label=f"{name} lead")
        top = max(recording.program.amplitude_ua) / 1000 * 1.22
        for label, time_ns, side in (
            ("START", origin, "left"),
            ("STOP", recording.marks.stop_pressed, "right"),
        ):
            at_s = (time_ns - origin) / 1e9
            axes.axvline(at_s, color=ACCENT, linewidth=1.2)
            shift = 4 if side == "left" else -4
            axes.annotate(
                label, (at_s, top), (shift, -4), textcoords="offset points", color=ACCENT, va="top", ha=side
            )
        axes.set(xlabel="time since START was pressed, s", ylim=(0, top))
        axes.set_title("measured amplitude, mA", fontweight="normal")
        drawn.legend(loc="outside upper left", ncols=2)

    return Chart(
        "Contraction",
        "Measured amplitude of every pulse over time: both leads rise together, hold, fall, rest, rise and "
        "hold again, and end at STOP.",
        f"Each dot is one pulse, as measured on the lead. Programmed for the hold: left lead "
        f"{left / 1000:g} mA, right lead {right / 1000:g} mA. Shaded: what the stimulator said of itself "
        "over USB (light: ramps, dark: hold).",
        (270, 260),
        paint,
    )


def _shade_states(axes: Any, recording: Recording, origin: int) -> None:
    """Each state from the first answer that told it to the first one that told another, or to STOP."""
    stop_ns = recording.marks.stop_pressed
    changes = [recording.states[0], *(b for a, b in pairwise(recording.states) if a.state != b.state)]
    for one, following in pairwise(changes):
        shade = _STATE_SHADES.get(one.state)
        if shade:
            low, high = (one.time_ns - origin) / 1e9, (min(following.time_ns, stop_ns) - origin) / 1e9
            axes.axvspan(low, high, color=shade, linewidth=0)


def _one_pulse(recording: Recording, measured: Measured) -> Chart:
    zoom = recording.zoom
    times = np.array(zoom.times_ns, dtype=np.int64)
    lead = measured.leads[zoom.lead]
    inside = [int(t) for t in lead.pulses["start_ns"] if times[0] <= t <= times[-1]]
    origin = inside[0] if inside else int(times[0])
    window_us = ((times[0] - origin) / 1000, (times[-1] - origin) / 1000)

    def paint(drawn: Canvas, layout: Layout) -> None:
        pins, current, volts = drawn.subplots(3, 1, sharex=True, height_ratios=(1, 1.4, 1.4))
        _draw_pins(pins, recording, zoom.lead, origin, window_us)
        grid = np.arange(times[0], times[-1], 500)
        current.plot((grid - origin) / 1000, lead.current.at(grid) / 1000, color=LEAD_COLORS[zoom.lead])
        current.set_title("current, mA", fontweight="normal")
        volts.plot((times - origin) / 1000, zoom.volts, color=INK)
        volts.set_title("voltage between the electrodes, V", fontweight="normal")
        volts.set(xlabel="time since the cathodic edge, us", xlim=window_us)
        for axes in (current, volts):
            axes.axhline(0, color=MUTED, linewidth=0.8)

    programme, name = recording.program, LEADS[zoom.lead]
    return Chart(
        f"One pulse of the {name} lead",
        "Three traces: the bridge pins one after the other, a current of equal cathodic and anodic "
        "phases, and the electrode voltage, which steps with the current and drifts as the double "
        "layer charges.",
        f"Bridge pins, current through the lead (cathodic is negative), and the voltage between cathode "
        f"{programme.cathode[zoom.lead]} and anode {programme.anode[zoom.lead]}, all as measured: the step "
        "is the access resistance, the slope the double layer's capacitance.",
        (400, 400),
        paint,
    )


def _draw_pins(
    axes: Any, recording: Recording, lead: int, origin: int, window_us: tuple[float, float]
) -> None:
    labels = ("cathodic", "anodic", "recharge")
    for row, signal in enumerate(BRIDGES[lead]):
        high = intervals(recording.edges(signal), recording.marks.end)
        bars = [((start - origin) / 1000, (end - start) / 1000) for start, end in high]
        visible = [bar for bar in bars if bar[0] + bar[1] >= window_us[0] and bar[0] <= window_us[1]]
        axes.broken_barh(visible, (len(labels) - 1 - row - 0.35, 0.7), color=LEAD_COLORS[lead])
    axes.set_yticks(range(len(labels)), reversed(labels))
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_title("bridge pins", fontweight="normal")


def _impedance(recording: Recording) -> Chart:
    fitted = sorted(set(recording.fitted_ohm.values()))
    middle = float(np.mean(fitted)) if fitted else 1.0

    def paint(drawn: Canvas, layout: Layout) -> None:
        shape = (len(LEADS), 1) if layout.is_narrow else (1, len(LEADS))
        grid = drawn.subplots(*shape)
        for index, (axes, name) in enumerate(zip(grid, LEADS, strict=True)):
            _draw_matrix(axes, recording, index, middle)
            axes.set_title(f"{name} lead, ohm", fontweight="normal")

    text = " or ".join(f"{ohm:.0f}" for ohm in fitted)
    return Chart(
        "Lead impedance",
        f"Two grids of cathode by anode with the measured ohm of each pair; all near the fitted {text} ohm.",
        f"Measured access resistance of every ordered electrode pair, in ohm; fitted on this bench: {text} "
        "ohm. The full scale of the colours is 5 % either way: orange is less, violet more.",
        (290, 470),
        paint,
    )


def _draw_matrix(axes: Any, recording: Recording, lead: int, middle: float) -> None:
    cells = np.full((ELECTRODES_A_LEAD, ELECTRODES_A_LEAD), np.nan)
    for pair in recording.pairs:
        if pair.lead != lead:
            continue
        intact = pair.kind == messages.KIND_OK
        if intact:
            cells[pair.cathode, pair.anode] = pair.ohm
        text = str(pair.ohm) if intact else pair.kind_name.replace(" ", "\n")
        color = _CELL_INK if intact else ACCENT
        axes.text(pair.anode, pair.cathode, text, ha="center", va="center", color=color)
    axes.grid(False)
    ticks = range(ELECTRODES_A_LEAD)
    low, high = middle * (1 - _CELLS_SHARE), middle * (1 + _CELLS_SHARE)
    axes.pcolormesh(ticks, ticks, cells, cmap=_CELLS, vmin=low, vmax=high, shading="nearest")
    axes.set(xlabel="anode", ylabel="cathode", xticks=ticks, yticks=ticks)
    axes.invert_yaxis()


def _timing(measured: Measured, limit_ns: float) -> Chart:
    names = ("width", "gap", "period")
    errors = [np.concatenate([getattr(lead.timing, name) for lead in measured.leads]) for name in names]
    bins = np.arange(-_HISTOGRAM_NS, _HISTOGRAM_NS + 2) - 0.5

    def paint(drawn: Canvas, layout: Layout) -> None:
        shape = (len(names), 1) if layout.is_narrow else (1, len(names))
        panels = drawn.subplots(*shape, sharey=True, sharex=True)
        for axes, name, found in zip(panels, names, errors, strict=True):
            axes.hist(np.clip(found, bins[0], bins[-1]), bins=list(bins), color=LEAD_COLORS[0])
            for edge in (-limit_ns, limit_ns):
                axes.axvline(edge, color=ACCENT, linewidth=1.2)
            axes.set_title(f"{name}, {len(found)} measured", fontweight="normal")
            axes.set_xticks([-limit_ns, 0, limit_ns])
        for axes in panels[-1:] if layout.is_narrow else panels:
            axes.set_xlabel("error, ns")

    counts = [len(found) for found in errors]
    return Chart(
        "Timing errors",
        f"Histograms of the errors of {counts[0]} widths, {counts[1]} gaps and {counts[2]} periods, "
        f"with the limits of {limit_ns:g} ns either way.",
        f"Every phase, gap and period against the programme. Lines: the limits, {limit_ns:g} ns, one "
        "clock of the RP2040. What lies beyond the picture is counted in its outermost bars.",
        (190, 400),
        paint,
    )


def _stop(recording: Recording, measured: Measured) -> Chart:
    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        _draw_stop(axes, recording, measured)

    off_ms = measured.off_after_stop_ns / 1e6
    return Chart(
        "STOP by radio",
        "Lanes over time: the button is pressed, packets go to and fro, the bridges stay quiet from "
        "then on, and the remote's green LED confirms.",
        "Packets are named by their kind, further copies grey: what a REQUEST asks for cannot be read. "
        "Bridges: phases dark, passive recharge light. Line: the end of the STOP packet. Both "
        f"bridges were off {off_ms:.2f} ms later; at {recording.program.rate_hz} Hz the next pulse "
        f"would have come within {recording.program.period_us / 1000:.0f} ms.",
        (330, 330),
        paint,
    )


def _draw_stop(axes: Any, recording: Recording, measured: Measured) -> None:
    origin, end = recording.marks.stop_pressed, recording.marks.end
    # A button shorts its line to ground: pressed is low.
    pressed = intervals(recording.remote_edges("STOP").inverted(), end)
    lanes: list[tuple[str, list[tuple[Any, str]]]] = [
        ("STOP button", [(pressed, MUTED)]),
        (f"packets in the air{_packet_names(recording.air, origin)}", _packets(recording.air)),
    ]
    for name, signals, color in zip(LEADS, BRIDGES, LEAD_COLORS, strict=True):
        shades = (color, color, to_hex((*to_rgb(color), 0.25), True))
        high = [intervals(recording.edges(signal), end) for signal in signals]
        lanes.append((f"{name} bridge", list(zip(high, shades, strict=True))))
    green = intervals(recording.remote_edges("LED_GREEN"), end)
    lanes.append(("remote's green LED", [(green, GOOD)]))
    for index, (lane, bars) in enumerate(lanes):
        row = len(lanes) - 1 - index
        for spans, color in bars:
            _bars(axes, spans, origin, row, color)
        # Above the bar: beside the axes the names would take half of a narrow page.
        axes.text(0.01, row + 0.37, lane, transform=axes.get_yaxis_transform(), va="bottom", color=INK)
    if measured.stop_packet_ns >= 0:
        # Across the bars and not across the names.
        rows = np.arange(len(lanes))
        at_ms = (measured.stop_packet_ns - origin) / 1e6
        axes.vlines([at_ms] * len(lanes), rows - 0.16, rows + 0.36, color=ACCENT, linewidth=1.2)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set(xlabel="time since STOP was pressed, ms", xlim=_STOP_WINDOW_MS, ylim=(-0.2, len(lanes) - 0.2))


def _packet_names(air: list[Air], origin: int) -> str:
    """The kinds of the packets in the window, in order of time: side by side they would overlap."""
    low, high = _STOP_WINDOW_MS
    names = [packet.name for packet in air if packet.name and low <= (packet.start_ns - origin) / 1e6 <= high]
    more = ", ..." if len(names) > _NAMED_PACKETS else ""
    return f": {', '.join(names[:_NAMED_PACKETS])}{more}" if names else ""


def _packets(air: list[Air]) -> list[tuple[Any, str]]:
    spans = [(packet.start_ns, packet.end_ns, packet.is_copy) for packet in air]
    return [
        ([(start, end) for start, end, is_copy in spans if is_copy == wanted], color)
        for wanted, color in ((False, ACCENT), (True, MUTED))
    ]


def _bars(axes: Any, high: Any, origin: int, row: int, color: str) -> None:
    low, top = _STOP_WINDOW_MS
    bars = [((start - origin) / 1e6, max(_LEAST_BAR_MS, (end - start) / 1e6)) for start, end in high]
    axes.broken_barh([bar for bar in bars if low - bar[1] <= bar[0] <= top], (row - 0.1, 0.4), color=color)
