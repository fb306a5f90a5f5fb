"""A scripted board on a link with a clock of its own: no board, no thread, no sleep."""

from __future__ import annotations

import struct
from contextlib import contextmanager

import pytest
from stimbench.cli.common import Services
from stimbench.client.stimulator import connect
from stimfw.logic import console_frame, messages, program
from stimfw.logic.program import Program
from stimfw.logic.ranges import ParameterError
from stimfw.version import VERSION

PROGRAM = program.default().replaced({"left.amplitude_ua": 2000, "right.amplitude_ua": 2000})
LATENCY_S = 0.01
MEASURING_S = 0.4


class FakeLink:
    """Delivers what `respond(line, now_s)` returns: a list of (delay in s, bytes)."""

    name = "/dev/fake"

    def __init__(self, respond) -> None:
        self.respond = respond
        self.time_s = 100.0
        self.pending: list[tuple[float, bytes]] = []
        self.written: list[bytes] = []
        self.closed = False

    def now_s(self):
        return self.time_s

    def wait(self, seconds):
        self.time_s += seconds

    def write(self, data):
        self.written.append(data)
        self.pending += [(self.time_s + delay, piece) for delay, piece in self.respond(data, self.time_s)]
        self.pending.sort(key=lambda item: item[0])

    def read(self, deadline_s):
        if not self.pending or self.pending[0][0] > deadline_s:
            self.time_s = max(self.time_s, deadline_s)
            return b""
        due_s, data = self.pending.pop(0)
        self.time_s = max(self.time_s, due_s)
        return data

    def close(self):
        self.closed = True


class FakeBoard:
    """Answers like a stimulator in order; `calls` are the opcodes that it executed."""

    def __init__(self) -> None:
        self.role = "stimulator"
        self.version = VERSION
        self.state = messages.READY
        self.failed_parts = self.will_fail = 0
        self.magnet = 0
        self.program = PROGRAM
        self.open_pairs: set[tuple[int, int, int]] = set()
        self.measuring_until_s = 0.0
        self.refuse: dict[int, tuple[int, bytes]] = {}
        self.calls: list[int] = []
        self.link = FakeLink(self.respond)

    def respond(self, line, now_s):
        number, message = console_frame.decode(line[1:-1])
        return [(LATENCY_S, console_frame.encode(number, self.execute(message, now_s)))]

    def execute(self, message, now_s):
        opcode, body = message[0], message[1:]
        self.calls.append(opcode)
        if opcode in self.refuse:
            return messages.reply(opcode, *self.refuse[opcode])
        code, answer = getattr(self, f"do_{opcode:02x}")(body, now_s)
        return messages.reply(opcode, code, answer)

    def do_01(self, _body, _now_s):
        return messages.OK, f"{self.role}\0{self.version}\0abcdef0123456789".encode()

    def do_02(self, _body, now_s):
        state = messages.MEASURING if now_s < self.measuring_until_s else self.state
        return messages.OK, messages.pack_status(
            (state, self.magnet, messages.STOPPED_HOST, self.failed_parts, 2000, 1500, 1234, 5010)
        )

    def do_03(self, _body, _now_s):
        self.state = messages.RAMP_UP
        return messages.OK, b""

    def do_04(self, _body, _now_s):
        self.state = messages.READY
        return messages.OK, b""

    def do_05(self, _body, _now_s):
        return messages.OK, self.program.pack()

    def do_06(self, body, _now_s):
        try:
            self.program = program.unpack(body).after(self.program)
        except ParameterError as error:
            index = program.FIELD_NAMES.index(error.field)
            return messages.OUT_OF_RANGE, struct.pack("<Bi", index, int(error.value))
        return messages.OK, b""

    def do_07(self, _body, now_s):
        self.measuring_until_s = now_s + MEASURING_S
        return messages.OK, b""

    def do_0c(self, _body, now_s):
        self.measuring_until_s = now_s + MEASURING_S
        self.failed_parts = self.will_fail
        return messages.OK, b""

    def do_08(self, body, _now_s):
        lead = body[0]
        records = b""
        for cathode in range(4):
            for anode in range(4):
                if cathode != anode:
                    kind = (
                        messages.KIND_OPEN if (lead, cathode, anode) in self.open_pairs else messages.KIND_OK
                    )
                    records += struct.pack(
                        messages.PAIR_RECORD,
                        cathode << 2 | anode,
                        kind,
                        500 + 10 * cathode + anode,
                        1800,
                        1000,
                    )
        return messages.OK, records

    def do_09(self, body, _now_s):
        first = max(7, struct.unpack("<I", body)[0])
        samples = [(0, 1998, -1100, -1200), (1, 2003, -1000, -1150)]
        return messages.OK, struct.pack("<I", first) + b"".join(
            struct.pack(messages.PULSE_RECORD, *sample) for sample in samples
        )

    def do_0a(self, _body, _now_s):
        return messages.OK, messages.pack_details((61_000, 40, 41, 2, 1, 251, 123_456, 321_000))

    def do_0b(self, _body, _now_s):
        return messages.OK, struct.pack(
            f"<{len(messages.COUNTER_NAMES)}I", *range(len(messages.COUNTER_NAMES))
        )

    @contextmanager
    def open(self, board: str | None):
        self.named = board
        yield connect(self.link, first_number=250)


@pytest.fixture
def board():
    return FakeBoard()


@pytest.fixture
def make_link():
    return FakeLink


@pytest.fixture
def services(board):
    return Services(open_board=board.open)


@pytest.fixture
def other_program():
    return Program((300, 100, 40, 1000, 500, 2000, 3000, 600, 3000, 0, 1, 1025, 3, 2))
