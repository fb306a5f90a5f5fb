"""What lies on the stimulator's flash, and its repair: over USB only."""

from typing import TYPE_CHECKING

from stimfw.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.stimulator.commands import Commands, Handler
    from stimfw.stimulator.control import Control
    from stimfw.storage.areas import Areas

_RESTART_MS = 200  # the reply is read by then


class Repair:
    """Answers what its `handlers()` name. After a repair the board restarts: only a start opens records."""

    def __init__(
        self,
        areas: "Areas",
        control: "Control",
        commands: "Commands",
        feed: "Callable[[], None]",
        restart: "Callable[[int], None]",
    ) -> None:
        """Args: feed: feeds the watchdog; restart: resets the board after so many ms."""
        self._feed = feed
        self._areas = areas
        self._control = control
        self._commands = commands
        self._restart = restart

    def handlers(self) -> "dict[int, Handler]":
        """For Commands.add."""
        return {messages.RECORDS: self._records, messages.REPAIR: self._repair}

    def _records(self, _body: bytes) -> "tuple[int, bytes]":
        # Looking takes up to 0.1 s: no STOP may come in between.
        if self._control.busy():
            return self._commands.outcome(messages.REASON_LOCKED)
        return messages.OK, bytes(self._areas.diagnose())

    def _repair(self, body: bytes) -> "tuple[int, bytes]":
        if self._control.busy():
            return self._commands.outcome(messages.REASON_LOCKED)
        if self._control.pairing:
            return self._commands.outcome(messages.REASON_PAIRING)
        try:
            done = self._areas.repair(body[0] == 1, self._feed)
        except OSError:
            return self._commands.outcome(messages.REASON_STORAGE)
        if done:
            self._restart(_RESTART_MS)
        return messages.OK, bytes((done,))
