"""A person's gestures with the magnet at the stimulator: holding it for three seconds, and consent.

The magnet's stop of the output needs none of this: the hardware and an interrupt handler do it.
"""

from stimfw.clock.ticks import elapsed_ms

# What MagnetHold.update() tells, any of them at once.
NOTHING = 0
TOUCH = 1
HELD = 2
LEFT = 4

HOLD_MS = 3000
SETTLE_MS = 20
"""As for a button: a reed switch bounces for a few ms when the magnet leaves its reach."""
AWAY_MS = 1000
"""Before consent the magnet has been away for so long without a break."""
CONSENT_MS = 1000
"""It then stays for so long, and less than HOLD_MS."""


class MagnetHold:
    """Tells touches, holds and leavings. Call update() when the contact may have changed and after wait_ms().

    Attributes:
        near: whether the magnet is there; a bounce is no leaving.
        since_ms: when it came, or left.
        stayed_ms: how long it was there before it last left.
        away_ms: how long it was away before it last came.
    """

    def __init__(self, present: bool = False) -> None:
        """Begin with a magnet that is there or not; one there while the board starts is no gesture."""
        self.near = present
        self.since_ms = 0
        self.stayed_ms = self.away_ms = 0
        self._told = present  # HELD was told, or is not to be told
        self._open = False  # while near: the contact was seen open, at _open_ms
        self._open_ms = 0

    def update(self, present: bool, now_ms: int) -> int:
        """What happened: TOUCH when the magnet came, HELD when it was there for 3 s without a pause, LEFT."""
        told = self._settle(now_ms) if self._open else NOTHING
        if not present:
            if self.near and not self._open:
                self._open = True
                self._open_ms = now_ms
            return told
        self._open = False
        if not self.near:
            self.near = True
            self.away_ms = elapsed_ms(now_ms, self.since_ms)
            self.since_ms = now_ms
            self._told = False
            return told | TOUCH
        if not self._told and elapsed_ms(now_ms, self.since_ms) >= HOLD_MS:
            self._told = True
            return HELD
        return told

    def wait_ms(self, now_ms: int) -> int:
        """Time until update() has something to tell or to settle though nothing changes; -1 if it has not."""
        if self._open:
            return max(0, SETTLE_MS - elapsed_ms(now_ms, self._open_ms))
        if self.near and not self._told:
            return max(0, HOLD_MS - elapsed_ms(now_ms, self.since_ms))
        return -1

    def _settle(self, now_ms: int) -> int:
        """A contact that stayed open long enough was no bounce."""
        if elapsed_ms(now_ms, self._open_ms) < SETTLE_MS:
            return NOTHING
        self._open = self.near = False
        self.stayed_ms = elapsed_ms(self._open_ms, self.since_ms)
        self.since_ms = self._open_ms
        return LEFT


class Consent:
    """A gesture that nobody makes by accident, at the end of a pairing.

    The magnet has been away for a second; then it comes, stays for a second at least, and leaves before three
    are over. It counts only if consent was awaited, and could be seen to be, before the magnet came.
    """

    GIVEN = 1
    TOO_LONG = 2
    """The magnet stays: left lying, it is no consent."""

    NOT_NOW = 0
    HOLD_IT = 1
    LET_GO = 2

    def __init__(self, magnet: MagnetHold) -> None:
        """Follow `magnet`, which somebody else updates."""
        self._magnet = magnet
        self._awaited = False  # at the last update
        self._counts = False  # the magnet is there, and came as it should

    def reset(self) -> None:
        """Begin again: what was done before is none."""
        self._awaited = self._counts = False

    def update(self, told: int, awaited: bool) -> int:
        """GIVEN, TOO_LONG or 0.

        Args:
            told: what the magnet's update has just told.
            awaited: whether all is there but this consent.
        """
        outcome = 0
        if told & LEFT and self._counts:
            self._counts = False
            if self._magnet.stayed_ms >= HOLD_MS:
                outcome = self.TOO_LONG
            elif self._magnet.stayed_ms >= CONSENT_MS:
                outcome = self.GIVEN
        if told & TOUCH:
            self._counts = self._awaited and self._magnet.away_ms >= AWAY_MS
        elif told & HELD and self._counts:
            self._counts = False
            outcome = self.TOO_LONG
        self._awaited = awaited
        return outcome

    def asks(self, now_ms: int) -> int:
        """What the person is asked for: HOLD_IT, LET_GO, or NOT_NOW."""
        here_ms = elapsed_ms(now_ms, self._magnet.since_ms)
        if self._counts:
            return self.LET_GO if here_ms >= CONSENT_MS else self.HOLD_IT
        if self._awaited and not self._magnet.near and here_ms >= AWAY_MS:
            return self.HOLD_IT
        return self.NOT_NOW

    def wait_ms(self, now_ms: int) -> int:
        """Time until asks() changes though nothing is done; -1 if it does not."""
        here_ms = elapsed_ms(now_ms, self._magnet.since_ms)
        if self._counts:
            return CONSENT_MS - here_ms if here_ms < CONSENT_MS else -1
        if self._awaited and not self._magnet.near and here_ms < AWAY_MS:
            return AWAY_MS - here_ms
        return -1
