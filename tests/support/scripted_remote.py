"""A remote that answers a host by a script, and the air between it and a scripted stimulator."""

from __future__ import annotations

import random
import struct
from contextlib import contextmanager

from stimbench.client.remote import connect_remote
from stimfw.protocol import console_frame, messages, requests
from stimfw.storage import areas
from stimfw.telemetry import addresses
from stimfw.telemetry.responder import Responder
from stimfw.version import VERSION

from support.scripted_link import FakeLink
from support.scripted_stimulator import STATUS, FakeBoard, ticks_ms

REMOTE_ID = b"\xa1\xb2\xc3\xd4"
AIR_S = 0.012
"""From a modem's frame to its fate and the answer."""


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
        self.channels: list[int] = []
        """Where it was to be sent, 0-125."""
        self.occupied: set[int] = set()
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
        base, channel, frame = body[:4], body[5], body[6:]
        self.frames.append(frame)
        self.channels.append(addresses.CHANNELS[channel])
        self.heard = []
        busy = self.channels[-1] in self.occupied
        reached = self.reached and not busy and base == self.stimulator.table.base
        arrived = self.air(frame, True) if reached else []
        self.fate = messages.MODEM_BUSY if busy else messages.MODEM_SENT
        self.at_s, self.fate_s = now_s, now_s + AIR_S
        for one in arrived:
            answer = self.responder.on_frame(one, int(now_s * 1000))
            self.heard += self.air(answer, False) if answer else []
        return messages.OK, struct.pack("<I", ticks_ms(now_s))

    def do_21(self, _body, now_s):
        over = now_s >= self.fate_s
        heard = self.heard.pop(0) if over and self.heard else b""
        state, at_s = (self.fate, self.fate_s) if over else (messages.MODEM_SENDING, self.at_s)
        row = requests.row_of(requests.MODEM_RECEIVE, "remote")
        return messages.OK, requests.pack_reply(row, (state, ticks_ms(at_s), ticks_ms(now_s), heard))

    def do_22(self, _body, _now_s):
        return messages.OK, b""

    @contextmanager
    def open(self, port: str | None):
        self.named = port
        yield connect_remote(self.link, first_number=9)
