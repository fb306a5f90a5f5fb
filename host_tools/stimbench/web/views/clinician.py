"""The view "clinician": programme, sessions, test stimulation, and an implant's prescription and journal."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from stimfw.therapy import program

from stimbench.bench.actions import Arguments, NoArguments
from stimbench.web import form_fields, implanting, programs
from stimbench.web.desk import desk_of, read, read_if_it_answers, set_program
from stimbench.web.table import Stand, View, WebAction

__all__ = ("VIEW",)

_TESTS_S = (1, 30)


class Fields(Arguments):
    """A programme, or a part of it."""

    fields: dict[str, int] = Field(
        max_length=len(program.FIELD_NAMES), description="By name, as in docs/commands.md; the others stay."
    )


class Seconds(Arguments):
    """A time."""

    seconds: int = Field(10, ge=_TESTS_S[0], le=_TESTS_S[1], description="How long it is held.")


def _set(stand: Stand, given: Fields) -> dict[str, Any]:
    held = set_program(stand, given.fields)
    read_if_it_answers(stand)
    amplitudes = {name: value for name, value in given.fields.items() if name.endswith("amplitude_ua")}
    zeroed = [name for name, value in amplitudes.items() if held[name] != value]
    told = "The programme is set."
    if zeroed:
        leads = " and ".join(name.partition(".")[0] for name in zeroed)
        told += f" The electrodes have moved, so the board set the amplitude to zero: {leads}. Set it again."
    return {"told": told, "program": held, "zeroed": zeroed}


def _read(stand: Stand, _: NoArguments) -> dict[str, Any]:
    read(stand)
    return {"told": "Read from the stimulator.", "program": programs.remembered(stand)}


def _test(stand: Stand, given: Seconds) -> dict[str, Any]:
    stand.stimulator.test_stimulation(given.seconds)
    stand.ask_again()
    return {"told": f"One contraction of {given.seconds} s has begun."}


def _state(stand: Stand) -> dict[str, Any]:
    desk = desk_of(stand)
    return {
        "program": programs.remembered(stand),
        "refused": desk.refused,
        "log": desk.log,
        "journal": desk.journal,
        "journal_why": desk.journal_why,
        "implant": desk.implant,
        "refused_prescription": desk.refused_prescription,
        "read_ns": desk.read_ns,
        "audit": implanting.audit_state(stand),
    }


def _about() -> dict[str, Any]:
    return {
        "program": form_fields.program_fields(),
        "prescription": form_fields.prescription_fields(),
        "test_s": _TESTS_S,
    } | implanting.about()


VIEW = View(
    "clinician",
    _state,
    (
        WebAction("clinician-program", Fields, "Set the programme, whole.", _set, takes_time=True),
        WebAction("clinician-read", NoArguments, "Read all that the board tells.", _read, takes_time=True),
        WebAction("clinician-test", Seconds, "Give one contraction as a test.", _test, takes_time=True),
        *implanting.ACTIONS,
    ),
    _about,
)
