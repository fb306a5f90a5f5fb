"""The stimulator of a wired bench: found by its serial number, lost, and found again.

Whoever waits for its answer lets others have a say meanwhile, many times a second: a STOP does not wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from stimbench.devices.link import Link
from stimbench.errors import PortError
from stimbench.rig.session import WiredSession

__all__ = ("WallClock", "WiredBoard")

_STEP_S = 0.002
"""So long a read waits before others have a say."""
_LEAST_S = 1e-6
"""A clock's fraction of a nanosecond holds nobody."""
_AGAIN_S = 0.5
"""From one look for a board that is gone to the next."""
_NAME = "stimulator"


@dataclass(frozen=True)
class WallClock:
    """The clock of a wired bench. Tests have another one.

    Attributes:
        now_s: in seconds from any origin, monotonic.
        idle: lets up to so many seconds pass where no board does; None: less if the server says something.
    """

    now_s: Callable[[], float] = time.monotonic
    idle: Callable[[float], None] | None = None


class WiredBoard:
    """A devices.link.Link to the stimulator that outlives its port."""

    def __init__(
        self,
        session: WiredSession,
        clock: WallClock,
        meanwhile: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        """Nothing is opened yet.

        Args:
            session: its boards; it stays its owner's.
            clock: the wall's.
            meanwhile: called while a request waits.
            on_change: told when the port was opened or lost.
        """
        self._session, self._clock_s = session, clock.now_s
        self._idle = clock.idle or time.sleep
        self._meanwhile, self._on_change = meanwhile, on_change
        self._open = ExitStack()
        self._link: Link | None = None
        self._next_s: float | None = None
        self.why = "It was not looked for yet."
        """Why its port is not open; empty if it is."""

    @property
    def is_open(self) -> bool:
        """Whether its port is open."""
        return self._link is not None

    @property
    def name(self) -> str:
        """How messages name it: its port, or where it was looked for."""
        return self._link.name if self._link is not None else self._session.file.boards[_NAME].where

    def look(self) -> None:
        """Look for it if its port is not open, not more often than twice a second."""
        if self._link is not None or (self._next_s is not None and self._clock_s() < self._next_s):
            return
        self._next_s = self._clock_s() + _AGAIN_S
        try:
            self._link = self._open.enter_context(self._session.board(_NAME)).console
        except PortError as error:
            changed, self.why = self.why != str(error), str(error)
        else:
            changed, self.why = True, ""
        if changed:
            self._on_change()

    def close(self) -> None:
        """Give the port back."""
        self._link = None
        with suppress(OSError):  # of a port that is gone
            self._open.close()

    def _lose(self, error: PortError) -> None:
        self.close()
        self.why = str(error)
        self._next_s = self._clock_s() + _AGAIN_S
        self._on_change()

    def _there(self) -> Link:
        if self._link is None:
            raise PortError(self.why)
        return self._link

    # As a link.

    def now_s(self) -> float:
        """The port's clock; without a port, this process's."""
        return self._clock_s() if self._link is None else self._link.now_s()

    def wait(self, seconds: float) -> None:
        """Let time pass, with or without a port; others have a say meanwhile."""
        end_s = self.now_s() + seconds
        while (left_s := end_s - self.now_s()) > _LEAST_S:
            self._meanwhile()
            if self._link is None:
                self.look()
                self._idle(min(left_s, _STEP_S))
            else:
                self._link.wait(min(left_s, _STEP_S))

    def write(self, data: bytes) -> None:
        """Send bytes; PortError if there is no port, or it went away."""
        link = self._there()
        try:
            link.write(data)
        except PortError as error:
            self._lose(error)
            raise

    def read(self, deadline_s: float) -> bytes:
        """See devices.link.Link.read; others have a say meanwhile."""
        while True:
            link = self._there()
            try:
                data = link.read(min(deadline_s, link.now_s() + _STEP_S))
            except PortError as error:
                self._lose(error)
                raise
            if data or link.now_s() >= deadline_s:
                return data
            self._meanwhile()
