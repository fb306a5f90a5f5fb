"""Old frames again, late, or in another order; and sides that forgot what they knew."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from stimfw.protocol import messages, requests
from stimfw.telemetry.connection import IDLE_MS
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.telemetry.responder import Responder

from stimbench.attacks.loopback import START, STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("delayed", "desynchronised", "opened_by", "reordered", "replayed")

_PASS_MS = 13
_A_RUN = 400
_REQUESTS = 6


def _started(number: int) -> bytes:
    """A START that can be told from the others."""
    return messages.request(requests.START, bytes((number & 0xFF, number >> 8 & 0xFF)))


def _live(link: LoopbackLink, number: int) -> bytes | None:
    return link.ask(_started(number), limit_ms=STOP_LIMIT_MS)


def _nothing(link: LoopbackLink) -> None:
    pass


def _silence(link: LoopbackLink) -> None:
    link.now_ms += IDLE_MS  # the connection is over


def _both(link: LoopbackLink) -> None:
    link.start_stimulator()
    link.start_peer()


_TURNS: tuple[Callable[[LoopbackLink], None], ...] = (
    _nothing, _silence, LoopbackLink.start_peer, LoopbackLink.start_stimulator, _both,
)  # fmt: skip


def replayed(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Send every recorded frame again, to both sides, in any order, between genuine requests.

    By somebody with a recording and a transmitter. Each try is a frame.
    In its connection, in later ones, after a restart of either side or of both.
    After the replays of Halperin et al. (IEEE S&P 2008) to an implanted defibrillator. Success: something
    is executed that was not asked for just then, or a connection is opened, or a genuine request fails.
    """
    rng = random.Random(f"replayed {seed}")
    done = successes = runs = challenges = 0
    while done < tries:
        link = LoopbackLink(seed + runs, responder=responder)
        runs += 1
        for turn in range(min(8, 1 + (tries - done) // _A_RUN)):
            for _ in range(_REQUESTS):
                successes += _live(link, len(link.asked)) is None
            _TURNS[(runs + turn) % len(_TURNS)](link)
            executed, connections = len(link.executed), link.stimulator.connections
            for _ in range(min(_A_RUN, tries - done)):
                done += 1
                link.now_ms += _PASS_MS
                frame = rng.choice(link.recorded())
                answer = link.deliver(frame)
                challenges += answer is not None and len(answer) == 26
                link.tell(frame)
            successes += len(link.executed) - executed + link.stimulator.connections - connections
            if _live(link, len(link.asked)) is None or link.executed[-1] != link.asked[-1]:
                successes += 1
    detail = f"{runs} runs; old HELLOs got {challenges} CHALLENGEs, which open nothing without the key"
    return Result("replayed frames", tries, successes, detail)


def reordered(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Deliver frames late, twice and in another order, both ways, while requests go on.

    By somebody who delays and repeats what he hears.
    Each try is a request. Success: a request is executed twice, or after a later one, or one that was not
    sent.
    """
    rng = random.Random(f"reordered {seed}")
    successes = executed = moved = 0
    done = 0
    while done < tries:
        link = LoopbackLink(seed + done, responder=responder)
        held: list[tuple[bytes, bool]] = []

        def air(frame: bytes, up: bool, held: list[tuple[bytes, bool]] = held) -> list[bytes]:
            nonlocal moved
            held.append((frame, up))
            out = [kept for kept, way in rng.sample(held, min(len(held), rng.randrange(3))) if way == up]
            moved += len(out)
            return out + [frame] * rng.choice((0, 1, 1, 1, 2))

        link.air = air
        for number in range(min(50, tries - done)):
            _live(link, number)
            if rng.random() < 0.2:
                link.start_peer()
            del held[:-20]
        order = [link.asked.index(entry) if entry in link.asked else -1 for entry in link.executed]
        successes += sum(later <= earlier for earlier, later in pairwise(order))
        successes += order.count(-1)
        executed += len(order)
        done += 50
    detail = f"{executed} executed, each once and in order; {moved} frames out of order"
    return Result("reordered frames", tries, successes, detail)


def delayed(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Keep a START from arriving, and deliver it when nobody expects it any more.

    By somebody who jams a START and keeps it. Each try is one START.
    After RollJam (Kamkar, DEF CON 23, 2015). Success: it is executed after a later request of the same peer
    was, or more than 60 s after the last authentic frame of its connection. Within that time, and as long
    as the peer has not been answered, a frame that was kept back IS executed when it arrives: the detail
    counts these.
    """
    rng = random.Random(f"delayed {seed}")
    late = successes = 0
    longest_ms = 0
    for number in range(tries):
        link = LoopbackLink(seed + number, responder=responder)
        link.ask(STOP)
        link.air = lambda frame, up: ()
        link.ask(START)  # in vain: jammed
        kept = link.recorded(True)[2:]
        link.air = lambda frame, up: (frame,)
        pressed = rng.random() < 0.5
        if pressed:
            link.ask(STOP)
        waited_ms = rng.choice((rng.randrange(IDLE_MS), rng.randrange(10 * IDLE_MS)))
        link.now_ms += waited_ms
        for frame in rng.sample(kept, len(kept)):
            link.deliver(frame)
        if (START, 0) in link.executed:
            late += 1
            longest_ms = max(longest_ms, waited_ms)
            successes += pressed or waited_ms > IDLE_MS
    detail = f"{late} executed late as allowed (nothing answered since, within 60 s): at most {longest_ms} ms"
    return Result("delayed frames", tries, successes, detail)


def desynchronised(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Feed recorded frames to both sides around each frame of a genuine STOP, to put the two out of step.

    By somebody who feeds recordings to both sides.
    Each try is a STOP, with up to 12 recorded frames before and after each of its own; now and then a side
    restarts. After the desynchronisation attacks on key update protocols for RFID tags (van Deursen and
    Radomirovic, 2008). Success: the STOP is not executed within its 3 s, or more than once.
    """
    rng = random.Random(f"desynchronised {seed}")
    link = LoopbackLink(seed, responder=responder)
    for number in range(20):
        _live(link, number)
    recorded = link.recorded()
    slowest_ms = successes = fed = 0

    def air(frame: bytes, up: bool) -> tuple[bytes]:
        nonlocal fed
        for _ in range(rng.randrange(12)):
            old = rng.choice(recorded)
            link.deliver(old)
            link.tell(old)
            fed += 1
        return (frame,)

    link.air = air
    for number in range(tries):
        link.now_ms += 1000
        if rng.random() < 0.2:
            rng.choice(_TURNS)(link)
        message = messages.request(requests.STOP, bytes((number & 0xFF, number >> 8 & 0xFF)))
        began_ms, before = link.now_ms, len(link.executed)
        answered = link.ask(message, limit_ms=STOP_LIMIT_MS)
        slowest_ms = max(slowest_ms, link.now_ms - began_ms)
        successes += answered is None or [one for one, _ in link.executed[before:]] != [message]
        recorded = link.recorded()[-600:]
        del link.tap[:-600]
    return Result("desynchronisation", tries, successes, f"{fed} frames fed; slowest STOP {slowest_ms} ms")


def opened_by(link: LoopbackLink, frames: list[bytes]) -> int:
    """How often the stimulator executes something, or opens a connection, when it is sent these frames."""
    before = len(link.executed) + link.stimulator.connections
    for frame in frames:
        link.now_ms += _PASS_MS
        link.deliver(frame)
    return len(link.executed) + link.stimulator.connections - before
