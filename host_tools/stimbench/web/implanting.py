"""What a clinician does to an implant on the page's bench: the actions, and the audit report.

The bench's stimulator becomes an implant by the request that makes a wired one so. Its 14 days pass when
its clock is set: the emulated bench cannot let them pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from stimfw.protocol import messages
from stimfw.storage.life import DAY_SECONDS, ID_BYTES
from stimfw.therapy import prescription, ranges
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.ranges import LEADS, ParameterError

from stimbench.bench.actions import ActionError, Arguments, NoArguments
from stimbench.client import prescription_rules
from stimbench.client.prescription_rules import Finding
from stimbench.client.therapy_records import MODE_NAMES, rule_name
from stimbench.journal.entries import unix_text
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from stimbench.web.background import Job, temporary_folder
from stimbench.web.desk import FieldsRefusedError, Refusal, desk_of, read, read_if_it_answers
from stimbench.web.needs import Need
from stimbench.web.table import Stand, WebAction

__all__ = ("ACTIONS", "about", "audit_state")

_FIRST_S, _LAST_S = 1_600_000_000, 4_000_000_000
_SUGGESTED_S = 1_790_000_000
"""21 September 2026."""
_HEALING_DAYS = 14
_MOST_HEALING_DAYS = 90
_RESTART_S, _LOOK_S = 10.0, 0.2
_TRAIN = messages.STATE_NAMES.index("test train")
_TRAIN_ASK_S = 0.2


class Implanted(Arguments):
    """When, and for how long nothing begins."""

    implanted_s: int = Field(
        _SUGGESTED_S, ge=_FIRST_S, le=_LAST_S, description="Time of implantation, seconds since 1970."
    )
    healing_days: int = Field(
        _HEALING_DAYS, ge=0, le=_MOST_HEALING_DAYS, description="Days in which no therapy begins."
    )


class Clock(Arguments):
    """A time."""

    time_s: int = Field(ge=_FIRST_S, le=_LAST_S, description="Of the board's clock, seconds since 1970.")


class Prescribed(Arguments):
    """A whole prescription, or what changes of the one that the board has."""

    fields: dict[str, int] = Field(
        max_length=len(prescription.FIELD_NAMES), description="By name, as in docs/prescription.md."
    )


class Mode(Arguments):
    """A mode."""

    mode: Literal["normal", "mri", "storage"] = Field(description="In mri and storage nothing begins.")


class Train(Arguments):
    """A test train on one lead."""

    lead: Literal["left", "right"] = Field(description="Which lead.")
    amplitude_ua: int = Field(ge=0, le=10_000, description=f"{ranges.AMPLITUDE_UA.text()}.")
    pulses: int = Field(20, ge=1, le=200, description="How many, at 20 Hz and 214 us.")


def _implant(stand: Stand, given: Implanted) -> dict[str, Any]:
    device_id = stand.random.randbytes(ID_BYTES)
    stand.stimulator.implant(device_id, given.healing_days, given.implanted_s)
    _await_life(stand, implanted=True)
    # Its clock begins anew with its restart, and a clinician tells it.
    stand.stimulator.set_time(given.implanted_s)
    desk_of(stand).pairs = []
    read_if_it_answers(stand)
    _note_dates(stand, device_id.hex(), given.implanted_s, given.healing_days)
    earliest = unix_text(given.implanted_s + given.healing_days * DAY_SECONDS)
    return {"told": f"Implanted as {device_id.hex()}; no therapy before {earliest}."}


def _note_dates(stand: Stand, device_id: str, implanted_s: int, healing_days: int) -> None:
    stand.memory["clinician dates"] = {
        "device_id": device_id,
        "implanted_s": implanted_s,
        "implanted": unix_text(implanted_s),
        "healing_days": healing_days,
        "earliest_s": implanted_s + healing_days * DAY_SECONDS,
        "earliest": unix_text(implanted_s + healing_days * DAY_SECONDS),
    }


def _explant(stand: Stand, _: NoArguments) -> dict[str, Any]:
    stand.stimulator.explant()
    _await_life(stand, implanted=False)
    stand.memory.pop("clinician dates", None)
    read_if_it_answers(stand)
    return {"told": "Explanted: the board is on the bench again. Its journal stays."}


def _await_life(stand: Stand, implanted: bool) -> None:
    """The board restarts; wait until it has another life."""
    link = stand.stimulator.link
    end_s = link.now_s() + _RESTART_S
    while link.now_s() < end_s:
        link.wait(_LOOK_S)
        stand.ask_again()
        if stand.told.get("answers") and stand.told["implanted"] == implanted:
            return
    raise ActionError("The stimulator did not come back from its restart.")


def _set_clock(stand: Stand, given: Clock) -> dict[str, Any]:
    stand.stimulator.set_time(given.time_s)
    read_if_it_answers(stand)
    return {"told": f"The board's clock is {unix_text(given.time_s)}."}


def _impedance(stand: Stand, _: NoArguments) -> dict[str, Any]:
    desk = desk_of(stand)
    desk.pairs = stand.stimulator.measure_impedance()
    desk.measured_ns = stand.now_ns
    read_if_it_answers(stand)
    return {"told": "The impedance of all pairs was measured."}


def _prescribe(stand: Stand, given: Prescribed) -> dict[str, Any]:
    desk, stimulator = desk_of(stand), stand.stimulator
    unknown = [name for name in given.fields if name not in prescription.FIELD_NAMES]
    if unknown:
        raise ActionError(f"No field of a prescription: {', '.join(unknown)}.")
    kept = stimulator.prescription()
    base = kept.prescription.as_dict() if kept else prescription.default().as_dict()
    whole = base | given.fields
    values = [whole[name] for name in prescription.FIELD_NAMES]
    dates = stand.memory.get("clinician dates", {})
    pairs = [pair for lead in range(len(LEADS)) for pair in stimulator.impedance_results(lead)]
    readings = prescription_rules.readings_of(pairs, dates.get("earliest_s", 0))
    found = prescription_rules.judge(values, readings)
    if found:
        raise _refused(stand, found, whole)
    told = stimulator.set_prescription(Prescription(values).values)
    if told.failed:
        raise ActionError(f"The board refused it whole: {', '.join(rule_name(one) for one in told.failed)}.")
    desk.refused_prescription = []
    read(stand)
    clamped = [
        f" The {LEADS[lead]} lead's amplitude was clamped to {told.allowed_ua[lead]} uA ({rule_name(rule)})."
        for lead, rule in enumerate(told.clamped_by)
        if rule
    ]
    return {"told": f"Prescribed as version {told.version}.{''.join(clamped)}"}


def _refused(stand: Stand, found: list[Finding], given: dict[str, int]) -> FieldsRefusedError:
    refusals = [Refusal(one.field, given[one.field], one.text) for one in found]
    desk_of(stand).refused_prescription = [vars(one) for one in refusals]
    return FieldsRefusedError("The prescription", refusals)


def _mode(stand: Stand, given: Mode) -> dict[str, Any]:
    stand.stimulator.set_mode(MODE_NAMES.index(given.mode))
    stand.ask_again()
    read_if_it_answers(stand)
    return {"told": f"The mode is {given.mode}."}


def _clear_fault(stand: Stand, _: NoArguments) -> dict[str, Any]:
    stand.stimulator.clear_fault()
    stand.ask_again()
    read_if_it_answers(stand)
    return {"told": "The fault is cleared."}


def _train(stand: Stand, given: Train) -> dict[str, Any]:
    """Held here as a clinician's hand would hold it, until its last pulse or a STOP."""
    try:
        ranges.AMPLITUDE_UA.check(given.amplitude_ua)
    except ParameterError as error:
        raise FieldsRefusedError(
            "The test train", [Refusal("train.amplitude_ua", given.amplitude_ua, f"{error}")]
        ) from error
    stimulator = stand.stimulator
    with stimulator.stopped_if_it_fails():
        stimulator.train(LEADS.index(given.lead), 1, 2, given.amplitude_ua, 214, 0, 20, given.pulses)
        while True:
            delivered = stimulator.train_on()
            status = stimulator.status()
            if status.state != _TRAIN:
                break
            stimulator.link.wait(_TRAIN_ASK_S)
    stand.ask_again()
    read_if_it_answers(stand)
    text = f"{delivered} of {given.pulses} pulses on the {given.lead} lead; it ended: {status.stop_name}."
    return {"told": text, "delivered": delivered}


# The audit report.


@dataclass
class _Audit:
    """A report that is made, or was."""

    job: Job
    page: Path
    entries: int


def _audit(stand: Stand, _: NoArguments) -> dict[str, Any]:
    running: _Audit | None = stand.memory.get("clinician audit")
    if running is not None and running.job.code is None:
        raise ActionError("An audit report is being made.")
    folder = stand.memory.setdefault("clinician folder", None) or temporary_folder()
    stand.memory["clinician folder"] = folder
    now_s = stand.stimulator.therapy().time_s or 0
    with Store(folder / "journal.sqlite", create=True) as store:
        pulled = pull(stand.stimulator, store, lambda: now_s)
    page = folder / "audit.html"
    page.unlink(missing_ok=True)
    words = ["audit", str(folder / "journal.sqlite"), "--device", pulled.device_id, "--html", str(page),
             "--csv", str(folder / "audit.csv"), "--json"]  # fmt: skip
    stand.memory["clinician audit"] = _Audit(Job(words), page, pulled.total)
    read_if_it_answers(stand)
    return {"told": f"{pulled.total} entries of the journal were pulled; the report is being made."}


def _audit_page(stand: Stand, _: NoArguments) -> dict[str, Any]:
    made: _Audit | None = stand.memory.get("clinician audit")
    if made is None or made.job.code is None or not made.page.is_file():
        raise ActionError("There is no audit report: make one first.")
    return {"html": made.page.read_text(encoding="utf-8")}


def audit_state(stand: Stand) -> dict[str, Any]:
    """The dates of the implant, and how far its report is: `none`, `running`, `made`, or `failed` and why."""
    made: _Audit | None = stand.memory.get("clinician audit")
    told: dict[str, Any] = {"state": "none", "dates": stand.memory.get("clinician dates")}
    if made is not None:
        code = made.job.code
        done = code is not None and made.page.is_file()
        told["state"] = "running" if code is None else "made" if done else "failed"
        told["entries"] = made.entries
        if told["state"] == "failed":
            told["why"] = made.job.error
    return told


def about() -> dict[str, Any]:
    """Limits of the forms."""
    return {
        "implanted_s": _SUGGESTED_S,
        "healing_days": (_HEALING_DAYS, _MOST_HEALING_DAYS),
        "modes": MODE_NAMES,
        "earliest_time_s": _FIRST_S,
        "latest_time_s": _LAST_S,
    }


def _timed(
    name: str, arguments: type[Arguments], summary: str, do: Any, needs: Need | None = None
) -> WebAction:
    return WebAction(f"clinician-{name}", arguments, summary, do, takes_time=True, needs=needs)


ACTIONS = (
    _timed("implant", Implanted, "Make the stimulator an implant; it restarts.", _implant, Need.DATES),
    _timed("explant", NoArguments, "Make it a board on the bench again.", _explant),
    _timed("clock", Clock, "Set the stimulator's clock.", _set_clock, Need.DATES),
    _timed("impedance", NoArguments, "Measure all pairs of both leads.", _impedance),
    _timed("prescribe", Prescribed, "Prescribe, whole.", _prescribe),
    _timed("mode", Mode, "Set an implant's mode.", _mode),
    _timed("clear-fault", NoArguments, "Clear the fault that stands.", _clear_fault),
    _timed("train", Train, "Give a test train on one lead of an implant.", _train),
    _timed("audit", NoArguments, "Pull the journal and make an audit report of it.", _audit),
    WebAction("clinician-audit-page", NoArguments, "The report.", _audit_page, enters_run=False),
)
