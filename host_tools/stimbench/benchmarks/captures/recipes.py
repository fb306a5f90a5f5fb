"""The synthetic captures of the figures, and the programme that they are held against."""

from __future__ import annotations

from stimfw.therapy.program import Program, default
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.synthetic import Recipe
from stimbench.checks.limits import Limits

__all__ = ("AMPLITUDE_UA", "LIMITS", "PROGRAM", "session_recipe")

AMPLITUDE_UA = 4000
_RAMP_MS, _ON_MS = 2000, 56_000
_BETWEEN_MS = 31
"""What the board needs from one contraction to the next when there is no rest."""

PROGRAM: Program = default().replaced(
    {"ramp_up_ms": _RAMP_MS, "ramp_down_ms": _RAMP_MS, "on_ms": _ON_MS, "off_ms": 0}
    | {f"{lead}.amplitude_ua": AMPLITUDE_UA for lead in LEADS}
)

LIMITS = Limits(
    width_ns=300, gap_ns=300, period_ns=1000, jitter_ns=300, amplitude_percent=2, charge_percent=2,
    imbalance_percent=2.5, balance_percent=0.25, ramp_percent=2, rise_ns=False, overshoot_percent=False,
    net_dc_na=False,
)  # fmt: skip
"""What an analyser of 10 MS/s with a current at 100 kS/s and 40 dB can tell."""


def session_recipe(seconds: float, seed: int, **changes: float) -> Recipe:
    """A bilateral session at 20 Hz with hardly a rest: as many pulses as fit."""
    base = {
        "seconds": seconds, "seed": seed, "ramp_ms": _RAMP_MS, "on_ms": _ON_MS, "off_ms": _BETWEEN_MS,
        "amplitude_ua": (AMPLITUDE_UA, AMPLITUDE_UA), "digital_hz": 10_000_000, "analog_hz": 100_000,
        "noise_db": 40.0, "jitter_ns": 20.0, "drift_ppm": 2.0,
    }  # fmt: skip
    return Recipe(**(base | changes))  # type: ignore[arg-type]
