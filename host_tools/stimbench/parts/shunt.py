"""The shunt of one lead, and what its current amplifier can see of it (INA821; docs/circuit.md, "Sense").

The shunt is on the source rail's side. In a cathodic phase that side is on ground. In an anodic one it is as
high as lead and blocking capacitor are, and the amplifier's inputs work up to 2 V below their supply (TI
SBOS893, 6.3): above 13 V it shows nothing of a current that flows.
"""

from __future__ import annotations

__all__ = ("GROUND_OHM", "SHUNT_OHM", "seen_amps")

GROUND_OHM, SHUNT_OHM = 25.0, 15.0
"""One DG412 from the lead's other side to ground, and the shunt."""
_INPUTS_BELOW_V = 2.0


def seen_amps(amps: float, lead_v: float, supply_v: float) -> float:
    """What the amplifier makes of an anodic current.

    Args:
        amps: in the shunt, positive.
        lead_v: across lead and blocking capacitor, V.
        supply_v: the amplifier's positive supply, V.
    """
    low_v = lead_v + amps * GROUND_OHM
    most_v = supply_v - _INPUTS_BELOW_V
    return amps if low_v + amps * SHUNT_OHM <= most_v else max(0.0, most_v - low_v) / SHUNT_OHM
