"""What goes over the WebSocket between a page and the server: one table of kinds.

The page sends text, JSON objects with a `kind`, one of the models below and nothing else. The server sends
text, JSON objects with a `kind` of `Told`, and binary frames for what is drawn (web.scope).
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

__all__ = (
    "LONGEST_MESSAGE",
    "Alive",
    "Control",
    "Do",
    "FromPage",
    "Hello",
    "MalformedError",
    "Pace",
    "RunVerb",
    "Seen",
    "Stop",
    "Told",
    "Unwatch",
    "Watch",
    "parse",
)

LONGEST_MESSAGE = 1 << 20
"""Bytes; the longest one opens a link."""
_FOR_EVER_NS = 400 * 86_400 * 1_000_000_000
_Ns = Annotated[float, Field(ge=0, le=_FOR_EVER_NS)]
_ViewNumber = Annotated[int, Field(ge=0, le=255)]
_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class MalformedError(Exception):
    """A message that no page of ours sends."""


class Told(enum.StrEnum):
    """Kinds of the server's text messages."""

    WELCOME = "welcome"
    """First of all: who the page is."""
    TABLE = "table"
    """What views and actions there are."""
    STATE = "state"
    """What the bench and the views show; each replaces the one before."""
    CONTROL = "control"
    """Who holds the controls, who asks for them, who looks on."""
    DONE = "done"
    """The answer to `do` or `run`: `id`, and `result` or `error` (with `field` if one is to blame)."""
    RUN = "run"
    """The run: marks, number of actions, the last ones; or that another one has begun."""
    SAID = "said"
    """Something that the bench tells whoever is there: `text`, and whether it is an `error`."""
    GONE = "gone"
    """The bench cannot go on, and why."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Hello(_Message):
    """First of all. The key is the tab's own: after a reload it gets its controls back."""

    kind: Literal["hello"]
    key: _Key


class Alive(_Message):
    """Comes once a second. A page that is silent does not hold the controls."""

    kind: Literal["alive"]


class Stop(_Message):
    """STOP. Anybody may."""

    kind: Literal["stop"]


class Do(_Message):
    """An action of web.actions."""

    kind: Literal["do"]
    id: int = Field(ge=0, lt=1 << 53)
    name: str = Field(min_length=1, max_length=40)
    arguments: dict[str, Any] = {}


class Pace(_Message):
    """How time passes: one of the three."""

    kind: Literal["pace"]
    speed: float | None = Field(None, ge=0.0, le=1000)
    """Emulated seconds a second; 0 for as fast as it goes."""
    paused: bool | None = None
    step: Literal["pulse", "slice"] | None = None
    """Go on until the next pulse is over, or for 1 ms; then stand still."""


class Watch(_Message):
    """Show a window, from now on and whenever it changes. Another one of the same number replaces it."""

    kind: Literal["watch"]
    view: _ViewNumber
    mode: Literal["pulse", "span", "roll", "all"]
    """The last pulse of a lead, at its cathodic edge; a span; the last so many ns; the whole session."""
    width: int = Field(ge=16, le=4096)
    """Pixels."""
    trigger: Literal["own", "left", "right"] = "own"
    """Of `pulse`: which lead's pulse; `own`: each lead's."""
    before_ns: _Ns = 0.0
    """Of `pulse`: how much is shown before the edge."""
    span_ns: _Ns = 1e6
    """Of `pulse` and `roll`."""
    from_ns: _Ns = 0.0
    to_ns: _Ns = 0.0
    """Of `span`."""
    overlay: int = Field(1, ge=1, le=64)
    """Of `pulse`: how many of the last pulses."""


class Unwatch(_Message):
    """Do not show that window any more."""

    kind: Literal["unwatch"]
    view: _ViewNumber


class Seen(_Message):
    """A frame was drawn: the next one may come."""

    kind: Literal["seen"]
    view: _ViewNumber
    sequence: int = Field(ge=0, lt=1 << 32)


class Control(_Message):
    """Who holds the controls: ask for them, take them if nobody does, give them to a page, refuse it."""

    kind: Literal["control"]
    verb: Literal["ask", "take", "give", "refuse"]
    page: int = Field(0, ge=0, lt=1 << 31)


class RunVerb(_Message):
    """What is done with the run as a whole."""

    kind: Literal["run"]
    id: int = Field(ge=0, lt=1 << 53)
    verb: Literal["mark", "rewind", "what-if", "link", "open", "new", "actions", "invite"]
    mark: int = Field(0, ge=0, lt=1 << 20)
    """Of `rewind`: which mark."""
    action: int = Field(0, ge=0, lt=1 << 20)
    """Of `what-if`: the index of the action that is left out."""
    keep_later: bool = False
    """Of `what-if`: whether the actions after it are done again."""
    link: str = Field("", max_length=LONGEST_MESSAGE)
    """Of `open`: the fragment of a link."""
    seed: int = Field(1, ge=0, lt=1 << 53)
    paired: bool = True
    """Of `new`."""


FromPage = Hello | Alive | Stop | Do | Pace | Watch | Unwatch | Seen | Control | RunVerb
_ADAPTER: TypeAdapter[FromPage] = TypeAdapter(Annotated[FromPage, Field(discriminator="kind")])


def parse(text: str | bytes) -> FromPage:
    """A page's message.

    Raises:
        MalformedError: it is none.
    """
    if len(text) > LONGEST_MESSAGE:
        raise MalformedError(f"a message has at most {LONGEST_MESSAGE} bytes")
    try:
        return _ADAPTER.validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise MalformedError("this is no message of a page") from error
