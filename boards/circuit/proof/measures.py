"""What is read off one pulse: settling, overshoot, charge above and missing, balance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuit.proof.pulse import Waves

SETTLED_SHARE = 0.01
"""Within this of the final current it has settled."""
TAIL_US = 10.0
"""After a line's falling edge the current still flows for about 0.1 us; this is far behind it."""
START_US = 10.0
"""Overshoot is looked for this long from a phase's first edge."""


@dataclass(frozen=True)
class Phase:
    """One phase, measured from the edges of the Pico's line.

    Attributes:
        settled_ua: the current 5 % before the phase's end.
        settling_us: from the edge of the line until it stays within 1 %.
        overshoot_share: the largest current above the settled one, over the settled one.
        above_nc: charge above the settled current within START_US.
        missing_share: charge short of settled current x width, over that product.
        charge_nc: what the phase moved through the load.
    """

    settled_ua: float
    settling_us: float
    overshoot_share: float
    above_nc: float
    missing_share: float
    charge_nc: float


def phase(waves: Waves, name: str) -> Phase:
    """Measures the CATH or ANOD phase."""
    rise, fall = waves.case.edges_us()[name]
    width = fall - rise
    sign = -1.0 if name == "CATH" else 1.0
    settled = sign * float(np.interp((fall - 0.05 * width) * 1e-6, waves.time_s, waves.lead_a))
    times, amps = waves.between(rise - 1.0, fall)
    amps = sign * amps
    outside = times[np.abs(amps - settled) > SETTLED_SHARE * abs(settled)]
    settling = float(outside.max()) * 1e6 - rise if len(outside) else 0.0
    early_t, early_i = waves.between(rise - 1.0, rise + min(START_US, width))
    above = np.clip(sign * early_i - settled, 0.0, None)
    all_t, all_i = waves.between(rise - 1.0, fall + TAIL_US)
    charge = float(
        np.trapezoid(np.clip(sign * all_i, 0.0, None), all_t)
    )  # without a gap the next phase follows
    asked = settled * width * 1e-6
    return Phase(
        settled_ua=settled * 1e6,
        settling_us=settling,
        overshoot_share=float(above.max()) / settled if settled > 0 else 0.0,
        above_nc=float(np.trapezoid(above, early_t)) * 1e9,
        missing_share=max(0.0, 1.0 - charge / asked) if asked else 0.0,
        charge_nc=charge * 1e9,
    )


def imbalance(waves: Waves) -> float:
    """Net charge of the pulse over the cathodic phase's charge; anodic excess is positive."""
    cathodic, anodic = phase(waves, "CATH"), phase(waves, "ANOD")
    return (anodic.charge_nc - cathodic.charge_nc) / cathodic.charge_nc
