"""What a run is: its configuration and its actions. As a link, and as a file that outlives the server.

Two runs with equal configuration and actions are equal, edge for edge, on any machine with this firmware.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.errors import InputError

__all__ = ("MOST_ACTIONS", "Acted", "Run", "RunConfig", "from_link", "to_link")

MOST_ACTIONS = 20_000
_MOST_BYTES = 1 << 20
"""Of a link's text, and of the JSON in it."""
_LATEST_NS = 400 * 86_400 * 1_000_000_000

Acted = tuple[
    Annotated[int, Field(ge=0, le=_LATEST_NS)],
    Annotated[str, Field(min_length=1, max_length=40)],
    dict[str, Any],
]
"""When in the bench's time (ns), which action, and its arguments."""


class RunConfig(BaseModel):
    """Of what the bench is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(1, ge=0, lt=1 << 53)
    paired: bool = True
    """Whether the remote is paired when the bench is switched on."""
    tolerance: Literal["typical", "worst"] | Annotated[int, Field(ge=0, lt=1 << 53)] = "typical"
    """Of the stimulator's parts, see BenchConfig."""
    firmware: str = ""
    """The content hash of the stimulator's image that the run was made with; empty: any."""


class Run(BaseModel):
    """A run, as far as it has been lived."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: RunConfig = RunConfig()
    actions: list[Acted] = Field(default_factory=list, max_length=MOST_ACTIONS)
    """In order of time."""
    until_ns: int = Field(0, ge=0, le=_LATEST_NS)
    """How far it went: a repeated run goes on from there."""


def to_link(run: Run) -> str:
    """The run as text for a URL's fragment: JSON, compressed, base64url without padding."""
    data = json.dumps(run.model_dump(mode="json"), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).rstrip(b"=").decode()


def from_link(text: str) -> Run:
    """The opposite of `to_link`.

    Raises:
        InputError: it is no link to a run.
    """
    try:
        if len(text) > _MOST_BYTES:
            raise ValueError("too long")
        packed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, _MOST_BYTES)
        if not unpacker.eof:
            raise ValueError("too long, or cut off")
        run = Run.model_validate_json(data)
    except (ValueError, binascii.Error, zlib.error, ValidationError) as error:
        raise InputError("This is no link to a run, or a part of it is missing.") from error
    times = [time_ns for time_ns, _, _ in run.actions]
    if times != sorted(times) or (times and times[-1] > run.until_ns):
        raise InputError("This is no link to a run: its actions are not in order of time.")
    return run
