"""A STOP that is not executed although it is authentic."""

from __future__ import annotations

import random

from stimfw.protocol import messages
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.telemetry.responder import Responder

from stimbench.attacks.loopback import START, STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("duplicate_stop", "highest_numbers")

_U32 = 0xFFFFFFFF


def duplicate_stop(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Ask for STOP under a request id that was used before, in a new connection of the same epoch.

    By nobody in particular: a host whose every command begins to number its requests anew. In between
    somebody else has started the output. Each try is a second STOP. Success: it is answered, or not, and not
    executed.
    """
    rng = random.Random(f"duplicate {seed}")
    successes = answered = 0
    for number in range(tries):
        link = LoopbackLink(seed + number, responder=responder)
        for _ in range(rng.randint(1, 5)):
            link.ask(STOP)
            link.executed.append((START, -1))  # over USB: the output is on again
            link.new_requester()
            before = link.executed.count((STOP, 0))
            answer = link.ask(STOP, limit_ms=STOP_LIMIT_MS)
            answered += answer is not None and answer[1] == messages.OK
            if link.executed.count((STOP, 0)) == before:
                successes += 1
                break
    return Result("duplicate STOP", tries, successes, f"{answered} answered OK")


def highest_numbers(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Say one authentic HELLO with a far higher epoch or count than the genuine peer will reach.

    By somebody who had the key once, or by a remote whose flash went wrong. Each try is such a HELLO, and
    then STOP pressed on the genuine peer. Success: STOP is not executed within its 3 s.
    """
    rng = random.Random(f"highest {seed}")
    successes = by_epoch = 0
    for number in range(tries):
        link = LoopbackLink(seed + number, responder=responder)
        link.ask(STOP)
        epoch, count = rng.choice((
            (_U32, 0), (_U32, _U32 - 1), (rng.randrange(10, _U32), 0), (1, _U32 - 1), (2, _U32 - 1),
        ))  # fmt: skip
        genuine = link.peers[0]
        link.new_requester(epoch=epoch, count=count)
        link.ask(START)
        link.peers[0] = genuine
        link.now_ms += rng.randrange(120_000)
        before = link.executed.count((STOP, 0))
        link.ask(STOP, limit_ms=STOP_LIMIT_MS)
        lost = link.executed.count((STOP, 0)) == before
        successes += lost
        by_epoch += lost and epoch > 2
    return Result("highest epoch or count", tries, successes, f"{by_epoch} by the epoch")
