"""A new key in the place of an old one, and what the thief of the old one can still do."""

from __future__ import annotations

import random
from collections.abc import Callable

from stimfw.protocol import messages, requests, roles

from stimbench.attacks.air import RadioPeer
from stimbench.attacks.result import Result
from stimbench.attacks.stand import Stand
from stimbench.bench.provision import Provisioned
from stimbench.errors import RefusedError

__all__ = ("late_key", "rekeyed")

STATUS, STOP = (messages.request(n) for n in (requests.STATUS, requests.STOP))
_CLINICIAN = 0
_HOUR_MS = 3_600_000
"""docs/telemetry.md, "Pairing": so long a key that was given out waits to be used."""


class _Keys:
    """The owner's new key, and the thief's old one, each with a voice of its own."""

    def __init__(self, stand: Stand, rng: random.Random, role: int = roles.CLINICIAN) -> None:
        """Give the peer a new key over USB. RefusedError: the stimulator does not take it."""
        self.stand, self.old = stand, stand.pairings[_CLINICIAN]
        key = rng.randbytes(32)
        slot, base = stand.host.pair(self.old.peer_id, role, key)
        self.new = Provisioned(base, slot, role, key, self.old.peer_id)
        self._epochs = 10

    def ask(self, pairing: Provisioned, message: bytes = STATUS) -> bool:
        """Ask under a key, after a start of that peer; whether there was an answer."""
        self._epochs += 1
        peer = RadioPeer(self.stand.bench, pairing, epoch=self._epochs, seed=self._epochs)
        return peer.ask(message) is not None


def _thief_first(stand: Stand, rng: random.Random) -> bool:
    """The thief connects before the owner does: the owner's new key must still be taken."""
    keys = _Keys(stand, rng)
    keys.ask(keys.old)
    stand.run_ms(1500)
    return not keys.ask(keys.new)


def _thief_afterwards(stand: Stand, rng: random.Random) -> bool:
    """The owner has used the new key: the old one must be worth nothing."""
    keys = _Keys(stand, rng)
    if not keys.ask(keys.new):
        raise RuntimeError("the new key does not work")
    stand.run_ms(1500)
    return keys.ask(keys.old)


def _thief_while_on(stand: Stand, rng: random.Random) -> bool:
    """The same while the output is on, when nothing is written to flash."""
    keys = _Keys(stand, rng)
    stand.start()
    if not keys.ask(keys.new):
        raise RuntimeError("the new key does not work")
    return keys.ask(keys.old)


def _claimed_id(stand: Stand, rng: random.Random) -> bool:
    """A new patient's key under the clinician's id is used: the clinician must still be answered."""
    try:
        keys = _Keys(stand, rng, roles.PATIENT)
    except RefusedError:
        return False
    keys.ask(keys.new)
    stand.run_ms(1500)
    return not keys.ask(keys.old)


_WAYS: tuple[Callable[[Stand, random.Random], bool], ...] = (
    _thief_first, _thief_afterwards, _thief_while_on, _claimed_id,
)  # fmt: skip


def rekeyed(tries: int, seed: int, code: str = "") -> Result:
    """Undo a new key with the old one, or go on with the old one, or claim somebody else's id.

    By a thief of the key that was replaced over USB; in one way of four by somebody who pairs as a patient
    under the clinician's id. Each try is one such replacement. Success: the new key does not work after the
    thief's connection; the old one works after the new one was used, the output off or on; the clinician's
    key is gone.
    """
    rng = random.Random(f"rekeyed {seed}")
    won: dict[str, int] = {}
    for number in range(tries):
        way = _WAYS[number % len(_WAYS)]
        with Stand(seed + number, (roles.CLINICIAN,), code=code) as stand:
            if way(stand, rng):
                name = way.__name__.strip("_").replace("_", " ")
                won[name] = won.get(name, 0) + 1
    detail = ", ".join(f"{name}: {count}" for name, count in won.items()) or "the new key alone works"
    return Result("re-keying undone", tries, sum(won.values()), detail)


def late_key(tries: int, seed: int, code: str = "") -> Result:
    """Use a key that was given out and not used for more than an hour.

    By a thief who found it where it was put down. Each try is a key that the stimulator was given over USB,
    and a few minutes more than an hour. Success: it is answered.
    """
    rng = random.Random(f"late {seed}")
    successes = 0
    for number in range(tries):
        with Stand(seed + number, (roles.CLINICIAN,), code=code) as stand:
            keys = _Keys(stand, rng)
            stand.run_ms(_HOUR_MS + rng.randrange(5000, 600_000))
            if not keys.ask(keys.old):
                raise RuntimeError("the clinician's own key does not work any more")
            successes += keys.ask(keys.new)
    return Result("key given out long ago", tries, successes, "the key in use goes on to work")
