"""The view "faults": what is broken, and what can be."""

from __future__ import annotations

from typing import Any

from stimbench.bench import view
from stimbench.web.table import Stand, View

__all__ = ("VIEW",)


def _state(stand: Stand) -> dict[str, Any]:
    return {"broken": view.broken(stand.bench)}


VIEW = View("faults", _state)
