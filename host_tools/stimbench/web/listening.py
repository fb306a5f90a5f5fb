"""Who listens to the bench's air: one ear a run, for the view "radio" and for the lessons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stimbench.bench.actions import ActionError
from stimbench.parts.radio import AirChannel
from stimbench.web.background import Job
from stimbench.web.eavesdropper import Ear, keys_on
from stimbench.web.needs import Need
from stimbench.web.table import Stand

__all__ = ("Listening", "air_of", "ear_of", "listening_of")

_MOST_TAP = 20_000
"""Packets that the air's own record keeps."""


@dataclass
class Listening:
    """What the view "radio" keeps.

    Attributes:
        ear: what was heard.
        heard: how many packets of the tap that was.
        last_sent: what became of the frame that was sent last.
        attack, attack_name: under way, or over and not looked at yet.
        results: of attacks, by name.
    """

    ear: Ear
    heard: int = 0
    last_sent: dict[str, Any] | None = None
    attack: Job | None = None
    attack_name: str = ""
    results: dict[str, dict[str, Any]] = field(default_factory=dict)


def listening_of(stand: Stand) -> Listening:
    """Up to date with the air."""
    found = stand.memory.get("radio")
    if found is None:
        found = stand.memory["radio"] = Listening(_ear(stand))
    if stand.lacks(Need.AIR):
        deaf: Listening = found
        return deaf
    air = air_of(stand)
    if len(air.tap) > found.heard:
        found.ear.hear(air.tap[found.heard :])
        found.heard = len(air.tap)
    if found.heard > _MOST_TAP:
        del air.tap[: found.heard // 2]
        found.heard = len(air.tap)
    listening: Listening = found
    return listening


def _ear(stand: Stand) -> Ear:
    if stand.lacks(Need.AIR):
        return Ear(lambda: (b"", {}))
    flash = stand.bench.board("stimulator").flash
    return Ear(lambda: keys_on(flash))


def air_of(stand: Stand) -> AirChannel:
    """The bench's air; ActionError if it has none."""
    if stand.bench.air is None:
        raise ActionError("This bench has no air.")
    return stand.bench.air


def ear_of(stand: Stand) -> Ear:
    """All that was heard until now."""
    return listening_of(stand).ear
