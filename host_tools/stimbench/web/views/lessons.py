"""The view "lessons": The tutorial."""

from __future__ import annotations

from typing import Any

from stimbench.web.table import Stand, View

__all__ = ("VIEW",)


def _state(stand: Stand) -> dict[str, Any]:
    return {}


VIEW = View("lessons", _state)
