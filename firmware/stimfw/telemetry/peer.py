"""What a stimulator knows of the peer of one slot since its start: keys, handshakes, connection, requests."""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import requests
from stimfw.telemetry import keys
from stimfw.telemetry.connection import IDLE_MS, ListeningConnection
from stimfw.telemetry.fragments import Reassembler

if TYPE_CHECKING:
    from stimfw.storage.pairings import PairingRecord

EPOCHS_AHEAD = 64
COUNTS_AHEAD = 4096
"""A HELLO in step is so far beyond the newest one at the most."""
STRAY_MS = 1000
"""A HELLO out of step is answered once in so much time."""
_DAY_MS = 86_400_000
_GENERATIONS = 0x100  # the low byte of a generation travels


class Candidate:
    """A HELLO that was authentic and its CHALLENGE: a connection, if its first REQUEST comes.

    Attributes:
        mark: epoch and count of the HELLO.
        held: it was begun just after a stop: by somebody, perhaps, who pressed before it.
        hello, challenge: both frames.
        connection: once its keys are made.
    """

    def __init__(
        self, mark: "tuple[int, int]", offset: int, hello: bytes, nonces: "tuple[bytes, bytes]", now_ms: int
    ) -> None:
        """Args: offset: of the generation; nonces: NP and NS."""
        self.mark = mark
        self.offset = offset
        self.hello = hello
        self.nonces = nonces
        self.challenge = b""
        self.held = False
        self.repeats = 0
        self.made_ms = self.answered_ms = now_ms
        self.connection: "ListeningConnection | None" = None


class Peer:
    """The peer of one slot.

    Attributes:
        generation, key: the newest that was used; flash may still hold an earlier one.
        proven: whether a connection was opened since the start.
        seen: mark of the newest HELLO in step; None: none since the start.
        candidate, previous: of the newest HELLO in step, and of the one before: its REQUEST may be late.
        stray, old: of the last HELLO that was answered out of step: too far above `seen`, and below it.
    """

    def __init__(self, slot: int, pairing: "PairingRecord") -> None:
        self.slot = slot
        self.pairing = pairing
        self.generation = pairing.generation
        self.key = pairing.key
        self._ahead: "list[bytes]" = [pairing.key]  # the keys of generation, generation + 1, ...
        # Of the same generations, each made once, whoever asks: the keys of HELLO and of CHALLENGE, in one.
        self._handshake_keys: "list[bytes]" = []
        self._tags: "dict[int, keys.HelloTag]" = {}
        self.proven = False
        self.seen: "tuple[int, int] | None" = None
        self.candidate: "Candidate | None" = None
        self.previous: "Candidate | None" = None
        self.stray: "Candidate | None" = None
        self.old: "Candidate | None" = None
        self._stray_ms = self._old_ms = -1
        self.connection: "ListeningConnection | None" = None
        self.last_request = b""
        self.last_reply = b""
        self.repeats = 0
        self.replied_ms = -1
        self.heard_ms = -1
        """When its last authentic REQUEST came; -1: never since the start."""
        self._reassembler: "Reassembler | None" = None  # since its first connection
        self._reassembler_epoch = -1

    # Generations of its key.

    def offset_of(self, low_byte: int) -> int:
        """How many generations a HELLO is ahead; -1: too many, or behind."""
        offset = (low_byte - self.generation) % _GENERATIONS
        if offset > keys.MOST_GENERATIONS or self.generation + offset > keys.LAST_GENERATION:
            return -1
        return offset

    def hello_tag(self, offset: int) -> "keys.HelloTag | None":
        """What checks a HELLO of that generation, if its key is made already.

        Those of the present generation and of the next one stay, and one other: a peer that was restarted
        is one ahead, and is heard at once while somebody forges others.
        """
        tag = self._tags.get(offset)
        if tag is None and offset < len(self._handshake_keys):
            for other in [other for other in self._tags if other > 1]:
                del self._tags[other]
            tag = self._tags[offset] = keys.HelloTag(self._handshake_keys[offset][: keys.AES_BYTES])
        return tag

    def make_key(self, offset: int) -> bool:
        """A step of work towards the key of `hello_tag(offset)`, 3 ms; whether it is there now.

        A step is never done twice: who forges HELLOs of many generations costs a few steps, and no more.
        """
        place = len(self._handshake_keys)
        if place == len(self._ahead):
            self._ahead.append(keys.next_key(self._ahead[-1]))
        pair = keys.handshake_keys(self._ahead[place], self.slot, self.pairing.role)
        self._handshake_keys.append(pair[0] + pair[1])
        return place >= offset

    @property
    def keys_made(self) -> int:
        """Of how many generations the keys of handshakes are made, from the present one on."""
        return len(self._handshake_keys)

    def challenge_tag(self, offset: int) -> "keys.ChallengeTag":
        """What makes a CHALLENGE of that generation."""
        return keys.ChallengeTag(self._handshake_keys[offset][keys.AES_BYTES :])

    def _use(self, offset: int) -> None:
        """That generation was used: earlier ones are over, and their keys are gone."""
        if offset:
            self.generation += offset
            self._ahead = self._ahead[offset:]
            self._handshake_keys = self._handshake_keys[offset:]
            self.key = self._ahead[0]
        self._tags.clear()  # 0.3 KB each; the next HELLO makes what it needs

    # Handshakes.

    def in_step(self, mark: "tuple[int, int]") -> bool:
        """Whether a HELLO with that epoch and count is the next one, or may follow it soon.

        As long as nothing was proven since the start, any that is above all before is: somebody who repeats
        old ones must not make the newest look like too great a jump.
        """
        if self.seen is None or not self.proven:
            return self.seen is None or mark > self.seen
        epoch, count = self.seen
        if mark[0] == epoch:
            return 0 < mark[1] - count <= COUNTS_AHEAD
        return 0 < mark[0] - epoch <= EPOCHS_AHEAD and mark[1] <= COUNTS_AHEAD

    def may_stray(self, mark: "tuple[int, int]", now_ms: int) -> bool:
        """Whether a HELLO out of step may be answered.

        What was recorded is below `seen`. It does not take the turn of what is above: a peer that was started
        many times out of reach.
        """
        last_ms = self._stray_ms if self._is_above(mark) else self._old_ms
        return last_ms < 0 or elapsed_ms(now_ms, last_ms) >= STRAY_MS

    def _is_above(self, mark: "tuple[int, int]") -> bool:
        return self.seen is None or mark > self.seen

    def keep(self, candidate: Candidate, in_step: bool) -> None:
        """A HELLO was authentic, and is answered. One out of step does not end what one in step began."""
        if in_step:
            self.previous = self.candidate
            self.candidate = candidate
            self.seen = candidate.mark
        elif self._is_above(candidate.mark):
            self.stray = candidate
            self._stray_ms = candidate.made_ms
        else:
            self.old = candidate
            self._old_ms = candidate.made_ms

    def is_out_of_step(self, candidate: Candidate) -> bool:
        """Whether its HELLO was."""
        return candidate is self.stray or candidate is self.old

    def candidates(self) -> "list[Candidate]":
        """Those that there are."""
        every = (self.candidate, self.previous, self.stray, self.old)
        return [candidate for candidate in every if candidate is not None]

    def candidate_of(self, token: int) -> "Candidate | None":
        """The candidate to whose connection a token (frames.token_number) belongs; takes no heap if none."""
        if self.candidate is not None and self._has(self.candidate, token):
            return self.candidate
        if self.previous is not None and self._has(self.previous, token):
            return self.previous
        if self.stray is not None and self._has(self.stray, token):
            return self.stray
        return self.old if self.old is not None and self._has(self.old, token) else None

    def _has(self, candidate: Candidate, token: int) -> bool:
        return self.make_connection(candidate).counter_of(token) >= 0

    def make_connection(self, candidate: Candidate) -> "ListeningConnection":
        """The connection that a candidate would be. Takes some 8 ms the first time."""
        if candidate.connection is None:
            pair = keys.connection_keys(
                self._ahead[candidate.offset],
                candidate.nonces[0],
                candidate.nonces[1],
                self.slot,
                self.pairing.role,
            )
            candidate.connection = ListeningConnection(pair, self.slot, candidate.made_ms)
        return candidate.connection

    def open(self, candidate: Candidate) -> None:
        """Its first REQUEST was authentic: the peer is there, now. Whatever else it had begun is over."""
        self.connection = candidate.connection
        self.proven = True
        if self.is_out_of_step(candidate):
            self.seen = candidate.mark
        self.drop_candidates()
        self._use(candidate.offset)
        if candidate.mark[0] != self._reassembler_epoch:
            self._reassembler_epoch = candidate.mark[0]
            self._reassembler = Reassembler(is_repeatable)
        elif self._reassembler is not None:
            self._reassembler.restart()

    @property
    def reassembler(self) -> Reassembler:
        """Of its requests, in whichever connection of one epoch. Made when it is first needed."""
        if self._reassembler is None:
            self._reassembler = Reassembler(is_repeatable)
        return self._reassembler

    @property
    def duplicates(self) -> int:
        """Requests of its present epoch that came again."""
        return 0 if self._reassembler is None else self._reassembler.duplicates

    def drop_candidates(self) -> None:
        """No handshake is under way any more."""
        self.candidate = self.previous = self.stray = self.old = None

    def close(self) -> None:
        """No connection any more."""
        self.connection = None
        self.last_request = self.last_reply = b""

    def expire(self, now_ms: int) -> None:
        """Drop what is over, and what the wrap of the clock would turn round."""
        if self.connection is not None and self.connection.over(now_ms):
            self.close()
        self.candidate = _young(self.candidate, now_ms)
        self.previous = _young(self.previous, now_ms)
        self.stray = _young(self.stray, now_ms)
        self.old = _young(self.old, now_ms)
        if self._stray_ms >= 0 and elapsed_ms(now_ms, self._stray_ms) >= STRAY_MS:
            self._stray_ms = -1
        if self._old_ms >= 0 and elapsed_ms(now_ms, self._old_ms) >= STRAY_MS:
            self._old_ms = -1
        if self.heard_ms >= 0 and elapsed_ms(now_ms, self.heard_ms) > _DAY_MS:
            self.heard_ms = -1
            self.reassembler.forget()


def _young(candidate: "Candidate | None", now_ms: int) -> "Candidate | None":
    """It, or None if its time is over."""
    if candidate is not None and elapsed_ms(now_ms, candidate.made_ms) >= IDLE_MS:
        return None
    return candidate


def is_repeatable(request: bytes) -> bool:
    """Whether a request is executed each time that it comes: STOP is, always."""
    return request[:1] == _STOP


_STOP = bytes((requests.STOP,))
