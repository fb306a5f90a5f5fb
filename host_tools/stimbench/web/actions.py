"""The one table of what a page can do: the hands' actions, the client's, and those of the views.

A run is its configuration and a list of these with their times (web.run_file). An action that reaches a
board through its console takes time; all others are done at an instant.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import Field

from stimbench.analysis import LEAD_SIGNALS
from stimbench.bench.actions import ACTIONS as HANDS
from stimbench.bench.actions import ActionError, Arguments, NoArguments
from stimbench.web import programs
from stimbench.web.needs import Need
from stimbench.web.table import Stand, WebAction
from stimbench.web.views import VIEWS

__all__ = ("by_name", "described")

_NEEDS = {"press": Need.HANDS, "magnet": Need.HANDS}
"""Of the hands' actions; the others are about parts."""
_NOT_FOR_A_PAGE = ("speed", "wait", "status", "lights")
"""Hands' actions that let time pass otherwise, or only show something: the state has it."""


_SAVED_SIGNALS = (*(line for lines in LEAD_SIGNALS.values() for line in lines), "GATE_Q", "MAGNET", "LED")


class Why(Arguments):
    """A reason."""

    why: str = Field("", max_length=200, description="Who stopped it: a person, or a page that has gone.")


class Amplitudes(Arguments):
    """Both leads' amplitudes."""

    left_ua: int = Field(ge=0, le=10_000, description="In steps of 25 uA.")
    right_ua: int = Field(ge=0, le=10_000, description="In steps of 25 uA.")


class Span(Arguments):
    """A span of time."""

    from_ns: int = Field(ge=0, description="Where it begins.")
    to_ns: int = Field(ge=0, description="Where it ends.")


class ProgramFields(Arguments):
    """A programme, or a part of it."""

    fields: dict[str, int] = Field(description="By name, as in docs/commands.md; the others stay.")


def _stop(stand: Stand, _: Arguments) -> dict[str, Any]:
    stand.send_stop()
    return {"told": "STOP was sent."}


def _start(stand: Stand, _: Arguments) -> dict[str, Any]:
    stand.stimulator.start()
    stand.ask_again()
    return {"told": "A session has begun."}


def _set_program(stand: Stand, given: ProgramFields) -> dict[str, Any]:
    found = programs.change(stand, given.fields)
    stand.ask_again()
    return {"told": "The programme is set.", "program": programs.as_fields(found)}


def _get_program(stand: Stand, _: Arguments) -> dict[str, Any]:
    return {"program": programs.as_fields(programs.read(stand))}


def _amplitude(stand: Stand, given: Amplitudes) -> dict[str, Any]:
    stand.stimulator.amplitude(given.left_ua, given.right_ua)
    programs.read(stand)
    stand.ask_again()
    return {"told": f"{given.left_ua} uA on the left lead, {given.right_ua} uA on the right one."}


def _edges(stand: Stand, given: Span) -> dict[str, Any]:
    """Of the signals that a saved file has: initial level and times. The newest minutes only."""
    found = {}
    for signal in _SAVED_SIGNALS:
        initial, times = stand.edges(signal, given.from_ns, given.to_ns)
        found[f"stimulator.{signal}"] = [initial, times]
    return found


def _by_hand(name: str, stand: Stand, given: Arguments) -> Any:
    return stand.hands.begin(name, given.model_dump())


_OWN = (
    WebAction("stop", Why, "Stop the stimulation, over USB, ahead of all else.", _stop),
    WebAction("start", NoArguments, "Begin a session, over USB.", _start, takes_time=True),
    WebAction("program", ProgramFields, "Set fields of the programme.", _set_program, takes_time=True),
    WebAction("get-program", NoArguments, "Read the programme.", _get_program, takes_time=True),
    WebAction("edges", Span, "Edges of the bridges' lines and the gate.", _edges, enters_run=False),
    WebAction("amplitude", Amplitudes, "Set both amplitudes, at any time.", _amplitude, takes_time=True),
)


def described(lacks: Callable[[Need], str]) -> dict[str, Any]:
    """For a page: what each action does, its arguments as JSON Schema, and why this bench lacks it.

    Args:
        lacks: see table.Stand.
    """
    return {
        one.name: {
            "summary": one.summary,
            "schema": one.arguments.model_json_schema(),
            "lacks": lacks(one.needs) if one.needs is not None else "",
        }
        for one in _TABLE.values()
    }


def by_name(name: str) -> WebAction:
    """An action; ActionError if there is none of that name."""
    found = _TABLE.get(name)
    if found is None:
        raise ActionError(f"There is no action {name!r}.")
    return found


_TABLE = {
    one.name: one
    for one in (
        *_OWN,
        *(
            WebAction(
                hand.name,
                hand.arguments,
                hand.summary,
                partial(_by_hand, hand.name),
                needs=_NEEDS.get(hand.name, Need.PARTS),
            )
            for hand in HANDS.values()
            if hand.name not in _NOT_FOR_A_PAGE
        ),
        *(action for view in VIEWS for action in view.actions),
    )
}
