"""How far pulses are from their programme in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.pulses import Pulses, split_contractions

__all__ = ("Errors", "Spread", "Timing", "spread_of", "timing_errors")

Errors = NDArray[np.int64]
"""Shape (n,): measured minus wanted, in ns."""


@dataclass(frozen=True)
class Spread:
    """Statistics of errors, in their unit."""

    count: int
    minimum: float
    maximum: float
    mean: float

    @property
    def worst(self) -> float:
        """The largest magnitude; infinite if nothing was measured, so that no limit passes by absence."""
        return max(abs(self.minimum), abs(self.maximum)) if self.count else float("inf")


@dataclass(frozen=True)
class Timing:
    """Errors against the programme, ns, one a phase, gap or period."""

    width: Errors
    gap: Errors
    period: Errors


def spread_of(errors: NDArray[np.int64] | NDArray[np.float64]) -> Spread:
    """Count, minimum, maximum and mean of errors; all 0 if there are none."""
    if not len(errors):
        return Spread(0, 0.0, 0.0, 0.0)
    return Spread(len(errors), float(errors.min()), float(errors.max()), float(errors.mean()))


def timing_errors(pulses: Pulses, width_ns: int, gap_ns: int, period_ns: int, rest_ns: int) -> Timing:
    """Compare every pulse with the programme.

    Args:
        pulses: shape (n,), dtype PULSE. An incomplete one counts as an anodic phase of no duration.
        width_ns: of each phase.
        gap_ns: between the phases.
        period_ns: start to start inside a contraction.
        rest_ns: what is at least this far apart belongs to different contractions; choose it well above
            the period, so that a missing pulse shows as an error and not as a rest.

    Raises:
        ValueError: `rest_ns` is not above the period.
    """
    if rest_ns <= period_ns:
        raise ValueError(f"a rest of {rest_ns} ns cannot be told from a period of {period_ns} ns")
    contractions = split_contractions(pulses, rest_ns)
    periods = [each["period_ns"][1:] for each in contractions]
    complete = pulses[pulses["complete"]]
    return Timing(
        width=np.concatenate([pulses["cathodic_ns"], pulses["anodic_ns"]]) - width_ns,
        gap=complete["gap_ns"] - gap_ns,
        period=np.concatenate([np.empty(0, dtype=np.int64), *periods]) - period_ns,
    )
