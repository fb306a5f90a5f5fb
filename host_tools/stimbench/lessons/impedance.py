"""Lesson 3, impedance: the step and the slope of a pulse's voltage, and what the stimulator makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from stimfw.protocol import messages

from stimbench.analysis import current_of, pulses_of
from stimbench.capture.capture import Capture
from stimbench.client.records import PairImpedance
from stimbench.lessons.drawing import draw_line, points_of
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.report.style import ACCENT, INK, LEAD_COLORS, Chart

__all__ = ("STEPS",)

_SWITCHES_OHM = 19  # the two switches in the path of a pair: docs/hardware.md
_PAIR_UF = 2.5  # two double layers of 5 uF in series
_SHARE = 0.02  # docs/figures.md: impedance to 2 %
_DRY_OHM = 250 + 2000  # one electrode as it is built, and one of 2 kohm
_HEALTHY_OHM = 500
_COLORS = (LEAD_COLORS[0], LEAD_COLORS[1], INK)
_BEFORE_NS = 110_000

Run = tuple[int, Capture]
"""The resistance that the pair was given, in ohm, and what was recorded."""


def step_and_slope(runs: Sequence[Run]) -> Findings:
    """Resistance and capacitance of a pair, from the last pulse of each run."""
    numbers: dict[str, Number] = {}
    for ohm, capture in runs:
        step_v, rise_v, current_ua, width_us = _measured(capture)
        wanted = ohm + _SWITCHES_OHM
        numbers |= {
            f"step{ohm}_v": Number(
                f"step, {ohm} ohm", step_v, "V", 2, current_ua * wanted / 1e6, 0.02, "current x resistance"
            ),
            f"ohm{ohm}": Number(
                f"step / current, {ohm} ohm",
                step_v / current_ua * 1e6,
                "ohm",
                0,
                wanted,
                wanted * _SHARE,
                "the pair and two switches",
            ),
            f"uf{ohm}": Number(
                f"charge / rise, {ohm} ohm",
                current_ua * width_us / rise_v / 1e6,
                "uF",
                2,
                _PAIR_UF,
                _PAIR_UF * _SHARE,
                "two of 5 uF in series",
            ),
        }
    return Findings(numbers, _picture(runs))


def _measured(capture: Capture) -> tuple[float, float, float, int]:
    """Of the last pulse: step in V, rise in the cathodic phase in V, current in uA, width in us."""
    last = pulses_of(capture, "left")[-1:]
    start_ns, width_ns = int(last["start_ns"][0]), int(last["cathodic_ns"][0])
    first_v, last_v = np.abs(capture.voltage("V_LEFT").at([start_ns, start_ns + width_ns - 1]))
    current_ua = float(current_of(capture, "left").cathodic_ua(last)[0])
    return float(first_v), float(last_v - first_v), current_ua, width_ns // 1000


def _picture(runs: Sequence[Run]) -> Drawing:
    curves: dict[str, tuple[Any, Any]] = {}
    for ohm, capture in runs:
        pulse = pulses_of(capture, "left")[-1]
        start_ns = int(pulse["start_ns"])
        end_ns = start_ns + int(pulse["cathodic_ns"])
        curves[f"{ohm} ohm"] = points_of(capture.voltage("V_LEFT"), start_ns - _BEFORE_NS, end_ns, start_ns)

    def paint(drawn: Any, _: Any) -> None:
        axes = drawn.add_subplot()
        for (name, (times, volts)), color in zip(curves.items(), _COLORS, strict=False):
            draw_line(axes, times, volts, color, label=name)
        low = min(float(np.min(volts)) for _, volts in curves.values())
        arrow = {"arrowstyle": "->", "color": ACCENT}
        for text, at, place in (
            ("step: resistance", (0, low * 0.7), (-100, low * 0.45)),
            ("slope: capacitance", (150, low * 0.975), (90, low * 0.75)),
        ):
            axes.annotate(text, at, place, color=ACCENT, arrowprops=arrow)
        axes.set(xlabel="time since the pulse began, us", ylabel="voltage, V")
        axes.legend(loc="lower left")

    return Drawing(
        "3-step.svg",
        Chart("Step and slope", "", "", (290, 290), paint),
        {name: volts for name, (_, volts) in curves.items()},
    )


def all_pairs(pairs: Sequence[PairImpedance]) -> Findings:
    """The stimulator's own measurement of each pair of the left lead; electrode 3 has a dry contact."""
    left = [pair for pair in pairs if pair.lead == 0 and pair.kind == messages.KIND_OK]
    dry = [pair.ohm for pair in left if 3 in (pair.cathode, pair.anode)]
    healthy = [pair.ohm for pair in left if 3 not in (pair.cathode, pair.anode)]
    numbers = {
        "pairs": Number("pairs measured, left lead", len(left), "", 0, 12, 0, "4 electrodes, both ways"),
        "healthy_ohm": Number(
            "mean of the healthy pairs",
            float(np.mean(healthy)),
            "ohm",
            0,
            _HEALTHY_OHM,
            _HEALTHY_OHM * _SHARE,
            "2 x 250 ohm",
        ),
        "dry_ohm": Number(
            "mean of the pairs with electrode 3",
            float(np.mean(dry)),
            "ohm",
            0,
            _DRY_OHM,
            _DRY_OHM * _SHARE,
            "250 ohm + 2000 ohm",
        ),
    }
    return Findings(numbers, _grid(left))


def _grid(pairs: Sequence[PairImpedance]) -> Drawing:
    cells = np.full((4, 4), np.nan)
    for pair in pairs:
        cells[pair.cathode, pair.anode] = pair.ohm

    def paint(drawn: Any, _: Any) -> None:
        axes = drawn.add_subplot()
        axes.grid(visible=False)
        axes.pcolormesh(range(4), range(4), cells, cmap="Blues", vmin=0, vmax=6000, shading="nearest")
        for cathode, anode in np.argwhere(~np.isnan(cells)):
            text = f"{cells[cathode, anode]:.0f}"
            axes.text(anode, cathode, text, ha="center", va="center", color=INK)
        axes.set(xlabel="anode", ylabel="cathode", xticks=range(4), yticks=range(4), title="ohm, left lead")
        axes.invert_yaxis()

    values = [float(value) for value in cells[~np.isnan(cells)]]
    return Drawing("3-pairs.svg", Chart("All pairs", "", "", (260, 260), paint), {"ohm": values})


STEPS: dict[str, Step] = {"step_and_slope": step_and_slope, "all_pairs": all_pairs}
