"""The view "leads": both leads' electrodes, the impedance of every pair, and the muscles.

The impedance is what the board itself measured, when somebody asked for it. The muscles are a model
(stimbench.web.muscle), driven by the pulses of the record.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stimbench.bench import view, wiring
from stimbench.bench.actions import Arguments, NoArguments
from stimbench.errors import RefusedError
from stimbench.web import programs
from stimbench.web.needs import Need
from stimbench.web.table import Stand, View, WebAction

__all__ = ("VIEW",)

_NAME = "leads"


class Electrodes(Arguments):
    """Which electrodes a lead's pulses go through."""

    side: Literal["left", "right"] = Field(description="Which lead.")
    cathode: int = Field(description="An electrode, 0 to 3.")
    anode: int = Field(description="Another electrode, 0 to 3.")


def _state(stand: Stand) -> dict[str, Any]:
    return {
        **_parts(stand),
        "program": programs.remembered(stand),
        "impedance": stand.memory.get(_NAME),
    }


def _parts(stand: Stand) -> dict[str, Any]:
    """What is wrong with each electrode, and whether leads are joined to the output; None: not known."""
    if stand.lacks(Need.PARTS):
        return {"electrodes": None, "joined": None}
    leads = wiring.leads(stand.bench.board("stimulator"))
    return {
        "electrodes": {
            side: [view.condition(one, side) for one in lead.electrodes] for side, lead in leads.items()
        },
        "joined": {side: lead.is_joined for side, lead in leads.items()},
    }


def _choose(stand: Stand, given: Electrodes) -> dict[str, Any]:
    before = programs.read(stand)
    wanted = {f"{given.side}.cathode": given.cathode, f"{given.side}.anode": given.anode}
    try:
        now = programs.change(stand, wanted)
    except RefusedError as error:
        raise programs.FieldError(str(error), f"{given.side}.cathode") from error
    told = f"The {given.side} lead: cathode {given.cathode}, anode {given.anode}."
    lead = ("left", "right").index(given.side)
    if before.amplitude_ua[lead] and not now.amplitude_ua[lead]:
        told += " Its amplitude is 0 now, as with all electrodes that are moved: set it again."
    stand.ask_again()
    return {"told": told}


def _measure(stand: Stand, _: Arguments) -> dict[str, Any]:
    found = stand.stimulator.measure_impedance()
    sides: dict[str, list[list[Any]]] = {}
    for pair in found:
        row = [pair.cathode, pair.anode, pair.kind_name, pair.ohm, pair.capacitance_nf]
        sides.setdefault(pair.lead_name, []).append(row)
    stand.memory[_NAME] = {"t_ns": stand.now_ns, "pairs": sides}
    stand.ask_again()
    counts = [sum(pair.kind_name == kind for pair in found) for kind in ("ok", "open", "short")]
    return {"told": f"{len(found)} pairs: {counts[0]} ok, {counts[1]} open, {counts[2]} short."}


VIEW = View(
    _NAME,
    _state,
    (
        WebAction(
            "leads-electrodes", Electrodes, "Choose a lead's cathode and anode.", _choose, takes_time=True
        ),
        WebAction(
            "leads-impedance", NoArguments, "Measure all pairs of both leads.", _measure, takes_time=True
        ),
    ),
)
