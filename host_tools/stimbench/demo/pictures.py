"""The pictures of the demonstration: what an oscilloscope, a logic analyser and a notebook would show."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from stimfw.protocol import messages
from stimfw.therapy.ranges import ELECTRODES_A_LEAD, LEADS

from stimbench.analysis import intervals
from stimbench.demo.measured import Measured
from stimbench.demo.recording import BRIDGES, Air, Recording
from stimbench.report.style import ACCENT, INK, LEAD_COLORS, LEAD_STYLES, MUTED, Picture, canvas, finish

__all__ = ("draw_all",)

_STATE_SHADES = {
    messages.RAMP_UP: "#e6eef7",
    messages.HOLD: "#cfe0f1",
    messages.RAMP_DOWN: "#e6eef7",
}
_STOP_WINDOW_MS = (-60.0, 60.0)
_HISTOGRAM_NS = 12


def draw_all(recording: Recording, measured: Measured, timing_limit_ns: float) -> list[Picture]:
    """Every picture, in the order of the page."""
    return [
        _envelope(recording, measured),
        _one_pulse(recording, measured),
        _impedance(recording),
        _timing(measured, timing_limit_ns),
        _stop(recording, measured),
    ]


def _envelope(recording: Recording, measured: Measured) -> Picture:
    with canvas(10, 3.6) as drawn:
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
        for label, time_ns in (("START", origin), ("STOP", recording.marks.stop_pressed)):
            at_s = (time_ns - origin) / 1e9
            axes.axvline(at_s, color=ACCENT, linewidth=1.2)
            axes.annotate(label, (at_s, top), (4, -4), textcoords="offset points", color=ACCENT, va="top")
        axes.set(xlabel="time since START was pressed, s", ylabel="amplitude, mA", ylim=(0, top))
        axes.legend(loc="upper center", ncols=2)
        left, right = recording.program.amplitude_ua
        return finish(
            drawn,
            "Contraction",
            "Amplitude of every pulse over time: both leads rise together, hold, fall, rest, rise and "
            "hold again, and end at STOP.",
            f"Each dot is one pulse. Left lead {left / 1000:g} mA, right lead {right / 1000:g} mA; "
            "shaded: what the stimulator said of itself over USB (light: ramps, dark: hold).",
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


def _one_pulse(recording: Recording, measured: Measured) -> Picture:
    zoom = recording.zoom
    times = np.array(zoom.times_ns, dtype=np.int64)
    lead = measured.leads[zoom.lead]
    inside = [int(t) for t in lead.pulses["start_ns"] if times[0] <= t <= times[-1]]
    origin = inside[0] if inside else int(times[0])
    window_us = ((times[0] - origin) / 1000, (times[-1] - origin) / 1000)
    with canvas(10, 5.4) as drawn:
        pins, current, volts = drawn.subplots(3, 1, sharex=True, height_ratios=(1, 1.4, 1.4))
        _draw_pins(pins, recording, zoom.lead, origin, window_us)
        grid = np.arange(times[0], times[-1], 500)
        current.plot((grid - origin) / 1000, lead.current.at(grid) / 1000, color=LEAD_COLORS[zoom.lead])
        current.set(ylabel="current, mA")
        volts.plot((times - origin) / 1000, zoom.volts, color=INK)
        volts.set(ylabel="electrodes, V", xlabel="time since the cathodic edge, us", xlim=window_us)
        for axes in (current, volts):
            axes.axhline(0, color=MUTED, linewidth=0.8)
        return finish(
            drawn,
            f"One pulse of the {LEADS[zoom.lead]} lead",
            "Three traces: the bridge pins one after the other, a current of equal cathodic and anodic "
            "phases, and the electrode voltage, which steps with the current and drifts as the double "
            "layer charges.",
            "Bridge pins, current through the lead (cathodic is negative), and the voltage between the "
            "two selected electrodes: the step is the access resistance, the slope the double layer's "
            "capacitance.",
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
    axes.set_title("bridge pins", fontweight="normal", color=MUTED)


def _impedance(recording: Recording) -> Picture:
    fitted = sorted(set(recording.fitted_ohm.values()))
    middle = float(np.mean(fitted)) if fitted else 1.0
    with canvas(10, 4.0) as drawn:
        grid = drawn.subplots(1, len(LEADS))
        for index, (axes, name) in enumerate(zip(grid, LEADS, strict=True)):
            image = _draw_matrix(axes, recording, index, middle)
            axes.set_title(f"{name} lead")
        drawn.colorbar(image, ax=list(grid), label="ohm", shrink=0.85)
        text = " or ".join(f"{ohm:.0f}" for ohm in fitted)
        return finish(
            drawn,
            "Lead impedance",
            "Two grids of cathode by anode with the measured ohm of each pair; all near the fitted "
            f"{text} ohm.",
            f"Access resistance of every ordered electrode pair, in ohm; fitted on this bench: {text} ohm. "
            "The full scale of the colours is 5 % either way.",
        )


def _draw_matrix(axes: Any, recording: Recording, lead: int, middle: float) -> Any:
    cells = np.full((ELECTRODES_A_LEAD, ELECTRODES_A_LEAD), np.nan)
    for pair in recording.pairs:
        if pair.lead != lead:
            continue
        intact = pair.kind == messages.KIND_OK
        if intact:
            cells[pair.cathode, pair.anode] = pair.ohm
        text = str(pair.ohm) if intact else pair.kind_name
        axes.text(pair.anode, pair.cathode, text, ha="center", va="center", color=INK if intact else ACCENT)
    axes.grid(False)
    axes.set(
        xlabel="anode", ylabel="cathode", xticks=range(ELECTRODES_A_LEAD), yticks=range(ELECTRODES_A_LEAD)
    )
    return axes.imshow(cells, cmap="PuOr", vmin=middle * 0.95, vmax=middle * 1.05)


def _timing(measured: Measured, limit_ns: float) -> Picture:
    bins = np.arange(-_HISTOGRAM_NS, _HISTOGRAM_NS + 2) - 0.5
    with canvas(10, 2.8) as drawn:
        panels = drawn.subplots(1, 3, sharey=True)
        counts = []
        for axes, field in zip(panels, ("width", "gap", "period"), strict=True):
            errors = np.concatenate([getattr(lead.timing, field) for lead in measured.leads])
            counts.append(len(errors))
            axes.hist(np.clip(errors, bins[0], bins[-1]), bins=list(bins), color=LEAD_COLORS[0])
            for edge in (-limit_ns, limit_ns):
                axes.axvline(edge, color=ACCENT, linewidth=1.2)
            axes.set_title(f"{field}, {len(errors)} measured")
            axes.set_xlabel("error, ns")
            axes.set_xticks([-limit_ns, 0, limit_ns])
        panels[0].set_ylabel("count")
        return finish(
            drawn,
            "Timing errors",
            f"Histograms of the errors of {counts[0]} widths, {counts[1]} gaps and {counts[2]} periods, "
            f"with the limits of {limit_ns:g} ns either way.",
            f"Every phase, gap and period against the programme. Lines: the limits, {limit_ns:g} ns, one "
            "clock of the RP2040. What lies beyond the picture is counted in its outermost bars.",
        )


def _stop(recording: Recording, measured: Measured) -> Picture:
    origin = recording.marks.stop_pressed
    lanes = ["STOP button", "packets in the air", *(f"{name} bridge" for name in LEADS), "remote's green LED"]
    with canvas(10, 3.2) as drawn:
        axes = drawn.add_subplot()
        rows = {lane: len(lanes) - 1 - index for index, lane in enumerate(lanes)}
        # A button shorts its line to ground: pressed is low.
        pressed = intervals(recording.remote_edges("STOP").inverted(), recording.marks.end)
        _bars(axes, pressed, origin, rows["STOP button"], MUTED)
        _draw_air(axes, recording.air, origin, rows["packets in the air"])
        for name, signals, color in zip(LEADS, BRIDGES, LEAD_COLORS, strict=True):
            for signal, shade in zip(signals, (1.0, 1.0, 0.25), strict=True):
                high = intervals(recording.edges(signal), recording.marks.end)
                _bars(axes, high, origin, rows[f"{name} bridge"], to_hex((*to_rgb(color), shade), True))
        green = intervals(recording.remote_edges("LED_GREEN"), recording.marks.end)
        _bars(axes, green, origin, rows["remote's green LED"], "#2e7d32")
        if measured.stop_packet_ns >= 0:
            axes.axvline((measured.stop_packet_ns - origin) / 1e6, color=ACCENT, linewidth=1.2)
        axes.set_yticks(list(rows.values()), list(rows))
        axes.set(
            xlabel="time since STOP was pressed, ms", xlim=_STOP_WINDOW_MS, ylim=(-0.6, len(lanes) - 0.4)
        )
        off_ms = measured.off_after_stop_ns / 1e6
        return finish(
            drawn,
            "STOP by radio",
            "Lanes over time: the button is pressed, packets go to and fro, the bridges stay quiet from "
            "then on, and the remote's green LED confirms.",
            "Packets are named by their kind, acknowledgements grey: what a REQUEST asks for cannot be read. "
            "Bridges: phases dark, passive recharge light. Line: the end of the STOP packet. Both "
            f"bridges were off {off_ms:.2f} ms later; at {recording.program.rate_hz} Hz the next pulse "
            f"would have come within {recording.program.period_us / 1000:.0f} ms.",
        )


def _draw_air(axes: Any, air: list[Air], origin: int, row: int) -> None:
    for packet in air:
        # Packets take 0.1 ms: drawn at least wide enough to be seen.
        width_ms = max(0.35, (packet.end_ns - packet.start_ns) / 1e6)
        color = MUTED if packet.is_ack else ACCENT
        at_ms = (packet.start_ns - origin) / 1e6
        axes.broken_barh([(at_ms, width_ms)], (row - 0.3, 0.6), color=color)
        if packet.name and _STOP_WINDOW_MS[0] <= at_ms <= _STOP_WINDOW_MS[1]:
            axes.text(at_ms + width_ms, row + 0.32, packet.name, fontsize=6, color=color, ha="right")


def _bars(axes: Any, high: Any, origin: int, row: int, color: str) -> None:
    low, top = _STOP_WINDOW_MS[0], _STOP_WINDOW_MS[1]
    bars = [((start - origin) / 1e6, max(0.35, (end - start) / 1e6)) for start, end in high]
    axes.broken_barh([bar for bar in bars if low - bar[1] <= bar[0] <= top], (row - 0.3, 0.6), color=color)
