"""Old frames again, late, or in another order; and sides that forgot what they knew."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from stimfw.logic import messages
from stimfw.telemetry.channel import IDLE_MS
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.telemetry.responder import Responder

from stimbench.attacks.desk import START, STOP, Desk
from stimbench.attacks.result import Result

__all__ = ("delayed", "desynchronised", "opened_by", "reordered", "replayed")

_PASS_MS = 13
_A_RUN = 400
_REQUESTS = 6


def _started(number: int) -> bytes:
    """A START that can be told from the others."""
    return messages.request(messages.START, bytes((number & 0xFF, number >> 8 & 0xFF)))


def _live(desk: Desk, number: int) -> bytes | None:
    return desk.ask(_started(number), limit_ms=STOP_LIMIT_MS)


def _nothing(desk: Desk) -> None:
    pass


def _silence(desk: Desk) -> None:
    desk.now_ms += IDLE_MS  # the connection is over


def _both(desk: Desk) -> None:
    desk.start_stimulator()
    desk.start_peer()


_TURNS: tuple[Callable[[Desk], None], ...] = (
    _nothing, _silence, Desk.start_peer, Desk.start_stimulator, _both,
)  # fmt: skip


def replayed(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Send every recorded frame again, to both sides, in any order, between genuine requests.

    In its connection, in later ones, after a restart of either side or of both.
    After the replays of Halperin et al. (IEEE S&P 2008) to an implanted defibrillator. Success: something
    is executed that was not asked for just then, or a connection is opened, or a genuine request fails.
    """
    dice = random.Random(f"replayed {seed}")
    done = successes = runs = challenges = 0
    while done < tries:
        desk = Desk(seed + runs, responder=responder)
        runs += 1
        for turn in range(min(8, 1 + (tries - done) // _A_RUN)):
            for _ in range(_REQUESTS):
                successes += _live(desk, len(desk.asked)) is None
            _TURNS[(runs + turn) % len(_TURNS)](desk)
            executed, connections = len(desk.executed), desk.stimulator.connections
            for _ in range(min(_A_RUN, tries - done)):
                done += 1
                desk.now_ms += _PASS_MS
                frame = dice.choice(desk.recorded())
                answer = desk.deliver(frame)
                challenges += answer is not None and len(answer) == 26
                desk.tell(frame)
            successes += len(desk.executed) - executed + desk.stimulator.connections - connections
            if _live(desk, len(desk.asked)) is None or desk.executed[-1] != desk.asked[-1]:
                successes += 1
    detail = f"{runs} runs; old HELLOs got {challenges} CHALLENGEs, which open nothing without the key"
    return Result("replayed frames", tries, successes, detail)


def reordered(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Deliver frames late, twice and in another order, both ways, while requests go on.

    Each try is a request. Success: a request is executed twice, or after a later one, or one that was not
    sent.
    """
    dice = random.Random(f"reordered {seed}")
    successes = executed = moved = 0
    done = 0
    while done < tries:
        desk = Desk(seed + done, responder=responder)
        held: list[tuple[bytes, bool]] = []

        def air(frame: bytes, up: bool, held: list[tuple[bytes, bool]] = held) -> list[bytes]:
            nonlocal moved
            held.append((frame, up))
            out = [kept for kept, way in dice.sample(held, min(len(held), dice.randrange(3))) if way == up]
            moved += len(out)
            return out + [frame] * dice.choice((0, 1, 1, 1, 2))

        desk.air = air
        for number in range(min(50, tries - done)):
            _live(desk, number)
            if dice.random() < 0.2:
                desk.start_peer()
            del held[:-20]
        order = [desk.asked.index(entry) if entry in desk.asked else -1 for entry in desk.executed]
        successes += sum(later <= earlier for earlier, later in pairwise(order))
        successes += order.count(-1)
        executed += len(order)
        done += 50
    detail = f"{executed} executed, each once and in order; {moved} frames out of order"
    return Result("reordered frames", tries, successes, detail)


def delayed(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Keep a START from arriving, and deliver it when nobody expects it any more.

    After RollJam (Kamkar, DEF CON 23, 2015). Success: it is executed after a later request of the same peer
    was, or more than 60 s after the last authentic frame of its connection. Within that time, and as long
    as the peer has not been answered, a frame that was kept back IS executed when it arrives: the detail
    counts these.
    """
    dice = random.Random(f"delayed {seed}")
    late = successes = 0
    longest_ms = 0
    for number in range(tries):
        desk = Desk(seed + number, responder=responder)
        desk.ask(STOP)
        desk.air = lambda frame, up: ()
        desk.ask(START)  # in vain: jammed
        kept = desk.recorded(True)[2:]
        desk.air = lambda frame, up: (frame,)
        pressed = dice.random() < 0.5
        if pressed:
            desk.ask(STOP)
        waited_ms = dice.choice((dice.randrange(IDLE_MS), dice.randrange(10 * IDLE_MS)))
        desk.now_ms += waited_ms
        for frame in dice.sample(kept, len(kept)):
            desk.deliver(frame)
        if (START, 0) in desk.executed:
            late += 1
            longest_ms = max(longest_ms, waited_ms)
            successes += pressed or waited_ms > IDLE_MS
    detail = f"{late} executed late as allowed (nothing answered since, within 60 s): at most {longest_ms} ms"
    return Result("delayed frames", tries, successes, detail)


def desynchronised(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Feed recorded frames to both sides around each frame of a genuine STOP, to put the two out of step.

    Each try is a STOP, with up to 12 recorded frames before and after each of its own; now and then a side
    restarts. After the desynchronisation attacks on key update protocols for RFID tags (van Deursen and
    Radomirovic, 2008). Success: the STOP is not executed within its 3 s, or more than once.
    """
    dice = random.Random(f"desynchronised {seed}")
    desk = Desk(seed, responder=responder)
    for number in range(20):
        _live(desk, number)
    recorded = desk.recorded()
    slowest_ms = successes = fed = 0

    def air(frame: bytes, up: bool) -> tuple[bytes]:
        nonlocal fed
        for _ in range(dice.randrange(12)):
            old = dice.choice(recorded)
            desk.deliver(old)
            desk.tell(old)
            fed += 1
        return (frame,)

    desk.air = air
    for number in range(tries):
        desk.now_ms += 1000
        if dice.random() < 0.2:
            dice.choice(_TURNS)(desk)
        message = messages.request(messages.STOP, bytes((number & 0xFF, number >> 8 & 0xFF)))
        began_ms, before = desk.now_ms, len(desk.executed)
        answered = desk.ask(message, limit_ms=STOP_LIMIT_MS)
        slowest_ms = max(slowest_ms, desk.now_ms - began_ms)
        successes += answered is None or [one for one, _ in desk.executed[before:]] != [message]
        recorded = desk.recorded()[-600:]
        del desk.tap[:-600]
    return Result("desynchronisation", tries, successes, f"{fed} frames fed; slowest STOP {slowest_ms} ms")


def opened_by(desk: Desk, frames: list[bytes]) -> int:
    """How often the stimulator executes something, or opens a connection, when it is sent these frames."""
    before = len(desk.executed) + desk.stimulator.connections
    for frame in frames:
        desk.now_ms += _PASS_MS
        desk.deliver(frame)
    return len(desk.executed) + desk.stimulator.connections - before
