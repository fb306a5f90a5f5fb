"""The remote's watch over a session: whether the stimulator is heard, and whether the session still runs.

It asks for STATUS in the background, from a START that was done, or a STATUS that showed a session, until the
stimulator is in none any more. A person notices nothing of it while the answers come.

Only times and counts are here; the application asks, and shows what `answered` and `unanswered` give.
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.ui import feedback

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.telemetry.requester import Requester

EVERY_MS = 5000
SPREAD_MS = 500
"""And up to so much more, at random: two remotes do not keep in step."""
LOST_AFTER = 3
"""Unanswered in a row."""
LONGEST_MS = 3_690_000
"""A session of 3600 s, a contraction of 80 s that it still completes, and 10 s for clocks that differ."""


class Watch:
    """When to ask, and what to show.

    Attributes:
        requester: whose session is watched; None: no session.
    """

    def __init__(self, take_random: "Callable[[int], bytes]") -> None:
        """Watch nothing yet. `take_random(n)` gives n bytes, or OSError if there are none to be had."""
        self._random = take_random
        self.requester: "Requester | None" = None
        self._lost = self._silenced = False
        self._misses = 0
        self._asked_ms = self._wait_ms = 0
        self._began_ms = self._longest_ms = 0

    def session(self, requester: "Requester", elapsed_s: int, now_ms: int) -> None:
        """A session runs, since `elapsed_s` ago."""
        self.requester = requester
        self._began_ms, self._longest_ms = now_ms, max(0, LONGEST_MS - 1000 * elapsed_s)
        self.heard()
        self.asked(now_ms)

    def end(self) -> None:
        """There is nothing to watch any more."""
        self.requester = None
        self.heard()

    def heard(self) -> None:
        """The stimulator answered, whatever it was asked."""
        self._misses = 0
        self._lost = self._silenced = False

    def pressed(self) -> None:
        """A person pressed a button, and so has seen what was shown: not again for this loss."""
        self._silenced = self._lost

    def due(self, requester: "Requester | None", now_ms: int) -> bool:
        """Whether to ask now. `requester`: the remote's own at present."""
        if self.requester is None:
            return False
        if requester is not self.requester or elapsed_ms(now_ms, self._began_ms) >= self._longest_ms:
            self.end()  # the remote was paired anew, or no session takes so long
            return False
        return self.wait_ms(now_ms) == 0

    def wait_ms(self, now_ms: int) -> int:
        """Time until `due`; -1 if nothing is watched."""
        if self.requester is None:
            return -1
        return max(0, self._wait_ms - elapsed_ms(now_ms, self._asked_ms))

    def asked(self, now_ms: int) -> None:
        """The stimulator is asked now."""
        self._asked_ms = now_ms
        try:
            drawn = int.from_bytes(self._random(2), "little")
        except OSError:
            drawn = 0
        self._wait_ms = EVERY_MS + drawn % (SPREAD_MS + 1)

    def unanswered(self) -> "feedback.Pattern":
        """The answer did not come; what to show: () is nothing."""
        self._misses += 1
        if self._misses < LOST_AFTER:
            return ()
        self._lost = True
        return () if self._silenced else feedback.LINK_LOST

    def answered(self, in_session: bool) -> "feedback.Pattern":
        """It came, and says whether a session runs; what to show: () is nothing."""
        pattern: "feedback.Pattern" = feedback.LINK_BACK if self._lost else ()
        self.heard()
        if not in_session:
            self.end()
            pattern = pattern + feedback.SESSION_OVER
        return pattern
