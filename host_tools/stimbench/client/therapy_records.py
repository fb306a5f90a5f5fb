"""What an implanted stimulator tells of its therapy, as immutable records with units in their names."""

from __future__ import annotations

from dataclasses import dataclass

from stimfw.protocol import asking, messages, requests
from stimfw.therapy import battery, prescription, rules, schedule, watch_table
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.ranges import LEADS

from stimbench.client.records import name_of

__all__ = (
    "MODE_NAMES",
    "Accepted",
    "ContractionFigures",
    "ContractionPage",
    "KeptPrescription",
    "LedgerFigures",
    "TherapyState",
    "WatchFigures",
    "rule_name",
)

MODE_NAMES = ("normal", "mri", "storage")


def rule_name(rule: int) -> str:
    """What a rule of stimfw.therapy.rules is called; its number if a newer board has it; empty for 0."""
    return "" if rule == rules.NONE else name_of(tuple(name for _, name, _ in rules.RULES), rule - 1)


_FAULT_NAMES = tuple(str(row[watch_table.NAME]) for row in watch_table.TABLE)


def _lead_name(lead: int) -> str:
    return LEADS[lead] if lead < len(LEADS) else ""


@dataclass(frozen=True)
class KeptPrescription:
    """A prescription as the board keeps it.

    Attributes:
        version: its number.
        sender: who gave it: a slot, or messages.FROM_USB.
        set_s: when, seconds since 1970; 0: the board did not know the time.
        prescription: what it says.
    """

    version: int
    sender: int
    set_s: int
    prescription: Prescription

    @classmethod
    def unpack(cls, body: bytes) -> KeptPrescription | None:
        """From the body of a GET_PRESCRIPTION or HISTORY reply, None if there is none; ValueError if cut."""
        version, sender, set_s, packed = asking.unpack_reply(requests.row_of(requests.HISTORY), body)
        if not version:
            return None
        return cls(version, sender, set_s, prescription.unpack(packed))

    @property
    def sender_name(self) -> str:
        """`USB` or `slot 3`."""
        return "USB" if self.sender == messages.FROM_USB else f"slot {self.sender}"


@dataclass(frozen=True)
class Accepted:
    """What became of a prescription that was sent.

    Attributes:
        version: the number that it was kept under; 0: it was refused whole.
        allowed_ua: of (left, right), the highest amplitude that is allowed.
        clamped_by: of (left, right), the number of the rule that an amplitude was clamped by; 0: it was not.
        failed: numbers of the rules that it failed.
    """

    version: int
    allowed_ua: tuple[int, int]
    clamped_by: tuple[int, int]
    failed: tuple[int, ...]

    @classmethod
    def unpack(cls, body: bytes) -> Accepted:
        """From the body of a SET_PRESCRIPTION reply; ValueError if its length is wrong."""
        row = requests.row_of(requests.SET_PRESCRIPTION)
        version, left_ua, right_ua, left_rule, right_rule, bits = asking.unpack_reply(row, body)
        failed = tuple(rule for rule in range(32) if bits >> rule & 1)
        return cls(version, (left_ua, right_ua), (left_rule, right_rule), failed)


@dataclass(frozen=True)
class TherapyState:
    """What the therapy does, and when a session may begin.

    Attributes:
        state: index in messages.STATE_NAMES.
        reason: why no session may begin now, index in messages.REASON_TEXTS; 0: one may, or runs.
        sessions_left, sessions_a_day: of today, and prescribed.
        next_s: seconds until a session may begin, 0 while one runs; None: that cannot be told.
        session_s, elapsed_s: a session's prescribed length, and how far the present one is.
        cycles: contractions of the present session.
        ended_cause: why the last session ended, index in messages.STOP_NAMES.
        fault, fault_lead: number in watch_table.TABLE, 0: none; 0 left, 1 right, other: the device's.
        battery: battery.GOOD, REPLACE_SOON or END_OF_SERVICE.
        time_s: the board's clock, seconds since 1970; None: it does not know the time.
    """

    state: int
    reason: int
    sessions_left: int
    sessions_a_day: int
    next_s: int | None
    session_s: int
    elapsed_s: int
    cycles: int
    ended_cause: int
    fault: int
    fault_lead: int
    battery: int
    time_s: int | None

    @classmethod
    def unpack(cls, body: bytes) -> TherapyState:
        """From the body of a THERAPY reply; ValueError if its length is wrong."""
        raw = asking.named_reply(requests.row_of(requests.THERAPY), body)
        known = raw.pop("clock_known")
        raw["time_s"] = raw["time_s"] if known else None
        raw["next_s"] = None if raw["next_s"] == schedule.UNKNOWN_S else raw["next_s"]
        return cls(**raw)

    @property
    def state_name(self) -> str:
        """The state in words."""
        return name_of(messages.STATE_NAMES, self.state)

    @property
    def reason_text(self) -> str:
        """Why no session may begin, in words; empty: one may, or runs."""
        return name_of(messages.REASON_TEXTS, self.reason)

    @property
    def ended_name(self) -> str:
        """Why the last session ended, in words."""
        return name_of(messages.STOP_NAMES, self.ended_cause)

    @property
    def fault_name(self) -> str:
        """The fault in words; empty: there is none."""
        return name_of(_FAULT_NAMES, self.fault) if self.fault else ""

    @property
    def fault_lead_name(self) -> str:
        """`left` or `right`; empty: it is the device's."""
        return _lead_name(self.fault_lead)

    @property
    def fault_meaning(self) -> str:
        """What the fault means for the person; empty if there is none, or this host does not know it."""
        known = 0 < self.fault < len(watch_table.TABLE)
        return str(watch_table.TABLE[self.fault][watch_table.MEANING]) if known else ""

    @property
    def battery_name(self) -> str:
        """`good`, `replace soon` or `end of service`."""
        return name_of(battery.STATE_NAMES, self.battery)


@dataclass(frozen=True)
class LedgerFigures:
    """What a lead has delivered in the present or last session.

    Attributes:
        lead: 0 left, 1 right.
        pulses: that were measured with an amplitude.
        charge_nc: of all their cathodic phases.
        contractions: in which the lead had an amplitude.
        prescribed_ua: mean of what was set.
        mean_ua, most_ua: what was measured.
        missed: pulses that were made and not measured.
    """

    lead: int
    pulses: int
    charge_nc: int
    contractions: int
    prescribed_ua: int
    mean_ua: int
    most_ua: int
    missed: int

    @classmethod
    def unpack(cls, lead: int, body: bytes) -> LedgerFigures:
        """From the body of a LEDGER reply; ValueError if its length is wrong."""
        return cls(lead, *asking.unpack_reply(requests.row_of(requests.LEDGER), body))

    @property
    def lead_name(self) -> str:
        """`left` or `right`."""
        return LEADS[self.lead]


@dataclass(frozen=True)
class ContractionFigures:
    """What a lead has delivered in one contraction.

    Attributes:
        number: of the contraction, from 0 in each session.
        lead: 0 left, 1 right.
        pulses: that were measured with an amplitude.
        prescribed_ua: mean of what was set, ramps included.
        mean_ua, most_ua: what was measured in the cathodic phases.
        cathodic_nc, anodic_nc: charge of all phases of each kind.
    """

    number: int
    lead: int
    pulses: int
    prescribed_ua: int
    mean_ua: int
    most_ua: int
    cathodic_nc: int
    anodic_nc: int

    @property
    def lead_name(self) -> str:
        """`left` or `right`."""
        return LEADS[self.lead]


@dataclass(frozen=True)
class ContractionPage:
    """Some of a lead's contractions.

    Attributes:
        ended: how many have ended since the session began; the board keeps the newest 64.
        figures: in the order of their numbers.
    """

    ended: int
    figures: tuple[ContractionFigures, ...]

    @classmethod
    def unpack(cls, lead: int, body: bytes) -> ContractionPage:
        """From the body of a CONTRACTIONS reply; ValueError if it is cut."""
        first, ended, records = asking.unpack_reply(requests.row_of(requests.CONTRACTIONS), body)
        return cls(ended, tuple(ContractionFigures(first + k, lead, *each) for k, each in enumerate(records)))


@dataclass(frozen=True)
class WatchFigures:
    """What the watch last looked at on a lead.

    Attributes:
        lead: 0 left, 1 right.
        fault: number in watch_table.TABLE that it found there; 0: none.
        set_ua, cathodic_ua, anodic_ua: what was set, and measured in both phases.
        early_mv, late_mv, rest_mv: the voltage early and late in the cathodic phase, and before it.
        ohm: access resistance.
        pulse: its number in the session.
    """

    lead: int
    fault: int
    set_ua: int
    cathodic_ua: int
    anodic_ua: int
    early_mv: int
    late_mv: int
    rest_mv: int
    ohm: int
    pulse: int

    @classmethod
    def unpack(cls, lead: int, body: bytes) -> WatchFigures:
        """From the body of a WATCH reply; ValueError if its length is wrong."""
        return cls(lead, *asking.unpack_reply(requests.row_of(requests.WATCH), body))

    @property
    def lead_name(self) -> str:
        """`left` or `right`."""
        return LEADS[self.lead]

    @property
    def fault_name(self) -> str:
        """What it found there, in words; `none`."""
        return name_of(_FAULT_NAMES, self.fault)
