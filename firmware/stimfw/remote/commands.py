"""The service console of the remote: who it is, how it fares. It offers no way to press a button."""

import struct

from stimfw.drivers import console
from stimfw.logic import identity, messages

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from collections.abc import Callable

    from stimfw.drivers.radio_port import RadioPort
    from stimfw.logic.link import Requester
    from stimfw.remote.app import App


class Commands:
    """Answers IDENTIFY, STATUS and COUNTERS in the formats of the stimulator."""

    def __init__(
        self, app: "App", port: "RadioPort", requester: "Requester", supply_mv: "Callable[[], int]"
    ) -> None:
        self._app = app
        self._port = port
        self._requester = requester
        self._supply_mv = supply_mv
        self.console: "console.Console | None" = None  # it needs execute(), so it is made after this

    def execute(self, message: bytes) -> bytes:
        """The reply to a request message."""
        opcode = message[0]
        if opcode == messages.IDENTIFY:
            body = identity.body("remote")
        elif opcode == messages.STATUS:
            body = self._status()
        elif opcode == messages.COUNTERS:
            body = self._counters()
        else:
            return messages.reply(opcode, messages.UNKNOWN_OPCODE)
        if len(message) != 1:
            return messages.reply(opcode, messages.BAD_LENGTH)
        return messages.reply(opcode, messages.OK, body)

    def _status(self) -> bytes:
        """Of the remote itself: only the state, the radio's bit and the supply mean anything."""
        failed = 0 if self._port.revive(requester=True) else messages.PART_RADIO
        state = messages.FAULT if failed else messages.READY
        return messages.pack_status((state, 0, 0, failed, 0, 0, 0, self._supply_mv()))

    def _counters(self) -> bytes:
        """messages.COUNTER_NAMES up to `refused`; `radio_duplicates` are replies that came too late here."""
        link = self._requester
        radio = (link.frames, link.bad, link.stray, self._port.tx_failed, self._app.refused)
        values = (console.counters(self.console) if self.console else (0, 0, 0, 0)) + radio
        return struct.pack("<%dI" % len(values), *values)
