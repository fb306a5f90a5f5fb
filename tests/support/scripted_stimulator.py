"""A stimulator that answers a host by a script, on a link with a clock of its own."""

from __future__ import annotations

import struct
from contextlib import contextmanager

from stimbench.client.stimulator import connect
from stimfw.protocol import asking, console_frame, messages, requests, roles, therapy_reasons
from stimfw.storage import areas
from stimfw.storage.pairings import PairingTable, TableFullError
from stimfw.therapy import program
from stimfw.therapy.event_log import EventLog
from stimfw.therapy.ranges import ParameterError
from stimfw.therapy.stranger_log import StrangerLog
from stimfw.version import VERSION

from support.scripted_link import FakeLink

PROGRAM = program.default().replaced({"left.amplitude_ua": 2000, "right.amplitude_ua": 2000})
STATUS, DETAILS = requests.row_of(requests.STATUS), requests.row_of(requests.DETAILS)
LATENCY_S = 0.01
MEASURING_S = 0.4
BASE = b"\x12\x34\x56\x78"
NEW_BASE = b"\x9a\xbc\xde\xf0"


class RamRecord:
    """Where a PairingTable keeps itself, without flash."""

    payload: bytes | None = None

    def load(self):
        return self.payload

    def store(self, payload):
        self.payload = bytes(payload)


def ticks_ms(seconds):
    """A board's clock, which wraps."""
    return int(seconds * 1000) & 0x3FFFFFFF


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
        self.strangers = StrangerLog(lambda: 9)
        self.test_until_s = 0.0
        self.pulses_a_reply = 8
        self.pulses_kept = 504
        self.pulses_before = 7
        self.pulses_come = 0
        """How many new ones come with each request."""
        self.samples = [(0, 1998, -1100, -1200), (1, 2003, -1000, -1150)]
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
        if opcode in (requests.THERAPY, requests.LEDGER) and not hasattr(self, f"do_{opcode:02x}"):
            return messages.reply(
                opcode, messages.WRONG_STATE, bytes((self.state, therapy_reasons.NOT_IMPLANTED))
            )
        code, answer = getattr(self, f"do_{opcode:02x}")(body, now_s)
        return messages.reply(opcode, code, answer)

    def do_01(self, _body, _now_s):
        return messages.OK, f"{self.role}\0{self.version}\0abcdef0123456789".encode()

    def do_02(self, _body, now_s):
        state = messages.MEASURING if now_s < self.measuring_until_s else self.state
        if now_s < self.test_until_s:
            state = messages.HOLD
        return messages.OK, requests.pack_reply(
            requests.row_of(requests.STATUS),
            (state, self.magnet, self.stop_cause, self.failed_parts, 2000, 1500, 1234, 5010),
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
            return messages.OUT_OF_RANGE, struct.pack("<BI", index, int(error.value))
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
        total = self.pulses_before + len(self.samples)
        first = min(total, max(struct.unpack("<I", body)[0], total - self.pulses_kept, self.pulses_before))
        begin = first - self.pulses_before
        samples = self.samples[begin : begin + self.pulses_a_reply]
        for _ in range(self.pulses_come):
            number = self.pulses_before + len(self.samples)
            self.samples.append((number & 1, 2000 + number, -1000, -1100))
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

    def do_1c(self, body, _now_s):
        first, records = self.strangers.read(struct.unpack("<I", body)[0])
        return messages.OK, struct.pack("<IIII", first, *self.strangers.counts()) + records

    @contextmanager
    def open(self, board: str | None, radio: str | None = None):
        self.named, self.radio = board, radio
        yield connect(self.link, first_number=250)
