"""The +-15 V of the stimulator: a regulated converter that is always on, and takes time to come up.

Modelled: the start (Traco TMR 3, start-up time: 30 ms at the most with a resistive load), a slow one, one
that never comes, one that is lost. Without it the bridge conducts nothing and the current amplifier's output
lies at 0 V, which no current of the bench makes: the converter reads -11 mA. Left out: ripple, the 2 % of its
setting (see `Pump.supply_v`), the shape of the ramp.
"""

from __future__ import annotations

from collections.abc import Callable

from .interfaces import Handle, Scheduler

__all__ = ("START_MS", "Rails")

START_MS = 30.0


class Rails:
    """Up or not. `start_ms` of 0: there from the beginning."""

    def __init__(self, scheduler: Scheduler, *, start_ms: float = START_MS) -> None:
        self._scheduler = scheduler
        self.start_ms = self.nominal_ms = start_ms
        """From power on until they are up: now, and as the converter was made."""
        self.never = False
        """They never come."""
        self._up = self._powered = False
        self._timer: Handle | None = None
        self._listeners: list[Callable[[int], None]] = []
        self.power(True)

    @property
    def up(self) -> bool:
        """Whether both rails are within their tolerance."""
        return self._up

    def on_change(self, listener: Callable[[int], None]) -> None:
        """Call `listener(time_ns)` when they come or go."""
        self._listeners.append(listener)

    def power(self, on: bool) -> None:
        """The 5 V came or went."""
        self._powered = on
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._set(False)
        if on and not self.never:
            if self.start_ms <= 0.0:
                self._set(True)
            else:
                due = self._scheduler.now_ns + round(self.start_ms * 1e6)
                self._timer = self._scheduler.call_at(due, self._come_up)

    def lose(self, lost: bool = True) -> None:
        """The converter fails while it runs, or is mended and there at once."""
        self.never = lost
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._set(self._powered and not lost)

    def _come_up(self) -> None:
        self._timer = None
        self._set(True)

    def _set(self, up: bool) -> None:
        if up != self._up:
            self._up = up
            for listener in self._listeners:
                listener(self._scheduler.now_ns)
