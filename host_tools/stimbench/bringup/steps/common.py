"""What the steps share: levels of logic, the test resistor, and readings that several blocks take."""

from __future__ import annotations

from stimbench.bringup.model import Range, Reading, Setup
from stimbench.bringup.ranges import volts_between

__all__ = (
    "ANY_HIGH",
    "COIL",
    "HIGH",
    "HIGHEST_5V",
    "HIGH_3V3",
    "LEADS",
    "LOW",
    "LOWEST_5V",
    "NOTHING",
    "R_TEST_OHM",
    "R_TEST_SHARE",
    "WHY_3V3",
    "bridge_of",
    "logic",
    "of_lead",
)

LEADS = (("L", "left", 0), ("R", "right", 1))
"""Letter in the nets' names, word, index of the channel."""

R_TEST_OHM, R_TEST_SHARE = 500.0, 0.01
"""The test resistor: 500 ohm, 1 %, 0.25 W."""

LOWEST_5V, HIGHEST_5V = 4.5, 5.25
"""+5V: U_DCDC takes 4.5 V or more; USB 2.0 gives 5.25 V at most (7.2.2)."""
HIGH = volts_between(LOWEST_5V - 0.1, HIGHEST_5V)
WHY_HIGH = "within 0.1 V of +5V at 20 uA (74HC/HCT data sheets, V_OH); +5V is 4.5 to 5.25 V"
LOW = volts_between(0.0, 0.1)
WHY_LOW = "0.1 V or less at 20 uA (74HC/HCT data sheets, V_OL)"
HIGH_3V3 = volts_between(3.135, 3.465)
WHY_3V3 = "3.3 V within 5 % (the Pico's regulator)"
COIL: Range = volts_between(LOWEST_5V - 0.25, HIGHEST_5V)
ANY_HIGH: Range = (1.0, HIGHEST_5V + 0.1)
"""Clearly not low: what a cause asks for, whose error is not known to a tenth of a volt."""
NOTHING: Range = (-0.2, 0.2)
"""No voltage to speak of."""


def logic(key: str, net: str, pin: str, high: bool, setup: Setup, note: str = "") -> Reading:
    """A logic output that has to be high or low."""
    return Reading(
        key, net, pin, HIGH if high else LOW, WHY_HIGH if high else WHY_LOW, setup=setup, note=note
    )


def of_lead(index: int, value: int, other: int = 0) -> tuple[int, int]:
    """Left and right, `value` being that of lead `index`."""
    return (value, other) if index == 0 else (other, value)


def bridge_of(index: int, state: str) -> tuple[str, str]:
    """The bridges' states, that of lead `index` being `state` and the other's off."""
    return (state, "off") if index == 0 else ("off", state)
