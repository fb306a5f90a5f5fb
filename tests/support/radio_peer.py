"""A stimulator, and a peer that says whatever a test tells it to. Runs on MicroPython too."""

from stimfw.crypto.ccm import Ccm
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import fragments, frames, keys
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.responder import Responder

from support.link_harness import Pairing, Rng, Table, key_of

SLOT = 3
STOP = messages.request(requests.STOP)


class Peer:
    """A stimulator, and a peer that says whatever it is told to."""

    def __init__(self, slots=(SLOT,), epoch=1, count=0):
        self.executed = []
        self.notes = []
        table = Table({slot: Pairing(roles.PATIENT, key_of(slot)) for slot in slots})
        self.stimulator = Responder(table, self.execute, epoch, Rng(5).take, self.note)
        if count:
            self.stimulator._count = count
        self.key = key_of(SLOT)
        self.link = None
        self.request_id = 0

    def execute(self, message, role, slot):
        self.executed.append((message, role, slot))
        return messages.reply(message[0], messages.OK)

    def note(self, event, sender, detail):
        self.notes.append((event, sender, detail))

    def say(self, frame, now_ms=0):
        answer = self.stimulator.on_frame(frame, now_ms)
        self.stimulator.make_candidates()
        return answer

    def hello(self, epoch=1, count=1, random=bytes(8), slot=SLOT):
        header = frames.handshake_header(frames.HELLO, slot, epoch, count, random)
        sealer = Ccm(keys.handshake_keys(key_of(slot))[0], 8)
        return header + sealer.seal(frames.handshake_nonce(header), header, b"")

    def join(self, epoch=1, count=1, now_ms=0):
        """A candidate: the handshake is done, nothing was asked yet."""
        hello = self.hello(epoch, count)
        challenge = self.say(hello, now_ms)
        pair = keys.connection_keys(self.key, hello[2:18], challenge[2:18], SLOT, roles.PATIENT)
        self.link = Connection(pair, SLOT, challenge[6], now_ms)
        return challenge

    def request(self, counter, message=STOP, request_id=None):
        if request_id is None:
            self.request_id += 1
            request_id = self.request_id & 0xFF
        return self.link.seal(frames.REQUEST, counter, fragments.cut(request_id, message, 0))

    def counts(self):
        one = self.stimulator
        return one.frames, one.bad, one.forged, one.replayed, one.over_budget, one.connections


def flip(frame, at):
    changed = bytearray(frame)
    changed[at] ^= 1
    return bytes(changed)
