"""The stimulator's end of the radio protocol: is a frame genuine, is it new, and what is its answer.

Frames and the time go in, frames come out: no hardware, no clock. What a request means is the application's.
Cheap checks come before expensive ones; what an attacker may cost is in stimfw.telemetry.rate_limiter.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.ccm import Ccm, NotAuthenticError
from stimfw.protocol import messages
from stimfw.telemetry import addresses, frames, keys
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.fragments import Reassembler
from stimfw.telemetry.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.storage.pairings import PairingRecord, PairingTable

REPLAY_WINDOW = 16
"""A counter may be so far ahead of the one due: the peer uses counters up while it gets no answer."""
REPEATS = 60
"""A frame that comes again, byte by byte, gets its answer again so many times: a STOP is sent as often."""
_LAST_COUNT = 0xFFFFFFFE
_NOTE_MS = 1000  # between two notes of what an attacker can make as often as he likes


class Peer:
    """What is known of the peer of one slot since the start: handshake, connection, requests."""

    def __init__(self, slot: int, pairing: "PairingRecord") -> None:
        self.slot = slot
        self.pairing = pairing
        hello_key, challenge_key = keys.handshake_keys(pairing.key)
        self.hello = Ccm(hello_key, frames.TAG_BYTES)
        self.challenge = Ccm(challenge_key, frames.TAG_BYTES)
        self.highest = (-1, -1)  # epoch and count of the newest HELLO that verified
        self.last_hello = b""
        self.last_challenge = b""
        self.last_request = b""
        self.last_reply = b""
        self.repeats = 0
        self.nonces: "tuple[bytes, bytes] | None" = None  # of a candidate whose keys are not made yet
        self.candidate: "Connection | None" = None
        self.candidate_number = -1
        self.candidate_ms = 0
        self.connection: "Connection | None" = None
        self.reassembler = Reassembler()
        self.reassembler_epoch = -1


class Responder:
    """Answers what is authentic, executes a request once, counts everything else.

    Attributes:
        frames, bad, forged, replayed, over_budget, connections: counters since the start.
        newly_connected: slots that opened a connection and whose pairing may still be pending; the
            application promotes them when it may write flash, and clears the list.
        pairing: what answers in the pairing window, if there is one: `on_frame(frame, now_ms)`.
    """

    def __init__(
        self,
        table: "PairingTable",
        execute: "Callable[[bytes, int, int], bytes]",
        epoch: int,
        take_random: "Callable[[int], bytes]",
        note: "Callable[[int, int, int], None]" = lambda kind, sender, detail: None,
    ) -> None:
        """Begin with no connection.

        Args:
            table: pairings; `get(slot)`, `base`.
            execute: `execute(message, role, slot) -> reply`, the application. Runs before anything is sent.
            epoch: of this start, never used before (u32).
            take_random: `take_random(n) -> n bytes`.
            note: `note(event, sender, detail)`, for the log: messages.EVENT_....
        """
        self._table = table
        self._execute = execute
        self._epoch = epoch
        self._random = take_random
        self._note = note
        self._count = 0
        self._peers: "dict[int, Peer]" = {}
        self._limiter = RateLimiter()
        self._noted_level = 0
        self._noted_ms: "dict[int, int]" = {}
        self.pairing: "object | None" = None
        self.newly_connected: "list[int]" = []
        self.frames = self.bad = self.forged = self.replayed = self.over_budget = self.connections = 0

    @property
    def duplicates(self) -> int:
        """Whole requests that came again in a later connection."""
        return sum([peer.reassembler.duplicates for peer in self._peers.values()])

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        """Take a received frame, whatever it is; the frame to send back, if one is due."""
        self.frames += 1
        kind = frames.kind_of(frame)
        if kind == frames.PAIR and self.pairing is not None:
            return self.pairing.on_frame(frame, now_ms)  # type: ignore[attr-defined,no-any-return]
        peer = self._peer(frame[1]) if kind in (frames.HELLO, frames.REQUEST) else None
        if peer is None:
            self.bad += 1
            self._limiter.failed(now_ms, False)
            return None
        if kind == frames.HELLO:
            return self._on_hello(peer, bytes(frame), now_ms)
        return self._on_request(peer, bytes(frame), now_ms)

    def address_for(self, frame: bytes) -> bytes:
        """The 5-byte address of whom an answer of on_frame() is for."""
        if frame[0] & 0x0F == frames.PAIR_REPLY:
            return addresses.PAIRING_REMOTE
        return addresses.peer_address(self._table.base, frame[1])

    def pause_ms(self, now_ms: int) -> int:
        """How long the radio shall not be read, because of what was read last."""
        pause_ms = self._limiter.pause_ms(now_ms)
        if self._limiter.level != self._noted_level:
            self._noted_level = self._limiter.level
            self._note(messages.EVENT_FLOOD, messages.FROM_NOBODY, self._noted_level)
        return pause_ms

    def connected(self, now_ms: int) -> bool:
        """Whether a connection is open."""
        for peer in self._peers.values():
            if peer.connection is not None and not peer.connection.over(now_ms):
                return True
        return False

    def make_candidates(self) -> None:
        """Make the candidates' keys. To be called while an answer is sent: the peer computes then, too."""
        for peer in self._peers.values():
            self._make_candidate(peer)

    def expire(self, now_ms: int) -> None:
        """Drop what is over. To be called about once a second: the clock wraps after 12 days."""
        self.pause_ms(now_ms)
        for peer in self._peers.values():
            if peer.connection is not None and peer.connection.over(now_ms):
                peer.connection = None
                peer.last_request = peer.last_reply = b""
            if peer.candidate is not None and peer.candidate.over(now_ms):
                peer.candidate = None
                peer.candidate_number = -1

    def forget(self, slot: int) -> None:
        """The pairing of a slot was changed or dropped: its connection ends."""
        self._peers.pop(slot, None)

    def _peer(self, slot: int) -> "Peer | None":
        peer = self._peers.get(slot)
        if peer is not None or slot >= messages.SLOTS:
            return peer
        pairing = self._table.get(slot)
        if pairing is None:
            return None
        peer = self._peers[slot] = Peer(slot, pairing)
        return peer

    # HELLO.

    def _on_hello(self, peer: Peer, frame: bytes, now_ms: int) -> "bytes | None":
        if frame == peer.last_hello:
            return self._repeat_answer(peer, peer.last_challenge, now_ms)
        epoch, count = struct.unpack_from("<II", frame, 2)
        if (epoch, count) <= peer.highest:
            self._refuse_replay(peer, frames.HELLO, now_ms)
            return None
        header = frame[: -frames.TAG_BYTES]
        if not self._verified(peer.hello, header, header, frame[len(header) :], peer.slot, now_ms):
            return None
        self._limiter.spend()  # a recorded one verifies once after each start, and costs more than a forgery
        if self._count >= _LAST_COUNT:
            return None
        self._limiter.genuine(now_ms)
        peer.highest = (epoch, count)
        peer.last_hello = frame
        peer.repeats = 0
        if epoch != peer.reassembler_epoch:
            peer.reassembler = Reassembler()
            peer.reassembler_epoch = epoch
        peer.last_challenge = self._challenge(peer, header[2:], now_ms)
        return peer.last_challenge

    def _challenge(self, peer: Peer, peer_nonce: bytes, now_ms: int) -> bytes:
        self._count += 1
        if peer.connection is not None and self._count & 0xFF == peer.connection.number:
            self._count += 1  # a frame's connection number must tell candidate and connection apart
        header = frames.handshake_header(
            frames.CHALLENGE, peer.slot, self._epoch, self._count, self._random(frames.NONCE_BYTES - 8)
        )
        peer.nonces = (peer_nonce, header[2:])
        peer.candidate = None
        peer.candidate_number = self._count & 0xFF
        peer.candidate_ms = now_ms
        return header + peer.challenge.seal(frames.handshake_nonce(header), header + peer_nonce, b"")

    def _make_candidate(self, peer: Peer) -> None:
        if peer.nonces is None:
            return
        theirs, ours = peer.nonces
        peer.nonces = None
        pair = keys.connection_keys(peer.pairing.key, theirs, ours, peer.slot, peer.pairing.role)
        peer.candidate = Connection(pair, peer.slot, peer.candidate_number, peer.candidate_ms)

    # REQUEST.

    def _on_request(self, peer: Peer, frame: bytes, now_ms: int) -> "bytes | None":
        if frame == peer.last_request:
            return self._repeat_answer(peer, peer.last_reply, now_ms)
        number, counter = struct.unpack_from("<BH", frame, 2)
        connection = peer.connection
        if number == peer.candidate_number:
            self._make_candidate(peer)
            connection = peer.candidate
        if connection is None or number != connection.number or connection.over(now_ms):
            self._refuse_replay(peer, frames.REQUEST, now_ms)
            return None
        if not 0 <= counter - connection.counter < REPLAY_WINDOW:
            self._refuse_replay(peer, frames.REQUEST, now_ms)
            return None
        if not self._limiter.may_verify(now_ms):
            self.over_budget += 1
            return None
        try:
            plain = connection.open(frames.REQUEST, frame)
        except NotAuthenticError:
            self._refuse_forgery(peer.slot, frames.REQUEST, now_ms)
            return None
        if connection is peer.candidate:
            self._open_connection(peer, connection)
        self._limiter.genuine(now_ms)
        connection.counter = counter + 1
        connection.received(now_ms)
        peer.last_request, peer.last_reply, peer.repeats = frame, b"", 0
        answer = peer.reassembler.take(
            plain, lambda message: self._execute(message, peer.pairing.role, peer.slot)
        )
        peer.last_reply = connection.seal(frames.REPLY, counter, answer)
        return peer.last_reply

    def _open_connection(self, peer: Peer, connection: Connection) -> None:
        peer.connection = connection
        peer.candidate = None
        peer.candidate_number = -1
        peer.last_hello = peer.last_challenge = b""  # a repeated HELLO would only cost an answer
        self.connections += 1
        if peer.slot not in self.newly_connected:
            self.newly_connected.append(peer.slot)
        self._note(messages.EVENT_CONNECTED, peer.slot, peer.pairing.role)

    # What is refused.

    def _verified(self, ccm: Ccm, header: bytes, signed: bytes, tag: bytes, slot: int, now_ms: int) -> bool:
        if not self._limiter.may_verify(now_ms):
            self.over_budget += 1
            return False
        try:
            ccm.open(frames.handshake_nonce(header), signed, tag)
        except NotAuthenticError:
            self._refuse_forgery(slot, frames.HELLO, now_ms)
            return False
        return True

    def _repeat_answer(self, peer: Peer, answer: bytes, now_ms: int) -> "bytes | None":
        if peer.repeats >= REPEATS or not answer:
            self._refuse_replay(peer, 0, now_ms)
            return None
        peer.repeats += 1
        return answer

    def _refuse_replay(self, peer: Peer, kind: int, now_ms: int) -> None:
        self.replayed += 1
        self._limiter.failed(now_ms, False)
        self._note_once_a_second(messages.EVENT_REPLAYED, peer.slot, kind, now_ms)

    def _refuse_forgery(self, slot: int, kind: int, now_ms: int) -> None:
        self.forged += 1
        self._limiter.failed(now_ms, True)
        self._note_once_a_second(messages.EVENT_FORGED, slot, kind, now_ms)

    def _note_once_a_second(self, event: int, sender: int, kind: int, now_ms: int) -> None:
        """Here and not in the log: under a flood even a note costs."""
        if event not in self._noted_ms or elapsed_ms(now_ms, self._noted_ms[event]) >= _NOTE_MS:
            self._noted_ms[event] = now_ms
            self._note(event, sender, kind)
