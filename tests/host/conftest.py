"""A scripted board on a link with a clock of its own: no board, no thread, no sleep."""

from __future__ import annotations

import random
import struct
from contextlib import contextmanager

import pytest
from stimbench.bench import BenchConfig
from stimbench.cli.common import Services
from stimbench.client.keyring import Keyring
from stimbench.client.remote import connect_remote
from stimbench.client.stimulator import connect
from stimfw.protocol import asking, console_frame, messages, requests, roles
from stimfw.storage import areas
from stimfw.storage.pairings import PairingTable, TableFullError
from stimfw.telemetry.responder import Responder
from stimfw.therapy import program
from stimfw.therapy.event_log import EventLog
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import ParameterError
from stimfw.version import VERSION

PROGRAM = program.default().replaced({"left.amplitude_ua": 2000, "right.amplitude_ua": 2000})
STATUS, DETAILS = requests.row_of(requests.STATUS), requests.row_of(requests.DETAILS)
LATENCY_S = 0.01
MEASURING_S = 0.4
BASE = b"\x12\x34\x56\x78"
NEW_BASE = b"\x9a\xbc\xde\xf0"
REMOTE_ID = b"\xa1\xb2\xc3\xd4"
NOW_S = 1_800_000_000
AIR_S = 0.012
"""From a modem's frame to its fate and the answer."""


@pytest.fixture(scope="session")
def images():
    """Both boards' firmware is built; without it the test fails, and the error says what to build."""
    for board in ("stimulator", "remote"):
        BenchConfig().firmware_path(board)


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


class RamRecord:
    """Where a PairingTable keeps itself, without flash."""

    payload: bytes | None = None

    def load(self):
        return self.payload

    def store(self, payload):
        self.payload = bytes(payload)


class FakeBoard:
    """Answers like a stimulator in order; `calls` are the opcodes that it executed.

    `pace` seconds of its own uptime pass in a second of the link's.
    """

    pace = 1.0

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
        self.table = PairingTable(RamRecord())
        self.table.create(BASE)
        self.window = bytes(8)
        self.clock_s = 0
        self.log = EventLog(lambda: 7)
        self.log.add(messages.EVENT_STARTED, messages.FROM_NOBODY, 1)
        self.test_until_s = 0.0
        self.pulses_a_reply = 8
        self.stop_cause = messages.STOPPED_HOST
        self.records = [areas.SOUND] * 3
        self.cache = (900, 1000)
        self.repaired: list[bool] = []
        self.link = FakeLink(self.respond)

    def respond(self, line, now_s):
        number, message = console_frame.decode(line[1:-1])
        return [(LATENCY_S, console_frame.encode(number, self.execute(message, now_s)))]

    def execute(self, message, now_s, role=roles.SERVICE):
        opcode, body = message[0], message[1:]
        if not asking.may(role, opcode):
            return messages.reply(opcode, messages.FORBIDDEN)
        self.calls.append(opcode)
        if opcode in self.refuse:
            return messages.reply(opcode, *self.refuse[opcode])
        code, answer = getattr(self, f"do_{opcode:02x}")(body, now_s)
        return messages.reply(opcode, code, answer)

    def do_01(self, _body, _now_s):
        return messages.OK, f"{self.role}\0{self.version}\0abcdef0123456789".encode()

    def do_02(self, _body, now_s):
        state = messages.MEASURING if now_s < self.measuring_until_s else self.state
        if now_s < self.test_until_s:
            state = messages.HOLD
        return messages.OK, requests.pack_reply(requests.row_of(requests.STATUS),
            (state, self.magnet, self.stop_cause, self.failed_parts, 2000, 1500, 1234, 5010)
        )

    def do_03(self, _body, _now_s):
        self.state = messages.RAMP_UP
        return messages.OK, b""

    def do_04(self, _body, _now_s):
        self.state = messages.READY
        self.test_until_s = 0.0
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
        self.measuring_until_s = now_s + MEASURING_S / self.pace
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
                        requests.PAIR_RECORD,
                        cathode << 2 | anode,
                        kind,
                        500 + 10 * cathode + anode,
                        1800,
                        1000,
                    )
        return messages.OK, records

    def do_09(self, body, _now_s):
        first = min(9, max(7, struct.unpack("<I", body)[0]))
        samples = [(0, 1998, -1100, -1200), (1, 2003, -1000, -1150)][first - 7 :][: self.pulses_a_reply]
        return messages.OK, struct.pack("<I", first) + b"".join(
            struct.pack(requests.PULSE_RECORD, *sample) for sample in samples
        )

    def do_0a(self, _body, _now_s):
        return messages.OK, requests.pack_reply(DETAILS, (61_000, 40, 41, 2, 1, 251, 123_456, 321_000))

    def do_0b(self, _body, _now_s):
        return messages.OK, struct.pack(
            f"<{len(messages.COUNTER_NAMES)}I", *range(len(messages.COUNTER_NAMES))
        )

    def do_0d(self, body, _now_s):
        left_ua, right_ua = struct.unpack("<HH", body)
        wanted = {"left.amplitude_ua": left_ua, "right.amplitude_ua": right_ua}
        self.program = self.program.replaced(wanted)
        return messages.OK, b""

    def do_0e(self, _body, _now_s):
        return messages.OK, self.window

    def do_0f(self, body, _now_s):
        self.window = body
        return messages.OK, b""

    def do_10(self, body, now_s):
        self.test_until_s = now_s + body[0] / self.pace
        self.stop_cause = messages.STOPPED_SESSION_OVER
        return messages.OK, b""

    def do_11(self, body, _now_s):
        first, records = self.log.read(struct.unpack("<I", body)[0], 16)
        return messages.OK, struct.pack("<I", first) + records

    def do_12(self, _body, _now_s):
        return messages.OK, struct.pack("<I", self.clock_s)

    def do_13(self, body, _now_s):
        (self.clock_s,) = struct.unpack("<I", body)
        return messages.OK, b""

    def do_14(self, _body, _now_s):
        return messages.OK, self.table.base + self.table.listing()

    def do_15(self, body, _now_s):
        peer_id, role, key = struct.unpack("<4sB32s", body)
        try:
            slot = self.table.add(peer_id, role, key)
        except TableFullError:
            return messages.WRONG_STATE, bytes((self.state, messages.REASON_FULL))
        return messages.OK, bytes((slot,)) + self.table.base

    def do_16(self, body, _now_s):
        if body[0] == messages.ALL_SLOTS:
            self.table.forget_all()
        else:
            self.table.forget(body[0])
        return messages.OK, b""

    def do_17(self, _body, _now_s):
        if not self.magnet:
            return messages.WRONG_STATE, bytes((self.state, messages.REASON_NO_MAGNET))
        self.table.create(NEW_BASE)
        return messages.OK, b""

    def do_18(self, _body, _now_s):
        return messages.OK, bytes(self.records)

    def do_19(self, body, _now_s):
        self.repaired.append(bool(body[0]))
        return messages.OK, bytes((areas.plan(self.records, bool(body[0])),))

    def do_1a(self, body, _now_s):
        counted, self.cache = self.cache, (0, 0) if body[0] else self.cache
        return messages.OK, struct.pack("<II", *counted)

    def do_1b(self, _body, now_s):
        return messages.OK, struct.pack("<I", ticks_ms(now_s * self.pace))

    @contextmanager
    def open(self, board: str | None, radio: str | None = None):
        self.named, self.radio = board, radio
        yield connect(self.link, first_number=250)


def ticks_ms(seconds):
    """A board's clock, which wraps."""
    return int(seconds * 1000) & 0x3FFFFFFF


class FakeRemote:
    """A remote on a link of its own, and the air to `stimulator`, which has the real end of the protocol.

    `air(frame, outward)` says what becomes of a frame: a list of those that arrive. The remote and the
    stimulator have a time of their own: `pace` seconds of it pass in a second of the link's.
    """

    pace = 1.0

    def __init__(self, stimulator: FakeBoard) -> None:
        self.stimulator = stimulator
        self.pairing = b""
        self.key = b""
        self.busy_until_s = 0.0
        self.reached = True
        self.air = lambda frame, outward: [frame]
        self.frames: list[bytes] = []
        """All that the modem was given."""
        self.calls: list[int] = []
        self.refuse: dict[int, tuple[int, bytes]] = {}
        self.failed_parts = 0
        self.records = [areas.SOUND] * 3
        self.cache = (900, 1000)
        self.repaired: list[bool] = []
        self.fate_s = self.at_s = 0.0
        self.fate = messages.MODEM_IDLE
        self.heard: list[bytes] = []
        self.link = FakeLink(self.respond)
        self.restart_stimulator()

    def restart_stimulator(self, epoch=1):
        take_random = random.Random(epoch).randbytes
        self.responder = Responder(self.stimulator.table, self._execute, epoch, take_random)

    def _execute(self, message, role, _slot):
        return self.stimulator.execute(message, self.link.now_s(), role)

    def respond(self, line, now_s):
        number, message = console_frame.decode(line[1:-1])
        opcode, body = message[0], message[1:]
        self.calls.append(opcode)
        code, answer = self.refuse.get(opcode) or getattr(self, f"do_{opcode:02x}")(body, now_s * self.pace)
        delay_s = 0.001 / self.pace
        return [(delay_s, console_frame.encode(number, messages.reply(opcode, code, answer)))]

    def do_01(self, _body, _now_s):
        return messages.OK, f"remote\0{VERSION}\0abcdef0123456789".encode()

    def do_02(self, _body, _now_s):
        flags = 0 if self.pairing else messages.FLAG_UNPAIRED
        state = messages.FAULT if self.failed_parts else messages.READY
        return messages.OK, requests.pack_reply(STATUS, (state, flags, 0, self.failed_parts, 0, 0, 0, 4990))

    def do_0b(self, _body, _now_s):
        return messages.OK, struct.pack("<9I", *range(9))

    def do_14(self, _body, _now_s):
        return messages.OK, REMOTE_ID + self.pairing

    def do_15(self, body, _now_s):
        base, slot, role, self.key = struct.unpack("<4sBB32s", body)
        self.pairing = base + struct.pack(requests.PAIRING_RECORD, slot, 2, role, REMOTE_ID)
        return messages.OK, b""

    def do_16(self, _body, _now_s):
        self.pairing = self.key = b""
        return messages.OK, b""

    do_18, do_19 = FakeBoard.do_18, FakeBoard.do_19

    def do_20(self, body, now_s):
        if now_s < self.busy_until_s:
            return messages.WRONG_STATE, bytes((messages.READY, messages.REASON_BUSY))
        base, frame = body[:4], body[5:]
        self.frames.append(frame)
        self.heard = []
        reached = self.reached and base == self.stimulator.table.base
        arrived = self.air(frame, True) if reached else []
        self.fate = messages.MODEM_DELIVERED if arrived else messages.MODEM_UNDELIVERED
        self.at_s, self.fate_s = now_s, now_s + AIR_S
        for one in arrived:
            answer = self.responder.on_frame(one, int(now_s * 1000))
            self.heard += self.air(answer, False) if answer else []
        return messages.OK, struct.pack("<I", ticks_ms(now_s))

    def do_21(self, _body, now_s):
        over = now_s >= self.fate_s
        heard = self.heard.pop(0) if over and self.heard else b""
        state, at_s = (self.fate, self.fate_s) if over else (messages.MODEM_SEARCHING, self.at_s)
        row = requests.row_of(requests.MODEM_RECEIVE, "remote")
        return messages.OK, requests.pack_reply(row, (state, ticks_ms(at_s), ticks_ms(now_s), heard))

    def do_22(self, _body, _now_s):
        return messages.OK, b""

    @contextmanager
    def open(self, port: str | None):
        self.named = port
        yield connect_remote(self.link, first_number=9)


@pytest.fixture
def board():
    return FakeBoard()


@pytest.fixture
def make_link():
    return FakeLink


@pytest.fixture
def remote_board(board):
    return FakeRemote(board)


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "private" / "keys.json", random.Random(5).randbytes)


@pytest.fixture
def services(board, remote_board, keyring):
    return Services(
        open_board=board.open, open_remote=remote_board.open, keyring=lambda: keyring, now_s=lambda: NOW_S
    )


@pytest.fixture
def other_program():
    return Program((300, 100, 40, 1000, 500, 2000, 3000, 600, 3000, 0, 1, 1025, 3, 2))
