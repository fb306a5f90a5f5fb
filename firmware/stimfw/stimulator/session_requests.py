"""Requests that begin and end what the output does, and the programme that it follows."""

from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals
from stimfw.therapy import program
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import ParameterError

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.protocol.dispatcher import Dispatcher
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.conditions import Conditions
    from stimfw.stimulator.control import Control
    from stimfw.therapy.event_log import EventLog


class SessionRequests:
    """Handlers, named as in stimfw.protocol.requests.TABLE."""

    def __init__(
        self, control: "Control", conditions: "Conditions", dispatcher: "Dispatcher", log: "EventLog"
    ) -> None:
        self._control = control
        self._conditions = conditions
        self._dispatcher = dispatcher
        self._log = log

    def start(self) -> "Answer":
        """Begin a session."""
        return self._conditions.outcome(self._control.start(sender=self._dispatcher.sender))

    def stop(self) -> "Answer":
        """Output off."""
        slot = self._dispatcher.sender
        cause = messages.STOPPED_HOST if slot == messages.FROM_USB else messages.STOPPED_REMOTE
        self._control.stop(cause, slot)
        return refusals.done()

    def impedance(self) -> "Answer":
        """Begin a measurement of all pairs of both leads."""
        return self._conditions.outcome(self._control.measure(self._dispatcher.sender))

    def self_test(self) -> "Answer":
        """Begin the output's self-test: a test current that crosses no electrode pair."""
        return self._conditions.outcome(self._control.test_output(self._dispatcher.sender))

    def get_program(self) -> "Answer":
        """The programme, program.FIELD_NAMES in order."""
        return refusals.done(*self._control.program.values)

    def set_program(self, *values: int) -> "Answer | None":
        """Take a programme, program.FIELD_NAMES in order.

        While the output is on, other values than amplitudes are refused unseen: checking all takes 5 ms.
        """
        return self._dispatcher.in_steps(self._setting(values))

    def _setting(self, values: "tuple[int, ...]") -> "Generator[None, None, Answer]":
        control = self._control
        try:
            wanted = control.program.with_amplitudes(values[8], values[11])
            if wanted.values == values:
                yield
                wanted.check_net_current()
            elif control.busy():
                return self._conditions.outcome(messages.REASON_LOCKED)
            else:
                wanted = Program(values)
        except ParameterError as refused:
            names = program.FIELD_NAMES
            index = names.index(refused.field) if refused.field in names else refusals.NO_FIELD
            return refusals.out_of_range(refused.value, index)
        yield
        reason = yield from self._control.setting(wanted, self._dispatcher.sender)
        if reason == messages.REASON_NONE:
            yield
            self._log.add(messages.EVENT_PROGRAM_SET, self._dispatcher.sender, 0)
        return self._conditions.outcome(reason)
