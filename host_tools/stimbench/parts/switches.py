"""What a hand can do: push buttons and a magnet at the reed switch, both bouncing contacts to ground."""

from __future__ import annotations

import random
from functools import partial

from .interfaces import Handle, PinPort, Scheduler
from .seeds import spread

__all__ = ("Contact",)


class Contact:
    """A contact from a pin to ground, with an external pull-up or the microcontroller's own.

    Args:
        scheduler: the board's clock.
        pin: the net.
        bounce_ms: for how long the contact chatters after each move (0: it does not).
        pull_up: fitted with a 10 kohm pull-up, so the open contact reads high whatever the chip does.
        seed: of the bench; the chatter is the same for the same seed and the same moves.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        pin: PinPort,
        *,
        bounce_ms: float = 3.0,
        pull_up: bool = False,
        seed: int = 0,
    ) -> None:
        self._scheduler, self._pin = scheduler, pin
        self._bounce_ns = round(bounce_ms * 1e6)
        self._rng: random.Random = spread(seed, f"contact/{pin.name}")
        self._pending: list[Handle] = []
        self._closed = False
        if pull_up:
            pin.pull(True)

    @property
    def closed(self) -> bool:
        """The intended position, without the bouncing."""
        return self._closed

    def close(self) -> None:
        """Press the button, or bring the magnet."""
        self._move(True)

    def open(self) -> None:
        """Let go, or take the magnet away."""
        self._move(False)

    def press(self, duration_ms: float) -> None:
        """Close now and open after `duration_ms`."""
        self.close()
        self._scheduler.call_at(self._scheduler.now_ns + round(duration_ms * 1e6), self.open)

    def _move(self, closed: bool) -> None:
        if closed == self._closed:
            return
        self._closed = closed
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()
        now = self._scheduler.now_ns
        self._drive(closed)
        bounces = self._rng.randint(1, 4) if self._bounce_ns else 0
        times = sorted(self._rng.randrange(1, self._bounce_ns) for _ in range(2 * bounces))
        for k, after in enumerate(times):
            level = closed if k % 2 else not closed
            self._pending.append(self._scheduler.call_at(now + after, partial(self._drive, level)))

    def _drive(self, closed: bool) -> None:
        self._pin.drive(False if closed else None, "a contact")
