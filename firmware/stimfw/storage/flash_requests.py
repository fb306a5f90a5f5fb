"""Requests about what is kept on a board's flash, and its repair; both boards answer them over USB only."""

from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.protocol.dispatcher import Conditions
    from stimfw.protocol.refusals import Answer
    from stimfw.storage.areas import Areas

_RESTART_MS = 200  # the reply is read by then


class FlashRequests:
    """Handlers, named as in stimfw.protocol.requests.TABLE.

    After a repair the board restarts: only a start opens records.
    """

    def __init__(
        self,
        areas: "Areas",
        conditions: "Conditions",
        feed: "Callable[[], None]",
        restart: "Callable[[int], None]",
        log_state: "Callable[[], bytes]" = bytes,
    ) -> None:
        """Keep what the handlers need.

        Args:
            areas: what is on flash.
            conditions: the board's, for refusals.
            feed: feeds the watchdog.
            restart: resets the board after so many ms.
            log_state: the state of the log, of a board that has one on flash: a byte as of an area.
        """
        self._areas = areas
        self._conditions = conditions
        self._feed = feed
        self._restart = restart
        self._log_state = log_state

    def records(self) -> "Answer":
        """The state of each area (stimfw.storage.areas), then that of the log, if there is one on flash."""
        return refusals.done(bytes(self._areas.diagnose()) + self._log_state())

    def repair(self, overwrite_later: int) -> "Answer":
        """Rewrite what is damaged; 1: also what a later firmware has written. Answers what was done."""
        try:
            plan = self._areas.repair(overwrite_later == 1, self._feed)
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        if plan:
            self._restart(_RESTART_MS)
        return refusals.done(plan)
