"""The second after a stop: another peer may still try what was pressed before it, by a new handshake.

The application refuses what comes in that second. Somebody may keep it back for longer: so a handshake that
was begun in that second ends with it, unless its first REQUEST has come by then.
"""

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

HOLD_MS = 1050
"""A peer gives up after 1 s; the rest is for clocks that differ. The application refuses for longer, so that
what is taken here in the last moment is refused there."""


class AfterStop:
    """When the last stop was, and who sent it."""

    def __init__(self) -> None:
        # A start counts as a stop, as of when somebody first tells the time: what was before it is over.
        self._started = False
        self._lasts = False
        self._since_ms = 0
        self._sender = messages.FROM_NOBODY

    def stopped(self, sender: int, now_ms: int) -> None:
        """A stop, by the peer of a slot, or FROM_USB, FROM_NOBODY.

        If others stopped just before, this may be an older STOP that somebody kept back: it frees nobody.
        """
        again = self.lasts(now_ms) and sender != self._sender
        self._sender = messages.FROM_NOBODY if again else sender
        self._lasts, self._since_ms = True, now_ms

    def lasts(self, now_ms: int) -> bool:
        """Whether that second is not over."""
        if not self._started:
            self._started, self._lasts, self._since_ms = True, True, now_ms
        if self._lasts and elapsed_ms(now_ms, self._since_ms) >= HOLD_MS:
            self._lasts = False
        return self._lasts

    def holds(self, slot: int, now_ms: int) -> bool:
        """Whether what the peer of a slot begins now may have been pressed before the stop."""
        return self.lasts(now_ms) and slot != self._sender
