"""Ranges of right readings: a part's tolerance and the meter's own error, added in the worst way.

The meter that is asked for is a handheld of 4000 counts: 0.5 % + 2 digits in V DC (10 Mohm), 0.8 % + 2 digits
in ohm, which cheap ones reach. A better one only makes the verdicts safer.
"""

from __future__ import annotations

import math

from stimbench.bringup.model import Range

__all__ = (
    "LEADS_OHM",
    "METER_COUNTS",
    "METER_OHM_SHARE",
    "METER_V_SHARE",
    "OPEN_OHM",
    "digit",
    "ohms",
    "ohms_at_least",
    "ohms_between",
    "volts",
    "volts_at_least",
    "volts_between",
)

METER_V_SHARE = 0.005
METER_OHM_SHARE = 0.008
METER_COUNTS = 4000
_DIGITS = 2
LEADS_OHM = 0.5
"""Of both probe leads and their contacts, at most."""
OPEN_OHM = 1e6
"""From here on a contact counts as open; bleeds of 10 and 100 Mohm remain."""


def digit(value: float) -> float:
    """The last digit of the meter in the range that a value is read in: 0.4, 4, 40 ... of 4000 counts."""
    full = 0.4
    while full < abs(value):
        full *= 10.0
    return full / METER_COUNTS


def volts(nominal: float, share: float = 0.0, absolute_v: float = 0.0) -> Range:
    """A voltage that may be off by a share and by so many volts."""
    off = abs(nominal) * share + absolute_v
    return volts_between(nominal - off, nominal + off)


def volts_between(low: float, high: float) -> Range:
    """What the meter may show of a voltage in this range, in V."""
    return (low - _v_error(low), high + _v_error(high))


def volts_at_least(low: float, high: float = 5.25) -> Range:
    """The same, up to USB's highest supply by default: a logic output that is high."""
    return volts_between(low, high)


def ohms(nominal: float, share: float = 0.0, absolute_ohm: float = 0.0) -> Range:
    """A resistance that may be off by a share, and be higher by so many ohm."""
    return ohms_between(nominal * (1.0 - share), nominal * (1.0 + share) + absolute_ohm)


def ohms_between(low: float, high: float) -> Range:
    """What the meter may show of a resistance in this range, its leads included."""
    return (max(0.0, low - _ohm_error(low)), high + _ohm_error(high) + LEADS_OHM)


def ohms_at_least(low: float) -> Range:
    """This resistance or more, OL included."""
    return (low - _ohm_error(low), math.inf)


def _v_error(value: float) -> float:
    return abs(value) * METER_V_SHARE + _DIGITS * digit(value)


def _ohm_error(value: float) -> float:
    # A meter's lowest range in ohm is 400 ohm.
    return value * METER_OHM_SHARE + _DIGITS * max(digit(value), 400.0 / METER_COUNTS)
