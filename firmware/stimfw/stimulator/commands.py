"""What the stimulator answers: one function a request, the same for the console and the radio.

Who may ask for what is in stimfw.protocol.roles. A request that is refused changes nothing. Each returns the
reply's bytes.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import identity, messages, roles
from stimfw.protocol.messages import reply
from stimfw.pulses import impedance
from stimfw.therapy import program
from stimfw.therapy.ranges import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.stimulator.control import Control
    from stimfw.stimulator.readings import Readings
    from stimfw.therapy.event_log import EventLog

    Handler = Callable[[bytes], "tuple[int, bytes]"]

_BODY_BYTES = {
    messages.IMPEDANCE_RESULTS: 1,
    messages.PULSES: 4,
    messages.SET_PROGRAM: program.PACKED_BYTES,
    messages.AMPLITUDE: 4,
    messages.SET_WINDOW: 8,
    messages.TEST_STIMULATION: 1,
    messages.LOG: 4,
    messages.SET_TIME: 4,
    messages.PAIR: 37,
    messages.FORGET: 1,
    messages.REPAIR: 1,
    messages.XIP: 1,
}
_PULSES_A_REPLY = 4  # 0.3 ms each, in which no STOP from the radio is heard


class Commands:
    """Requests, by opcode: some are for Control, some for Readings, others are `add`ed.

    Attributes:
        role, sender: of the request that is being executed: stimfw.protocol.roles, slot or FROM_USB.
    """

    def __init__(self, control: "Control", readings: "Readings", log: "EventLog") -> None:
        self._control = control
        self._readings = readings
        self._log = log
        self.role = roles.SERVICE
        self.sender = messages.FROM_USB
        self.refused = 0
        self.forbidden = 0
        self._handlers: "dict[int, Handler]" = {
            messages.IDENTIFY: self._identify,
            messages.STATUS: self._status,
            messages.START: self._start,
            messages.STOP: self._stop,
            messages.GET_PROGRAM: self._get_program,
            messages.SET_PROGRAM: self._set_program,
            messages.IMPEDANCE: self._impedance,
            messages.IMPEDANCE_RESULTS: self._impedance_results,
            messages.PULSES: self._pulses,
            messages.DETAILS: self._details,
            messages.COUNTERS: self._counters,
            messages.SELF_TEST: self._self_test,
        }

    def add(self, handlers: "dict[int, Handler]") -> None:
        """More requests: a function of the body by opcode, which returns code and body of the reply."""
        self._handlers.update(handlers)

    def from_host(self, message: bytes) -> bytes:
        """Answer a request that came over the console."""
        return self.execute(message, roles.SERVICE, messages.FROM_USB)

    def execute(self, message: bytes, role: int, sender: int) -> bytes:
        """Answer a request of `role` (stimfw.protocol.roles); sender: a slot, or FROM_USB."""
        opcode = message[0] if message else 0
        handler = self._handlers.get(opcode)
        if handler is None:
            self.refused += 1
            return reply(opcode & 0x7F, messages.UNKNOWN_OPCODE)
        if not roles.may(role, opcode):
            self.refused += 1
            self.forbidden += 1
            self._log.add(messages.EVENT_FORBIDDEN, sender, opcode)
            return reply(opcode, messages.FORBIDDEN)
        if len(message) - 1 != _BODY_BYTES.get(opcode, 0):
            self.refused += 1
            return reply(opcode, messages.BAD_LENGTH)
        self.role, self.sender = role, sender
        code, body = handler(message[1:])
        if code != messages.OK:
            self.refused += 1
        return reply(opcode, code, body)

    def outcome(self, reason: int) -> "tuple[int, bytes]":
        """Code and body of a reply that is only done or refused in this state: messages.REASON_...."""
        if reason == messages.REASON_NONE:
            return messages.OK, b""
        return messages.WRONG_STATE, bytes((self._control.state(), reason))

    def _identify(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, identity.body("stimulator")

    def _status(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, messages.pack_status(self._readings.status())

    def _start(self, _body: bytes) -> "tuple[int, bytes]":
        return self.outcome(self._control.start(sender=self.sender))

    def _stop(self, _body: bytes) -> "tuple[int, bytes]":
        self._control.stop(
            messages.STOPPED_HOST if self.sender == messages.FROM_USB else messages.STOPPED_REMOTE,
            self.sender,
        )
        return messages.OK, b""

    def _get_program(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, self._control.program.pack()

    def _set_program(self, body: bytes) -> "tuple[int, bytes]":
        try:
            wanted = program.unpack(body)
        except ParameterError as refused:
            field = refused.field
            index = program.FIELD_NAMES.index(field) if field in program.FIELD_NAMES else 0xFF
            value = refused.value if isinstance(refused.value, int) else 0
            return messages.OUT_OF_RANGE, struct.pack("<Bi", index, value)
        reason = self._control.set_program(wanted, self.sender)
        if reason == messages.REASON_NONE:
            self._log.add(messages.EVENT_PROGRAM_SET, self.sender, 0)
        return self.outcome(reason)

    def _impedance(self, _body: bytes) -> "tuple[int, bytes]":
        return self.outcome(self._control.measure(self.sender))

    def _self_test(self, _body: bytes) -> "tuple[int, bytes]":
        return self.outcome(self._control.test_output(self.sender))

    def _impedance_results(self, body: bytes) -> "tuple[int, bytes]":
        if body[0] > 1:
            return messages.OUT_OF_RANGE, struct.pack("<Bi", 0xFF, body[0])
        records = b""
        for (cathode, anode), found in zip(impedance.PAIRS, self._readings.measurements.results[body[0]]):
            records += struct.pack(messages.PAIR_RECORD, cathode << 2 | anode, *found)
        return messages.OK, records

    def _pulses(self, body: bytes) -> "tuple[int, bytes]":
        first, records = self._readings.pulses(struct.unpack("<I", body)[0], _PULSES_A_REPLY)
        return messages.OK, struct.pack("<I", first) + records

    def _details(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, messages.pack_details(self._readings.details())

    def _counters(self, _body: bytes) -> "tuple[int, bytes]":
        values = self._readings.counters(self.refused, self.forbidden)
        return messages.OK, struct.pack("<%dI" % len(values), *values)
