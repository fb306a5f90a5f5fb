"""Which rules a prescription fails, in words: the board's own rules (stimfw.therapy.rules), explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stimfw.protocol import messages
from stimfw.therapy import limits, prescription, rules
from stimfw.therapy.prescription import FIELD_NAMES, Prescription
from stimfw.therapy.ranges import LEADS
from stimfw.therapy.rules import Readings

from stimbench.client.records import PairImpedance
from stimbench.client.therapy_records import rule_name

__all__ = ("Finding", "highest", "judge", "readings_of", "utc")


@dataclass(frozen=True)
class Finding:
    """A rule that a prescription fails.

    Attributes:
        rule: its number; 0: what no board was asked for, a field that is missing or unknown.
        name: of the rule.
        field: of prescription.FIELD_NAMES.
        value: what was given.
        limit: what the field could be, all else being as it is; None: there is no such number.
        text: what is wrong, as a sentence.
    """

    rule: int
    name: str
    field: str
    value: object
    limit: int | None
    text: str

    def __str__(self) -> str:
        return f"rule {self.rule} ({self.name}): {self.text}" if self.rule else f"{self.name}: {self.text}"


def utc(seconds: int) -> str:
    """A time since 1970 as text."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def readings_of(pairs: Iterable[PairImpedance], earliest_s: int = 0) -> Readings:
    """What a board has measured, for `judge`; earliest_s: when its healing time is over, 0: not known."""
    known: tuple[dict[tuple[int, int], tuple[int, int, int]], ...] = ({}, {})
    for pair in pairs:
        if pair.kind != messages.KIND_NOT_MEASURED:
            known[pair.lead][pair.cathode, pair.anode] = (pair.kind, pair.ohm, pair.capacitance_nf)
    return Readings(known, earliest_s)


def judge(values: Sequence[int], readings: Readings) -> list[Finding]:
    """Every rule that values fail, in the order of the rules.

    Args:
        values: in the order of prescription.FIELD_NAMES, in their ranges or not.
        readings: of a board; Readings(is_known=False): what only its impedances decide is left out.
    """
    found = sorted(rules.failures(values, readings), key=lambda failure: failure[:2])
    return [
        Finding(rule, rule_name(rule), FIELD_NAMES[index], value, limit, _text(rule, index, value, limit))
        for rule, index, value, limit in found
    ]


def highest(wanted: Prescription, readings: Readings) -> list[tuple[int, int, str]]:
    """Of each lead whose pair was measured: lead, the highest amplitude in uA, and the rule that sets it."""
    told = []
    for lead in range(len(LEADS)):
        kind, ohm, capacitance_nf = readings.of(lead, wanted.cathode[lead], wanted.anode[lead])
        if kind == messages.KIND_OK:
            ua, rule = rules.allowed_ua(lead, wanted, ohm, capacitance_nf)
            told.append((lead, ua, rule_name(rule)))
    return told


def _text(rule: int, index: int, value: int, limit: int) -> str:
    field = FIELD_NAMES[index]
    lead = field.partition(".")[0]
    if rule <= prescription.RULE_WINDOW:
        return f"{field} = {value!r}: allowed is {prescription.allowed_text((rule, index, value, limit))}"
    if rule == rules.MEASURED:
        return f"the {lead} lead's pair was not measured: run `stimbench impedance`"
    if rule == rules.CONTACT:
        return f"the {lead} lead's pair is {messages.KIND_NAMES[value]}: choose another pair"
    if rule == rules.ACTIVATION:
        return f"{field} is {utc(value)}: allowed is {utc(limit)} or later"
    return f"{field} = {value}: allowed is {_MOST_OR_LEAST[rule] % limit}"


_MOST_OR_LEAST = {
    rules.COMPLIANCE: f"at most %d uA, for {limits.COMPLIANCE_MV / 1000:g} V through the measured impedance",
    rules.CHARGE: f"at most %d uA, for {limits.CHARGE_NC / 1000:g} uC a phase",
    rules.SHANNON: f"at most %d uA, for k = {limits.SHANNON_K_MILLI / 1000:g} and {limits.ELECTRODE_MM2} mm2",
    rules.PULSE_DUTY: f"at most %d us, for {limits.PULSE_DUTY_PERMIL / 10:g} %% of the time",
    rules.DUTY: "at least %d ms, as long as the contraction with its ramps",
    rules.DAY_TOTAL: f"at most %d, for {limits.DAY_S} s a day",
    rules.DAY_LENGTH: "at most %d s, so that the day holds its sessions",
    rules.BETWEEN: "at least %d s",
    rules.NET_DC: f"at most %d uA, for {limits.NET_DC_NA} nA",
    rules.AMPLITUDE: "at least %d uA on one lead",
}
