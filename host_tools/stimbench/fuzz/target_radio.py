"""Targets that speak by radio: a stimulator and two peers, with frames that are genuine, mutated or invented.

Some invented ones carry right tags: what stands behind the cryptography is reached as well.
Runs on MicroPython too.
"""

from stimfw.crypto.ccm import Ccm
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import frames, keys
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder

from stimbench.fuzz.script import Dice, Script

_KEYS = (b"k" * 32, b"l" * 32)
_ROLES = (roles.PATIENT, roles.CLINICIAN)
_HEARD = 6
_PAUSES_MS = (0, 1, 3, 9, 20, 100, 1100, 5000, 61_000, 601_000, 90_000_000, 0x1FFFFFFF)
_CLOCK = 0x3FFFFFFF


class _Pairing:
    """As storage.pairings.PairingRecord."""

    def __init__(self, slot: int) -> None:
        self.role, self.key, self.peer_id = _ROLES[slot], _KEYS[slot], b"peer"
        self.generation = 250 * slot
        self.pending = slot == 1


class _Air:
    """A stimulator, its peers in slots 0 and 1 (whose pairing is pending), the time, what was in the air."""

    base = b"\x11\x22\x33\x44"

    def __init__(self, script: Script) -> None:
        self.script = script
        self.now_ms = 0
        self.random_fails = False
        self._dice = Dice(1)
        self._pairings = [_Pairing(0), _Pairing(1)]
        self.stimulator = Responder(self, self._execute, 7, self._take, self._note, self._note)  # type: ignore[arg-type]
        self.peers = [
            Requester(slot, its.role, its.key, 5, self._take, 0, its.generation)
            for slot, its in enumerate(self._pairings)
        ]
        self.heard: list[bytes] = [bytes(frames.FRAME_BYTES)]
        self.asked: list[int] = []

    def get(self, slot: int) -> "_Pairing | None":
        return self._pairings[slot] if 0 <= slot < len(self._pairings) else None

    def _take(self, count: int) -> bytes:
        if self.random_fails:
            raise OSError("the random source failed its tests")
        return self._dice.take(count)

    def _note(self, kind: int, sender: int, detail: int) -> None:
        assert 0 <= kind < len(messages.EVENT_NAMES) and 0 <= detail < 256 and 0 <= sender < 256

    def _execute(self, message: bytes, role: int, slot: int) -> bytes:
        assert role == _ROLES[slot]
        if message[:1] == bytes((requests.STOP,)):
            self.stimulator.end_connections(slot, self.now_ms)
        return bytes((0x80, 0)) + bytes(self.script.byte())

    # What goes through the air.

    def keep(self, frame: bytes) -> bytes:
        self.heard.append(frame)
        del self.heard[:-_HEARD]
        return frame

    def to_stimulator(self, frame: bytes) -> None:
        answer = self.stimulator.on_frame(memoryview(frame), self.now_ms)
        if self.script.below(8):
            self.stimulator.make_candidates()
        if answer is not None:
            assert len(answer) == frames.FRAME_BYTES
            assert len(self.stimulator.address_for(answer)) == 5
            self.keep(answer)
            if self.script.below(8):
                self.to_peers(answer)

    def to_peers(self, frame: bytes) -> None:
        for peer in self.peers:
            peer.on_frame(memoryview(frame), self.now_ms)

    # What may happen.

    def ask(self) -> None:
        """A peer begins a request, or goes on with it for some frames."""
        slot = self.script.below(2)
        peer = self.peers[slot]
        if peer.state != Requester.WAITING or not self.script.below(4):
            opcode = (requests.STATUS, requests.STOP, requests.PULSES)[self.script.below(3)]
            peer.begin(bytes((opcode,)) + self.script.chunk(40), 3000, self.now_ms)
        for _ in range(1 + self.script.below(6)):
            frame = peer.poll(self.now_ms)
            if frame is None:
                self.now_ms += max(0, peer.wait_ms(self.now_ms))
                continue
            assert 0 <= peer.channel <= 125
            peer.sent(self.script.below(8) > 0, self.now_ms)
            self.to_stimulator(self.keep(frame))
            self.now_ms += 5

    def again(self) -> None:
        """Something that was heard, as it was or changed, to either side."""
        frame = self.heard[self.script.below(len(self.heard))]
        if self.script.below(2):
            frame = self.script.mutated(frame)
        self.either(frame)

    def either(self, frame: bytes) -> None:
        if self.script.below(4):
            self.to_stimulator(frame)
        else:
            self.to_peers(frame)

    def invented(self) -> None:
        """A frame without any right tag."""
        kind = self.script.byte()
        first = frames.first(kind & 7) if kind & 8 else kind
        self.either(bytes((first, self.script.below(8))) + self.script.take(30) + self.script.take(kind >> 7))

    def proven_hello(self) -> None:
        """A HELLO whose tag is right: any epoch, count, generation, wish."""
        slot = self.script.below(2)
        ahead = self.script.below(3)
        key = _KEYS[slot]
        for _ in range(ahead):
            key = keys.next_key(key)
        nonce = self.script.take(frames.NONCE_BYTES)
        tag = keys.HelloTag(keys.handshake_keys(key, slot, _ROLES[slot])[0]).make(nonce)
        generation = self._pairings[slot].generation + ahead
        self.to_stimulator(frames.handshake(frames.HELLO, slot, generation, nonce, tag))

    def proven_request(self) -> None:
        """A REQUEST that opens, around any 19 bytes."""
        slot = self.script.below(2)
        connection = self.peers[slot]._connection
        if connection is not None and connection.counter < 0xFFFF:
            connection.counter += self.script.below(9)
            counter = min(connection.counter, 0xFFFF)
            plain = self.script.take(frames.PLAIN_BYTES)
            self.to_stimulator(self.keep(connection.seal(frames.REQUEST, counter, plain)))

    def proven_reply(self) -> None:
        """A REPLY that opens, around any 19 bytes, to a peer that waits."""
        slot = self.script.below(2)
        peer = self.peers[slot]
        connection = peer._connection
        if connection is not None:
            plain = bytes((peer._id if self.script.below(4) else self.script.byte(),)) + self.script.take(18)
            peer.on_frame(connection.seal(frames.REPLY, peer.counter, plain), self.now_ms)

    def time(self) -> None:
        """It passes; now and then the clock wraps, and what is over is dropped."""
        self.now_ms = (self.now_ms + _PAUSES_MS[self.script.below(len(_PAUSES_MS))]) & _CLOCK
        self.stimulator.expire(self.now_ms)

    def application(self) -> None:
        """What the application does with a responder."""
        stimulator, how = self.stimulator, self.script.below(8)
        if how == 0:
            stimulator.end_connections(messages.FROM_NOBODY, self.now_ms)
        elif how == 1:
            stimulator.forget(self.script.below(3))
        elif how == 2:
            stimulator.attentive = not stimulator.attentive
        elif how == 3:
            self.random_fails = not self.random_fails
        elif how == 4:
            for slot in stimulator.newly_connected[:]:
                stimulator.used(slot)
                stimulator.settled(slot)
        elif how == 5:
            slot = self.script.below(2)
            its = self._pairings[slot]
            self.peers[slot] = Requester(
                slot, its.role, its.key, 5 + self.script.byte(), self._take, 0, its.generation
            )
        elif how == 6:
            stimulator.connected(self.now_ms)
            stimulator.last_authentic_ms(self.now_ms)
            stimulator.silent_ms(self.script.below(8), self.now_ms)
        else:
            assert 0 <= stimulator.pause_ms(self.now_ms) < 1000
            stimulator.flooded()


def link(data: bytes) -> None:
    """A stimulator's Responder and two Requesters on an air that does anything. Declared: nothing."""
    script = Script(data)
    air = _Air(script)
    what = (
        air.ask, air.ask, air.ask, air.again, air.again, air.invented, air.proven_hello, air.proven_request,
        air.proven_request, air.proven_reply, air.time, air.application,
    )  # fmt: skip
    while script.left():
        what[script.below(len(what))]()
    assert len(air.stimulator._peers) <= messages.SLOTS


def sealed(data: bytes) -> None:
    """CCM on anything. Declared: ValueError, of which NotAuthenticError is one."""
    script = Script(data)
    while script.left():
        ccm = Ccm(script.take(16), 8)
        nonce, header, plain = script.take(13), script.chunk(40), script.chunk(80)
        whole = ccm.seal(nonce, header, plain)
        assert ccm.open(nonce, header, whole) == plain
        try:
            ccm.open(nonce, header, script.mutated(whole))
        except ValueError:
            pass


TARGETS = (("link", link), ("sealed", sealed))
