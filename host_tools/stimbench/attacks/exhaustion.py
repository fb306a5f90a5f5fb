"""Work that is forced on a stimulator: answers, verifications, time."""

from __future__ import annotations

import random
import struct

from stimfw.logic import messages
from stimfw.telemetry import frames
from stimfw.telemetry.guard import LEVELS, VERIFICATIONS
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.telemetry.responder import REPEATS

from stimbench.attacks.desk import START, STOP, Desk
from stimbench.attacks.instruments import tags_counted
from stimbench.attacks.result import Result

__all__ = ("draining", "flooded")

_A_SECOND = 80  # docs/telemetry.md, "Under attack"
_FIFO = 3
_FRAMES_A_SECOND = 500


def draining(tries: int, seed: int) -> Result:
    """Force answers, each of which costs radio power and AES, out of recorded frames.

    After the battery depletion of Halperin et al. (IEEE S&P 2008). Each try is a frame, old or forged, 20
    ms after the last: so seldom that the guard grants all. Success: an answer beyond these: 60 for the last
        frame
    of the peer, and after a restart of the stimulator one for each recorded HELLO and 60 for the last of
    them.
    """
    dice = random.Random(f"draining {seed}")
    answers = allowed = done = 0
    with tags_counted() as tags:
        while done < tries:
            desk = Desk(seed + done)
            for _ in range(10):
                desk.ask(START)
                desk.start_peer()
            if dice.random() < 0.5:
                desk.start_stimulator()
            hellos = sum(len(frame) == frames.HANDSHAKE_BYTES for frame in desk.recorded(True))
            allowed += REPEATS * 2 + (hellos * (REPEATS + 1) if desk.epoch > 1 else 0)
            for _ in range(min(4000, tries - done)):
                done += 1
                desk.now_ms += 20
                frame = dice.choice(desk.recorded(True)) if dice.random() < 0.8 else dice.randbytes(32)
                answers += desk.deliver(frame) is not None
    detail = f"{answers} answers of at most {allowed} allowed; {tags.checked} tag checks"
    return Result("draining", tries, max(0, answers - allowed), detail)


def _plausible(desk: Desk, dice: random.Random) -> bytes:
    if dice.random() < 0.5:
        count = dice.randrange(1 << 32)
        head = bytes((frames.first(frames.HELLO), 0)) + struct.pack("<II", 0xFFFFFFFF, count)
        return head + dice.randbytes(16)
    connection = desk.stimulator._peers[0].connection
    if connection is None:
        return dice.randbytes(32)
    return frames.sealed_header(frames.REQUEST, 0, connection.number, connection.counter) + dice.randbytes(27)


def flooded(tries: int, seed: int) -> Result:
    """Send 500 plausible forged frames a second, through a radio that holds three, while STOP is pressed.

    Each try is a second. The stimulator reads the radio when its guard lets it, three frames at a time;
    what finds the radio full is lost. Once a second the peer presses STOP; its frames compete for the same
    places. Success: more than 80 verifications in a second (and 24 at first), a STOP that is not executed
    within its 3 s, or one that waits longer than the longest pause once it is in the radio.
    """
    dice = random.Random(f"flooded {seed}")
    desk = Desk(seed)
    desk.ask(STOP)
    successes = worst = pauses = 0
    slowest_ms = 0
    with tags_counted() as tags:
        for second in range(tries):
            before, executed = tags.checked, len(desk.executed)
            genuine = desk.stimulator.connections
            took_ms, paused = _a_second(desk, dice, second)
            checked = tags.checked - before
            worst = max(worst, checked)
            own = 2 * (desk.stimulator.connections - genuine) + 4  # of genuine frames, at both ends
            successes += checked > _A_SECOND + own + (VERIFICATIONS if second == 0 else 0)
            successes += len(desk.executed) == executed
            slowest_ms = max(slowest_ms, took_ms)
            pauses += paused
    longest = LEVELS[0][1]
    successes += slowest_ms > STOP_LIMIT_MS
    detail = (
        f"at most {worst} verifications a second; slowest STOP {slowest_ms} ms after its press; "
        f"{pauses} pauses of up to {longest} ms"
    )
    return Result("flooding", tries, successes, detail)


def _a_second(desk: Desk, dice: random.Random, number: int) -> tuple[int, int]:
    """One second of the flood, and longer if STOP is not through; (ms until it was, pauses)."""
    peer = desk.peers[0]
    message = messages.request(messages.STOP, bytes((number & 0xFF, number >> 8)))
    began_ms, read_ms, took_ms, pauses = desk.now_ms, desk.now_ms, -1, 0
    radio: list[tuple[bytes, bool]] = []
    peer.begin(message, STOP_LIMIT_MS, desk.now_ms)
    while took_ms < 0 or desk.now_ms - began_ms < 1000:
        desk.now_ms += 1000 // _FRAMES_A_SECOND
        arrivals = [(_plausible(desk, dice), False)]
        frame = peer.poll(desk.now_ms)
        if frame is not None:
            arrivals.insert(dice.randrange(2), (frame, True))
        for one, genuine in arrivals:
            free = len(radio) < _FIFO
            if free:
                radio.append((one, genuine))
            if genuine:
                peer.sent(free, desk.now_ms)
        if desk.now_ms >= read_ms:
            for one, genuine in radio:
                answer = desk.deliver(one)
                if genuine and answer is not None:
                    desk.tell(answer)
            radio.clear()
            pause_ms = desk.stimulator.pause_ms(desk.now_ms)
            pauses += pause_ms > 0
            read_ms = desk.now_ms + pause_ms
        if took_ms < 0 and desk.executed and desk.executed[-1][0] == message:
            took_ms = desk.now_ms - began_ms
        if desk.now_ms - began_ms > STOP_LIMIT_MS:
            return STOP_LIMIT_MS + 1, pauses
    return took_ms, pauses
