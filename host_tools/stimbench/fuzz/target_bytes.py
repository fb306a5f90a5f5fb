"""Targets that are functions of bytes: console, requests, replies, pieces, programmes, calibrations.

Runs on MicroPython too.
"""

import struct

from stimfw.protocol import asking, console_frame, identity, messages, refusals, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.pulses import calibration_record
from stimfw.pulses.lead_scales import MOST_CODE, LeadScales
from stimfw.telemetry import fragments, frames
from stimfw.therapy import program
from stimfw.therapy.ranges import ParameterError

from stimbench.fuzz.script import Script


def console(data: bytes) -> None:
    """A console's stream, with whole frames, broken ones and noise. Declared: ValueError of decode."""
    script = Script(data)
    receiver = console_frame.Receiver()
    while script.left():
        how = script.below(4)
        if how == 0:
            stream = script.chunk(40)
        else:
            stream = console_frame.encode(script.byte(), script.chunk(console_frame.MAX_MESSAGE))
            if how == 1:
                stream = script.mutated(stream)
            elif how == 2:
                stream = stream * (1 + script.below(3))
        for byte in stream:
            found = receiver.feed(byte)
            assert found is None or len(found[1]) <= console_frame.MAX_MESSAGE
        try:
            console_frame.decode(stream[1:-1])
        except ValueError:
            pass


def pieces(data: bytes) -> None:
    """Pieces of requests in any order, with any flags and times; replies of any length."""
    script = Script(data)
    taken = fragments.Reassembler(lambda request: request[:1] == b"\4")
    now_ms = 0
    while script.left():
        now_ms += (0, 1, 5000, 1 << 28)[script.below(4)]
        if script.below(3):
            plain = fragments.piece(script.below(3), script.byte(), script.chunk(fragments.DATA_BYTES))
        else:
            plain = script.take(frames.PLAIN_BYTES)
        size = script.byte()
        answer = taken.take(plain, lambda request: bytes(1 + size), now_ms)  # noqa: B023
        assert len(answer) == frames.PLAIN_BYTES
        fragments.parse(answer)


class _Board:
    """Handlers and conditions of a board, which answer as the table says; what they answer is drawn."""

    def __init__(self, board: str) -> None:
        self.script = Script(b"")
        self.rows = {row[requests.NAME]: row for row in requests.answered_by(board)}

    def add(self, kind: int, sender: int, detail: int) -> None:
        assert 0 <= kind < len(messages.EVENT_NAMES) and detail >= 0

    def outcome(self, reason: int) -> "refusals.Answer":
        return refusals.wrong_state(messages.READY, reason)

    def __getattr__(self, name: str) -> object:
        rows = self.rows
        if name not in rows:
            return lambda: self.script.below(24) // 8
        row = rows[name]

        def handler(*values: object) -> "refusals.Answer":
            asking.pack_body(row, values)  # what came in is what the row says
            if self.script.below(4) == 0:
                return refusals.out_of_range(values[0] if values else None, self.script.byte())
            size = struct.calcsize(row[requests.REPLY])
            fields = struct.unpack(row[requests.REPLY], self.script.take(size))
            return refusals.done(*(fields + ((b"",) if row[requests.TAIL] else ())))

        return handler


def _dispatch(board: str, data: bytes) -> None:
    script = Script(data)
    both = _Board(board)
    both.script = script
    dispatcher = Dispatcher(board, both, both)
    dispatcher.serve(both)
    sizes = {
        row[requests.OPCODE]: struct.calcsize(row[requests.BODY].split("|")[0]) for row in both.rows.values()
    }
    while script.left():
        opcode = script.byte()
        if opcode in sizes and script.below(4):
            body = script.take(sizes[opcode])
        else:
            body = script.chunk(messages.MAX_BODY + 3)
        message = b"" if opcode == 255 else bytes((opcode,)) + body
        reply = dispatcher.execute(message, script.below(roles.SERVICE + 3), script.byte())
        assert len(reply) >= 2 and reply[0] & messages.REPLY
        if opcode in sizes and reply[1] == messages.OK:
            asking.unpack_reply(requests.row_of(opcode, board), reply[2:])


def stimulator_requests(data: bytes) -> None:
    """Requests to a stimulator, of every role and of none."""
    _dispatch("stimulator", data)


def remote_requests(data: bytes) -> None:
    """Requests to a remote."""
    _dispatch("remote", data)


def programme(data: bytes) -> None:
    """A packed programme. Declared: ParameterError."""
    script = Script(data)
    packed = program.default().pack()
    while script.left():
        packed = script.mutated(packed) if script.below(3) else script.take(program.PACKED_BYTES)
        try:
            found = program.unpack(packed)
        except ParameterError:
            packed = program.default().pack()
            continue
        assert found.pack() == packed and program.Program(found.values).values == found.values


def calibration(data: bytes) -> None:
    """A board's calibration, and what it makes of amplitudes. Declared: CalibrationError."""
    script = Script(data)
    currents = [code * 2500 // calibration_record.CURRENT_NA for code in calibration_record.CODES]
    nominal = calibration_record.LeadCalibration(1_000_000, 0, 1_000_000, 0, 19_000, currents)
    whole = calibration_record.CalibrationRecord("fuzzed", 1, 500_000, (nominal, nominal)).pack()
    packed = whole
    while script.left():
        packed = script.mutated(packed) if script.below(3) else script.take(calibration_record.RECORD_BYTES)
        try:
            found = calibration_record.unpack(packed)
        except calibration_record.CalibrationError:
            packed = whole
            continue
        again = found.pack()
        assert calibration_record.unpack(again).pack() == again
        for lead in found.leads:
            scales = LeadScales()
            lead.apply(scales)
            codes = [scales.dac_code(ua) for ua in range(0, 10_001, 100)]
            assert codes == sorted(codes) and codes[0] == 0 and codes[-1] <= MOST_CODE


def replies(data: bytes) -> None:
    """What a host or a remote makes of a reply. Declared: ValueError."""
    script = Script(data)
    while script.left():
        row = requests.TABLE[script.below(len(requests.TABLE))]
        body = script.take(struct.calcsize(row[requests.REPLY])) + (
            script.chunk(40) if script.below(2) else b""
        )
        message = bytes((row[requests.OPCODE] | messages.REPLY, script.below(6))) + body
        for parse in (
            lambda: messages.parse_reply(row[requests.OPCODE], script.mutated(message)),  # noqa: B023
            lambda: asking.unpack_reply(row, body),  # noqa: B023
            lambda: asking.unpack_status(body),  # noqa: B023
            lambda: identity.parse(body),  # noqa: B023
        ):
            try:
                parse()
            except ValueError:
                pass
        refusals.unpack(script.below(6), body)


TARGETS = (
    ("console", console),
    ("pieces", pieces),
    ("stimulator requests", stimulator_requests),
    ("remote requests", remote_requests),
    ("programme", programme),
    ("calibration", calibration),
    ("replies", replies),
)
