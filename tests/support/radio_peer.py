"""A stimulator, and a peer that says whatever a test tells it to. Runs on MicroPython too."""

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
        self.strangers = []
        self.random_fails = False
        self._rng = Rng(5)
        self.table = Table({slot: Pairing(roles.PATIENT, key_of(slot), b"id%d" % slot) for slot in slots})
        self.stimulator = Responder(
            self.table, self.execute, epoch, self.take_random, self.note, self.note_stranger
        )
        if count:
            self.stimulator._count = count
        self.link = None
        self.request_id = 0

    def execute(self, message, role, slot):
        self.executed.append((message, role, slot))
        return messages.reply(message[0], messages.OK)

    def note(self, event, sender, detail):
        self.notes.append((event, sender, detail))

    def note_stranger(self, event, sender, detail):
        self.strangers.append((event, sender, detail))

    def take_random(self, count):
        if self.random_fails:
            raise OSError("the random source failed its tests")
        return self._rng.take(count)

    def say(self, frame, now_ms=0):
        answer = self.stimulator.on_frame(frame, now_ms)
        self.stimulator.make_candidates()
        return answer

    def hello(self, epoch=1, count=1, wants=0, random=bytes(7), slot=SLOT, generation=0, key=None):
        """A genuine HELLO. key: of that generation; by default made from the slot's."""
        nonce = frames.hello_nonce(epoch, count, wants, random)
        tag = keys.HelloTag(keys.handshake_keys(key or self.key_at(generation, slot), slot, roles.PATIENT)[0])
        return frames.handshake(frames.HELLO, slot, generation, nonce, tag.make(nonce))

    def key_at(self, generation, slot=SLOT):
        """The slot's key, so many generations later than it was given."""
        key = key_of(slot)
        for _ in range(generation):
            key = keys.next_key(key)
        return key

    def join(self, epoch=1, count=1, now_ms=0, wants=0, slot=SLOT, generation=0, key=None):
        """A candidate: the handshake is done, nothing was asked yet. Returns the CHALLENGE."""
        hello = self.hello(epoch, count, wants, slot=slot, generation=generation, key=key)
        challenge = self.say(hello, now_ms)
        self.link = self.connection(hello, challenge, now_ms, key or self.key_at(generation, slot))
        return challenge

    def connection(self, hello, challenge, now_ms=0, key=None):
        """The peer's end of the connection that this handshake makes."""
        made = keys.connection_keys(
            key or key_of(hello[1]),
            bytes(frames.nonce_of(hello)),
            bytes(frames.nonce_of(challenge)),
            hello[1],
            roles.PATIENT,
        )
        return Connection(made, hello[1], now_ms)

    def request(self, counter, message=STOP, request_id=None):
        """A REQUEST of one piece in the peer's connection `link`."""
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
