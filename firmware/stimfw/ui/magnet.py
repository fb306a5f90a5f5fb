"""A person's gestures with the magnet at the stimulator: a touch, and holding it for three seconds.

The magnet's stop of the output needs none of this: the hardware and an interrupt handler do it.
"""

from stimfw.clock.ticks import elapsed_ms

NOTHING = 0
TOUCH = 1
HELD = 2

HOLD_MS = 3000
SETTLE_MS = 20
"""As for a button: a reed switch bounces for a few ms when the magnet leaves its reach."""


class MagnetHold:
    """Tells touches and holds. Call update() when the contact may have changed, and after wait_ms()."""

    def __init__(self, present: bool = False) -> None:
        """Begin with a magnet that is there or not; one there while the board starts is no gesture."""
        self._near = present
        self._told = present  # HELD was told, or is not to be told
        self._since_ms = 0  # when it came
        self._away = False  # while _near: the contact was seen open, at _away_ms
        self._away_ms = 0

    def update(self, present: bool, now_ms: int) -> int:
        """TOUCH when the magnet comes, HELD when it has been there for 3 s without a pause, else NOTHING."""
        if self._away:
            self._settle(now_ms)
        if not present:
            if self._near and not self._away:
                self._away = True
                self._away_ms = now_ms
            return NOTHING
        self._away = False
        if not self._near:
            self._near = True
            self._told = False
            self._since_ms = now_ms
            return TOUCH
        if not self._told and elapsed_ms(now_ms, self._since_ms) >= HOLD_MS:
            self._told = True
            return HELD
        return NOTHING

    def wait_ms(self, now_ms: int) -> int:
        """Time until update() has something to tell or to settle though nothing changes; -1 if it has not."""
        if self._away:
            return max(0, SETTLE_MS - elapsed_ms(now_ms, self._away_ms))
        if self._near and not self._told:
            return max(0, HOLD_MS - elapsed_ms(now_ms, self._since_ms))
        return -1

    def _settle(self, now_ms: int) -> None:
        """A contact that stayed open long enough was no bounce."""
        if elapsed_ms(now_ms, self._away_ms) >= SETTLE_MS:
            self._near = self._away = False
