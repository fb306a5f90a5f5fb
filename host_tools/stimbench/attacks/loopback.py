"""Both ends of the protocol on a link: no radio, a clock that a test sets, all that an attacker can do.

The attacker hears every frame (`tap`), keeps back what he likes (`air`), and delivers what he likes to
either end (`deliver`, `tell`). What the stimulator's application executes is in `executed`, what a peer
asked for in `asked`.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stimfw.protocol import messages, requests, roles
from stimfw.storage.pairings import ACTIVE, PENDING
from stimfw.telemetry import keys
from stimfw.telemetry.requester import LIMIT_MS, Requester
from stimfw.telemetry.responder import Responder

__all__ = ("START", "STOP", "LoopbackLink", "LoopbackPairing", "SniffedFrame", "Table")

START = messages.request(requests.START)
STOP = messages.request(requests.STOP)
_PASS_MS = 3


@dataclass
class LoopbackPairing:
    """What a stimulator keeps of a peer."""

    role: int
    key: bytes
    peer_id: bytes = b"peer"
    state: int = ACTIVE
    generation: int = 0

    @property
    def pending(self) -> bool:
        """Whether its key was given out and not used yet."""
        return self.state == PENDING


class Table:
    """Pairings without flash: as much of stimfw.storage.pairings.PairingTable as a Responder uses."""

    def __init__(self, pairings: dict[int, LoopbackPairing]) -> None:
        self.base = b"\x11\x22\x33\x44"
        self.pairings = dict(pairings)

    def get(self, slot: int) -> LoopbackPairing | None:
        """The pairing of a slot."""
        return self.pairings.get(slot)


@dataclass(frozen=True)
class SniffedFrame:
    """A frame that was in the air; `up`: to the stimulator."""

    up: bool
    frame: bytes
    now_ms: int


Air = Callable[[bytes, bool], Sequence[bytes]]


class LoopbackLink:
    """A stimulator and its peers by slot. Every run with one seed is the same."""

    def __init__(
        self,
        seed: int = 1,
        slots: Sequence[tuple[int, int]] = ((0, roles.PATIENT),),
        responder: type[Responder] = Responder,
        requester: type[Requester] = Requester,
    ) -> None:
        """Start all of them.

        Args:
            seed: of keys and of both sides' random bytes.
            slots: pairs of slot and role.
            responder: the class of the stimulator's end; a weakened one shows that an attack can succeed.
            requester: that of the peers' ends.
        """
        self.now_ms = 0
        self.rng = random.Random(f"link {seed}")
        self.take_random: Callable[[int], bytes] = self.rng.randbytes
        self.table = Table({
            slot: LoopbackPairing(role, hashlib.sha256(b"attacked %d %d" % (seed, slot)).digest())
            for slot, role in slots
        })  # fmt: skip
        self.air: Air = lambda frame, up: (frame,)
        self.tap: list[SniffedFrame] = []
        self.asked: list[tuple[bytes, int]] = []
        self.executed: list[tuple[bytes, int]] = []
        self.notes: Counter[int] = Counter()
        self.reply: Callable[[bytes], bytes] = lambda message: messages.reply(message[0], messages.OK)
        self._responder, self._requester = responder, requester
        self.epoch = 0
        self.epochs = dict.fromkeys(self.table.pairings, 0)
        self.kept = {slot: (each.generation, each.key) for slot, each in self.table.pairings.items()}
        self.peers: dict[int, Requester] = {}
        self.start_stimulator()
        for slot in self.table.pairings:
            self.start_peer(slot)

    def start_stimulator(self, epoch: int | None = None) -> None:
        """As after a reset: what it had in RAM is gone. The epoch is the next one if none is given."""
        self.epoch = self.epoch + 1 if epoch is None else epoch
        table: Any = self.table
        self.stimulator = self._responder(
            table, self._execute, self.epoch, self._draw, self._note, self._note
        )

    def start_peer(self, slot: int = 0, epoch: int | None = None) -> None:
        """As after a reset of a peer."""
        self.epochs[slot] = self.epochs[slot] + 1 if epoch is None else epoch
        pairing = self.table.pairings[slot]
        generation, key = self.kept[slot]
        self.peers[slot] = self._requester(
            slot, pairing.role, key, self.epochs[slot], self._draw, generation=generation
        )

    def step_peer(self, slot: int = 0) -> None:
        """As after a reset of a peer that goes on to its next generation then."""
        generation, key = self.kept[slot]
        self.kept[slot] = (generation + 1, keys.next_key(key))
        self.start_peer(slot)

    @property
    def generation(self) -> int:
        """Of the key that the peer of slot 0 has."""
        return self.kept[0][0]

    @property
    def key(self) -> bytes:
        """That the peer of slot 0 has."""
        return self.kept[0][1]

    def new_requester(self, slot: int = 0, epoch: int | None = None, count: int | None = None) -> None:
        """Go on as another programme of the same peer: the same start, its HELLOs counted on, all else new.

        `epoch`, `count`: as somebody says who has the key and may claim anything.
        """
        pairing = self.table.pairings[slot]
        generation, key = self.kept[slot]
        self.peers[slot] = self._requester(
            slot,
            pairing.role,
            key,
            self.epochs[slot] if epoch is None else epoch,
            self._draw,
            self.peers[slot].count if count is None else count,
            generation=generation,
        )

    # What the attacker does.

    def deliver(self, frame: bytes) -> bytes | None:
        """A frame reaches the stimulator; what it answers."""
        answer = self.stimulator.on_frame(frame, self.now_ms)
        self.stimulator.make_candidates()
        return answer

    def tell(self, frame: bytes, slot: int = 0) -> None:
        """A frame reaches a peer."""
        self.peers[slot].on_frame(frame, self.now_ms)

    def recorded(self, up: bool | None = None) -> list[bytes]:
        """Every frame heard so far, of one direction or of both."""
        return [flown.frame for flown in self.tap if up is None or flown.up == up]

    # What goes on by itself.

    def exchange(self, slot: int = 0) -> bool:
        """What the peer has to send goes out, and answers come back; whether anything was sent."""
        peer = self.peers[slot]
        frame = peer.poll(self.now_ms)
        if frame is None:
            return False
        self.tap.append(SniffedFrame(True, frame, self.now_ms))
        arrived = self.air(frame, True)
        peer.sent(True, self.now_ms)
        for one in arrived:
            answer = self.deliver(one)
            if answer is not None:
                self.tap.append(SniffedFrame(False, answer, self.now_ms))
                for other in self.air(answer, False):
                    peer.on_frame(other, self.now_ms)
        return True

    def begin(self, message: bytes, slot: int = 0, limit_ms: int = LIMIT_MS) -> None:
        """A press at the peer: nothing is sent yet."""
        self.asked.append((message, slot))
        self.peers[slot].begin(message, limit_ms, self.now_ms)

    def finish(self, slot: int = 0) -> bytes | None:
        """The reply to what was begun; None: not answered."""
        peer = self.peers[slot]
        while peer.state == Requester.WAITING:
            self.now_ms += _PASS_MS if self.exchange(slot) else max(1, peer.wait_ms(self.now_ms))
        return peer.reply if peer.state == Requester.ANSWERED else None

    def ask(self, message: bytes, slot: int = 0, limit_ms: int = LIMIT_MS) -> bytes | None:
        """A request until its end; the reply, or None."""
        self.begin(message, slot, limit_ms)
        return self.finish(slot)

    def _draw(self, count: int) -> bytes:
        return self.take_random(count)

    def _execute(self, message: bytes, role: int, slot: int) -> bytes:
        self.executed.append((message, slot))
        return self.reply(message)

    def _note(self, kind: int, sender: int, detail: int) -> None:
        self.notes[kind] += 1
