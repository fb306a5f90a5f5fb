"""Answers requests by the table: finds the handler, checks role, length and conditions, packs the reply.

A request that is refused changes nothing.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals, requests, roles
from stimfw.protocol.messages import reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from stimfw.protocol.refusals import Answer
    from stimfw.protocol.requests import Row

    class Conditions(Protocol):
        """A board's: besides this, a method for each word in its column of the table; each gives a reason."""

        def outcome(self, reason: int) -> "Answer":
            """Done, or refused in the present state."""

    class Log(Protocol):
        """stimfw.therapy.event_log.EventLog."""

        def add(self, kind: int, sender: int, detail: int) -> None:
            """An event."""


class Sender:
    """Whose request is being executed: role (stimfw.protocol.roles), and slot or messages.FROM_USB."""

    def __init__(self) -> None:
        self.role = roles.SERVICE
        self.slot = messages.FROM_USB


class Dispatcher:
    """One board's requests, the same for the console and the radio.

    Attributes:
        sender: of the request that is being executed.
        refused, forbidden: how many were, since the start.
    """

    def __init__(self, board: str, conditions: "Conditions", log: "Log | None" = None) -> None:
        """Args: board: `stimulator` or `remote`; log: is told what was forbidden, if anything can be."""
        self._board = board
        self._conditions = conditions
        self._log = log
        self._handlers: "dict[int, tuple[Callable[..., Answer], Row]]" = {}
        self.sender = Sender()
        self.refused = 0
        self.forbidden = 0

    def serve(self, *groups: object) -> None:
        """Take the handlers: of each request the method of its name in lower case, in any of the groups.

        Not in the constructor: console and radio need `execute`, and the groups tell of console and radio.

        Raises:
            ValueError: a request of this board has no handler.
        """
        for row in requests.answered_by(self._board):
            name = row[requests.NAME].lower()
            found = [getattr(group, name) for group in groups if hasattr(group, name)]
            if not found:
                raise ValueError("no handler of " + name)
            self._handlers[row[requests.OPCODE]] = found[0], row

    def from_host(self, message: bytes) -> bytes:
        """Answer a request that came over the console."""
        return self.execute(message, roles.SERVICE, messages.FROM_USB)

    def execute(self, message: bytes, role: int, slot: int) -> bytes:
        """Answer a request of `role` (stimfw.protocol.roles); slot: the sender's, or FROM_USB."""
        opcode = message[0] if message else 0
        if opcode not in self._handlers:
            return self._refuse(opcode & 0x7F, messages.UNKNOWN_OPCODE)
        handler, row = self._handlers[opcode]
        if not requests.allows(row, role):
            self.forbidden += 1
            if self._log:
                self._log.add(messages.EVENT_FORBIDDEN, slot, opcode)
            return self._refuse(opcode, messages.FORBIDDEN)
        layout = requests.body_format(row, len(message) - 1)
        if layout is None:
            return self._refuse(opcode, messages.BAD_LENGTH)
        self.sender.role, self.sender.slot = role, slot
        answer = self._conditions.outcome(self._why_not(row[requests.CONDITIONS]))
        if answer[0] == messages.OK:
            answer = handler(*struct.unpack(layout, message[1:]))
        if answer[0] != messages.OK:
            self.refused += 1
        return refusals.pack(row, answer)

    def _why_not(self, conditions: str) -> int:
        for condition in conditions.split():
            reason: int = getattr(self._conditions, condition)()
            if reason != messages.REASON_NONE:
                return reason
        return messages.REASON_NONE

    def _refuse(self, opcode: int, code: int) -> bytes:
        self.refused += 1
        return reply(opcode, code)
