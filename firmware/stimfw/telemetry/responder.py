"""The stimulator's end of the radio protocol: is a frame genuine, is it new, and what is its answer.

Frames and the time go in, frames come out: no hardware, no clock. What a request means is the application's.
Cheap checks come before expensive ones; what an attacker may cost is in stimfw.telemetry.rate_limiter.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.ccm import NotAuthenticError
from stimfw.protocol import messages, requests
from stimfw.telemetry import addresses, frames
from stimfw.telemetry.after_stop import AfterStop
from stimfw.telemetry.peer import Candidate, Peer
from stimfw.telemetry.rate_limiter import RESERVED, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.storage.pairings import PairingTable

REPEATS = 60
"""A frame that comes again, byte by byte, gets its answer again so many times."""
STRAY_REPEATS = 2
"""The CHALLENGE to a HELLO out of step. Such a HELLO may be a recorded one, and there is one each second."""
COPY_MS = 8
"""What comes again so soon is another copy of the same burst, or of one that crossed the answer."""
_MOST_COPIES = frames.COPIES - 1
NEVER_MS = 0x3FFFFFFF
_NOTE_MS = 1000  # between two notes of what anybody can make as often as he likes
_DAY_MS = 86_400_000
_KEYS_READY = 3
_LAST_COUNT = 0xFFFFFFFF
_STOP = messages.request(requests.STOP)


def _no_note(_kind: int, _sender: int, _detail: int) -> None:
    pass


def _changed(peer: Peer) -> bool:
    """Whether flash does not know yet what the peer has used."""
    return peer.pairing.pending or peer.pairing.generation != peer.generation


class Responder:
    """Answers what is authentic, executes a request once, counts everything else.

    Attributes:
        frames, bad, forged, replayed, over_budget, connections: counters since the start.
        newly_connected: slots that opened a connection whose pairing, or its generation, is not on flash
            yet. The application writes `used(slot)` when it may, and says so with `settled`.
        attentive: the output is on: no pause then, whatever is sent.
        pairing: what answers in the pairing window, if there is one: `on_frame(frame, now_ms)`.
    """

    def __init__(
        self,
        table: "PairingTable",
        execute: "Callable[[bytes, int, int], bytes]",
        epoch: int,
        take_random: "Callable[[int], bytes]",
        note: "Callable[[int, int, int], None]" = _no_note,
        note_stranger: "Callable[[int, int, int], None]" = _no_note,
    ) -> None:
        """Begin with no connection.

        Args:
            table: pairings; `get(slot)`, `base`.
            execute: `execute(message, role, slot) -> reply`, the application. Runs before anything is sent.
            epoch: of this start, never used before (u32).
            take_random: `take_random(n) -> n bytes`; OSError if there are none to be had.
            note: `note(event, sender, detail)`, for the log of what peers do: messages.EVENT_....
            note_stranger: the same, of what anybody can cause: once a second at the most for each event.
        """
        self._table = table
        self._execute = execute
        self._epoch = epoch
        self._random = take_random
        self._note = note
        self._note_stranger = note_stranger
        self._count = 0
        self._peers: "dict[int, Peer]" = {}
        self._retired: "list[int]" = []  # slots whose successor's key was used
        self._limiter = RateLimiter()
        self._refused = -1  # what marks the last REQUEST whose token was none
        self._refused_ms = self._copies = 0
        self._noted_level = 0
        self._noted_ms: "dict[int, int]" = {}
        self._heard_ms = -1
        self._stop = AfterStop()
        self.attentive = False
        self.pairing: "object | None" = None
        self.newly_connected: "list[int]" = []
        self.frames = self.bad = self.forged = self.replayed = self.over_budget = self.connections = 0

    @property
    def duplicates(self) -> int:
        """Whole requests that came again in a later connection."""
        return sum([peer.duplicates for peer in self._peers.values()])

    # The radio's side.

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        """Take a received frame, whatever it is; the frame to send back, if one is due."""
        self.frames += 1
        kind = frames.kind_of(frame)
        if kind == frames.REQUEST:
            peer = self._peer(frame[1])
            if peer is not None:
                return self._on_request(peer, frame, now_ms)
        elif kind == frames.HELLO:
            peer = self._peer(frame[1])
            if peer is not None:
                return self._on_hello(peer, frame, now_ms)
        elif kind == frames.PAIR and self.pairing is not None:
            return self.pairing.on_frame(frame, now_ms)  # type: ignore[attr-defined,no-any-return]
        return self._refuse_bad(now_ms)

    def address_for(self, frame: bytes) -> bytes:
        """The 5-byte address of whom an answer of on_frame() is for."""
        if frame[0] & 0x0F == frames.PAIR_REPLY:
            return addresses.PAIRING_REMOTE
        return addresses.peer_address(self._table.base, frame[1])

    def pause_ms(self, now_ms: int) -> int:
        """For how long what is received shall not be read, because of what was read last. Random.

        Never while the output is on or a peer is connected: then STOP may be among it.
        """
        level = self._limiter.update(now_ms)
        if level != self._noted_level:
            self._noted_level = level
            self._note_stranger(messages.EVENT_FLOOD, messages.FROM_NOBODY, level)
        if not level or self.attentive or self.connected(now_ms):
            return 0
        return self._limiter.pause_ms(now_ms, self._draw_byte())

    def flooded(self) -> bool:
        """Whether more is refused than a mishap explains."""
        return self._limiter.level > 0

    def contested(self) -> bool:
        """Whether answers have to get through a flood while the output is on: STOP may wait for them."""
        return self.attentive and self.flooded()

    def connected(self, now_ms: int) -> bool:
        """Whether a connection is open."""
        for peer in self._peers.values():
            if peer.connection is not None and not peer.connection.over(now_ms):
                return True
        return False

    def make_candidates(self) -> None:
        """Make the candidates' keys. To be called while an answer is sent: the peer computes then, too."""
        for peer in self._peers.values():
            for candidate in peer.candidates():
                peer.make_connection(candidate)

    # The application's side.

    def last_authentic_ms(self, now_ms: int) -> int:
        """Time since the last authentic REQUEST of any peer; NEVER_MS if there was none."""
        return NEVER_MS if self._heard_ms < 0 else elapsed_ms(now_ms, self._heard_ms)

    def silent_ms(self, slot: int, now_ms: int) -> int:
        """Time since the last authentic REQUEST of the peer of a slot; NEVER_MS if there was none."""
        peer = self._peers.get(slot)
        return NEVER_MS if peer is None or peer.heard_ms < 0 else elapsed_ms(now_ms, peer.heard_ms)

    def end_connections(self, but_slot: int, now_ms: int) -> None:
        """A stop: what was sent before it, and is kept back, must not be executed after it.

        Every handshake ends, and every connection but that of the peer that sent the stop: whatever it sent
        before has an earlier counter. What others begin in the next second: stimfw.telemetry.after_stop.
        but_slot: who sent it: a slot, FROM_USB or FROM_NOBODY.
        """
        self._stop.stopped(but_slot, now_ms)
        for peer in self._peers.values():
            peer.drop_candidates()
            if peer.slot != but_slot:
                peer.close()

    def used(self, slot: int) -> "tuple[int, bytes] | None":
        """Generation and key that the peer of a slot used last; None if it has used none since the start."""
        peer = self._peers.get(slot)
        return None if peer is None or not peer.proven else (peer.generation, peer.key)

    def settled(self, slot: int) -> None:
        """What `used` says is on flash now, and what was retired by it is not any more.

        Should a later generation have been used meanwhile, the slot stays in `newly_connected`.
        """
        for other in range(messages.SLOTS):
            if self._table.get(other) is None:
                self.forget(other)
        peer, pairing = self._peers.get(slot), self._table.get(slot)
        if peer is not None and pairing is not None:
            peer.pairing = pairing
            if slot in self.newly_connected and not _changed(peer):
                self.newly_connected.remove(slot)

    def forget(self, slot: int) -> None:
        """The pairing of a slot was changed or dropped: its connection ends."""
        self._drop(slot)
        if slot in self._retired:
            self._retired.remove(slot)

    def _drop(self, slot: int) -> None:
        self._peers.pop(slot, None)
        if slot in self.newly_connected:
            self.newly_connected.remove(slot)

    def expire(self, now_ms: int) -> None:
        """Drop what is over. To be called about once a second: the clock wraps after 12 days."""
        self.pause_ms(now_ms)
        self._stop.lasts(now_ms)
        if self.last_authentic_ms(now_ms) > _DAY_MS:
            self._heard_ms = -1
        for peer in self._peers.values():
            peer.expire(now_ms)
        self.warm(1)

    def warm(self, most: int = _KEYS_READY * messages.SLOTS) -> None:
        """Make keys that a HELLO may need, 3 ms each: all at the start, then one a second.

        Of a peer's present generation, and of the next two: so the first HELLO after one or two restarts of
        the remote is known at once, STOP above all.
        """
        for slot in range(messages.SLOTS):
            peer = self._peer(slot)
            while peer is not None and peer.keys_made < _KEYS_READY and most:
                peer.make_key(0)
                most -= 1

    def _peer(self, slot: int) -> "Peer | None":
        peer = self._peers.get(slot)
        if peer is not None or slot >= messages.SLOTS or slot in self._retired:
            return peer
        pairing = self._table.get(slot)
        if pairing is None:
            return None
        peer = self._peers[slot] = Peer(slot, pairing)
        return peer

    # HELLO.

    def _on_hello(self, peer: Peer, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        offset = peer.offset_of(frame[2])
        if frame[3] or offset < 0 or frames.wants_of(frame) > frames.WANTS_STOP:
            return self._refuse_bad(now_ms)
        mark = struct.unpack_from("<II", frame, frames.NONCE_AT)
        for candidate in peer.candidates():
            if candidate.mark == mark and candidate.hello == bytes(frame):
                return self._repeat_challenge(peer, candidate, now_ms)
        in_step = peer.in_step(mark)
        if not in_step and not peer.may_stray(mark, now_ms):
            return self._refuse_replay(peer, frames.HELLO, now_ms)
        if not self._is_genuine(peer, offset, frame, now_ms):
            return None
        if in_step and peer.proven and frames.wants_of(frame) == frames.WANTS_STOP:
            peer.seen = mark
            self._execute(_STOP, peer.pairing.role, peer.slot)
            # A START that was sent in one of these, and is kept back, came before this.
            peer.close()
            peer.drop_candidates()
        if self._count >= _LAST_COUNT or not self._limiter.may_verify(now_ms):
            self.over_budget += 1
            return None
        self._limiter.spend()
        return self._challenge(peer, Candidate(mark, offset, bytes(frame), (b"", b""), now_ms), in_step)

    def _is_genuine(self, peer: Peer, offset: int, frame: "bytes | memoryview", now_ms: int) -> bool:
        tag = peer.hello_tag(offset)
        if tag is None:
            # Keys of other generations are made on demand, a step with each frame, within the budget.
            if not self._limiter.may_verify(now_ms, RESERVED):
                self.over_budget += 1
                return False
            self._limiter.spend()
            if not peer.make_key(offset):
                self.over_budget += 1  # dropped unverified; it comes again
                return False
            tag = peer.hello_tag(offset)
        if tag is not None and tag.proves(frames.nonce_of(frame), frames.tag_of(frame)):
            return True
        self._refuse_forgery(peer.slot, frames.HELLO, False, now_ms)
        return False

    def _challenge(self, peer: Peer, candidate: Candidate, in_step: bool) -> "bytes | None":
        try:
            random = self._random(frames.RANDOM_BYTES)
        except OSError:  # the source has failed its tests: nobody new is let in
            return None
        self._count += 1
        theirs = bytes(frames.nonce_of(candidate.hello))
        ours = frames.challenge_nonce(self._epoch, self._count, random)
        candidate.nonces = (theirs, ours)
        candidate.held = self._stop.holds(peer.slot, candidate.made_ms)
        tag = peer.challenge_tag(candidate.offset).make(theirs, ours)
        candidate.challenge = frames.handshake(frames.CHALLENGE, peer.slot, 0, ours, tag)
        peer.keep(candidate, in_step)
        if in_step:
            self._limiter.genuine(candidate.made_ms)
        return candidate.challenge

    def _repeat_challenge(self, peer: Peer, candidate: Candidate, now_ms: int) -> "bytes | None":
        if elapsed_ms(now_ms, candidate.answered_ms) < COPY_MS:
            return None
        most = STRAY_REPEATS if peer.is_out_of_step(candidate) else REPEATS
        if candidate.repeats >= most:
            return self._refuse_replay(peer, frames.HELLO, now_ms)
        candidate.repeats += 1
        candidate.answered_ms = now_ms
        return candidate.challenge

    # REQUEST.

    def _on_request(self, peer: Peer, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        token = frames.token_number(frame)
        if peer.last_request and token == frames.token_number(peer.last_request):
            return self._repeat_reply(peer, frame, now_ms)
        connection, candidate = peer.connection, None
        counter = -1 if connection is None else connection.counter_of(token)
        if counter < 0:
            candidate = peer.candidate_of(token)
            if candidate is not None:
                connection = peer.make_connection(candidate)
                counter = connection.counter_of(token)
        if counter < 0 or connection is None or connection.over(now_ms):
            return self._refuse_replay(peer, frames.REQUEST, now_ms, self._is_copy(frame, now_ms))
        if candidate is not None and candidate.held and not self._stop.lasts(now_ms):
            return self._refuse_replay(peer, frames.REQUEST, now_ms)
        if not self._limiter.may_verify(now_ms):
            self.over_budget += 1
            return None
        whole = bytes(frame)
        try:
            plain = connection.open(frames.REQUEST, counter, whole)
        except NotAuthenticError:
            connection.failed(token)
            self._refuse_forgery(peer.slot, frames.REQUEST, True, now_ms)
            return None
        if candidate is not None:
            self._open_connection(peer, candidate)
        self._heard_ms = peer.heard_ms = peer.replied_ms = now_ms
        peer.last_request, peer.last_reply, peer.repeats = whole, b"", 0
        try:  # STOP does not wait for the next tokens to be made
            answer = peer.reassembler.take(
                plain, lambda message: self._execute(message, peer.pairing.role, peer.slot), now_ms
            )
        finally:
            connection.taken(counter)
        connection.received(now_ms)
        self._limiter.genuine(now_ms)
        peer.last_reply = connection.seal(frames.REPLY, counter, answer)
        return peer.last_reply

    def _open_connection(self, peer: Peer, candidate: Candidate) -> None:
        peer.open(candidate)
        self.connections += 1
        pairing = peer.pairing
        if pairing.pending:
            self._retire_others(peer)
        if _changed(peer) and peer.slot not in self.newly_connected:
            self.newly_connected.append(peer.slot)
        self._note(messages.EVENT_CONNECTED, peer.slot, pairing.role)

    def _retire_others(self, peer: Peer) -> None:
        """The new key was used: the old one of the same peer is over at once; flash follows.

        One of another role is another peer's, whatever id is claimed.
        """
        own = peer.pairing
        for slot in range(messages.SLOTS):
            other = self._table.get(slot)
            if slot == peer.slot or other is None or (other.peer_id, other.role) != (own.peer_id, own.role):
                continue
            self._drop(slot)
            if slot not in self._retired:
                self._retired.append(slot)
                self._note(messages.EVENT_KEY_RETIRED, slot, other.role)

    def _repeat_reply(self, peer: Peer, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        if peer.last_request != bytes(frame):
            return self._refuse_replay(peer, frames.REQUEST, now_ms)
        if elapsed_ms(now_ms, peer.replied_ms) < COPY_MS:
            return None
        if peer.repeats >= REPEATS or not peer.last_reply:
            return self._refuse_replay(peer, frames.REQUEST, now_ms)
        peer.repeats += 1
        peer.replied_ms = now_ms
        return peer.last_reply

    # What is refused.

    def _refuse_bad(self, now_ms: int) -> "bytes | None":
        self.bad += 1
        self._limiter.failed(now_ms, False)
        return None

    def _is_copy(self, frame: "bytes | memoryview", now_ms: int) -> bool:
        """Whether a REQUEST is another copy of the one that was refused last; takes no heap."""
        mark = frames.token_number(frame) ^ frame[31] << 16 ^ frame[30] << 8 ^ frame[29]
        if (
            mark == self._refused
            and self._copies < _MOST_COPIES
            and elapsed_ms(now_ms, self._refused_ms) < COPY_MS
        ):
            self._copies += 1
            return True
        self._refused, self._refused_ms, self._copies = mark, now_ms, 0
        return False

    def _refuse_replay(self, peer: Peer, kind: int, now_ms: int, copy: bool = False) -> "bytes | None":
        self.replayed += 1
        self._limiter.failed(now_ms, False, copy)
        self._note_once_a_second(messages.EVENT_REPLAYED, peer.slot, kind, now_ms)
        return None

    def _refuse_forgery(self, slot: int, kind: int, sealed: bool, now_ms: int) -> None:
        self.forged += 1
        self._limiter.failed(now_ms, sealed)
        self._note_once_a_second(messages.EVENT_FORGED, slot, kind, now_ms)

    def _note_once_a_second(self, event: int, slot: int, kind: int, now_ms: int) -> None:
        """Here and not in the log: under a flood even a note costs."""
        if event not in self._noted_ms or elapsed_ms(now_ms, self._noted_ms[event]) >= _NOTE_MS:
            self._noted_ms[event] = now_ms
            self._note_stranger(event, slot, kind)

    def _draw_byte(self) -> int:
        try:
            return self._random(1)[0]
        except OSError:
            return 0x80
