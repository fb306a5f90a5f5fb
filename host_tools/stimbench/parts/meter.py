"""A handheld multimeter on direct voltage, and the resistor that it lies across.

Both are drawn from a seed, within what is promised of them: a meter of 6000 counts with 0.05 % of the reading
and one count (0.1 % and one count below 0.6 V), as makers state it of good handhelds; a resistor of 0.1 %.
Each range of the meter has its own gain and zero, that stay. Left out: what it does within its first second,
temperature, its 10 Mohm.
"""

from __future__ import annotations

from .seeds import spread

__all__ = ("COUNTS", "RESISTOR_SHARE", "Meter", "resistor_ohm")

COUNTS = 6000
RESISTOR_SHARE = 0.001
_RANGES_V = (0.6, 6.0, 60.0)
_SHARES = {0.6: 0.001, 6.0: 0.0005, 60.0: 0.0005}
_OFF_COUNTS = 1.0


class Meter:
    """One meter. The same seed is the same meter."""

    def __init__(self, seed: int, name: str = "meter") -> None:
        rng = spread(seed, name)
        self._gain = {each: 1.0 + share * rng.uniform(-1.0, 1.0) for each, share in _SHARES.items()}
        self._zero = {each: rng.uniform(-_OFF_COUNTS, _OFF_COUNTS) for each in _RANGES_V}

    def read(self, volts: float) -> float:
        """What it shows for a voltage, V: in its lowest range that holds it, to a whole count.

        Raises:
            ValueError: more than 60 V.
        """
        for full_v in _RANGES_V:
            count_v = full_v / COUNTS
            shown = round(volts * self._gain[full_v] / count_v + self._zero[full_v])
            if abs(shown) < COUNTS:
                return shown * count_v
        raise ValueError(f"{volts} V are beyond the meter's ranges")


def resistor_ohm(seed: int, nominal_ohm: float, share: float = RESISTOR_SHARE) -> float:
    """What a resistor of that tolerance really has, ohm."""
    return nominal_ohm * (1.0 + share * spread(seed, "calibration resistor").uniform(-1.0, 1.0))
