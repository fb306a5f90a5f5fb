"""Every rule that a prescription must fulfil before an implanted stimulator takes it: all that fail, at once.

Two answers to what is too much. A prescription that passes a limit of stimfw.therapy.limits is refused whole:
`failures`. An amplitude that only the measured impedance stands in the way of is clamped to the highest one
that the pump can still drive, and the rule is said: `accepted`. Boards and hosts use this same code.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import messages
from stimfw.therapy import limits
from stimfw.therapy import prescription as p
from stimfw.therapy.prescription import Prescription, any_of, lead_index
from stimfw.therapy.program import period_us
from stimfw.therapy.ranges import LEADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stimfw.therapy.prescription import Failure

    Clamp = tuple[int, int, int, int]

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


# Numbers are in the journal and in replies for good: append only, at most 31.
NONE = const(0)
RANGE = p.RULE_RANGE
ELECTRODES = p.RULE_ELECTRODES
PERIOD = p.RULE_PERIOD
WINDOW = p.RULE_WINDOW
MEASURED = const(5)
CONTACT = const(6)
COMPLIANCE = const(7)
CHARGE = const(8)
SHANNON = const(9)
PULSE_DUTY = const(10)
DUTY = const(11)
DAY_TOTAL = const(12)
DAY_LENGTH = const(13)
BETWEEN = const(14)
NET_DC = const(15)
ACTIVATION = const(16)
AMPLITUDE = const(17)

DAY_SECONDS = const(86_400)

# Number, name, text.
RULES = (
    (1, "range", "every value is in its range"),
    (2, "electrodes", "a lead's cathode and anode are two electrodes"),
    (3, "period", "two pulses and their guards fit into a period"),
    (4, "window", "the amplitude lies in the patient's window, or the window is closed (0 and 0)"),
    (5, "measured", "the impedance was measured since the electrodes last changed"),
    (6, "contact", "the pair of a lead that stimulates is neither open nor shorted"),
    (7, "compliance", "the pump can drive the current through the measured impedance"),
    (8, "charge", "the charge of a phase stays below its limit"),
    (9, "Shannon", "charge and charge density stay below Shannon's limit for the electrode's area"),
    (10, "pulse duty", "a lead's pulses take no more than their share of the time"),
    (11, "duty", "the rest is at least as long as the contraction with its ramps"),
    (12, "day total", "the day's sessions together stay below the day's limit"),
    (13, "day length", "the day's sessions and the times between them fit into a day"),
    (14, "between", "the time between sessions is at least the least one"),
    (15, "net DC", "the net direct current stays below its limit"),
    (16, "activation", "the first session does not come before the healing time is over"),
    (17, "amplitude", "at least one lead has an amplitude"),
)


class Readings:
    """What a board knows that a prescription is judged by.

    Attributes:
        pairs: of (left, right): (cathode, anode) to (kind, ohm, capacitance in nF; 0: none was found); kinds
            are messages.KIND_...; a pair that is missing was not measured since the electrodes last changed.
        earliest_s: when the healing time is over, seconds since 1970; 0: not known, nothing is judged by it.
        is_known: False: there is no board, so what only its impedances decide is not judged.
    """

    def __init__(
        self,
        pairs: "tuple[dict[tuple[int, int], tuple[int, int, int]], ...]" = ({}, {}),
        earliest_s: int = 0,
        is_known: bool = True,
    ) -> None:
        self.pairs = pairs
        self.earliest_s = earliest_s
        self.is_known = is_known

    def of(self, lead: int, cathode: int, anode: int) -> "tuple[int, int, int]":
        """Kind, ohm and capacitance in nF of a pair."""
        return self.pairs[lead].get((cathode, anode), (messages.KIND_NOT_MEASURED, 0, 0))


def failures(values: "Sequence[int]", readings: Readings) -> "list[Failure]":
    """All that fails of values in the order of prescription.FIELD_NAMES, out of their ranges or not.

    Returns:
        (rule, field index, value, limit) of each: the limit is what the field could be as all else is. Of
        MEASURED and CONTACT the field is the cathode, the value the kind that was measured, the limit
        KIND_OK. Rules about several fields are judged only where all of these are in their ranges.

    Raises:
        ValueError: it is another number of values.
    """
    if len(values) != len(p.FIELD_NAMES):
        raise ValueError("%d values, not %d" % (len(values), len(p.FIELD_NAMES)))
    found = p.problems(values)
    bad = [index for rule, index, _, _ in found if rule == RANGE]
    for lead in range(len(LEADS)):
        _pulse(found, bad, values, lead)
        _impedance(found, bad, values, lead, readings)
    _times(found, bad, values, readings)
    amplitudes = [lead_index(lead, p.AMPLITUDE) for lead in range(len(LEADS))]
    if not any_of(bad, *amplitudes) and not any([values[index] for index in amplitudes]):
        found.append((AMPLITUDE, amplitudes[0], 0, limits.AMPLITUDE_STEP_UA))
    return found


def failed_bits(found: "list[Failure]") -> int:
    """The rules that failed, bit 1 << rule of each: as a SET_PRESCRIPTION reply has them."""
    bits = 0
    for rule, _, _, _ in found:
        bits |= 1 << rule
    return bits


def allowed_ua(lead: int, prescription: Prescription, ohm: int, capacitance_nf: int) -> "tuple[int, int]":
    """The highest amplitude that compliance and the limits allow, and the rule that sets it.

    Args:
        lead: 0 or 1.
        prescription: its pulse; its amplitudes do not matter.
        ohm: as measured of the lead's pair.
        capacitance_nf: the same; 0: a resistor.

    Returns:
        uA, in the range's steps, and a rule's number; NONE if only the range's end sets it.
    """
    width = prescription.width_us[lead]
    period, on_ms = prescription.period_us, prescription.on_ms
    highest, rule = limits.AMPLITUDE_UA, NONE
    for its, ua in (
        (COMPLIANCE, limits.compliance_ua(width, ohm, capacitance_nf)),
        (CHARGE, limits.of_charge_ua(limits.CHARGE_NC, width)),
        (SHANNON, limits.of_charge_ua(limits.shannon_nc(), width)),
        (NET_DC, limits.net_dc_ua(width, prescription.gap_us[lead], period, on_ms, ohm, capacitance_nf)),
    ):
        if ua < highest:
            highest, rule = ua, its
    return highest, rule


def accepted(values: "Sequence[int]", readings: Readings) -> "tuple[Prescription, list[Clamp]]":
    """The prescription that a board keeps, of values without `failures`.

    An amplitude, or the end of a patient's window, that the pump cannot drive through the measured impedance
    comes down to the highest one that it can: never up. An activation of 0 becomes the end of the healing
        time.

    Returns:
        The prescription, and (lead, amplitude asked, amplitude allowed, rule) of each lead that was clamped.

    Raises:
        ValueError: there are failures.
    """
    if failures(values, readings):
        raise ValueError("a rule fails")
    kept = list(values)
    clamps = []
    for lead in range(len(LEADS)):
        most = highest_asked(kept, lead)[1]
        if not most:
            continue
        highest = _compliance_ua(kept, lead, readings)
        if most > highest:
            clamps.append((lead, most, highest, COMPLIANCE))
        for field in (p.AMPLITUDE, p.MOST):
            index = lead_index(lead, field)
            kept[index] = min(kept[index], highest)
    if kept[p.ACTIVATION] == 0 and readings.earliest_s:
        kept[p.ACTIVATION] = max(p.ACTIVATION_S.low, min(readings.earliest_s, p.ACTIVATION_S.high))
    return Prescription(kept), clamps


def highest_asked(values: "Sequence[int]", lead: int) -> "tuple[int, int]":
    """Field index and value of the most that a lead may be asked for: its amplitude, or its window's end."""
    amplitude, most = lead_index(lead, p.AMPLITUDE), lead_index(lead, p.MOST)
    index = most if values[most] > values[amplitude] else amplitude
    return index, values[index]


def _pulse(found: "list[Failure]", bad: "list[int]", values: "Sequence[int]", lead: int) -> None:
    """The limits that need no measurement: charge, Shannon, the pulses' share of the time."""
    width_at, gap_at = lead_index(lead, p.WIDTH), lead_index(lead, p.GAP)
    if any_of(bad, width_at):
        return
    width = values[width_at]
    if not any_of(bad, p.RATE, gap_at):
        period = period_us(values[p.RATE])
        if 2 * width * 1000 > limits.PULSE_DUTY_PERMIL * period:
            found.append((PULSE_DUTY, width_at, width, limits.PULSE_DUTY_PERMIL * period // 2000))
    if any_of(bad, lead_index(lead, p.AMPLITUDE), lead_index(lead, p.MOST)):
        return
    index, asked = highest_asked(values, lead)
    phase_nc = limits.charge_nc(asked, width)
    if phase_nc > limits.CHARGE_NC:
        found.append((CHARGE, index, asked, limits.of_charge_ua(limits.CHARGE_NC, width)))
    if not limits.shannon_holds(phase_nc):
        found.append((SHANNON, index, asked, limits.of_charge_ua(limits.shannon_nc(), width)))


def _impedance(
    found: "list[Failure]", bad: "list[int]", values: "Sequence[int]", lead: int, readings: Readings
) -> None:
    """What the measured impedance of a lead that stimulates decides."""
    first = lead_index(lead, 0)
    its_bad = [at for at in bad if at in (p.RATE, p.ON) or 0 <= at - first < p.LEAD_FIELDS]
    if its_bad or not readings.is_known:
        return
    index, asked = highest_asked(values, lead)
    if not asked:
        return
    kind, ohm, capacitance_nf = readings.of(lead, values[first + p.CATHODE], values[first + p.ANODE])
    if kind != messages.KIND_OK:
        rule = MEASURED if kind == messages.KIND_NOT_MEASURED else CONTACT
        found.append((rule, first + p.CATHODE, kind, messages.KIND_OK))
        return
    highest = _compliance_ua(values, lead, readings)
    least = max(values[first + p.LEAST], limits.AMPLITUDE_STEP_UA)
    if highest < least:  # nothing is left to clamp to
        its = p.LEAST if values[first + p.LEAST] else p.AMPLITUDE
        found.append((COMPLIANCE, first + its, least, highest))
    width, gap, period = values[first + p.WIDTH], values[first + p.GAP], period_us(values[p.RATE])
    dc_pa = limits.net_dc_pa(asked, width, gap, period, values[p.ON], ohm, capacitance_nf)
    if dc_pa > limits.NET_DC_NA * 1000:
        highest = limits.net_dc_ua(width, gap, period, values[p.ON], ohm, capacitance_nf)
        found.append((NET_DC, index, asked, highest))


def _compliance_ua(values: "Sequence[int]", lead: int, readings: Readings) -> int:
    first = lead_index(lead, 0)
    _, ohm, capacitance_nf = readings.of(lead, values[first + p.CATHODE], values[first + p.ANODE])
    return limits.compliance_ua(values[first + p.WIDTH], ohm, capacitance_nf)


def _times(found: "list[Failure]", bad: "list[int]", values: "Sequence[int]", readings: Readings) -> None:
    """The limits of contractions, sessions and days."""
    if not any_of(bad, p.RAMP_UP, p.RAMP_DOWN, p.ON, p.OFF):
        work = values[p.RAMP_UP] + values[p.ON] + values[p.RAMP_DOWN]
        if work * 1000 > limits.DUTY_PERMIL * (work + values[p.OFF]):
            least = (work * (1000 - limits.DUTY_PERMIL) + limits.DUTY_PERMIL - 1) // limits.DUTY_PERMIL
            found.append((DUTY, p.OFF, values[p.OFF], least))
    if not any_of(bad, p.SESSION, p.SESSIONS):
        sessions, session = values[p.SESSIONS], values[p.SESSION]
        if sessions * session > limits.DAY_S:
            found.append((DAY_TOTAL, p.SESSIONS, sessions, limits.DAY_S // session))
        between = values[p.BETWEEN]
        if not any_of(bad, p.BETWEEN) and sessions * session + (sessions - 1) * between > DAY_SECONDS:
            most = (DAY_SECONDS - sessions * session) // (sessions - 1)
            found.append((DAY_LENGTH, p.BETWEEN, between, most))
    if not any_of(bad, p.BETWEEN) and values[p.BETWEEN] < limits.LEAST_BETWEEN_S:
        found.append((BETWEEN, p.BETWEEN, values[p.BETWEEN], limits.LEAST_BETWEEN_S))
    if not any_of(bad, p.ACTIVATION) and 0 < values[p.ACTIVATION] < readings.earliest_s:
        found.append((ACTIVATION, p.ACTIVATION, values[p.ACTIVATION], readings.earliest_s))
