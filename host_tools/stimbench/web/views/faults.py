"""The view "faults" (Break it): what can be broken, and what the device did then.

Each fault is noted with its time. What followed is read from three places: the record (when current last
flowed, see stimbench.web.aftermath), the board's resets, and its log, which is asked for: an implanted
stimulator's journal.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field
from stimfw.protocol import messages

from stimbench.bench import view
from stimbench.bench.actions import ActionError, Arguments
from stimbench.errors import StimbenchError
from stimbench.journal.entries import Entry
from stimbench.web.aftermath import RUNNING
from stimbench.web.fault_table import KINDS, PARTS, Fault, Part, as_data
from stimbench.web.needs import Need
from stimbench.web.programs import FieldError
from stimbench.web.table import Stand, View, WebAction

__all__ = ("VIEW",)

_NAME = "faults"
_SHOWN = 6
_MOST_LINES = 12
_S = 1_000_000_000
_PARTS = {part.name: part for part in PARTS}


class Breaking(Arguments):
    """A fault."""

    model_config = ConfigDict(json_schema_extra={"table": as_data()})

    part: str = Field(description="What breaks: a name of the table.")
    fault: str = Field(description="How: one of its kind's faults.")
    value: float | str | None = Field(None, description="What the fault needs to be told.")


class Mending(Arguments):
    """A part, or all of them."""

    part: str = Field("all", description="What is mended, and switched on if it is a board.")


class Reading(Arguments):
    """A fault that was noted."""

    number: int = Field(ge=1, description="Its number.")


def _notes(stand: Stand) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stand.memory.setdefault(_NAME, [])
    return found


def _state(stand: Stand) -> dict[str, Any]:
    boards = stand.bench.boards
    resets = boards["stimulator"].resets
    shown = []
    for note in stand.memory.get(_NAME, [])[-_SHOWN:]:
        later = [[round((at - note["t_ns"]) / 1e6, 3), cause.name.lower()] for at, cause in resets[-8:]
                 if at > note["t_ns"]]  # fmt: skip
        shown.append(note | {"resets": later})
    return {
        "broken": view.broken(stand.bench),
        "off": [name for name, board in boards.items() if not board.powered],
        "happened": shown,
    }


def _break(stand: Stand, given: Breaking) -> dict[str, Any]:
    part, fault = _chosen(given)
    value = _value(part, given.fault, fault, given.value)
    if part.kind in ("stimulator", "remote") and not stand.bench.board(part.name).powered:
        raise FieldError(f"The {part.name} has no power: mend it first.", "part")
    try:
        told = _do(stand, part.name, given.fault, value)
    except FieldError:
        raise
    except ActionError as error:
        raise FieldError(str(error), "value") from error
    notes = _notes(stand)
    state = stand.told.get("state")
    title = f"{part.title}: {fault.title}" + ("" if value is None else f" ({_text(value)})")
    notes.append({
        "number": len(notes) + 1, "t_ns": stand.now_ns, "part": part.name, "title": title,
        "hazards": fault.hazards, "controls": fault.controls, "before": state, "running": state in RUNNING,
        "log": None, "why": "",
    })  # fmt: skip
    return {"told": told}


def _chosen(given: Breaking) -> tuple[Part, Fault]:
    part = _PARTS.get(given.part)
    if part is None:
        raise FieldError(f"There is no part {given.part!r}.", "part")
    fault = KINDS[part.kind].get(given.fault)
    if fault is None:
        names = ", ".join(KINDS[part.kind])
        raise FieldError(f"{part.title} cannot have the fault {given.fault!r}; there are {names}.", "fault")
    return part, fault


def _value(part: Part, name: str, fault: Fault, value: float | str | None) -> float | str | None:
    """What the fault is told: checked, or its default."""
    if fault.needs_electrode:
        lead = part.name.partition(".")[0]
        others = [f"{lead}.{k}" for k in range(4) if f"{lead}.{k}" != part.name]
        if value not in others:
            raise FieldError(f"It touches one of {', '.join(others)}.", "value")
        return value
    if fault.value is None:
        return None
    number = fault.value.default if value is None else value
    low, high = fault.value.low, fault.value.high
    if not isinstance(number, int | float) or not low <= number <= high:
        raise FieldError(f"{name} = {_text(number)}: allowed is {low:g} to {high:g}.", "value")
    return number


def _text(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _do(stand: Stand, part: str, fault: str, value: float | str | None) -> str:
    if fault == "off":
        return _hand(stand, "power", state="off", board=part)
    if fault == "jam":
        return _hand(stand, "jam", channel="all" if value == -1 else int(value or 0))
    return _hand(stand, "break", part=part, fault=fault, value=value)


def _hand(stand: Stand, name: str, **arguments: Any) -> str:
    done = stand.hands.begin(name, arguments)
    return str(done["told"]) if isinstance(done, dict) else ""


def _mend(stand: Stand, given: Mending) -> dict[str, Any]:
    told = _hand(stand, "mend", part=given.part)
    for name, board in stand.bench.boards.items():
        if given.part in ("all", name) and not board.powered:
            told += " " + _hand(stand, "power", state="on", board=name)
    return {"told": told}


def _read(stand: Stand, given: Reading) -> dict[str, Any]:
    """Ask the board what it noted since a second before the fault: its clock counts seconds."""
    notes = _notes(stand)
    if given.number > len(notes):
        raise ActionError(f"There is no fault {given.number} in this run.")
    note = notes[given.number - 1]
    stand.ask_again()
    if not stand.told["answers"]:  # this is known sooner than a request for the log is given up
        note |= {"log": [], "why": str(stand.told["why"]), "read_ns": stand.now_ns}
        return {"told": f"The stimulator does not tell: {note['why']}"}
    try:
        note["log"], note["why"] = _lines(stand, note["t_ns"]), ""
    except StimbenchError as error:
        note["log"], note["why"] = [], str(error)
        return {"told": f"The stimulator does not tell: {error}"}
    finally:
        note["read_ns"] = stand.now_ns
        stand.ask_again()
    return {"told": f"Its log is read: {len(note['log'])} lines."}


def _lines(stand: Stand, since_ns: int) -> list[str]:
    if stand.told.get("implanted"):
        page = stand.stimulator.journal(0)
        page = stand.stimulator.journal(max(page.oldest, page.next - _MOST_LINES))
        return [f"{entry.time_text}: {entry.name} {entry.text}" for entry in map(Entry.of, page.slots)]
    reset_ns = stand.bench.board("stimulator").resets[-1][0]
    lines = []
    for event in stand.stimulator.log():
        at_ns = reset_ns + event.uptime_s * _S
        if event.kind == messages.EVENT_STARTED or at_ns >= since_ns - _S:
            words = [event.event, event.detail_text, f"by {event.sender_name}" if event.sender_name else ""]
            lines.append(f"{event.uptime_s} s after its start: " + ", ".join(filter(None, words)))
    return lines[-_MOST_LINES:]


VIEW = View(
    _NAME,
    _state,
    (
        WebAction("faults-break", Breaking, "Break a part, and note what follows.", _break, needs=Need.PARTS),
        WebAction("faults-mend", Mending, "Mend a part, or all, and switch it on.", _mend, needs=Need.PARTS),
        WebAction(
            "faults-read",
            Reading,
            "Read what the board noted since a fault.",
            _read,
            takes_time=True,
            needs=Need.PARTS,
        ),
    ),
    needs=Need.PARTS,
)
