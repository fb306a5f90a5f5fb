"""What a person can do to a bench that runs: one table of actions with their arguments.

The socket of `stimbench bench up` takes these, `Hands` does them, and the command line's help is read from
here. Any other front, a page in a browser say, finds names, types, ranges and texts in `Action.schema()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.errors import BenchError

__all__ = ("ACTIONS", "Action", "ActionError", "Arguments")

LONGEST_WAIT_S = 3600.0
_PARTS = (
    "left.0 to left.3, right.0 to right.3 (electrodes); left.pump, left.dac, left.relay, left.gates, "
    "left.idle, left.source.0 to left.source.3, left.sink.0 to left.sink.3 (switches), the same of right; "
    "dac, adc, supply, gate, rails, matrix; stimulator, remote, air"
)


class ActionError(BenchError):
    """An action that cannot be done as it was asked for; one sentence says why. Nothing was changed."""


class Arguments(BaseModel):
    """What an action is given."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class NoArguments(Arguments):
    """Nothing."""


class Press(Arguments):
    """A button."""

    button: Literal["START", "STOP", "STATUS"] = Field(description="Of the remote.")
    hold_ms: float = Field(
        100.0, ge=1, le=60_000, description="How long it is held, in ms of the bench's time."
    )


class OnOff(Arguments):
    """One of two."""

    state: Literal["on", "off"] = Field(description="on: hold it at the stimulator; off: take it away.")


class Break(Arguments):
    """A fault."""

    part: str = Field(description=f"What breaks: {_PARTS}.")
    fault: Literal[
        "open", "loose", "short", "resistance", "hung", "loss",
        "rail", "dead", "stuck", "stuck-open", "stuck-closed", "reference", "low",
        "stuck-high", "stuck-low", "welded", "lost", "slow", "never", "forgets",
    ] = Field(
        description="Of an electrode: open; loose (VALUE: ms from one break to the next, 200 if not given); "
        "short (VALUE: the electrode that it touches, left.3 say); resistance (VALUE: ohm in series). "
        "Of a pump: rail (all the current that it has), dead. Of a switch: stuck-open, stuck-closed. "
        "Of left.dac, right.dac, adc: stuck (VALUE: the code, 0 if not given). Of dac, adc: reference "
        "(VALUE: percent that it is off by). Of the supply: low (VALUE: V). "
        "Of the gate (the monostable's Q): stuck-high, stuck-low. Of left.relay: welded, open. "
        "Of left.gates: stuck (the lines pass whatever Q is). Of left.idle: open (a spike in each phase). "
        "Of the rails (+-15 V): lost, or from the next power on slow (VALUE: ms, 300 if not given) or never. "
        "Of the matrix: forgets (all switches open). "
        "Of a board: hung (its processor stops). Of the air: loss (VALUE: share of packets, 0 to 1)."
    )
    value: str | float | None = Field(None, description="What the fault needs: see FAULT.")


class Mend(Arguments):
    """A part."""

    part: str = Field("all", description=f"What to mend: all, left, right, {_PARTS}.")


class Jam(Arguments):
    """A channel."""

    channel: Literal["all", "off"] | int = Field(
        "all",
        description="all channels, one of 0 to 125 (stimbench uses 76, 50 and 24), or off: end all jamming.",
    )
    for_s: float | None = Field(
        None,
        gt=0,
        le=LONGEST_WAIT_S,
        description="For how many seconds of the bench's time. Default: until off.",
    )


class Power(Arguments):
    """A supply."""

    state: Literal["on", "off"] = Field(
        description="off cuts the supply at this instant; on boots the board."
    )
    board: Literal["stimulator", "remote"] = Field(description="Whose supply.")


class Speed(Arguments):
    """A pace."""

    speed: str = Field(description="1x is real time, 0.1x a tenth of it, max as fast as it goes.")


class Wait(Arguments):
    """A time."""

    seconds: float = Field(gt=0, le=LONGEST_WAIT_S, description="Of the bench's time.")


class Lights(Arguments):
    """A time."""

    last_s: float = Field(
        3.0, ge=0.1, le=60, description="How far to look back, in seconds of the bench's time."
    )


@dataclass(frozen=True)
class Action:
    """One thing that a person can do."""

    name: str
    """On the command line and in a message."""
    arguments: type[Arguments]
    """Their names, types, ranges, defaults and texts."""
    summary: str
    """What it does, in a sentence."""
    method: str
    """Of Hands."""

    def parse(self, given: Mapping[str, Any]) -> Arguments:
        """The arguments, checked.

        Raises:
            ActionError: one is missing, unknown, or out of its range.
        """
        try:
            return self.arguments.model_validate(dict(given))
        except ValidationError as error:
            raise ActionError(f"{self.name}: {_sentence(error)}.") from error

    def text(self, argument: str) -> str:
        """What the argument means."""
        return self.arguments.model_fields[argument].description or ""

    def schema(self) -> dict[str, Any]:
        """The arguments as JSON Schema."""
        return self.arguments.model_json_schema()


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, without the library's own words around it."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"][:1])
    if first["type"] == "missing":
        return f"{name} is missing"
    if first["type"] == "extra_forbidden":
        return f"it has no argument {name!r}"
    told = first["msg"].removeprefix("Input should be ")
    return f"{name} = {first['input']!r}: allowed is {told}"


ACTIONS = {
    action.name: action
    for action in (
        Action("press", Press, "Press one of the remote's buttons and let go.", "press"),
        Action("magnet", OnOff, "Hold a magnet to the stimulator, or take it away.", "magnet"),
        Action("break", Break, "Break a part, an electrode's wire say.", "break_part"),
        Action("mend", Mend, "Mend what was broken, and end what disturbs the air.", "mend"),
        Action("jam", Jam, "Jam the air with noise.", "jam"),
        Action("power", Power, "Switch a board's supply.", "power"),
        Action("speed", Speed, "Set how fast the bench's time passes.", "speed"),
        Action("wait", Wait, "Wait until so much of the bench's time has passed.", "wait"),
        Action("lights", Lights, "Show what lights and buzzer did, over time.", "lights"),
        Action("status", NoArguments, "Show its time, speed, boards, leads, and what is broken.", "status"),
    )
}
"""Every action by name."""
