"""What the watch finds: number, name, side, threshold, pulses, action, and what it means for the person.

The one table of code, reports and docs/watch.md. `pulses` is how many bad pulses of a lead in a row it takes,
0 for what is looked at between contractions. The last column says what stands to be done: the remote shows
it. Each row is a literal, so that MicroPython's compiler puts the table into flash.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Row = tuple[int, str, str, str, int, int, str]

# Actions.
WARN = 0
RAMP_DOWN_LEAD = 1
STOP_ALL = 2
PAUSE = 3
ACTION_NAMES = ("warn", "ramp down this lead", "stop all", "pause")

# Faults. Numbers are in journals and reports for good: append only.
NONE = 0
OPEN = 1
SHORT = 2
INTERMITTENT = 3
COMPLIANCE = 4
OVER = 5
LOSS = 6
IMBALANCE = 7
DIRECT = 8
DRIFT = 9
SUPPLY = 10
TEMPERATURE = 11
DAC = 12
SWITCH = 13
PUMP = 14
ADC = 15
REFERENCE = 16
INTERFERENCE = 17
AMPLIFIER = 18
TIMING = 19

# Columns.
NUMBER = 0
NAME = 1
SIDE = 2
THRESHOLD = 3
PULSES = 4
ACTION = 5
MEANING = 6

LEAD = "a lead"
DEVICE = "the device"
BOTH = 2
"""The lead of a fault that is the device's."""

TABLE: "tuple[Row, ...]" = (
    (0, "none", "the device", "", 0, 0, ""),
    (1, "open lead", "a lead", "voltage at 10.2 V or more, current below 30 % of what is set",
     2, 1, "call the clinic"),
    (2, "short", "a lead", "access resistance below 60 ohm (and 70 mV)", 2, 1, "call the clinic"),
    (3, "intermittent contact", "a lead", "open within a pulse, or again after pulses that were whole",
     1, 1, "call the clinic"),
    (4, "compliance limit", "a lead", "voltage at 10.2 V or more, current from 30 % to 96 % less 97 uA",
     2, 1, "call the clinic"),
    (5, "over-stimulation", "a lead", "a sample of current above 106.25 % and 107 uA", 1, 2,
     "stop and see a doctor"),
    (6, "loss of stimulation", "a lead", "current below 96 % less 97 uA, voltage below 10.2 V", 2, 1,
     "call the clinic"),
    (7, "charge imbalance", "a lead",
     "phases differ by 3 % and 134 uA; mean of 32 pulses: 1.5 % and 64 uA",
     1, 2, "stop and see a doctor"),
    (8, "direct current", "a lead", "more than 75 uA with the bridge off", 1, 2, "stop and see a doctor"),
    (9, "impedance drift", "a lead",
     "access resistance 15 % (and 105 mV) from this session's first; 30 % from history",
     2, 0, "call the clinic"),
    (10, "supply low", "the device", "below 3300 mV in a rest", 0, 2, "call the clinic"),
    (11, "temperature", "the device", "above 50.0 degrees in a rest", 0, 2, "stop and see a doctor"),
    (12, "DAC stuck", "the device", "diagnosis: test current does not follow its code, or none on both leads",
     0, 2, "call the clinic"),
    (13, "switch stuck", "the device",
     "diagnosis: no current through closed switches, or one through open ones",
     0, 2, "call the clinic"),
    (14, "pump failed", "the device", "diagnosis: one lead's test current is none, or 5 % off", 0, 2,
     "call the clinic"),
    (15, "ADC stuck", "the device", "all samples of a pulse are one code", 2, 2, "call the clinic"),
    (16, "reference wrong", "the device",
     "both at rest off alike by 0.7 %; or both leads' test current by 4 %",
     1, 2, "call the clinic"),
    (17, "interference", "the device", "more than 193 mV with the bridge off, or not steady", 1, 3,
     "try again later, at another place"),
    (18, "amplifier wrong", "the device", "an offset of 75 uA or 113 mV that stays when no current has a way",
     1, 2, "call the clinic"),
    (19, "no measurements", "the device", "three periods without samples", 3, 2, "call the clinic"),
)  # fmt: skip


def row_of(fault: int) -> "Row":
    """The row of a fault; that of "none" if this firmware does not know it."""
    return TABLE[fault] if 0 <= fault < len(TABLE) else TABLE[0]


def action_of(fault: int) -> int:
    """WARN, RAMP_DOWN_LEAD, STOP_ALL or PAUSE."""
    return row_of(fault)[5]


def latches(fault: int) -> bool:
    """Whether it outlives the session: no other one starts until a clinician has cleared it.

    Warnings do not, interference does not, and neither does a low supply, which the battery's own rule sees.
    """
    return action_of(fault) in (RAMP_DOWN_LEAD, STOP_ALL) and fault != SUPPLY
