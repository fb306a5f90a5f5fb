"""The limits of a plan: what may be measured, its unit, and how far it may be off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = (
    "CASE_LIMITS", "CASE_TEXTS", "CURRENT_MEASURES", "EVERY_TEXT", "FLOOR_UA", "TEXTS", "TIMING_MEASURES",
    "Limits",
)  # fmt: skip

FLOOR_UA = 1000
"""Relative limits are of the programme's amplitude, or of this: a step of the DAC is 2.5 uA."""

Limit = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | Literal[False]
"""The largest deviation either way; `false` leaves it out of the verdict."""


class Limits(BaseModel):
    """How far each measure may be off. The defaults are what this bench promises (docs/figures.md)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    width_ns: Limit = 8.0
    gap_ns: Limit = 8.0
    period_ns: Limit = 8.0
    jitter_ns: Limit = 8.0
    overlap_ns: Limit = 0.0
    missing: Limit = 0.0
    extra: Limit = 0.0
    on_ms: Limit = 1.0
    off_ms: Limit = 100.0
    amplitude_percent: Limit = 1.0
    charge_percent: Limit = 1.0
    imbalance_percent: Limit = 1.0
    balance_percent: Limit = 0.25
    net_dc_na: Limit = 25.0
    ramp_percent: Limit = 1.0
    rise_ns: Limit = 5000.0
    overshoot_percent: Limit = 5.0
    energy_mj: Limit = False

    def of(self, name: str) -> float | None:
        """The limit called `name`; None if it was left out."""
        value = getattr(self, name)
        return None if value is False else float(value)

    def without(self, names: tuple[str, ...]) -> Limits:
        """The same with some left out."""
        return self.model_copy(update=dict.fromkeys(names, False))


@dataclass(frozen=True)
class Text:
    """How a measure is called in reports."""

    unit: str
    what: str


TEXTS = {
    "width_ns": Text("ns", "width of each phase, error against the programme"),
    "gap_ns": Text("ns", "interphase gap, error against the programme"),
    "period_ns": Text("ns", "period inside a contraction, error against the programme"),
    "jitter_ns": Text("ns", "standard deviation of the period's errors"),
    "overlap_ns": Text("ns", "left and right lead, and both phases of a lead, on together"),
    "missing": Text("", "pulses that are not there"),
    "extra": Text("", "pulses, phases or currents that do not belong there"),
    "on_ms": Text("ms", "first to last pulse of a contraction, error against the programme"),
    "off_ms": Text("ms", "last pulse to the next contraction, error against the programme"),
    "amplitude_percent": Text("%", "mean magnitude of a phase in the hold, error; of the programme or 1 mA"),
    "charge_percent": Text("%", "charge of each phase in the hold, error; of the programme or that at 1 mA"),
    "imbalance_percent": Text("%", "net charge of a pulse in the hold, of a phase's by programme or at 1 mA"),
    "balance_percent": Text("%", "mean net charge of a contraction's pulses in the hold, likewise"),
    "net_dc_na": Text("nA", "net charge of whole cycles over their time"),
    "ramp_percent": Text("%", "amplitude in the ramps, distance from a straight line; as above"),
    "rise_ns": Text("ns", "rise of the cathodic phase, from 10 % to 90 %"),
    "overshoot_percent": Text("%", "current beyond the mean of its phase"),
}
"""Every measure, in the order of reports."""

TIMING_MEASURES = (
    "width_ns", "gap_ns", "period_ns", "jitter_ns", "overlap_ns", "missing", "extra", "on_ms", "off_ms",
)  # fmt: skip
"""What the switches, or the current, tell."""

CURRENT_MEASURES = tuple(name for name in TEXTS if name not in TIMING_MEASURES)
"""What only a current tells."""

CASE_TEXTS = {
    "energy_mj": Text("mJ", "energy of a pulse in the load's resistance, both phases"),
    "off_after_ms": Text("ms", "from the fault to the last driven current of either lead"),
    "stray_percent": Text("%", "current through a broken wire, of the programme's"),
    "impedance_percent": Text("%", "ohm of every intact pair, error against the load"),
    "impedance_kinds": Text("", "pairs that are called otherwise than they are"),
    "wrong_state": Text("", "1 if it says of itself that it pulses and should not, or the reverse"),
}
"""What only a case tells, by its load, its fault or its measurement of impedance: no capture alone does."""

CASE_LIMITS = {"stray_percent": 1.0, "impedance_percent": 2.0, "impedance_kinds": 0.0, "wrong_state": 0.0}
"""The fixed ones. That of the impedance is what docs/figures.md promises from 500 ohm to 5 kohm."""

EVERY_TEXT = TEXTS | CASE_TEXTS
"""Every measure of a case."""
