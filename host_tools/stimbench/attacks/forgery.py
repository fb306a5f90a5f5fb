"""Forged frames: an attacker who heard everything keeps a genuine frame back and sends others instead."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from stimfw.protocol import roles
from stimfw.telemetry import frames
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder

from stimbench.attacks.counters import peer_state, stimulator_state, tags_counted
from stimbench.attacks.loopback import START, STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("MAKERS", "PHASES", "Overheard", "Scene", "forged", "mutated", "reflected", "replayed", "spliced")

_A_SCENE = 100
_PASS_MS = 13
"""Between two forged frames: longer than the rate limiter takes to grant one verification more, so that it
hides nothing; and a scene is over long before its connection is."""
_MOST_RECORDED = 400
_PATIENT_MS = 300_000  # longer than a scene: it is the attack that ends it


class Overheard(Protocol):
    """What an attacker makes his frames of.

    Attributes:
        live: a genuine frame that is under way.
        up: whether it is for the stimulator.
        same, other: what was heard in its direction, in the other one.
    """

    live: bytes
    up: bool
    same: list[bytes]
    other: list[bytes]


@dataclass
class Scene:
    """A moment at which a genuine frame is under way and is kept back.

    Attributes:
        live: that frame.
        up: whether it is for the stimulator.
    """

    link: LoopbackLink
    live: bytes
    up: bool

    def __post_init__(self) -> None:
        """Note what was heard of either direction."""
        heard = self.link.tap[-_MOST_RECORDED:]
        self.same = [flown.frame for flown in heard if flown.up == self.up and flown.frame != self.live]
        self.other = [flown.frame for flown in heard if flown.up != self.up]
        self._recorded = set(self.same)

    def state(self) -> tuple[object, ...]:
        """All that changes at the target when it accepts a frame."""
        link = self.link
        if self.up:
            return (len(link.executed), *stimulator_state(link.stimulator, self._recorded))
        return peer_state(link.peers[0])

    def send(self, frame: bytes) -> None:
        """A frame reaches the target."""
        if self.up:
            self.link.deliver(frame)
        else:
            self.link.tell(frame)


class SpoiltError(RuntimeError):
    """A genuine exchange does not work any more."""


# Genuine frames, each kept back.


def _begun(link: LoopbackLink) -> bytes:
    link.begin(START, limit_ms=_PATIENT_MS)
    frame = link.peers[0].poll(link.now_ms)
    if frame is None:
        raise SpoiltError("the peer has nothing to send")
    link.peers[0].sent(True, link.now_ms)
    return frame


def _answered(link: LoopbackLink, frame: bytes) -> bytes:
    answer = link.deliver(frame)
    if answer is None:
        raise SpoiltError("the stimulator did not answer a genuine frame")
    return answer


def _hello(link: LoopbackLink) -> Scene:
    link.start_peer()
    return Scene(link, _begun(link), True)


def _challenge(link: LoopbackLink) -> Scene:
    link.start_peer()
    return Scene(link, _answered(link, _begun(link)), False)


def _first_request(link: LoopbackLink) -> Scene:
    """REQUEST 0: it would open the candidate's connection."""
    link.start_peer()
    link.tell(_answered(link, _begun(link)))
    frame = link.peers[0].poll(link.now_ms)
    if frame is None:
        raise SpoiltError("the peer did not take a genuine CHALLENGE")
    return Scene(link, frame, True)


def _request(link: LoopbackLink) -> Scene:
    return Scene(link, _begun(link), True)


def _reply(link: LoopbackLink) -> Scene:
    return Scene(link, _answered(link, _begun(link)), False)


PHASES: tuple[Callable[[LoopbackLink], Scene], ...] = (_request, _reply, _first_request, _challenge, _hello)


# What is sent in its place.


def mutated(scene: Overheard, rng: random.Random) -> bytes:
    """Some bits or bytes of the genuine frame, or of one that was heard, are others; every field is hit."""
    old = scene.live if rng.random() < 0.8 or not scene.same else rng.choice(scene.same)
    frame = bytearray(old)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        place = rng.randrange(len(frame))
        frame[place] = rng.randrange(256) if rng.random() < 0.5 else frame[place] ^ 1 << rng.randrange(8)
    return bytes(frame)


def spliced(scene: Overheard, rng: random.Random) -> bytes:
    """The head of one frame and the tail of another, at any place; both were genuine."""
    known = [*scene.same, scene.live]
    head, tail = rng.choice(known), scene.live if rng.random() < 0.5 else rng.choice(known)
    if rng.random() < 0.5:
        head, tail = tail, head
    place = rng.randrange(1, len(head))
    return head[:place] + tail[place:]


def resized(scene: Overheard, rng: random.Random) -> bytes:
    """The genuine frame cut short or made longer."""
    if rng.random() < 0.5:
        return scene.live[: rng.randrange(len(scene.live))]
    return scene.live + rng.randbytes(rng.randint(1, 8))


def reflected(scene: Overheard, rng: random.Random) -> bytes:
    """What the target itself has said comes back to it, as it was or with the kind that the target takes."""
    frame = rng.choice(scene.other)
    return frame if rng.random() < 0.5 else scene.live[:1] + frame[1:]


def replayed(scene: Overheard, rng: random.Random) -> bytes:
    """A frame that was genuine once, byte by byte."""
    return rng.choice(scene.same)


def relabelled(scene: Overheard, rng: random.Random) -> bytes:
    """A frame of one slot as another slot's; or with another token, or of another generation."""
    frame = bytearray(scene.live if rng.random() < 0.5 else rng.choice(scene.same))
    field = rng.choice((1, 1, 2, 3, 4))
    frame[field] = rng.randrange(7) if field == 1 else frame[field] + rng.randint(1, 20) & 0xFF
    return bytes(frame)


def plausible(scene: Overheard, rng: random.Random) -> bytes:
    """Kind, slot and token, or generation and a newer count, are right; the rest is random."""
    live = scene.live
    if frames.kind_of(live) in (frames.HELLO, frames.CHALLENGE):
        epoch, count = struct.unpack_from("<II", live, frames.NONCE_AT)
        ahead = struct.pack("<IIB", epoch + rng.randint(0, 2), count + rng.randint(0, 9), rng.randrange(2))
        return live[: frames.NONCE_AT] + ahead + rng.randbytes(frames.FRAME_BYTES - frames.NONCE_AT - 9)
    return live[: frames.HEADER_BYTES] + rng.randbytes(frames.FRAME_BYTES - frames.HEADER_BYTES)


def noise(scene: Overheard, rng: random.Random) -> bytes:
    """Anything: of any length, or of the right one and with the right first bytes."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.randrange(41))
    return scene.live[: rng.randrange(3)] + rng.randbytes(len(scene.live))


Maker = Callable[[Overheard, random.Random], bytes]
MAKERS: tuple[Maker, ...] = (
    mutated, plausible, spliced, mutated, relabelled, plausible, replayed, reflected, resized, noise,
)  # fmt: skip


@dataclass
class _Tally:
    tried: Counter[str]
    accepted: Counter[str]
    scenes: int = 0
    spoilt: int = 0


def _bombard(scene: Scene, tries: int, rng: random.Random, tally: _Tally) -> None:
    """Send forged frames to the target; then the genuine one: the request must end well, executed once."""
    link = scene.link
    before, executed = scene.state(), link.executed.count((START, 0))
    if not scene.up:
        executed -= frames.kind_of(scene.live) == frames.REPLY  # it was executed before its REPLY was made
    sent = 0
    while sent < tries:
        make = MAKERS[sent % len(MAKERS)]
        frame = make(scene, rng)
        if frame == scene.live:
            continue
        sent += 1
        tally.tried[make.__name__] += 1
        link.now_ms += _PASS_MS
        scene.send(frame)
        after = scene.state()
        if after != before:
            tally.accepted[make.__name__] += 1
            before = after
    scene.send(scene.live)
    link.finish()
    tally.scenes += 1
    ended = link.peers[0].state == Requester.ANSWERED and link.executed.count((START, 0)) == executed + 1
    tally.spoilt += not ended


def _round(
    link: LoopbackLink, phase: Callable[[LoopbackLink], Scene], tries: int, rng: random.Random, tally: _Tally
) -> bool:
    """A scene, after a genuine request; whether the two sides still understand each other."""
    try:
        link.ask(STOP)
        _bombard(phase(link), tries, rng, tally)
    except SpoiltError:
        tally.spoilt += 1
        return False
    return True


def forged(
    tries: int, seed: int, responder: type[Responder] = Responder, requester: type[Requester] = Requester
) -> Result:
    """Send forged frames in the place of a genuine HELLO, CHALLENGE, REQUEST or REPLY that is kept back.

    By somebody with a transmitter, a recording and a jammer, without a key. Each try is a frame.
    Bit flips and bytes in every field, splices, other lengths, reflections, replays, other slots, tokens
    and generations, tokens that were overheard with forged seals, noise. After the reflection and
    interleaving attacks on authentication (Bird et al., CRYPTO 1991), the bit flips of WEP (Borisov et al.,
    MobiCom 2001) and the unauthentic commands to an implanted defibrillator (Halperin et al., IEEE S&P 2008).
    Success: either side changes its state, or afterwards the genuine request is not executed, once.
    """
    rng = random.Random(f"forged {seed}")
    tally = _Tally(Counter(), Counter())
    slots = ((0, roles.PATIENT), (1, roles.CLINICIAN))
    left = tries
    with tags_counted() as tags:
        while left:
            link = LoopbackLink(seed + tally.scenes, slots, responder, requester)
            for slot, message in ((0, STOP), (1, STOP), (0, START), (1, bytes(40)), (0, bytes(33))):
                link.ask(message, slot)
            for phase in PHASES:
                some = min(left, _A_SCENE)
                left -= some
                if some and not _round(link, phase, some, rng, tally):
                    break
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(tally.tried.items()))
    detail = f"{tags.checked} reached a tag check; {tally.scenes} genuine frames kept back; {kinds}"
    if tally.accepted or tally.spoilt:
        accepted = ", ".join(f"{name} {count}" for name, count in tally.accepted.items())
        detail += f"; ACCEPTED: {accepted}; requests that did not end well: {tally.spoilt}"
    return Result("forged frames", tries, sum(tally.accepted.values()) + tally.spoilt, detail)
