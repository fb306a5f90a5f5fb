"""A key that is stored though nobody compared the codes: by accident, or because two codes look alike."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable

from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.telemetry import addresses, frames

from stimbench.attacks.result import Result
from stimbench.attacks.stand import MS, QUICK_CURVE, Antenna, QuickCurve, Stand

__all__ = ("Unattended", "alike_codes", "not_consented")

_HELD_MS = 3000
_COMPUTE_MS = 1500
_STEP_MS = 20
_PASS_MS = blink_code.PASS_MS
"""A code was shown whole when so much time has passed."""
_ALLOWED = 10_000
"""docs/telemetry.md, "Pairing": of so many codes one may look like another if one blink is overlooked."""


class Unattended:
    """A remote that pairs with whoever has a window open, and says yes to any code: an attacker's.

    Attributes:
        ends: the remote's end of the protocol.
    """

    def __init__(self, stand: Stand, rng: random.Random, own_id: bytes = b"evil") -> None:
        self._stand = stand
        self._antenna = Antenna(stand, addresses.PAIRING_REMOTE)
        self._taken = 0
        self.ends = PairingRequester(own_id, self._keep, rng.randbytes, QuickCurve())
        self.kept: list[bytes] = []

    def _keep(self, *, base: bytes, slot: int, role: int, key: bytes, **_: int) -> None:
        self.kept.append(key)

    def begin(self) -> None:
        """Begin to pair."""
        self.ends.begin(self._now_ms)

    @property
    def _now_ms(self) -> int:
        return self._stand.now_ns // MS

    @property
    def was_told_stored(self) -> bool:
        """Whether the stimulator said that it has stored the key."""
        reply = (frames.first(frames.PAIR_REPLY), pk.ACCEPT, pk.STORED)
        return any(tuple(frame[:3]) == reply for frame in self._antenna.heard)

    @property
    def is_comparing(self) -> bool:
        """Whether both sides have agreed on a key: the code is shown."""
        return self.ends.state >= PairingRequester.COMPARING

    def run_ms(self, span_ms: float) -> None:
        """Go on; say yes as soon as there is a code."""
        end_ns = self._stand.now_ns + round(span_ms * MS)
        while self._stand.now_ns < end_ns:
            while self.ends.compute():
                pass
            frame = self.ends.poll(self._now_ms)
            if frame is not None:
                self._antenna.say(frame, addresses.PAIRING_STIMULATOR)
            self._stand.bench.run_to(min(end_ns, self._stand.now_ns + _STEP_MS * MS))
            for heard in self._antenna.heard[self._taken :]:
                self.ends.on_frame(heard, self._now_ms)
            self._taken = len(self._antenna.heard)
            if self.ends.state == PairingRequester.COMPARING:
                self.ends.accept(self._now_ms)


Hand = Callable[[Stand, Unattended, random.Random], None]


def _wobbles(stand: Stand, remote: Unattended, rng: random.Random) -> None:
    """The magnet is withdrawn, and its field grazes the reed switch once more."""
    stand.bench.magnet(False)
    remote.run_ms(rng.randint(30, 300))
    stand.bench.magnet(True)
    remote.run_ms(rng.randint(30, 200))
    stand.bench.magnet(False)


def _touches(stand: Stand, remote: Unattended, rng: random.Random) -> None:
    """It was withdrawn, and somebody who has not seen the code yet touches again, at any moment of it."""
    stand.bench.magnet(False)
    remote.run_ms(rng.choice((35, rng.randint(30, _PASS_MS - 100), _PASS_MS - 100)))
    stand.bench.magnet(True)
    remote.run_ms(rng.choice((200, 1500, 2500)))
    stand.bench.magnet(False)


def _holds_again(stand: Stand, remote: Unattended, rng: random.Random) -> None:
    """Somebody holds it again, because nothing seems to have happened."""
    stand.bench.magnet(False)
    remote.run_ms(rng.randint(30, 800))
    stand.bench.magnet(True)
    remote.run_ms(rng.randint(_HELD_MS, 3 * _HELD_MS))
    stand.bench.magnet(False)


def _brushes(stand: Stand, remote: Unattended, rng: random.Random) -> None:
    """The code was shown whole, and now the magnet comes by several times, never to stay."""
    stand.bench.magnet(False)
    remote.run_ms(_PASS_MS + 500)
    for _ in range(5):
        stand.bench.magnet(True)
        remote.run_ms(rng.randint(5, 900))
        stand.bench.magnet(False)
        remote.run_ms(rng.randint(5, 1500))


def _stays(stand: Stand, remote: Unattended, rng: random.Random) -> None:
    """It stays where it was, and is taken away when the code was shown for long."""
    remote.run_ms(_PASS_MS + 3000)
    stand.bench.magnet(False)


_HANDS: tuple[Hand, ...] = (_wobbles, _touches, _holds_again, _brushes, _stays)


def not_consented(tries: int, seed: int, code: str = "") -> Result:
    """Pair a remote that nobody watches, in a window that somebody opened, while the magnet moves.

    By somebody in radio range with a remote of his own that says yes to any code. Each try is a window: the
    magnet is held for 3 s, the remote pairs at once, and then the magnet wobbles as it is withdrawn, touches
    before the code was shown whole, is held again, brushes by, or just stays. Success: the stimulator stores
    his key.
    """
    rng = random.Random(f"not consented {seed}")
    won: Counter[str] = Counter()
    shown = 0
    for number in range(tries):
        hand = _HANDS[number % len(_HANDS)]
        with Stand(seed + number, code=QUICK_CURVE + code) as stand:
            remote = Unattended(stand, rng)
            before = len(stand.host.pairings().pairings)
            stand.bench.magnet(True)
            stand.run_ms(_HELD_MS + 50)
            remote.begin()
            while not remote.is_comparing and stand.now_ns < (_HELD_MS + 3 * _COMPUTE_MS) * MS:
                remote.run_ms(_STEP_MS)
            shown += remote.is_comparing
            hand(stand, remote, rng)
            remote.run_ms(1000)
            stand.run_ms(35_000)
            if remote.was_told_stored or len(stand.host.pairings().pairings) > before:
                won[hand.__name__.strip("_")] += 1
    if tries and not shown:
        raise RuntimeError("no try came to a code")
    hands = ", ".join(f"{name} {count}" for name, count in won.items()) or "none"
    return Result("pairing without consent", tries, won.total(), f"{shown} codes shown; stored: {hands}")


Blinks = tuple[tuple[int, int], ...]


def _blinks(code: int) -> Blinks:
    """What a person sees of a code: when each blink begins and ends, in ms."""
    levels = [blink_code.lit(code, at) for at in range(0, blink_code.PASS_MS, 10)] + [0]
    edges = [10 * n for n in range(1, len(levels)) if levels[n] != levels[n - 1]]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def _from_first(blinks: Blinks) -> Blinks:
    """The same from the first blink on: a man in the middle chooses when each light begins."""
    return tuple((on - blinks[0][0], off - blinks[0][0]) for on, off in blinks)


def alike_codes(tries: int, seed: int) -> Result:
    """Find two codes that look alike to a person who overlooks one blink.

    By a man in the middle. The two codes that he causes are as good as random; he chooses how the two lights
    are shifted. Each try is a pair of codes. Success: a pair that looks alike, beyond the one in 10 000 that
    is allowed.
    """
    rng = random.Random(f"alike {seed}")
    count = 1 + int((2 * tries) ** 0.5)  # so many codes make as many pairs as there are tries
    whole: dict[Blinks, set[int]] = defaultdict(set)
    less_one: dict[Blinks, set[int]] = defaultdict(set)
    alike = 0
    for number in range(count):
        code = pk.PairingKeys(rng.randbytes(32), rng.randbytes(32)).code
        blinks = _blinks(code)
        look = _from_first(blinks)
        looks = {_from_first(blinks[:n] + blinks[n + 1 :]) for n in range(len(blinks))}
        alike += len((whole[look] | less_one[look]).union(*(whole[one] for one in looks)))
        whole[look].add(number)
        for one in looks:
            less_one[one].add(number)
    pairs = count * (count - 1) // 2
    allowed = pairs // _ALLOWED + 3 * int((pairs / _ALLOWED) ** 0.5)
    detail = f"{f'one in {pairs // alike:,}' if alike else 'none'} of {pairs:,} pairs alike"
    return Result("codes that look alike", tries, max(0, alike - allowed), detail)
