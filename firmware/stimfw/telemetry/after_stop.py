"""The second after a stop: another peer may still try what was pressed before it, by a new handshake.

The application refuses what comes in that second. Somebody may keep it back for longer: so a handshake that
was begun in that second ends with it, unless its first REQUEST has come by then.
"""

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

HOLD_MS = 1100
"""A peer gives up what it was asked for 1 s ago; the rest is for its last frame on the way."""


class AfterStop:
    """When the last stop was, and who sent it. A start counts as one: what was before it is over."""

    def __init__(self) -> None:
        self._is_new = True  # nobody has told the time since
        self._lasts = False
        self._since_ms = 0
        self._sender = messages.FROM_NOBODY

    def stopped(self, sender: int) -> None:
        """A stop, by the peer of a slot, or FROM_USB, FROM_NOBODY.

        If others stopped just before, this may be an older STOP that somebody kept back: it frees nobody.
        """
        lasts = self._is_new or self._lasts
        self._sender = messages.FROM_NOBODY if lasts and sender != self._sender else sender
        self._is_new = True

    def lasts(self, now_ms: int) -> bool:
        """Whether that second is not over. It begins when this is first asked, never before the stop."""
        if self._is_new:
            self._is_new, self._lasts, self._since_ms = False, True, now_ms
        if self._lasts and elapsed_ms(now_ms, self._since_ms) >= HOLD_MS:
            self._lasts = False
        return self._lasts

    def holds(self, slot: int, now_ms: int) -> bool:
        """Whether what the peer of a slot begins now may have been pressed before the stop."""
        return self.lasts(now_ms) and slot != self._sender
