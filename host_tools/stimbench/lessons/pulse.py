"""Lesson 1, what a biphasic pulse is: its phases, its current, the voltage that it makes, and its charge."""

from __future__ import annotations

from typing import Any

import numpy as np
from stimfw.therapy.program import Program

from stimbench.analysis import current_of, pulses_of, spread_of, timing_errors
from stimbench.capture.capture import Capture
from stimbench.lessons.drawing import draw_bars, draw_current, draw_line, points_of
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.report.style import ACCENT, INK, Chart

__all__ = ("PAIR_OHM", "STEPS")

PAIR_OHM = 500 + 19
"""A pair of electrodes of the bench and the two switches in its way: docs/hardware.md."""
_DOUBLE_LAYER_UF = 5.0
_CURRENT_SHARE = 0.01  # docs/figures.md promises the amplitude to 1 %
_MARGIN_US = 60
_AFTER_US = 200
_TOP_SHARE = 1.2


def one_pulse(capture: Capture, program: Program) -> Findings:
    """The last pulse of the left lead, and how exact all of them are in time."""
    pulses = pulses_of(capture, "left")
    last = pulses[-1:]
    current = current_of(capture, "left")
    start_ns, width_ns = int(last["start_ns"][0]), int(last["cathodic_ns"][0])
    volts = capture.voltage("V_LEFT").at([start_ns, start_ns + width_ns - 1])
    ua, us = program.amplitude_ua[0], program.width_us
    nc, off_nc = ua * us / 1e3, ua * us / 1e3 * _CURRENT_SHARE
    step_v = ua / 1e6 * PAIR_OHM
    slope_v = 2 * nc / (_DOUBLE_LAYER_UF * 1000)  # nC and uF: both electrodes' double layers charge
    worst = _worst_us(capture, program)
    net = float(current.imbalance_nc(last)[0])
    charge = float(current.charge_nc(last["start_ns"], last["start_ns"] + last["cathodic_ns"])[0])
    numbers = {
        "cathodic_us": Number("cathodic phase", width_ns / 1000, "us", 0, us, 0, "programme"),
        "gap_us": Number("gap", int(last["gap_ns"][0]) / 1000, "us", 0, program.gap_us, 0, "programme"),
        "anodic_us": Number("anodic phase", int(last["anodic_ns"][0]) / 1000, "us", 0, us, 0, "programme"),
        "current_ua": Number(
            "current", float(current.cathodic_ua(last)[0]), "uA", 0, ua, ua * _CURRENT_SHARE, "programme, 1 %"
        ),
        "charge_nc": Number("charge of a phase", -charge, "nC", 1, nc, off_nc, f"{ua} uA x {us} us"),
        "net_nc": Number("charge of both phases", net, "nC", 1, 0, 0.1, "they take it back"),
        "step_v": Number(
            "step of the voltage", -float(volts[0]), "V", 2, step_v, 0.02, f"{ua} uA x {PAIR_OHM} ohm"
        ),
        "slope_v": Number(
            "its rise in the phase", float(volts[0] - volts[1]), "V", 2, slope_v, 0.01, "2 x charge / 5 uF"
        ),
        "worst_us": Number("worst error of a time", worst, "us", 3, 0, 0.008, "PIO: one clock of 8 ns"),
    }
    return Findings(numbers, _picture(capture, start_ns, program))


def _worst_us(capture: Capture, program: Program) -> float:
    """The worst error of all widths, gaps and periods of the session, in us."""
    pulses = pulses_of(capture, "left")
    # A session begins with the self-test of the output, whose pulses come quickly one after the other.
    tests = np.flatnonzero(pulses["period_ns"][1:] < program.period_us * 500)
    train = pulses[tests[-1] + 2 :] if len(tests) else pulses
    errors = timing_errors(
        train, program.width_us * 1000, program.gap_us * 1000, program.period_us * 1000, 1_000_000_000
    )
    return max(spread_of(each).worst for each in (errors.width, errors.gap, errors.period)) / 1000


def _picture(capture: Capture, start_ns: int, program: Program) -> Drawing:
    end_us = 2 * program.width_us + program.gap_us + _AFTER_US
    span = (start_ns - _MARGIN_US * 1000, start_ns + end_us * 1000)
    current = points_of(capture.current("I_LEFT"), *span, start_ns)
    volts = points_of(capture.voltage("V_LEFT"), *span, start_ns)
    lanes = {f"{name} switch": f"stimulator.L_{pin}" for name, pin in
             (("cathodic", "CATH"), ("anodic", "ANOD"), ("recharge", "SHORT"))}  # fmt: skip

    def paint(drawn: Any, _: Any) -> None:
        pins, amps, electrodes = drawn.subplots(3, 1, sharex=True, height_ratios=(0.8, 1.3, 1.3))
        draw_bars(pins, capture, lanes, start_ns, 1e3)
        draw_current(amps, *current)
        _name_phases(amps, program)
        draw_line(electrodes, *volts, color=INK)
        _name_voltage(electrodes, volts[1], program.width_us)
        electrodes.set(
            ylabel="voltage, V", xlabel="time since the pulse began, us", xlim=(-_MARGIN_US, end_us)
        )

    return Drawing(
        "1-pulse.svg",
        Chart("One biphasic pulse", "", "", (400, 400), paint),
        {"current": current[1], "current at": current[0], "volts": volts[1], "volts at": volts[0]},
    )


def _name_phases(axes: Any, program: Program) -> None:
    peak_ma, width = program.amplitude_ua[0] / 1000, program.width_us
    axes.set_ylim(-peak_ma * _TOP_SHARE, peak_ma * _TOP_SHARE)
    for x, y, name in (
        (width / 2, -peak_ma / 2, "cathodic phase"),
        (width * 1.5 + program.gap_us, peak_ma / 2, "anodic phase"),
    ):
        axes.text(x, y, f"{name}\n{width} us", ha="center", va="center", color=INK)


def _name_voltage(axes: Any, volts: Any, width_us: int) -> None:
    low = float(min(volts))
    for text, at, place in (
        ("step", (0, low * 0.45), (width_us * 0.2, low * 0.2)),
        ("slope", (width_us * 0.6, low * 0.94), (width_us * 0.35, low * 0.5)),
    ):
        arrow = {"arrowstyle": "->", "color": ACCENT}
        axes.annotate(text, at, place, color=ACCENT, va="center", arrowprops=arrow)


def three_charges(rows: list[tuple[int, int, float]]) -> Findings:
    """The charge of a phase for three settings: `(amplitude in uA, width in us, charge in nC)` each."""
    return Findings(
        {
            f"charge{index}_nc": Number(
                f"charge of {ua} uA for {us} us",
                nc,
                "nC",
                0,
                ua * us / 1e3,
                ua * us / 1e3 * _CURRENT_SHARE,
                "current x time",
            )
            for index, (ua, us, nc) in enumerate(rows)
        }
    )


STEPS: dict[str, Step] = {"one_pulse": one_pulse, "three_charges": three_charges}
