"""What is measured in the current of each pulse: amplitude, charge, rise, overshoot.

One record a pulse, from straight pieces that are exact (`of_pieces`), or from samples (`of_samples`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.current import Current
from stimbench.analysis.pulses import Pulses
from stimbench.capture.channels import Floats, Segments, Times

__all__ = ("SHAPE", "Bounds", "Shapes", "bounds_of", "measured_rise", "of_pieces", "relative_overshoot")

SHAPE = np.dtype(
    [
        ("cathodic_ua", np.float64),
        ("anodic_ua", np.float64),
        ("cathodic_nc", np.float64),
        ("anodic_nc", np.float64),
        ("net_nc", np.float64),
        ("rise_ns", np.float64),
        ("overshoot_percent", np.float64),
    ]
)
"""One pulse's current. NaN is what could not be measured.

- `cathodic_ua`, `anodic_ua`: mean magnitude in the phase;
- `cathodic_nc`, `anodic_nc`: magnitude of the phase's charge;
- `net_nc`: charge from the start of the pulse to the end of its anodic phase, cathodic negative;
- `rise_ns`: of the cathodic phase, from 10 % to 90 % of its mean (IEC 60469: transition duration);
- `overshoot_percent`: how far the current goes beyond that mean, as a share of it, the larger of both phases.
"""
_EDGE_NS = 10_000
_EDGE_STEPS = 200


@dataclass(frozen=True)
class Shapes:
    """The currents of one lead's pulses.

    Attributes:
        pulses: shape (n,), dtype SHAPE.
        noise_ua: standard deviation of a single value, 0 if the current is exact.
        offset_ua: what the instrument showed between pulses; it was taken off.
        step_ns: from one value to the next, 0 if the current is exact.
        unexplained_ns: when a current began to flow that no switch explains, shape (k,).
        net_charge_nc: through the lead from the begin to the end of the capture.
    """

    pulses: NDArray[Any]
    noise_ua: float
    offset_ua: float
    step_ns: float
    unexplained_ns: Times
    net_charge_nc: float


@dataclass(frozen=True)
class Bounds:
    """Where the phases of each pulse begin and end, in ns, shape (n,)."""

    start: Times
    cathodic_end: Times
    anodic_start: Times
    anodic_end: Times


def bounds_of(pulses: Pulses) -> Bounds:
    """The bounds of the phases; without an anodic phase its begin and end are the end of the cathodic one."""
    cathodic_end = pulses["start_ns"] + pulses["cathodic_ns"]
    anodic_start = cathodic_end + np.maximum(pulses["gap_ns"], 0)
    return Bounds(pulses["start_ns"], cathodic_end, anodic_start, anodic_start + pulses["anodic_ns"])


def of_pieces(segments: Segments, pulses: Pulses, start_ns: int, end_ns: int) -> Shapes:
    """From a current that is known piece by piece: charges are exact.

    Args:
        segments: the current of the lead.
        pulses: shape (n,), dtype PULSE.
        start_ns: where the capture begins.
        end_ns: where it ends.
    """
    current, bounds = Current(segments), bounds_of(pulses)
    found = np.full(len(pulses), np.nan, dtype=SHAPE)
    found["cathodic_ua"] = current.cathodic_ua(pulses)
    found["anodic_ua"] = current.anodic_ua(pulses)
    found["cathodic_nc"] = -current.charge_nc(bounds.start, bounds.cathodic_end)
    found["anodic_nc"] = current.charge_nc(bounds.anodic_start, bounds.anodic_end)
    found["net_nc"] = current.charge_nc(bounds.start, bounds.anodic_end)
    if len(pulses):
        # The first 10 us of a phase, or all of it, in 200 steps: the pump settles in less than 4 us.
        since = np.linspace(0, 1, _EDGE_STEPS + 1)
        span = np.minimum(np.maximum(pulses["cathodic_ns"], 1), _EDGE_NS)[:, None] * since
        rising = -current.at(bounds.start[:, None] + span)
        found["rise_ns"] = measured_rise(rising, span, found["cathodic_ua"])
        span = np.minimum(np.maximum(pulses["anodic_ns"], 1), _EDGE_NS)[:, None] * since[:-1]
        falling = current.at(bounds.anodic_start[:, None] + span)
        found["overshoot_percent"] = np.fmax(
            relative_overshoot(rising[:, :-1], found["cathodic_ua"]),
            np.where(pulses["complete"], relative_overshoot(falling, found["anodic_ua"]), 0.0),
        )
    charge = float(current.charge_nc(np.int64(start_ns), np.int64(end_ns)))
    return Shapes(found, 0.0, 0.0, 0.0, _unexplained(segments, bounds, found["cathodic_ua"]), charge)


def _unexplained(segments: Segments, bounds: Bounds, amplitude_ua: Floats) -> Times:
    """When a current of half the usual amplitude or more begins outside of all pulses."""
    if not len(amplitude_ua):
        return np.empty(0, np.int64)
    most = np.maximum(np.abs(segments.i0_ua), np.abs(segments.i1_ua))
    begins = segments.t0_ns[most > np.median(amplitude_ua) / 2]
    slot = np.searchsorted(bounds.start, begins, side="right") - 1
    return begins[(slot < 0) | (begins >= bounds.anodic_end[np.maximum(slot, 0)])]


def measured_rise(values: Floats, times_ns: Floats, level: Floats) -> Floats:
    """From 10 % to 90 % of `level`, in ns; 0 for a step, NaN for what never comes to 90 %.

    Args:
        values: of each pulse around its edge, shape (n, k), rising to positive ones.
        times_ns: of the values, shape (n, k).
        level: of each pulse, shape (n,).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        crossings = [_first_crossing(values, times_ns, level * share) for share in (0.1, 0.9)]
        return np.where(level > 0, crossings[1] - crossings[0], np.nan)


def _first_crossing(values: Floats, times_ns: Floats, threshold: Floats) -> Floats:
    """When each row first comes to its threshold, by a straight line between two values."""
    above = values >= threshold[:, None]
    index, rows = np.argmax(above, axis=1), np.arange(len(values))
    before = np.maximum(index - 1, 0)
    low, high = values[rows, before], values[rows, index]
    share = np.where(high > low, (threshold - low) / np.where(high > low, high - low, 1), 1.0)
    share = np.where(index > 0, share, 1.0)
    found = times_ns[rows, before] + (times_ns[rows, index] - times_ns[rows, before]) * share
    return np.where(above.any(axis=1), found, np.nan)


def relative_overshoot(values: Floats, level: Floats) -> Floats:
    """How far the values (shape (n, k), positive) go beyond the level (shape (n,)), in percent of it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        highest = values.max(axis=1, initial=-np.inf)
        beyond = (highest - level) / level * 100
        return np.where(level > 0, np.maximum(beyond, 0.0), np.nan)
