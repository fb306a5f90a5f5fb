"""Answers requests by the table: finds the handler, checks role, length and conditions, packs the reply.

A request that is refused changes nothing.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals, requests, roles
from stimfw.protocol.messages import reply
from stimfw.protocol.steps import all_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
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


class Dispatcher:
    """One board's requests, the same for the console and the radio.

    Attributes:
        role, sender, opcode: of the request that is being executed: stimfw.protocol.roles, slot or FROM_USB.
        asked, refused, forbidden: how many were, since the start.
    """

    def __init__(
        self,
        board: str,
        conditions: "Conditions",
        log: "Log | None" = None,
        busy: "Callable[[], bool] | None" = None,
    ) -> None:
        """Nothing is served yet.

        Args:
            board: `stimulator` or `remote`.
            conditions: the board's.
            log: is told what was forbidden, if anything can be.
            busy: whether the output is on: then a host's request is done in steps, because a STOP may wait.
        """
        self._board = board
        self._conditions = conditions
        self._log = log
        self._busy = busy
        # By opcode: the rows lie in flash, and bound methods for all of them would take more RAM.
        self._rows: "list[Row | None]" = []
        self._groups: "list[object]" = []
        self.role = roles.SERVICE
        self.sender = messages.FROM_USB
        self.opcode = 0
        self.asked = self.refused = 0
        self.forbidden = 0
        self._in_steps = False
        self._rest: "tuple[Row, int, int, Generator[None, None, Answer]] | None" = None
        self._answer: "tuple[Row, Answer] | None" = None

    def serve(self, *groups: object) -> None:
        """Take the handlers: of each request the method of its name, in whichever group has one.

        Not in the constructor: console and radio need `execute`, and the groups tell of console and radio.

        Raises:
            ValueError: a request of this board has no handler.
        """
        rows = requests.answered_by(self._board)
        size = 1 + max([row[requests.OPCODE] for row in rows])
        self._rows, self._groups = [None] * size, [None] * size
        for row in rows:
            found = [group for group in groups if hasattr(group, row[requests.NAME])]
            # What only an implant does is refused by its condition before a handler is looked for.
            if not found and not row[requests.CONDITIONS].startswith("implanted"):
                raise ValueError("no handler of " + row[requests.NAME])
            self._rows[row[requests.OPCODE]] = row
            self._groups[row[requests.OPCODE]] = found[0] if found else None

    def from_host(self, message: bytes) -> bytes:
        """Answer a request that came over the console; empty: it is begun, and `go_on` answers."""
        self._in_steps = self._busy is not None and self._busy()
        try:
            return self.execute(message, roles.SERVICE, messages.FROM_USB)
        finally:
            self._in_steps = False

    def in_steps(self, work: "Generator[None, None, Answer]") -> "Answer | None":
        """For a handler: do the work a step a pass if a host asks and the output is on, or else at once."""
        row = self._rows[self.opcode] if self._in_steps else None
        if row is None:
            return all_of(work)
        self._rest = row, self.role, self.sender, work
        return None

    def go_on(self) -> bytes:
        """The next step of a host's request; the reply, or empty if there is more to do."""
        if self._rest is not None:
            row, self.role, self.sender, work = self._rest
            try:
                next(work)
            except StopIteration as over:
                self._rest, self._answer = None, (row, over.value)
        elif self._answer is not None:
            row, answer = self._answer
            self._answer = None
            return self._packed(row, answer)
        return b""

    def _complete(self) -> None:
        """Do all that is left of a host's request: whatever comes now finds it done."""
        if self._rest is not None:
            row, self.role, self.sender, work = self._rest
            self._rest = None
            self._answer = row, all_of(work)

    def execute(self, message: bytes, role: int, sender: int) -> bytes:
        """Answer a request of `role` (stimfw.protocol.roles); sender: a slot, or FROM_USB."""
        self.asked += 1
        opcode = message[0] if message else 0
        if opcode != requests.STOP:
            self._complete()
        row = self._rows[opcode] if opcode < len(self._rows) else None
        if row is None:
            return self._refuse(opcode & 0x7F, messages.UNKNOWN_OPCODE)
        if not requests.allows(row, role):
            self.forbidden += 1
            if self._log:
                self._log.add(messages.EVENT_FORBIDDEN, sender, opcode)
            return self._refuse(opcode, messages.FORBIDDEN)
        # Most requests carry nothing and are allowed in any state: STOP does not wait for what they need not.
        if row[requests.BODY]:
            values = requests.unpack_body(row, message[1:])
        else:
            values = () if len(message) == 1 else None
        if values is None:
            return self._refuse(opcode, messages.BAD_LENGTH)
        self.role, self.sender, self.opcode = role, sender, opcode
        conditions = row[requests.CONDITIONS]
        reason = self._refusal_reason(conditions) if conditions else messages.REASON_NONE
        if reason != messages.REASON_NONE:
            answer = self._conditions.outcome(reason)
        else:
            answer = getattr(self._groups[opcode], row[requests.NAME])(*values)
        if not self._in_steps:
            return self._packed(row, answer)
        if answer is not None:
            self._answer = row, answer
        return b""

    def _packed(self, row: "Row", answer: "Answer") -> bytes:
        if answer[0] != messages.OK:
            self.refused += 1
        return refusals.pack(row, answer)

    def _refusal_reason(self, conditions: str) -> int:
        for condition in conditions.split():
            reason: int = getattr(self._conditions, condition)()
            if reason != messages.REASON_NONE:
                return reason
        return messages.REASON_NONE

    def _refuse(self, opcode: int, code: int) -> bytes:
        self.refused += 1
        return reply(opcode, code)
