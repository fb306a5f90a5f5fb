"""What the clinician's desk knows of the stimulator: what it last read, and what was refused.

Reading is a request to the board: it takes time on the bench and belongs to the run. Between two readings
this is what the view shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from stimfw.protocol import messages

from stimbench.bench.actions import ActionError
from stimbench.client import program_file
from stimbench.client.access_records import LogEvent
from stimbench.client.records import PairImpedance
from stimbench.client.stimulator import Stimulator
from stimbench.client.therapy_records import TherapyState
from stimbench.errors import OutOfRangeError, ProgramError, RefusedError, StimbenchError
from stimbench.journal.entries import Entry, unix_text
from stimbench.web import programs
from stimbench.web.table import Stand

__all__ = ("Desk", "FieldsRefusedError", "Refusal", "desk_of", "read", "set_program", "text_of")

ROWS = 24
"""Of the journal, of the log and of the contractions: the newest ones are shown."""
_MOST_TEXT = 300


@dataclass(frozen=True)
class Refusal:
    """A field that was refused: its name, what was given, and why in words."""

    field: str
    value: object
    why: str


class FieldsRefusedError(ActionError):
    """Fields were refused, and nothing was changed. `field`: the first one; `refusals`: all of them."""

    def __init__(self, what: str, refusals: Sequence[Refusal]) -> None:
        count = f"{len(refusals)} fields are" if len(refusals) > 1 else "a field is"
        told = "; ".join(one.why for one in refusals)
        super().__init__(f"{what}: {count} refused, nothing was changed. {text_of(told)}")
        self.field = refusals[0].field
        self.refusals = tuple(refusals)


@dataclass
class Desk:
    """What is known, as plain data.

    Attributes:
        refused: of the last programme that was sent.
        log: events of a board on the bench, the newest first.
        implant: what an implant told of itself; None: it is none, or was not asked.
        journal: entries of an implant, the newest first.
        journal_why: why they could not be read the last time; empty: they were.
        refused_prescription: of the last prescription that was sent.
        read_ns: bench time of the last reading.
        pairs: the impedances that were measured here.
        measured_ns: bench time of that.
    """

    refused: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    implant: dict[str, Any] | None = None
    journal: list[dict[str, Any]] = field(default_factory=list)
    journal_why: str = ""
    refused_prescription: list[dict[str, Any]] = field(default_factory=list)
    read_ns: int | None = None
    pairs: list[PairImpedance] = field(default_factory=list)
    measured_ns: int | None = None


def desk_of(stand: Stand) -> Desk:
    """The desk of this run."""
    found: Desk = stand.memory.setdefault("clinician", Desk())
    return found


def text_of(text: str) -> str:
    """A text that fits one line of the page."""
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


# The programme.


def set_program(stand: Stand, changes: Mapping[str, int]) -> dict[str, int]:
    """Change fields of the board's programme, all or none; what the board then holds.

    Raises:
        FieldsRefusedError: here or on the board; the desk keeps why.
        StimbenchError: the board's state does not allow it, or it does not answer.
    """
    desk, stimulator = desk_of(stand), stand.stimulator
    try:
        wanted = program_file.changed(stimulator.program(), changes)
        stimulator.set_program(wanted)
    except ProgramError as error:
        found = [Refusal(one.field, one.value, str(one)) for one in error.problems]
        raise _refused(desk, found) from error
    except OutOfRangeError as error:
        why = f"{error.field} = {error.value}: allowed is {error.allowed}"
        raise _refused(desk, [Refusal(error.field, error.value, why)]) from error
    desk.refused = []
    return programs.as_fields(programs.read(stand))


def _refused(desk: Desk, found: list[Refusal]) -> FieldsRefusedError:
    desk.refused = [vars(one) for one in found]
    return FieldsRefusedError("The programme", found)


# Reading.


def read(stand: Stand) -> None:
    """Ask the board for all that the view shows.

    Raises:
        StimbenchError: it does not answer; what was known before stays.
    """
    desk, stimulator = desk_of(stand), stand.stimulator
    status = stimulator.status()
    if status.implanted:
        desk.implant = _implant(stimulator)
    else:
        programs.read(stand)
        desk.implant = None
        desk.log = [_event(one) for one in stimulator.log()[: -ROWS - 1 : -1]]
    try:
        desk.journal, desk.journal_why = [_entry(one) for one in newest_entries(stimulator)], ""
    except RefusedError as error:  # while the output is on
        desk.journal_why = str(error)
    desk.read_ns = stand.now_ns


def newest_entries(stimulator: Stimulator) -> list[Entry]:
    """The newest entries of the journal, the newest first."""
    first = max(0, stimulator.journal(0).next - ROWS)
    found: list[Entry] = []
    while True:
        page = stimulator.journal(first)
        found += [Entry.of(slot) for slot in page.slots]
        if not page.slots or found[-1].number + 1 >= page.next:
            return found[: -ROWS - 1 : -1]
        first = found[-1].number + 1


def _entry(one: Entry) -> dict[str, Any]:
    return {"number": one.number, "time": one.time_text, "what": one.name, "by": one.sender_name,
            "text": one.text, "group": one.group}  # fmt: skip


def _event(one: LogEvent) -> dict[str, Any]:
    by = "" if one.sender == messages.FROM_NOBODY else one.sender_name
    more = f", {one.repeats} times more" if one.repeats else ""
    return {"number": one.number, "time": f"{one.uptime_s} s after the start", "what": one.event, "by": by,
            "text": one.detail_text + more, "group": ""}  # fmt: skip


def _implant(stimulator: Stimulator) -> dict[str, Any]:
    state, kept = stimulator.therapy(), stimulator.prescription()
    told: dict[str, Any] = {"therapy": _therapy(state), "prescription": None}
    if kept is not None:
        told["prescription"] = {
            "version": kept.version,
            "by": kept.sender_name,
            "set": unix_text(kept.set_s) if kept.set_s else "not known",
            "fields": kept.prescription.as_dict(),
        }
    told["ledger"] = [
        {"lead": one.lead_name, "pulses": one.pulses, "missed": one.missed, "contractions": one.contractions,
         "prescribed_ua": one.prescribed_ua, "mean_ua": one.mean_ua, "most_ua": one.most_ua,
         "charge_nc": one.charge_nc}
        for one in stimulator.ledger()
    ]  # fmt: skip
    told["contractions"] = [
        {"number": one.number, "lead": one.lead_name, "pulses": one.pulses,
         "prescribed_ua": one.prescribed_ua, "mean_ua": one.mean_ua, "cathodic_nc": one.cathodic_nc,
         "anodic_nc": one.anodic_nc}
        for one in stimulator.contractions()[: -ROWS - 1 : -1]
    ]  # fmt: skip
    return told


def _therapy(state: TherapyState) -> dict[str, Any]:
    return {
        "state": state.state_name,
        "reason": state.reason_text,
        "sessions_left": state.sessions_left,
        "sessions_a_day": state.sessions_a_day,
        "next_s": state.next_s,
        "session_s": state.session_s,
        "elapsed_s": state.elapsed_s,
        "contractions": state.cycles,
        "ended": state.ended_name,
        "fault": state.fault_name,
        "fault_lead": state.fault_lead_name,
        "fault_meaning": state.fault_meaning,
        "battery": state.battery_name,
        "time_s": state.time_s,
        "time": unix_text(state.time_s) if state.time_s else "not known",
    }


def read_if_it_answers(stand: Stand) -> None:
    """As `read`; a board that does not answer now is no reason to fail what was done before."""
    with suppress(StimbenchError):
        read(stand)
