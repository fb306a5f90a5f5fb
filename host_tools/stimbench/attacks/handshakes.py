"""HELLOs that want STOP, tokens that were overheard, keys of other generations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from stimfw.protocol import messages, requests
from stimfw.telemetry import frames, keys
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS
from stimfw.telemetry.responder import Responder

from stimbench.attacks.counters import tags_counted
from stimbench.attacks.listening import connections_of
from stimbench.attacks.loopback import START, STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("old_generations", "other_generations", "overheard_tokens", "wanted_again")

_PASS_MS = 13
_TRIES_A_TOKEN = 4  # docs/telemetry.md, "A connection"
_GENERATIONS_AHEAD = 32  # docs/telemetry.md, "Generations"
_STEPS_A_GENERATION = 2  # from one key to the next, and the key of its HELLOs


# A HELLO that wants STOP.


def wanted_again(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Send recorded HELLOs that want STOP again, in any order, also after a restart of either side.

    By somebody with a recording and a transmitter, who wants to stop what runs. Each try is a frame. Success:
    one of them stops the output a second time, or anything else is executed. One that was kept from arriving
    and comes late does stop it, once: that is no success.
    """
    rng = random.Random(f"wanted {seed}")
    successes = done = runs = 0
    while done < tries:
        link = LoopbackLink(seed + runs, responder=responder)
        runs += 1
        hellos: list[bytes] = []
        for _ in range(rng.randint(2, 6)):
            link.ask(START)
            link.start_peer()  # without a connection STOP goes out as a HELLO
            link.ask(STOP, limit_ms=STOP_LIMIT_MS)
            hellos += [frame for frame in link.recorded(True) if _wants_stop(frame)]
        if rng.random() < 0.5:
            link.start_stimulator()
        link.ask(START)
        executed = len(link.executed)
        for _ in range(min(100, tries - done)):
            done += 1
            link.now_ms += rng.choice((_PASS_MS, 300, 1100))
            link.deliver(rng.choice(hellos))
            successes += len(link.executed) - executed
            executed = len(link.executed)
    return Result("STOP wanted again", tries, successes, f"{runs} recordings")


def _wants_stop(frame: bytes) -> bool:
    return frames.kind_of(frame) == frames.HELLO and frames.wants_of(frame) == frames.WANTS_STOP


# Tokens.


def overheard_tokens(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Keep a REQUEST from arriving, and send forged ones with its token, which is the one that is due.

    By somebody with a transmitter and a jammer, without a key. Each try is such a REQUEST; up to 40 forged
    ones take its place, and then the peer goes on by itself. Success: the stimulator computes for more than 4
    of them, one is executed, or the peer's STOP is not executed within its 3 s.
    """
    rng = random.Random(f"tokens {seed}")
    successes = most = 0
    for number in range(tries):
        link = LoopbackLink(seed + number, responder=responder)
        link.ask(START)
        message = messages.request(requests.STOP, bytes((number & 0xFF, number >> 8 & 0xFF)))
        link.begin(message, limit_ms=STOP_LIMIT_MS)
        frame = link.peers[0].poll(link.now_ms)
        if frame is None or frames.kind_of(frame) != frames.REQUEST:
            raise RuntimeError("the peer sent no REQUEST")
        link.peers[0].sent(True, link.now_ms)
        with tags_counted() as tags:
            for _ in range(rng.randint(10, 40)):
                link.now_ms += 2
                body = rng.randbytes(frames.FRAME_BYTES - frames.HEADER_BYTES)
                link.deliver(frame[: frames.HEADER_BYTES] + body)
        most = max(most, tags.failed_seals)
        link.finish()
        executed = [one for one, _ in link.executed if one != START]
        successes += tags.failed_seals > _TRIES_A_TOKEN or executed != [message]
    return Result("overheard tokens", tries, successes, f"at most {most} seals tried for a token")


# Generations.


@contextmanager
def _steps_counted() -> Iterator[list[int]]:
    """How often a key of another generation, or that of its HELLOs, is made: the list grows by each."""
    steps: list[int] = []
    next_key, handshake_keys = keys.next_key, keys.handshake_keys

    def stepped(key: bytes) -> bytes:
        steps.append(1)
        return next_key(key)

    def made(key: bytes, slot: int, role: int) -> tuple[bytes, bytes]:
        steps.append(2)
        return handshake_keys(key, slot, role)

    keys.next_key, keys.handshake_keys = stepped, made
    try:
        yield steps
    finally:
        keys.next_key, keys.handshake_keys = next_key, handshake_keys


def other_generations(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Forge HELLOs of every generation, so that the stimulator makes keys for them.

    By somebody with a transmitter and no key. Each try is a forged HELLO, 2 ms after the last; now and then
    the genuine peer, which has gone on by a generation, asks for STOP. Success: a key is made twice, one is
    made beyond the 32 generations that are allowed, the stimulator goes on to another generation by itself,
    or the STOP is not executed within 1 s.
    """
    rng = random.Random(f"generations {seed}")
    successes = done = slowest_ms = steps_made = 0
    while done < tries:
        link = LoopbackLink(seed + done, responder=responder)
        link.ask(STOP)
        for _ in range(3):
            link.step_peer()
            with _steps_counted() as steps:
                for _ in range(min(200, tries - done)):
                    done += 1
                    link.now_ms += 2
                    link.deliver(_forged_hello(rng))
            steps_made += len(steps)
            successes += len(steps) > _STEPS_A_GENERATION * (_GENERATIONS_AHEAD + 1)
            used = link.stimulator.used(0)
            successes += used is not None and used[0] != link.generation - 1
            began_ms, before = link.now_ms, link.executed.count((STOP, 0))
            link.ask(STOP, limit_ms=STOP_LIMIT_MS)
            slowest_ms = max(slowest_ms, link.now_ms - began_ms)
            late = link.now_ms - began_ms > LIMIT_MS
            successes += late or link.executed.count((STOP, 0)) == before
    detail = f"{steps_made} keys made; slowest STOP {slowest_ms} ms"
    return Result("HELLOs of other generations", tries, successes, detail)


def _forged_hello(rng: random.Random) -> bytes:
    nonce = frames.hello_nonce(rng.randrange(4), rng.randrange(4096), rng.randrange(2), rng.randbytes(7))
    tag = rng.randbytes(frames.HANDSHAKE_TAG_BYTES)
    return frames.handshake(frames.HELLO, 0, rng.randrange(256), nonce, tag)


def old_generations(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Open what was recorded under one generation with the key of the next; connect with the key before.

    By a thief of a board's flash, who has recorded for long. Each try is a recording over two to four
    generations, and the key of each. Success: a key opens a frame that was recorded under an earlier one, or
    a peer with a key that was gone on from is answered.
    """
    rng = random.Random(f"old {seed}")
    successes = opened = 0
    for number in range(tries):
        link = LoopbackLink(seed + number, responder=responder)
        periods: list[tuple[bytes, set[bytes]]] = []
        for _ in range(rng.randint(2, 4)):
            before = len(link.tap)
            for _ in range(3):
                link.ask(START)
                link.start_peer()
            link.ask(STOP)
            periods.append((link.key, {flown.frame for flown in link.tap[before:]}))
            link.step_peer()
        link.ask(STOP)
        for late, (key, _) in enumerate(periods):
            found = {frame for _, some in connections_of(link, 0, key) for frame in some}
            opened += len(found & periods[late][1])
            successes += sum(len(found & frames_) for _, frames_ in periods[:late])
        successes += _answered_under(link, periods[-1][0], rng)
    detail = f"each key opens its own generation's: {opened} frames"
    return Result("keys of old generations", tries, successes, detail)


def _answered_under(link: LoopbackLink, key: bytes, rng: random.Random) -> bool:
    """Whether a HELLO of the generation before is answered."""
    pairing = link.table.pairings[0]
    hello_key, _ = keys.handshake_keys(key, 0, pairing.role)
    nonce = frames.hello_nonce(link.epochs[0] + 1, 1, rng.randrange(2), rng.randbytes(7))
    tag = keys.HelloTag(hello_key).make(nonce)
    link.now_ms += 2000
    hello = frames.handshake(frames.HELLO, 0, link.generation - 1, nonce, tag)
    return link.deliver(hello) is not None
