"""The reed relay of one lead: two normally-open contacts, in the source rail and in the sink rail.

Littelfuse HE722A0500 or one like it: it closes within 1 ms of its coil's current and opens within 1 ms,
bounce included; with the coil's diode opening is slower, 0.7 to 2.2 ms in SPICE (docs/circuit.md). Typical
and worst times here are those that the circuit is proven with. Modelled: the times, a contact that is welded
or never closes. Both contacts move as one. Left out: bounce (it is within the times), the contacts' 0.1 ohm,
one contact that fails alone.
"""

from __future__ import annotations

from collections.abc import Callable

from .interfaces import Handle, Scheduler
from .monostable import Monostable

__all__ = ("CLOSES_MS", "OPENS_MS", "Relay")

CLOSES_MS = {"typical": 0.5, "worst": 3.0}
OPENS_MS = {"typical": 0.7, "worst": 2.2}
_MS = 1_000_000


class Relay:
    """Held by Q of the monostable; it joins bridge and rails."""

    def __init__(self, scheduler: Scheduler, gate: Monostable) -> None:
        self._scheduler = scheduler
        self._gate = gate
        self._closes_ns = round(CLOSES_MS["typical"] * _MS)
        self._opens_ns = round(OPENS_MS["typical"] * _MS)
        self._moved = gate.q
        self._fixed: bool | None = None
        self._closed = gate.q
        self._timer: Handle | None = None
        self._listeners: list[Callable[[int], None]] = []
        gate.on_change(self._on_q)

    @property
    def is_closed(self) -> bool:
        """Whether the bridge is joined to the rails."""
        return self._closed

    @property
    def fixed(self) -> bool | None:
        """Welded (True), never closing (False), or None: it follows its coil."""
        return self._fixed

    def on_change(self, listener: Callable[[int], None]) -> None:
        """Call `listener(time_ns)` when the contacts have moved."""
        self._listeners.append(listener)

    def tolerance(self, closes_ms: float, opens_ms: float) -> None:
        """These times in place of the typical ones, ms."""
        self._closes_ns, self._opens_ns = round(closes_ms * _MS), round(opens_ms * _MS)

    def fix(self, closed: bool | None) -> None:
        """Weld the contacts, or let them never close again; None: they follow the coil."""
        self._fixed = closed
        self._settle(self._scheduler.now_ns)

    def _on_q(self, level: bool, time_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if level == self._moved:
            return
        wait_ns = self._closes_ns if level else self._opens_ns
        if wait_ns == 0:
            self._move()
            return
        self._timer = self._scheduler.call_at(time_ns + wait_ns, self._move)

    def _move(self) -> None:
        self._timer = None
        self._moved = self._gate.q
        self._settle(self._scheduler.now_ns)

    def _settle(self, time_ns: int) -> None:
        closed = self._moved if self._fixed is None else self._fixed
        if closed != self._closed:
            self._closed = closed
            for listener in self._listeners:
                listener(time_ns)
