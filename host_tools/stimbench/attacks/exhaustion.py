"""Work that is forced on a stimulator: answers, verifications, time."""

from __future__ import annotations

import random
import struct
from collections import Counter

from stimfw.protocol import messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.rate_limiter import LEVELS, VERIFICATIONS
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.telemetry.responder import Responder

from stimbench.attacks.counters import tags_counted
from stimbench.attacks.loopback import START, STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("draining", "flooded")

_REFILL_MS = 12  # a verification more, up to 24: docs/telemetry.md, "Under attack" (80 a second, rounded)
_FIFO = 3
_WINDOW_MS = 4  # docs/telemetry.md, "Under attack"
_REPEATS = 60  # answers to a frame that comes again: docs/telemetry.md, "A connection"
_IN_A_ROW = 150  # far more often than a frame is answered
_A_DESK = 4000
_FRAMES_A_SECOND = 500


def draining(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Force answers, each of which costs radio power and AES, out of recorded frames.

    After the battery depletion of Halperin et al. (IEEE S&P 2008). Each try is a frame, old or forged, 20
    ms after the last: so seldom that the rate limiter grants all. Success: an answer beyond these: 60 for
    the last frame of the peer, and after a restart of the stimulator one for each recorded HELLO and 60 more
    while no other came. What one frame did not draw is not allowed to another.
    """
    rng = random.Random(f"draining {seed}")
    answers = successes = done = 0
    with tags_counted() as tags:
        while done < tries:
            link = LoopbackLink(seed + done, responder=responder)
            for _ in range(10):
                link.ask(START)
                link.start_peer()
            if rng.random() < 0.5:
                link.start_stimulator()
            known = link.recorded(True)
            left = _allowed(link, known)
            for number in range(min(_A_DESK, tries - done)):
                done += 1
                link.now_ms += 20
                old = known[number // _IN_A_ROW % len(known)]
                frame = old if rng.random() < 0.8 else rng.randbytes(32)
                if link.deliver(frame) is None:
                    continue
                answers += 1
                successes += left[frame] == 0
                left[frame] = max(0, left[frame] - 1)
    detail = f"{answers} answers, {successes} of them not allowed; {tags.checked} tag checks"
    return Result("draining", tries, successes, detail)


def _allowed(link: LoopbackLink, known: list[bytes]) -> Counter[bytes]:
    """How often each recorded frame may be answered."""
    if link.epoch == 1:
        return Counter({known[-1]: _REPEATS})
    return Counter({frame: _REPEATS + 1 for frame in known if len(frame) == frames.FRAME_BYTES})


def _plausible(link: LoopbackLink, rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        count = rng.randrange(1 << 32)
        head = bytes((frames.first(frames.HELLO), 0)) + struct.pack("<II", 0xFFFFFFFF, count)
        return head + rng.randbytes(16)
    connection = link.stimulator._peers[0].connection
    if connection is None:
        return rng.randbytes(32)
    return frames.sealed_header(frames.REQUEST, 0, connection.number, connection.counter) + rng.randbytes(27)


class _Radio:
    """A radio with three places, deaf when the rate limiter says so; then it listens a while and is read."""

    def __init__(self, link: LoopbackLink) -> None:
        self._link = link
        self._places: list[tuple[bytes, bool]] = []
        self._deaf_ms = self._read_ms = 0  # until then
        self.pauses = 0

    def take(self, frame: bytes, genuine: bool) -> bool:
        """A frame in the air; whether there was a place, so that it is acknowledged."""
        free = len(self._places) < _FIFO and self._link.now_ms >= self._deaf_ms
        if free:
            self._places.append((frame, genuine))
        return free

    def read(self) -> None:
        """One pass of the main loop: in a pause nothing happens."""
        link = self._link
        if link.now_ms < self._read_ms:
            return
        for frame, genuine in self._places:
            answer = link.deliver(frame)
            if genuine and answer is not None:
                link.tell(answer)
        self._places.clear()
        pause_ms = link.stimulator.pause_ms(link.now_ms)
        self.pauses += pause_ms > 0
        self._deaf_ms = link.now_ms + pause_ms
        self._read_ms = self._deaf_ms + (_WINDOW_MS if pause_ms else 0)


def flooded(tries: int, seed: int) -> Result:
    """Send 500 plausible forged frames a second, through a radio that holds three, while STOP is pressed.

    Each try is a second. The stimulator is deaf when its rate limiter says so, then reads three
    frames at most; what finds the radio deaf or full is lost. Once a second the peer presses STOP; its frames
    compete for the same places. Success: more failed verifications than 24 at once and one in 12 ms, or a
    STOP that is not executed within its 3 s.
    """
    rng = random.Random(f"flooded {seed}")
    link = LoopbackLink(seed)
    link.ask(STOP)
    radio = _Radio(link)
    successes = worst = slowest_ms = 0
    began_ms = link.now_ms
    for second in range(tries):
        before = link.stimulator.forged
        took_ms = _a_second(link, radio, rng, second)
        worst = max(worst, link.stimulator.forged - before)
        slowest_ms = max(slowest_ms, took_ms)
        successes += took_ms > STOP_LIMIT_MS
        passed_ms = link.now_ms - began_ms
        successes += link.stimulator.forged > VERIFICATIONS + passed_ms // _REFILL_MS + 1
    forged = link.stimulator.forged
    detail = (
        f"{forged} verifications of {_FRAMES_A_SECOND * tries} frames, at most {worst} a second; "
        f"slowest STOP {slowest_ms} ms after its press; {radio.pauses} pauses of up to {LEVELS[0][1]} ms"
    )
    return Result("flooding", tries, successes, detail)


def _a_second(link: LoopbackLink, radio: _Radio, rng: random.Random, number: int) -> int:
    """One second of the flood, and longer if STOP is not through: ms until it was executed."""
    peer = link.peers[0]
    message = messages.request(requests.STOP, bytes((number & 0xFF, number >> 8)))
    began_ms, took_ms = link.now_ms, -1
    peer.begin(message, STOP_LIMIT_MS, link.now_ms)
    while took_ms < 0 or link.now_ms - began_ms < 1000:
        link.now_ms += 1000 // _FRAMES_A_SECOND
        frame = peer.poll(link.now_ms)
        first = rng.random() < 0.5
        if not first:
            radio.take(_plausible(link, rng), False)
        if frame is not None:
            peer.sent(radio.take(frame, True), link.now_ms)
        if first:
            radio.take(_plausible(link, rng), False)
        radio.read()
        if took_ms < 0 and link.executed[-1][0] == message:
            took_ms = link.now_ms - began_ms
        if link.now_ms - began_ms > STOP_LIMIT_MS:
            return STOP_LIMIT_MS + 1
    return took_ms
