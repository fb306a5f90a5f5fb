"""The clinician's prescription: what an implanted stimulator does, how often, and from when on.

A cycle is ramp up, hold (`on_ms`), ramp down, rest (`off_ms`); cycles repeat until `session_s` is over.
Each lead has its own pulse, and the amplitudes between which the patient may choose. The limits that no
prescription can pass are in stimfw.therapy.limits, and what it must fulfil on a given board in
stimfw.therapy.rules.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import requests
from stimfw.therapy import ranges
from stimfw.therapy.program import period_us
from stimfw.therapy.ranges import LEADS, ParameterError, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    Failure = tuple[int, int, int, int]

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


class _Activation(Range):
    def text(self) -> str:
        """The range in words."""
        return "0 (when the healing time is over), or %d to %d s since 1970" % (self.low, self.high)


GAP_US = Range("gap_us", 3, 500, "us", or_off=True)
"""A gap of 1 or 2 us is shorter than what the bridge's switches and the sampler between the phases take."""
SESSIONS_A_DAY = Range("sessions_a_day", 1, 10)
BETWEEN_S = Range("between_s", 0, 86_400, "s")
ACTIVATION_S = _Activation("activation_s", 1_000_000_000, 4_102_444_800, "s", or_off=True)
LEAST_UA = Range("least_ua", 0, 10_000, "uA", 25)
MOST_UA = Range("most_ua", 0, 10_000, "uA", 25)

# The wire's order. A refused field travels as its index in FIELD_NAMES: append only.
SHARED = (
    ranges.RATE_HZ,
    ranges.RAMP_UP_MS,
    ranges.RAMP_DOWN_MS,
    ranges.ON_MS,
    ranges.OFF_MS,
    ranges.SESSION_S,
    SESSIONS_A_DAY,
    BETWEEN_S,
    ACTIVATION_S,
    ranges.CONTACT_S,
)
PER_LEAD = (
    ranges.CATHODE,
    ranges.ANODE,
    ranges.AMPLITUDE_UA,
    ranges.WIDTH_US,
    GAP_US,
    LEAST_UA,
    MOST_UA,
)
FIELD_NAMES = tuple([r.name for r in SHARED] + [lead + "." + r.name for lead in LEADS for r in PER_LEAD])
PACKED_BYTES = struct.calcsize(requests.PRESCRIPTION)

# Indexes into the values: of what both leads share, and of each lead's from FIRST_OF_LEAD + lead x
# LEAD_FIELDS on.
RATE = const(0)
RAMP_UP = const(1)
RAMP_DOWN = const(2)
ON = const(3)
OFF = const(4)
SESSION = const(5)
SESSIONS = const(6)
BETWEEN = const(7)
ACTIVATION = const(8)
CONTACT = const(9)
FIRST_OF_LEAD = const(10)
LEAD_FIELDS = const(7)
_FIRST_OF_RIGHT = const(17)
CATHODE = const(0)
ANODE = const(1)
AMPLITUDE = const(2)
WIDTH = const(3)
GAP = const(4)
LEAST = const(5)
MOST = const(6)

# The rules that a prescription fulfils by itself, whatever board it is for: numbers of stimfw.therapy.rules.
RULE_RANGE = const(1)
RULE_ELECTRODES = const(2)
RULE_PERIOD = const(3)
RULE_WINDOW = const(4)

# 20 Hz and twice a day 30 minutes are stated for the therapy that the bench reproduces; the rest are the
# field's usual values. The amplitudes are zero: somebody has to set one.
_DEFAULTS = (
    20, 2000, 2000, 10_000, 20_000, 1800, 2, 14_400, 0, 0,
    1, 2, 0, 214, 0, 0, 0, 1, 2, 0, 214, 0, 0, 0,
)  # fmt: skip


def range_at(index: int) -> Range:
    """The range of the field at an index of FIELD_NAMES."""
    if index < FIRST_OF_LEAD:
        return SHARED[index]
    return PER_LEAD[(index - FIRST_OF_LEAD) % LEAD_FIELDS]


def range_of(field: str) -> Range:
    """The range of a field of FIELD_NAMES.

    Raises:
        ParameterError: there is no such field.
    """
    if field not in FIELD_NAMES:
        raise ParameterError(field, "unknown", "one of " + ", ".join(FIELD_NAMES))
    return range_at(FIELD_NAMES.index(field))


def lead_index(lead: int, field: int) -> int:
    """Where the values have a lead's field: CATHODE ... MOST of lead 0 or 1."""
    index: int = FIRST_OF_LEAD + lead * LEAD_FIELDS + field
    return index


def problems(values: "Sequence[int]") -> "list[Failure]":
    """What is wrong with values whatever the board: (rule, field index, value, limit) of all that is.

    The limit of a range is the end that is nearer; that of an anode its cathode, which it must differ from.
    Rules about several fields are judged only where all of these are in their ranges.
    """
    found = []
    for index, value in enumerate(values):
        known = range_at(index)
        if not known.holds(value):
            beyond = isinstance(value, int) and value > known.low
            found.append((RULE_RANGE, index, value, known.high if beyond else known.low))
    bad = [index for _, index, _, _ in found]
    slot = 0
    for lead in range(len(LEADS)):
        first = lead_index(lead, 0)
        cathode, anode = values[first + CATHODE], values[first + ANODE]
        if not any_of(bad, first + CATHODE, first + ANODE) and cathode == anode:
            found.append((RULE_ELECTRODES, first + ANODE, anode, cathode))
        if not any_of(bad, first + WIDTH, first + GAP):
            slot = max(slot, ranges.slot_us(values[first + WIDTH], values[first + GAP]))
        if not any_of(bad, first + AMPLITUDE, first + LEAST, first + MOST):
            _window(found, values, first)
    if RATE not in bad and slot > period_us(values[RATE]) // 2:
        found.append((RULE_PERIOD, RATE, values[RATE], 1_000_000 // (2 * slot)))
    return found


def any_of(bad: "list[int]", *indexes: int) -> bool:
    """Whether one of the fields is among the bad ones."""
    for index in indexes:
        if index in bad:
            return True
    return False


def _window(found: "list[Failure]", values: "Sequence[int]", first: int) -> None:
    amplitude, least, most = values[first + AMPLITUDE], values[first + LEAST], values[first + MOST]
    if least == 0 and most == 0:  # closed: the patient chooses nothing
        return
    if least > most:
        found.append((RULE_WINDOW, first + LEAST, least, most))
    elif amplitude < least:
        found.append((RULE_WINDOW, first + AMPLITUDE, amplitude, least))
    elif amplitude > most:
        found.append((RULE_WINDOW, first + AMPLITUDE, amplitude, most))


class Prescription:
    """A whole prescription that is right in itself; it cannot be made otherwise, and never changes.

    Attributes:
        values: in the order of FIELD_NAMES.
        rate_hz, ramp_up_ms, ramp_down_ms, on_ms, off_ms, session_s, sessions_a_day, between_s, activation_s,
            contact_s: of both leads.
        cathode, anode, amplitude_ua, width_us, gap_us, least_ua, most_ua: of (left, right).
        period_us: of the pulses.
    """

    def __init__(self, values: "Sequence[int]") -> None:
        """Check `values` (the order of FIELD_NAMES) and keep them.

        Raises:
            ParameterError: the first field that is out of its range, or does not fit the others.
        """
        if len(values) != len(FIELD_NAMES):
            raise ParameterError(
                "prescription", "%d fields" % len(values), "%d fields" % len(FIELD_NAMES)
            )
        found = problems(values)
        if found:
            raise ParameterError(FIELD_NAMES[found[0][1]], found[0][2], allowed_text(found[0]))
        self._keep(tuple(values))

    def _keep(self, values: "tuple[int, ...]") -> None:
        self.values = values
        (
            self.rate_hz,
            self.ramp_up_ms,
            self.ramp_down_ms,
            self.on_ms,
            self.off_ms,
            self.session_s,
            self.sessions_a_day,
            self.between_s,
            self.activation_s,
            self.contact_s,
            left_cathode, left_anode, left_ua, left_us, left_gap_us, left_least_ua, left_most_ua,
            right_cathode, right_anode, right_ua, right_us, right_gap_us, right_least_ua, right_most_ua,
        ) = values  # fmt: skip
        self.cathode = (left_cathode, right_cathode)
        self.anode = (left_anode, right_anode)
        self.amplitude_ua = (left_ua, right_ua)
        self.width_us = (left_us, right_us)
        self.gap_us = (left_gap_us, right_gap_us)
        self.least_ua = (left_least_ua, right_least_ua)
        self.most_ua = (left_most_ua, right_most_ua)
        self.period_us = period_us(self.rate_hz)

    def allows(self, lead: int, amplitude_ua: int) -> bool:
        """Whether the patient may choose this amplitude: in the window, and a step of the range."""
        if not ranges.AMPLITUDE_UA.holds(amplitude_ua) or not self.most_ua[lead]:
            return False
        return self.least_ua[lead] <= amplitude_ua <= self.most_ua[lead]

    def replaced(self, changes: "dict[str, int]") -> "Prescription":
        """A new prescription with some fields (by FIELD_NAMES) changed.

        Raises:
            ParameterError: a field is unknown, or the result is refused; this one stays as it is.
        """
        values = list(self.values)
        for name, value in changes.items():
            range_of(name)
            values[FIELD_NAMES.index(name)] = value
        return Prescription(values)

    def with_amplitudes(self, left_ua: int, right_ua: int) -> "Prescription":
        """The same but for the amplitudes, which `allows` has passed. Quick: a STOP may wait for it."""
        values = list(self.values)
        values[FIRST_OF_LEAD + AMPLITUDE] = left_ua
        values[_FIRST_OF_RIGHT + AMPLITUDE] = right_ua
        made = object.__new__(Prescription)
        made._keep(tuple(values))
        return made

    def as_dict(self) -> "dict[str, int]":
        """Field name to value, in the order of FIELD_NAMES."""
        return {name: value for name, value in zip(FIELD_NAMES, self.values)}

    def pack(self) -> bytes:
        """The prescription as PACKED_BYTES bytes, little endian."""
        return struct.pack(requests.PRESCRIPTION, *self.values)


def allowed_text(failure: "Failure") -> str:
    """What a failure of `problems` allows, in words."""
    rule, index, value, limit = failure
    if rule == RULE_ELECTRODES:
        return "another electrode than the cathode"
    if rule == RULE_PERIOD:
        return "at most %d Hz with these widths and gaps (two pulses must fit into a period)" % limit
    if rule == RULE_WINDOW:
        side = "most" if value > limit else "least"
        return "at %s %d uA, to be inside the patient's window" % (side, limit)
    return range_at(index).text()


def unpack(body: bytes) -> Prescription:
    """The prescription of PACKED_BYTES bytes.

    Raises:
        ParameterError: the length is wrong or a value is refused.
    """
    if len(body) != PACKED_BYTES:
        raise ParameterError("prescription", "%d bytes" % len(body), "%d bytes" % PACKED_BYTES)
    return Prescription(struct.unpack(requests.PRESCRIPTION, body))


def default() -> Prescription:
    """A prescription to begin with. No board takes it: its amplitudes are zero."""
    return Prescription(_DEFAULTS)
