"""The view "run": marks, actions, links. All of it is the server's: see web.hub."""

from __future__ import annotations

from typing import Any

from stimbench.web.table import Stand, View

__all__ = ("VIEW",)


def _state(_stand: Stand) -> dict[str, Any]:
    return {}


VIEW = View("run", _state)
