"""Lesson 4, ramp and contraction: the amplitude of every pulse of both leads over one cycle."""

from __future__ import annotations

from typing import Any

import numpy as np
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis import current_of, overlaps, pulses_of, switches_of, union
from stimbench.analysis.edges import intervals
from stimbench.analysis.pulses import Pulses
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Floats
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.report.style import HOLD, LEAD_COLORS, RAMP, Chart

__all__ = ("STEPS",)

_REST_NS = 1_000_000_000
_HOLD_SHARE = 0.99  # of the largest amplitude: in the hold
_CURRENT_SHARE = 0.01
_DOTS = (7, 2.5)


def one_cycle(capture: Capture, program: Program) -> Findings:
    """Of the first contraction and the rest after it: pulses, ramp, hold, rest, left against right."""
    pulses = pulses_of(capture, "left")
    amplitude = current_of(capture, "left").cathodic_ua(pulses)
    rests = np.flatnonzero(pulses["period_ns"] > _REST_NS)
    first, later = np.split(np.arange(len(pulses)), rests[:1])
    hold = first[amplitude[first] > _HOLD_SHARE * amplitude.max()]
    seconds = pulses["start_ns"] / 1e9
    hold_s = float(np.ptp(seconds[hold])) + program.period_us / 1e6
    rest_s = float(seconds[later[0]] - seconds[first[-1]])
    lag_ms = _lag_ms(capture, pulses[hold])
    numbers = {
        **_pulses_of_a_contraction(pulses[first], pulses[hold], program),
        **_amplitudes(amplitude[first], amplitude[hold], program),
        "hold_s": Number("hold", hold_s, "s", 1, program.on_ms / 1000, 0.11, "programme"),
        "rest_s": Number("rest", rest_s, "s", 1, program.off_ms / 1000, 0.15, "programme"),
        "lag_ms": Number(
            "right after left", lag_ms, "ms", 1, program.period_us / 2000, 0.01, "half a period"
        ),
        "overlaps": Number("overlaps of the leads", _overlaps(capture), "", 0, 0, 0, "never"),
    }
    return Findings(numbers, _picture(capture))


def _pulses_of_a_contraction(first: Pulses, hold: Pulses, program: Program) -> dict[str, Number]:
    """How many there are, and how many a second."""
    rate_hz = float(1e9 / np.median(hold["period_ns"][1:]))
    cycle_s = (program.ramp_up_ms + program.on_ms + program.ramp_down_ms) / 1000
    wanted, how = cycle_s * program.rate_hz, f"{cycle_s:g} s x {program.rate_hz} Hz"
    label = "pulses a second in the hold"
    return {
        "rate_hz": Number(label, rate_hz, "Hz", 1, program.rate_hz, 0.01, "programme"),
        "pulses": Number("pulses of a contraction, left", len(first), "", 0, wanted, 2, how),
    }


def _amplitudes(first: Floats, hold: Floats, program: Program) -> dict[str, Number]:
    """The largest step from pulse to pulse, from zero and back to it, and the hold."""
    step_ua, hold_ua = float(np.abs(np.diff(first, prepend=0, append=0)).max()), float(hold.mean())
    ua = program.amplitude_ua[0]
    in_ramp = max(1.0, min(program.ramp_up_ms, program.ramp_down_ms) * program.rate_hz / 1000)
    wanted, how = ua / in_ramp, f"{ua} uA in {in_ramp:.0f} pulses"
    off_ua = ua * _CURRENT_SHARE
    return {
        "step_ua": Number("largest step between two pulses", step_ua, "uA", 0, wanted, 5, how),
        "hold_ua": Number("amplitude in the hold", hold_ua, "uA", 0, ua, off_ua, "programme, 1 %"),
    }


def _lag_ms(capture: Capture, left: Pulses) -> float:
    right = pulses_of(capture, "right")["start_ns"]
    follow = right[np.searchsorted(right, left["start_ns"])]
    return float(np.median(follow - left["start_ns"])) / 1e6


def _overlaps(capture: Capture) -> int:
    """How often both leads drive current at once."""
    driven = []
    for lead in LEADS:
        switches = switches_of(capture, lead)
        driven.append(union(intervals(switches.cathodic), intervals(switches.anodic)))
    return len(overlaps(*driven))


def _picture(capture: Capture) -> Drawing:
    series: dict[str, Floats] = {}
    for lead in LEADS:
        pulses = pulses_of(capture, lead)
        series[f"{lead} at"] = (pulses["start_ns"] - capture.start_ns) / 1e9
        series[lead] = current_of(capture, lead).cathodic_ua(pulses) / 1000

    def paint(drawn: Any, _: Any) -> None:
        axes = drawn.add_subplot()
        top = max(float(series[lead].max()) for lead in LEADS)
        _shade(axes, series["left at"], series["left"], top)
        for lead, color, size in zip(LEADS, LEAD_COLORS, _DOTS, strict=True):  # both show, one on the other
            axes.plot(series[f"{lead} at"], series[lead], ".", markersize=size, color=color, label=lead)
        axes.set(xlabel="time, s", ylabel="amplitude of each pulse, mA", ylim=(0, top * 1.15))
        axes.legend(loc="upper right", markerscale=1.5, ncols=2)

    data = {name: list(values) for name, values in series.items()}
    return Drawing("4-contraction.svg", Chart("One cycle", "", "", (270, 270), paint), data)


def _shade(axes: Any, seconds: Floats, amplitude: Floats, top: float) -> None:
    """The contraction light, its hold darker, with their names."""
    first = seconds < seconds[0] + 20
    hold = seconds[first & (amplitude > _HOLD_SHARE * amplitude.max())]
    axes.axvspan(seconds[0], seconds[first][-1], color=RAMP, linewidth=0)
    axes.axvspan(hold[0], hold[-1], color=HOLD, linewidth=0)
    middle = (seconds[0] + hold[0]) / 2
    for x, name in (
        (middle, "ramp up"),
        (hold.mean(), "hold"),
        ((hold[-1] + seconds[first][-1]) / 2, "down"),
    ):
        axes.text(x, top * 1.08, name, ha="center", va="center", fontsize="small")


STEPS: dict[str, Step] = {"one_cycle": one_cycle}
