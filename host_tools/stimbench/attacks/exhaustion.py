"""Work that is forced on a stimulator: answers, verifications, time."""

from __future__ import annotations

import random
from collections import Counter

from stimfw.protocol import messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.rate_limiter import VERIFICATIONS
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
_STRAYS_A_SECOND = 3
_A_SECOND_MS = 1000
_IN_A_ROW = 150  # far more often than a frame is answered
_RESTARTED = 0.3
_A_DESK = 4000
_FRAMES_A_SECOND = 500


def draining(tries: int, seed: int, responder: type[Responder] = Responder) -> Result:
    """Force answers, each of which costs radio power and AES, out of recorded frames.

    By somebody with a recording and a transmitter, who wants the battery empty.
    After the battery depletion of Halperin et al. (IEEE S&P 2008). Each try is a frame, old or forged, 20
    ms after the last: so seldom that the rate limiter grants all. Success: an answer beyond these: 60 for
    the last frame of the peer, and after a restart of the stimulator one for each recorded HELLO and 60 more
    while no other came. What one frame did not draw is not allowed to another. HELLOs out of step draw three
    answers a second in all.
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
            strays: list[int] = []
            for number in range(min(_A_DESK, tries - done)):
                done += 1
                link.now_ms += 20
                old = known[number // _IN_A_ROW % len(known)]
                frame = old if rng.random() < 0.8 else rng.randbytes(32)
                if link.deliver(frame) is None:
                    continue
                answers += 1
                if _is_out_of_step(link, frame):
                    strays = [at for at in strays if link.now_ms - at < _A_SECOND_MS] + [link.now_ms]
                    successes += len(strays) > _STRAYS_A_SECOND
                else:
                    successes += left[frame] == 0
                    left[frame] = max(0, left[frame] - 1)
    detail = f"{answers} answers, {successes} of them not allowed; {tags.checked} tag checks"
    return Result("draining", tries, successes, detail)


def _allowed(link: LoopbackLink, known: list[bytes]) -> Counter[bytes]:
    """How often each recorded frame may be answered."""
    if link.epoch == 1:
        return Counter({known[-1]: _REPEATS})
    return Counter({frame: _REPEATS + 1 for frame in known if frames.kind_of(frame) == frames.HELLO})


def _is_out_of_step(link: LoopbackLink, frame: bytes) -> bool:
    """Whether the stimulator took it for a HELLO out of step."""
    peer = link.stimulator._peers[0]
    return any(one.hello == frame and peer.is_out_of_step(one) for one in peer.candidates())


def _plausible(link: LoopbackLink, rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        nonce = frames.hello_nonce(1, rng.randrange(4096), rng.randrange(2), rng.randbytes(7))
        tag = rng.randbytes(frames.HANDSHAKE_TAG_BYTES)
        return frames.handshake(frames.HELLO, 0, rng.choice((0, 0, 1, rng.randrange(33))), nonce, tag)
    connection = link.peers[0]._connection
    if connection is None:
        return rng.randbytes(frames.FRAME_BYTES)
    token = connection.token(frames.REQUEST, max(0, connection.counter - 1))  # of a frame that was overheard
    header = frames.sealed_header(frames.REQUEST, 0, token)
    return header + rng.randbytes(frames.FRAME_BYTES - frames.HEADER_BYTES)


class _Radio:
    """A radio with three places. In a pause nobody reads it; then it is emptied, listens a while, is read."""

    def __init__(self, link: LoopbackLink) -> None:
        self._link = link
        self._places: list[tuple[bytes, bool]] = []
        self._deaf_ms = self._read_ms = 0  # until then
        self.pauses = 0

    def take(self, frame: bytes, genuine: bool) -> None:
        """A frame in the air: it is received if there is a place, and read if that is in no pause."""
        if len(self._places) < _FIFO and self._link.now_ms >= self._deaf_ms:
            self._places.append((frame, genuine))

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

    By somebody with a transmitter who knows all but the key.
    Each try is a second; now and then the stimulator was restarted just before it, so that nobody is
    connected. The stimulator does not read when its rate limiter says so, then reads three
    frames at most; what comes in a pause or finds the radio full is lost. Once a second the peer presses
    STOP; its frames compete for the same places. Success: more seals tried in vain than 24 at once and one in
    12 ms, or a STOP that is not executed within its 3 s.
    """
    rng = random.Random(f"flooded {seed}")
    link = LoopbackLink(seed)
    link.ask(STOP)
    radio = _Radio(link)
    successes = worst = slowest_ms = 0
    began_ms = link.now_ms
    with tags_counted() as tags:
        for second in range(tries):
            if rng.random() < _RESTARTED:
                link.start_stimulator()
            before = tags.failed_seals
            took_ms = _a_second(link, radio, rng, second)
            worst = max(worst, tags.failed_seals - before)
            slowest_ms = max(slowest_ms, took_ms)
            successes += took_ms > STOP_LIMIT_MS
            passed_ms = link.now_ms - began_ms
            successes += tags.failed_seals > VERIFICATIONS + passed_ms // _REFILL_MS + 1
    detail = (
        f"{tags.failed_seals} seals tried in vain, at most {worst} a second, of {_FRAMES_A_SECOND * tries} "
        f"frames; slowest STOP {slowest_ms} ms after its press; {radio.pauses} pauses"
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
            for _ in range(peer.copies):
                radio.take(frame, True)
            peer.sent(True, link.now_ms)
        if first:
            radio.take(_plausible(link, rng), False)
        radio.read()
        if took_ms < 0 and link.executed[-1][0] == message:
            took_ms = link.now_ms - began_ms
        if link.now_ms - began_ms > STOP_LIMIT_MS:
            return STOP_LIMIT_MS + 1
    return took_ms
