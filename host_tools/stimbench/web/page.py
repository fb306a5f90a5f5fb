"""One page that is connected: what it is still to be told, and which windows it watches."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from stimbench.web.record import Record
from stimbench.web.scope import Scope
from stimbench.web.wire import Seen, Told, Watch

__all__ = ("Page", "TooSlowError")

_MOST_TOLD = 512
_AHEAD = 4
"""So many frames of a window may be on their way: a slow page gets the newest, not a queue."""
_MOST_WATCHES = 8


class TooSlowError(Exception):
    """The page does not take what it asked for."""


class _Watched:
    def __init__(self, watch: Watch) -> None:
        self.scope = Scope(watch)
        self.sent = self.seen = 0


class Page:
    """What one page gets. States replace each other; answers wait in a queue that has an end."""

    def __init__(self, number: int) -> None:
        """Begin. `number` is what others call it by."""
        self.number = number
        self.wake = asyncio.Event()
        """Set when there may be something to send."""
        self.alive_s = 0.0
        """When it was last heard, on the loop's clock."""
        self._answers: deque[str] = deque()
        self._latest: dict[str, str] = {}
        self._watched: dict[int, _Watched] = {}
        self._sequence = 0

    def tell(self, kind: Told, told: dict[str, Any], latest_only: bool = False) -> None:
        """Send JSON by and by.

        Args:
            kind: what it is.
            told: the rest of it.
            latest_only: it replaces an earlier one of its kind that was not sent yet.

        Raises:
            TooSlowError: too much waits.
        """
        text = json.dumps({"kind": kind} | told, allow_nan=False)
        if latest_only:
            self._latest[kind] = text
        elif len(self._answers) >= _MOST_TOLD:
            raise TooSlowError
        else:
            self._answers.append(text)
        self.wake.set()

    def watch(self, wanted: Watch) -> None:
        """Show a window."""
        if wanted.view in self._watched or len(self._watched) < _MOST_WATCHES:
            before = self._watched.get(wanted.view)
            now = self._watched[wanted.view] = _Watched(wanted)
            if before is not None:  # what is on its way still counts
                now.sent, now.seen = before.sent, before.seen
            self.wake.set()

    def unwatch(self, view: int) -> None:
        """Do not show it any more."""
        self._watched.pop(view, None)

    def seen(self, seen: Seen) -> None:
        """A frame was drawn."""
        watched = self._watched.get(seen.view)
        if watched is not None:
            watched.seen += 1
            self.wake.set()

    def forget_shown(self) -> None:
        """Another run has begun: what is on the screen is not of it."""
        for watched in self._watched.values():
            watched.scope = Scope(watched.scope.watch)
        self.wake.set()

    def texts(self) -> list[str]:
        """What is to be sent as text now; it counts as sent."""
        found = [*self._answers, *self._latest.values()]
        self._answers.clear()
        self._latest.clear()
        return found

    def frames(self, record: Record) -> list[bytes]:
        """The windows that have changed, of which the page has drawn what was sent before."""
        found = []
        for watched in self._watched.values():
            if watched.sent - watched.seen >= _AHEAD:
                continue
            frame = watched.scope.frame(record, self._sequence)
            if frame is not None:
                self._sequence = (self._sequence + 1) % (1 << 32)
                watched.sent += 1
                found.append(frame)
        return found
