"""What a board keeps on flash: the state of each area, and what a repair of them does."""

from __future__ import annotations

from dataclasses import dataclass

from stimfw.storage import areas

from stimbench.client.records import name_of

__all__ = ("FlashRecords", "RepairPlan", "described")

_RADIO_ID = "the board's own radio id"


@dataclass(frozen=True)
class RepairPlan:
    """What a repair rewrites and what it costs. Empty if there is nothing that it can do.

    Attributes:
        rewritten: names of areas.
        lost: what is gone afterwards, in words.
        kept: what stays, in words.
    """

    rewritten: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlashRecords:
    """The states of a board's areas, by number: stimfw.storage.areas.

    Attributes:
        states: of the areas that a repair knows.
        log: the state of the log, of a board that keeps one on flash. No repair is for it: what cannot be
            used of it is passed over, and where the flash takes no more it goes on in RAM.
    """

    states: tuple[int, ...]
    log: int | None = None

    @classmethod
    def unpack(cls, body: bytes) -> FlashRecords:
        """From the body of a RECORDS reply; ValueError if it names fewer areas than there are."""
        if len(body) < len(areas.AREA_NAMES):
            raise ValueError(f"{len(body)} areas where {len(areas.AREA_NAMES)} belong")
        known = len(areas.AREA_NAMES)
        return cls(tuple(body[:known]), body[known] if len(body) > known else None)

    def named(self) -> list[tuple[str, str, bool]]:
        """Of each area its name, its state in words, and whether it is in order."""
        states = dict(zip(areas.AREA_NAMES, self.states, strict=True))
        if self.log is not None:
            states["log"] = self.log
        return [
            (name, name_of(areas.STATE_TEXTS, state), state in (areas.SOUND, areas.EMPTY))
            for name, state in states.items()
        ]

    @property
    def sound(self) -> bool:
        """Whether all areas are in order."""
        return all(good for _, _, good in self.named())

    @property
    def later(self) -> bool:
        """Whether a later firmware has written one of them."""
        return areas.LATER in self.states

    def plan(self, overwrite_later: bool) -> RepairPlan:
        """What a repair would do. The board plans with the same code."""
        return described(areas.plan(self.states, overwrite_later), self)


def described(todo: int, found: FlashRecords) -> RepairPlan:
    """A board's plan (u8, see stimfw.storage.areas.plan) in words, for the states that it is for."""
    rewritten = tuple(name for area, name in enumerate(areas.AREA_NAMES) if todo >> area & 1)
    if not rewritten:
        return RepairPlan()
    lost, kept = [], []
    if todo & areas.KEYS_GO:
        lost.append("all pairings: it is no longer known which epochs were used with their keys")
        kept.append(_RADIO_ID)
    elif todo >> areas.PAIRINGS & 1 and found.states[areas.PAIRINGS] != areas.ONE_BIT:
        lost += ["all pairings", _RADIO_ID]
    elif found.states[areas.PAIRINGS] in (areas.SOUND, areas.ONE_BIT):
        kept += ["all pairings", _RADIO_ID]
    if todo >> areas.EPOCHS & 1 and not areas.is_limit_known(found.states):
        lost.append("the count of epochs: it begins again")
    elif todo >> areas.EPOCHS & 1:
        kept.append("the count of epochs: it goes on above every one that was used")
    else:
        kept.append("the count of epochs")
    return RepairPlan(rewritten, tuple(lost), (*kept, "files"))
