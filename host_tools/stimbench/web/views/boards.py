"""The view "boards": the stimulator and the remote as they stand on the table."""

from __future__ import annotations

from typing import Any

from stimbench.bench import view
from stimbench.web.table import Stand, View

__all__ = ("VIEW",)


def _state(stand: Stand) -> dict[str, Any]:
    found = view.status_of(stand.bench)
    return {name: found[name] for name in ("boards", "buttons", "magnet")}


VIEW = View("boards", _state)
