"""Pictures of what SPICE says: the start of a phase, a whole pulse, Q's fall."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from circuit.drawings.style import COLOURS, canvas, save
from circuit.proof import pulse
from circuit.proof.pulse import Case, Waves
from circuit.snapshot import Snapshot


def _sampled(
    waves: Waves, start_us: float, end_us: float, points: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    times = np.linspace(start_us, end_us, points)
    return times, np.interp(times * 1e-6, waves.time_s, waves.lead_a)


def start_of_a_phase(board: Snapshot, path: Path) -> None:
    """The first 8 us of the cathodic phase: by amplitude into 500 ohm, and by load."""
    figure, (left, right) = canvas(2, "Start of a phase: current over its setting, time from the Pico's edge")
    sets = (
        (
            left,
            [(Case(ua, 500.0), f"{ua / 1000:g} mA") for ua in (100.0, 1000.0, 4000.0, 10_000.0)],
            "500 ohm",
        ),
        (
            right,
            [(Case(1000.0, ohm), f"{ohm:g} ohm") for ohm in (200.0, 1000.0, 2000.0, 5000.0, 10_000.0)],
            "1 mA",
        ),
    )
    for axes, cases, title in sets:
        for (case, label), colour in zip(cases, COLOURS, strict=False):
            waves = pulse.run(board, case)
            times, amps = _sampled(waves, pulse.LEAD_IN_US - 0.5, pulse.LEAD_IN_US + 8.0)
            axes.plot(times - pulse.LEAD_IN_US, -amps / (case.amplitude_ua * 1e-6), color=colour, label=label)
        axes.set(xlabel="us", ylim=(-0.05, 1.1), title=title)
        axes.axhspan(0.99, 1.01, color="#dde3e8", zorder=0)
        axes.legend(frameon=False, loc="lower right", fontsize=8)
    save(figure, path)


def whole_pulse(board: Snapshot, path: Path) -> None:
    """4 mA, 214 us, 50 us gap: current, voltage of the pump's output, what the converter sees."""
    case = Case()
    waves = pulse.run(board, case, nets=("L_P", "V_LEFT", "L_I_OUT"))
    figure, axes = canvas(3, "4 mA into 500 ohm and 2.5 uF: one pulse")
    times = np.linspace(0.0, case.end_us(), 900)
    at = times * 1e-6
    axes[0].plot(times, np.interp(at, waves.time_s, waves.lead_a) * 1e3, color=COLOURS[0])
    axes[0].set(xlabel="us", ylabel="mA", title="lead current")
    axes[1].plot(times, np.interp(at, waves.time_s, waves.volts["L_P"]), color=COLOURS[1])
    axes[1].set(xlabel="us", ylabel="V", title="pump output L_P")
    for net, colour, name in (("V_LEFT", COLOURS[0], "V_LEFT"), ("L_I_OUT", COLOURS[2], "I_SENSE")):
        axes[2].plot(times, np.interp(at, waves.time_s, waves.volts[net]), color=colour, label=name)
    axes[2].set(xlabel="us", ylabel="V", title="at the converter")
    axes[2].legend(frameon=False, fontsize=8)
    save(figure, path)


def end_by_q(board: Snapshot, path: Path) -> None:
    """Q falls within a phase of 10 mA."""
    case = Case(10_000.0, width_us=200.0, q_falls_us=100.0, after_us=20.0)
    waves = pulse.run(board, case)
    figure, (axes,) = canvas(1, "Q falls at 0: the lines end 10 mA")
    fall = pulse.LEAD_IN_US + 100.0
    times, amps = _sampled(waves, fall - 1.0, fall + 2.0, 600)
    axes.plot(times - fall, -amps * 1e3, color=COLOURS[0])
    axes.set(xlabel="us", ylabel="mA")
    save(figure, path)


def write_all(board: Snapshot, folder: Path) -> None:
    """Every wave picture."""
    start_of_a_phase(board, folder / "wave-start.svg")
    whole_pulse(board, folder / "wave-pulse.svg")
    end_by_q(board, folder / "wave-q.svg")
