"""A peer and a stimulator of the protocol on a link: no radio, its own clock, an air that does anything."""

from stimfw.crypto.primitives import sha256
from stimfw.protocol import messages, roles
from stimfw.telemetry import keys
from stimfw.telemetry.requester import LIMIT_MS, Requester
from stimfw.telemetry.responder import Responder

BASE = b"\x11\x22\x33\x44"


PENDING = 1
ACTIVE = 2
STIMULATOR_CHANNEL = 76


class Pairing:
    """What a PairingTable gives for a slot."""

    def __init__(self, role, key, peer_id=b"peer", state=ACTIVE, generation=0):
        self.role, self.key, self.peer_id, self.state = role, key, peer_id, state
        self.generation = generation

    @property
    def pending(self):
        return self.state == PENDING


class Table:
    """Pairings without flash."""

    base = BASE

    def __init__(self, pairings):
        self.pairings = dict(pairings)

    def get(self, slot):
        return self.pairings.get(slot)


class Rng:
    """Random bytes, the same for the same seed, on every interpreter."""

    def __init__(self, seed):
        self.state = sha256(b"dice %d" % seed)

    def take(self, count):
        out = b""
        while len(out) < count:
            self.state = sha256(self.state)
            out += self.state[:16]
        return out[:count]

    def below(self, limit):
        return int.from_bytes(self.take(4), "big") % limit


def key_of(slot):
    """A pairing's key for tests."""
    return sha256(b"key %d" % slot)


class LinkHarness:
    """A stimulator, its peers by slot, the time.

    Attributes:
        air: `air(frame, to_stimulator) -> list of frames`: what arrives of what is sent.
        taken: `taken(channel) -> bool`: whether a peer finds a carrier there, and sends nothing.
        channel: where the stimulator listens; what is sent elsewhere does not arrive.
        copies: of each of a peer's frames, one after the other: a burst.
        heard: every frame that was in the air, with its direction.
    """

    def __init__(self, slots=((0, roles.PATIENT),), seed=1):
        self.now_ms = 0
        self.seed = seed
        self.executed = []
        self.notes = []
        self.strangers = []
        self.table = Table({slot: Pairing(role, key_of(slot), b"peer%d" % slot) for slot, role in slots})
        self.epoch = 0
        self.epochs = {slot: 0 for slot, _ in slots}
        self.peers = {}
        self.heard = []
        self.channel = STIMULATOR_CHANNEL
        self.copies = 1
        self.air = lambda frame, to_stimulator: [frame]
        self.taken = lambda channel: False
        self.reply = lambda message: messages.reply(message[0], messages.OK)
        self.start_stimulator()
        for slot in self.table.pairings:
            self.start_peer(slot)

    def start_stimulator(self):
        """As after a reset: all that it had in RAM is gone."""
        self.epoch += 1
        rng = Rng(self.seed + 1000 * self.epoch)
        self.stimulator = Responder(
            self.table, self._execute, self.epoch, rng.take, self._note, self._note_stranger
        )

    def start_peer(self, slot, steps=0):
        """As after a reset of a peer. steps: so many generations has it gone beyond the table's."""
        self.epochs[slot] += 1
        pairing = self.table.pairings[slot]
        key = pairing.key
        for _ in range(steps):
            key = keys.next_key(key)
        rng = Rng(self.seed + 1000 * self.epochs[slot] + 7 + slot)
        self.peers[slot] = Requester(
            slot, pairing.role, key, self.epochs[slot], rng.take, generation=pairing.generation + steps
        )

    def _execute(self, message, role, slot):
        self.executed.append((message, role, slot))
        return self.reply(message)

    def _note(self, kind, sender, detail):
        self.notes.append((kind, sender, detail))

    def _note_stranger(self, kind, sender, detail):
        self.strangers.append((kind, sender, detail))

    def deliver(self, frame):
        """A frame reaches the stimulator; what it sends back, if anything."""
        answer = self.stimulator.on_frame(memoryview(frame), self.now_ms)
        self.stimulator.make_candidates()
        return answer

    def step(self, slot):
        """What the peer has to send now goes out, and answers come back; whether anything was due."""
        peer = self.peers[slot]
        frame = peer.poll(self.now_ms)
        if frame is None:
            return False
        if self.taken(peer.channel):
            peer.sent(False, self.now_ms)
            return True
        self.heard.append((True, frame))
        peer.sent(True, self.now_ms)
        if peer.channel != self.channel:
            return True
        for _ in range(self.copies):
            for one in self.air(frame, True):
                self._answer(peer, self.deliver(one))
        return True

    def _answer(self, peer, answer):
        if answer is not None:
            self.heard.append((False, answer))
            for one in self.air(answer, False):
                peer.on_frame(memoryview(one), self.now_ms)

    def finish(self, slot=0):
        """Until the peer's request is over; its reply, or None if it was not answered."""
        peer = self.peers[slot]
        while peer.state == Requester.WAITING:
            if not self.step(slot):
                self.now_ms += max(1, peer.wait_ms(self.now_ms))
            else:
                self.now_ms += 3
        return peer.reply if peer.state == Requester.ANSWERED else None

    def ask(self, message, slot=0, limit_ms=LIMIT_MS):
        """A request until its end; the reply, or None if it was not answered."""
        self.peers[slot].begin(message, limit_ms, self.now_ms)
        return self.finish(slot)
