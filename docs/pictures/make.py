"""Draw the pictures of this folder: `.venv/bin/python docs/pictures/make.py` (after `make firmware`).

`bench.svg` is drawn from labels, `pulse.svg` from one pulse on the emulated bench. The others are pictures
of the demonstration's report. The same firmware gives the same files, byte for byte.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from bench_drawing import draw_bench
from stimbench.bench import Bench, BenchConfig
from stimbench.client.stimulator import connect
from stimbench.demo.probe import VoltageProbe
from stimbench.demo.run import run_demo
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.report.style import ACCENT, FILE, INK, LEAD_COLORS, MUTED, canvas, finish, render

_FOLDER = Path(__file__).parent
_SEED = 1
_FROM_DEMO = {
    "Contraction": "contraction.svg",
    "STOP by radio": "stop.svg",
    "Lead impedance": "impedance.svg",
}
"""Pictures of the demonstration's report that the documentation shows: title and file."""

_AMPLITUDE_UA = 4000
_CONTRACTION_S = 4
_IN_HOLD_NS = 3_000_000_000
_BEFORE_US = 60
_AFTER_US = 480
_STEP_NS = 1000
_SWITCHES = (("cathodic switch", "L_CATH"), ("anodic switch", "L_ANOD"), ("recharge switch", "L_SHORT"))


class _Silent:
    """A reporter that tells nobody how the demonstration goes."""

    def begin(self, step: str) -> None:
        """A step begins."""

    def tell(self, text: str) -> None:
        """What happens now inside the step."""

    def done(self, text: str) -> None:
        """The step is over."""


def main() -> None:
    """Write every picture."""
    (_FOLDER / "bench.svg").write_text(draw_bench(), encoding="utf-8")
    (_FOLDER / "pulse.svg").write_bytes(draw_pulse())
    with TemporaryDirectory() as folder:
        for chart in run_demo(Path(folder), _SEED, _Silent()).charts:
            if chart.title in _FROM_DEMO:
                (_FOLDER / _FROM_DEMO[chart.title]).write_bytes(render(chart, FILE))


def draw_pulse() -> bytes:
    """One pulse of the default programme at 4 mA: switches, current and electrode voltage over time."""
    with Bench(BenchConfig(seed=_SEED)) as bench:
        stimulator = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        lead = bench.board("stimulator").parts.leads["left"]
        program = stimulator.program()
        stimulator.amplitude(_AMPLITUDE_UA, 0)
        stimulator.test_stimulation(_CONTRACTION_S)
        bench.run_for(_IN_HOLD_NS)
        last_ns = max(time_ns for time_ns, level in bench.trace.edges("stimulator", "L_CATH") if level)
        origin_ns = last_ns + program.period_us * 1000
        bench.run_to(origin_ns - _BEFORE_US * 1000)
        after_us = 2 * program.width_us + program.gap_us + _AFTER_US
        zoom = VoltageProbe(bench, lead).record(0, (_BEFORE_US + after_us) * 1000, _STEP_NS)
        edges = {signal: bench.trace.edges("stimulator", signal) for _, signal in _SWITCHES}
        segments = [piece for piece in lead.trace.segments if piece[1] > origin_ns - 1_000_000]
    with canvas(9, 5.4) as drawn:
        switches, current, volts = drawn.subplots(3, 1, sharex=True, height_ratios=(0.9, 1.4, 1.4))
        _draw_switches(switches, edges, origin_ns, after_us)
        _draw_current(current, segments, origin_ns, after_us)
        _name_phases(current, program.width_us, program.gap_us)
        times_us = (np.array(zoom.times_ns, dtype=np.int64) - origin_ns) / 1000
        volts.plot(times_us, zoom.volts, color=INK, linewidth=1.8)
        volts.axhline(0, color=MUTED, linewidth=0.8)
        volts.set(ylabel="electrodes, V", xlabel="time since the cathodic edge, µs")
        volts.set_xlim(-_BEFORE_US, after_us)
        _name_voltages(volts, zoom.volts, program.width_us)
        return finish(drawn, "One pulse on the emulated bench")


def _draw_switches(axes: Any, edges: dict[str, Any], origin_ns: int, after_us: int) -> None:
    """A bar for each time that a switch of the bridge is closed."""
    for row, (_, signal) in enumerate(_SWITCHES):
        bars, risen_us = [], None
        for time_ns, level in edges[signal]:
            time_us = (time_ns - origin_ns) / 1000
            if level:
                risen_us = time_us
            elif risen_us is not None:
                bars.append((risen_us, time_us - risen_us))
                risen_us = None
        if risen_us is not None:
            bars.append((risen_us, after_us - risen_us))
        shown = [bar for bar in bars if bar[0] + bar[1] > -_BEFORE_US]
        axes.broken_barh(shown, (len(_SWITCHES) - 1 - row - 0.35, 0.7), color=LEAD_COLORS[0])
    axes.set_yticks(range(len(_SWITCHES)), [name for name, _ in reversed(_SWITCHES)])
    axes.set_ylim(-0.6, len(_SWITCHES) - 0.4)


def _draw_current(axes: Any, segments: list[Any], origin_ns: int, after_us: int) -> None:
    """The lead's current: straight pieces, zero between them."""
    points = [(-float(_BEFORE_US), 0.0)]
    for start_ns, end_ns, from_ua, to_ua in segments:
        start_us, end_us = (start_ns - origin_ns) / 1000, (end_ns - origin_ns) / 1000
        if points[-1][0] < start_us:
            points += [(points[-1][0], 0.0), (start_us, 0.0)]
        points += [(start_us, from_ua / 1000), (end_us, to_ua / 1000)]
    if points[-1][0] < after_us:
        points += [(points[-1][0], 0.0), (float(after_us), 0.0)]
    times, values = zip(*points, strict=True)
    axes.plot(times, values, color=LEAD_COLORS[0], linewidth=1.8)
    axes.fill_between(times, values, color=LEAD_COLORS[0], alpha=0.15, linewidth=0)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set(ylabel="current, mA")


def _name_phases(axes: Any, width_us: int, gap_us: int) -> None:
    peak = _AMPLITUDE_UA / 1000
    axes.set_ylim(-peak * 1.15, peak * 1.15)
    names = (
        (width_us / 2, -0.5, f"cathodic phase\n{width_us} µs"),
        (width_us + gap_us + width_us / 2, 0.5, f"anodic phase\n{width_us} µs"),
        (2 * width_us + gap_us + _AFTER_US / 2, 0.5, "passive recharge\ntakes back what is left"),
    )
    for x, share, name in names:
        axes.text(x, share * peak, name, ha="center", va="center", fontsize=9, color=INK)


def _name_voltages(axes: Any, volts: list[float], width_us: int) -> None:
    low = min(volts)
    arrow = {"arrowstyle": "->", "color": ACCENT}
    axes.annotate(
        "step: access resistance", (0, low * 0.5), (width_us * 0.12, low * 0.3),
        fontsize=9, color=ACCENT, va="center", arrowprops=arrow,
    )
    axes.annotate(
        "slope: the electrodes' double layers charge",
        (width_us * 0.85, low * 0.97), (width_us * 1.2, low * 0.6),
        fontsize=9, color=ACCENT, va="center", arrowprops=arrow,
    )


if __name__ == "__main__":
    main()
