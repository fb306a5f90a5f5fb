"""Lesson 2, why charge balance: three ways back for the charge, and what the electrodes do with each."""

from __future__ import annotations

import math
from typing import Any

from stimfw.therapy.program import Program

from stimbench.lessons.drawing import draw_line
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.report.style import ACCENT, INK, LEAD_COLORS, Chart

__all__ = ("STEPS",)

_DC_LIMIT_NA = 25.0  # docs/figures.md: what this project allows over a contraction
_DOUBLE_LAYER_UF = 5.0
_TRANSFER_KOHM = 100.0  # both: of each electrode, docs/hardware.md
_BALANCED, _RECHARGED, _NO_WAY = "both phases", "recharge alone", "no way back"
_STYLES = {_BALANCED: (INK, "-"), _RECHARGED: (LEAD_COLORS[0], (0, (4, 1.5))), _NO_WAY: (ACCENT, "-")}

Runs = dict[str, tuple[list[float], float]]
"""By the way back: volts between the electrodes just before each pulse, and the net direct current in nA."""


def three_ways(runs: Runs, program: Program) -> Findings:
    """What the electrodes keep, and the direct current, for each way back."""
    phase_nc = program.amplitude_ua[0] * program.width_us / 1e3
    dc_na = phase_nc * program.rate_hz
    plateau_v = _plateau_v(phase_nc, program.period_us, len(runs[_NO_WAY][0]))
    numbers = {
        "balanced_na": Number(
            "net DC, both phases", abs(runs[_BALANCED][1]), "nA", 1, 0, _DC_LIMIT_NA, "limit"
        ),
        "recharged_na": Number(
            "net DC, recharge alone", abs(runs[_RECHARGED][1]), "nA", 1, 0, _DC_LIMIT_NA, "limit"
        ),
        "no_way_na": Number(
            "net DC, no way back",
            abs(runs[_NO_WAY][1]),
            "nA",
            0,
            dc_na,
            dc_na * 0.01,
            f"{phase_nc:.0f} nC x {program.rate_hz} Hz",
        ),
        "balanced_v": Number(
            "left over, both phases", abs(runs[_BALANCED][0][-1]), "V", 3, 0, 0.005, "balance"
        ),
        "recharged_v": Number(
            "left over, recharge alone", abs(runs[_RECHARGED][0][-1]), "V", 3, 0, 0.02, "20 time constants"
        ),
        "no_way_v": Number(
            "left over, no way back",
            abs(runs[_NO_WAY][0][-1]),
            "V",
            2,
            plateau_v,
            0.03,
            "5 uF and 100 kohm an electrode",
        ),
        "times": Number("too much DC, no way back", abs(runs[_NO_WAY][1]) / _DC_LIMIT_NA, "times", 0),
    }
    return Findings(numbers, _picture(runs))


def _plateau_v(phase_nc: float, period_us: int, pulses: int) -> float:
    """Two electrodes that get a phase's charge each period, and lose some of it through their resistance."""
    step_v = 2 * phase_nc / (_DOUBLE_LAYER_UF * 1e3)
    kept = math.exp(-period_us / (_TRANSFER_KOHM * _DOUBLE_LAYER_UF * 1e3))
    return sum(step_v * kept**k for k in range(1, pulses + 1))


def _picture(runs: Runs) -> Drawing:
    def paint(drawn: Any, _: Any) -> None:
        axes = drawn.add_subplot()
        for name, (volts, dc_na) in runs.items():
            color, style = _STYLES.get(name, (INK, ":"))
            label = f"{name}: {abs(dc_na):.0f} nA"
            draw_line(axes, range(1, len(volts) + 1), volts, color, linestyle=style, label=label)
        axes.set(xlabel="pulse", ylabel="left over at the electrodes, V")
        axes.legend(loc="lower left")

    return Drawing(
        "2-balance.svg",
        Chart("Three ways back", "", "", (270, 270), paint),
        {name: volts for name, (volts, _) in runs.items()},
    )


STEPS: dict[str, Step] = {"three_ways": three_ways}
