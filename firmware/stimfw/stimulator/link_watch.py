"""Whether the peer that began the session is still heard: what the log says of its link."""

from typing import TYPE_CHECKING

from stimfw.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Callable

LOST_MS = 15_000
"""A remote that watches a session (stimfw.remote.watch) speaks three times in this."""


def nobody_heard(_slot: int, _now_ms: int) -> int:
    """`LinkWatch.silent_ms` of a board without a radio protocol: never."""
    return LOST_MS


class LinkWatch:
    """Notes a link that is lost and one that is back, once each.

    Attributes:
        silent_ms: `silent_ms(slot, now_ms)`: since when the peer of a slot was not heard (ms).
        lost: the session's peer is not heard.
    """

    def __init__(self, note: "Callable[[int, int, int], None]") -> None:
        self.silent_ms: "Callable[[int, int], int]" = nobody_heard
        self._note = note
        self._slot = messages.FROM_NOBODY
        self.lost = False

    def begin(self, sender: int) -> None:
        """A session began; sender: a slot, FROM_USB or FROM_NOBODY."""
        self._slot = sender
        self.lost = False

    def end(self) -> None:
        """It is over: there is nothing to watch."""
        self._slot = messages.FROM_NOBODY
        self.lost = False

    def poll(self, now_ms: int) -> None:
        """Look again; to be called about once a second."""
        if self._slot >= messages.SLOTS:
            return
        lost = self.silent_ms(self._slot, now_ms) >= LOST_MS
        if lost != self.lost:
            self.lost = lost
            self._note(messages.EVENT_LINK_LOST if lost else messages.EVENT_LINK_BACK, self._slot, 0)
