"""What views show of the record besides: made in the server, which has the record, and loads no emulator.

A view's part of the state gets what its function here makes of the record and of the whole state.
"""

from __future__ import annotations

from typing import Any

from stimbench.web.aftermath import Aftermaths
from stimbench.web.muscles import Muscles
from stimbench.web.record import Record

__all__ = ("complete",)


def _leads(record: Record, _: dict[str, Any]) -> dict[str, Any]:
    muscles: Muscles = record.memory.setdefault("leads", Muscles())
    return {"muscles": muscles.follow(record)}


def _faults(record: Record, state: dict[str, Any]) -> dict[str, Any]:
    followed: Aftermaths = record.memory.setdefault("faults", Aftermaths())
    notes = state["views"]["faults"].get("happened", [])  # none if the view has failed
    return {"after": followed.follow(record, notes, state["stimulator"])}


_MADE = {"leads": _leads, "faults": _faults}


def complete(state: dict[str, Any], record: Record) -> None:
    """Add to a state, as the bench's process sent it, what is made of the record."""
    for name, make in _MADE.items():
        part = state["views"].get(name)
        if part is None:
            continue
        try:
            part |= make(record, state)
        except Exception as error:  # a defect of one takes neither the others nor the server with it
            part["error"] = f"{type(error).__name__}: {error}"
