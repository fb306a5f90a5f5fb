"""The shunt of one lead, and what its current amplifier can see of it (INA821; docs/circuit.md, "Sense").

The shunt is on the source rail's side. In a cathodic phase that side is on ground. In an anodic one it is as
high as lead and blocking capacitor are, and the amplifier's inputs work up to 2 V below their supply (TI
SBOS893, 6.3): above 13 V it shows nothing of a current that flows.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("Leak", "seen_amps")

_GROUND_OHM, _SHUNT_OHM = 25.0, 15.0
"""One DG412 from the lead's other side to ground, and the shunt."""
_INPUTS_BELOW_V = 2.0


def seen_amps(amps: float, lead_v: float, supply_v: float) -> float:
    """What the amplifier makes of an anodic current.

    Args:
        amps: in the shunt, positive.
        lead_v: across lead and blocking capacitor, V.
        supply_v: the amplifier's positive supply, V.
    """
    low_v = lead_v + amps * _GROUND_OHM
    most_v = supply_v - _INPUTS_BELOW_V
    return amps if low_v + amps * _SHUNT_OHM <= most_v else max(0.0, most_v - low_v) / _SHUNT_OHM


@dataclass(frozen=True)
class Leak:
    """A bridge switch that leaks from a supply to the shunt's bridge side.

    It adds to an anodic phase. In a cathodic one that side is on ground, and between phases the lead floats,
    so a leak has no way.

    Attributes:
        ohm: of the leak.
        supply_v: +15 or -15 V.
    """

    ohm: float
    supply_v: float

    def amps(self, lead_v: float, amps: float) -> float:
        """What it adds at the begin of an anodic phase, A; later it changes with the lead's slope, by little.

        Args:
            lead_v: across lead and blocking capacitor, V.
            amps: of the pump.
        """
        return (self.supply_v - lead_v - amps * (_GROUND_OHM + _SHUNT_OHM)) / self.ohm
