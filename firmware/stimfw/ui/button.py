"""A push button, debounced: a press counts at its first edge, a release only once the contact is quiet."""

from stimfw.clock.ticks import elapsed_ms

SETTLE_MS = 20
"""Tactile switches bounce for up to 5 ms, worn ones for 10."""


class Debouncer:
    """Tells presses from contact bounce. Call update() when it may have changed, and after wait_ms()."""

    def __init__(self, down: bool, edge_is_enough: bool = False) -> None:
        """Begin with a button that is down or not; one that is held while the board starts is no press.

        `edge_is_enough`: a pulse too short to be seen as a level is a press as well. For STOP, where a press
        too many does no harm.
        """
        self._down = down
        self._edge_is_enough = edge_is_enough
        self._quiet = False  # while _down: the contact was seen open, at _since_ms
        self._since_ms = 0

    @property
    def down(self) -> bool:
        """Whether the button is down; bounces do not count."""
        return self._down

    def update(self, down: bool, edge: bool, now_ms: int) -> bool:
        """Whether this is a press, by the level now and by whether there was an edge since the last call."""
        if down:
            self._quiet = False
            pressed = not self._down
            self._down = True
            return pressed
        if self._down:
            self._release(edge, now_ms)
            return False
        if edge and self._edge_is_enough:
            self._down = self._quiet = True
            self._since_ms = now_ms
            return True
        return False

    def wait_ms(self, now_ms: int) -> int:
        """Time until a release may be settled; -1 if none is under way."""
        if not (self._down and self._quiet):
            return -1
        return max(0, SETTLE_MS - elapsed_ms(now_ms, self._since_ms))

    def _release(self, edge: bool, now_ms: int) -> None:
        if edge or not self._quiet:
            self._quiet = True
            self._since_ms = now_ms
        elif elapsed_ms(now_ms, self._since_ms) >= SETTLE_MS:
            self._down = self._quiet = False
