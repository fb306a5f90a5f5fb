"""What there is on this bench: the first message to the server, and from there to each page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stimbench.web import actions
from stimbench.web.needs import Need
from stimbench.web.views import VIEWS

__all__ = ("table",)


def _nothing(_: Need) -> str:
    return ""


def table(lacks: Callable[[Need], str] = _nothing) -> dict[str, Any]:
    """The body of a message TABLE.

    Args:
        lacks: why this bench has not what is needed; see table.Stand.

    Returns:
        `views`, `actions` (actions.described), `about` by view; `lacks`: by view and by need
        why this bench has it not; empty where it has.
    """
    why = {view.name: lacks(view.needs) if view.needs is not None else "" for view in VIEWS}
    return {
        "views": [view.name for view in VIEWS],
        "actions": actions.described(lacks),
        "about": {view.name: view.about() for view in VIEWS},
        "lacks": {"views": why, "needs": {need.value: lacks(need) for need in Need}},
    }
