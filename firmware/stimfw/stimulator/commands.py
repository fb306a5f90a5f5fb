"""What the stimulator answers: one function a request, the same for the console and the radio.

A request that is refused changes nothing. Each returns the reply's bytes.
"""

import struct

from stimfw.logic import identity, impedance, messages, program
from stimfw.logic.messages import reply
from stimfw.logic.ranges import ParameterError

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.readings import Readings

FROM_HOST = messages.STOPPED_HOST
FROM_REMOTE = messages.STOPPED_REMOTE

_BODY_BYTES = {messages.IMPEDANCE_RESULTS: 1, messages.PULSES: 4, messages.SET_PROGRAM: program.PACKED_BYTES}
_REMOTE_MAY = (messages.STATUS, messages.START, messages.STOP)
_PULSES_A_REPLY = 8  # a quarter of a millisecond each


class Commands:
    """Requests, by opcode: some are for Control, some for Readings."""

    def __init__(self, control: "Control", readings: "Readings") -> None:
        self._control = control
        self._readings = readings
        self._source = FROM_HOST
        self.refused = 0
        self._handlers = {
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

    def from_host(self, message: bytes) -> bytes:
        """Answer a request that came over the console."""
        return self._execute(message, FROM_HOST)

    def from_remote(self, message: bytes) -> bytes:
        """Answer a request that came over the radio."""
        return self._execute(message, FROM_REMOTE)

    def _execute(self, message: bytes, source: int) -> bytes:
        opcode = message[0] if message else 0
        handler = self._handlers.get(opcode)
        if handler is None or (source == FROM_REMOTE and opcode not in _REMOTE_MAY):
            self.refused += 1
            return reply(opcode & 0x7F, messages.UNKNOWN_OPCODE)
        if len(message) - 1 != _BODY_BYTES.get(opcode, 0):
            self.refused += 1
            return reply(opcode, messages.BAD_LENGTH)
        self._source = source
        code, body = handler(message[1:])
        if code != messages.OK:
            self.refused += 1
        return reply(opcode, code, body)

    def _outcome(self, reason: int) -> "tuple[int, bytes]":
        if reason == messages.REASON_NONE:
            return messages.OK, b""
        return messages.WRONG_STATE, bytes((self._control.state(), reason))

    def _identify(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, identity.body("stimulator")

    def _status(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, messages.pack_status(self._readings.status())

    def _start(self, _body: bytes) -> "tuple[int, bytes]":
        return self._outcome(self._control.start())

    def _stop(self, _body: bytes) -> "tuple[int, bytes]":
        self._control.stop(self._source)
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
        return self._outcome(self._control.set_program(wanted))

    def _impedance(self, _body: bytes) -> "tuple[int, bytes]":
        return self._outcome(self._control.measure())

    def _self_test(self, _body: bytes) -> "tuple[int, bytes]":
        return self._outcome(self._control.test_output())

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
        values = self._readings.counters(self.refused)
        return messages.OK, struct.pack("<%dI" % len(values), *values)
