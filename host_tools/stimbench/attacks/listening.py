"""An eavesdropper who records everything, and what stolen keys open."""

from __future__ import annotations

import random
from collections import Counter

from stimfw.crypto.ccm import NotAuthenticError
from stimfw.protocol import roles
from stimfw.telemetry import frames, keys
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder

from stimbench.attacks.counters import seals_recorded
from stimbench.attacks.loopback import START, STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("eavesdropping", "nonces_reused", "opened_with_pairing_key", "stolen_connection_key")

_SEALED = (frames.REQUEST, frames.REPLY)
_COUNTERS = 64  # more than a connection of a recording here has
_PART = 4  # bytes in a row that would be found by chance once in 4 GB


def _shape(link: LoopbackLink) -> list[tuple[bool, int]]:
    return [(flown.up, len(flown.frame)) for flown in link.tap]


def eavesdropping(tries: int, seed: int) -> Result:
    """Search the traffic for plaintext and keys, and compare the traffic of different requests.

    By somebody who listens.
    Each try is a pair of runs that ask and answer different bytes of the same length, all else alike, the
    keys' random bytes too. Success: four bytes of a message or of a key are in the air, a frame is not
    32 bytes long, or the two runs differ in number, direction or length of their frames.
    """
    rng = random.Random(f"eavesdropping {seed}")
    successes = heard = 0
    for number in range(tries):
        size = rng.choice((1, 5, 16, 17, 60, 248))
        shapes = []
        for _ in range(2):
            question, answer = rng.randbytes(size), rng.randbytes(248)
            link = LoopbackLink(seed + number)
            link.reply = lambda message, answer=answer: answer  # type: ignore[misc]
            link.ask(question)
            link.ask(STOP)
            shapes.append(_shape(link))
            secrets = (question, answer, link.table.pairings[0].key)
            air = b"".join(link.recorded())
            heard += len(link.tap)
            successes += any(_inside(secret, air) for secret in secrets)
            successes += any(length != frames.FRAME_BYTES for _, length in shapes[-1])
        successes += shapes[0] != shapes[1]
    return Result("eavesdropping", tries, successes, f"{heard} frames heard")


def _inside(secret: bytes, air: bytes) -> bool:
    return any(secret[at : at + _PART] in air for at in range(len(secret) - _PART + 1))


def nonces_reused(
    tries: int, seed: int, responder: type[Responder] = Responder, requester: type[Requester] = Requester
) -> Result:
    """Make both sides seal two frames under one key and nonce.

    By restarts at any moment, losses, and a random source that is dead in half of the runs.
    Each try is a request. After the nonce reuse of KRACK (Vanhoef and Piessens, CCS 2017) and Joux's
    forbidden attack. Success: a (key, nonce) pair that sealed two different frames.
    """
    rng = random.Random(f"nonces {seed}")
    slots = ((0, roles.PATIENT), (1, roles.CLINICIAN))
    restarts = done = 0
    with seals_recorded() as seals:
        while done < tries:
            link = LoopbackLink(seed + done // 100, slots, responder, requester)
            # Keys are of the link's seed; each (key, epoch) is used by one link only.
            if done // 100 % 2:
                link.take_random = bytes

            def air(frame: bytes, up: bool, link: LoopbackLink = link) -> list[bytes]:
                nonlocal restarts
                event = rng.randrange(40)
                if event == 0:
                    link.start_stimulator()
                restarts += event == 0
                return [] if event < 8 else [frame] * (1 + (event < 12))

            link.air = air
            for _ in range(min(100, tries - done)):
                slot = rng.randrange(2)
                link.begin(rng.randbytes(rng.choice((1, 20, 100))), slot)
                for _ in range(rng.randrange(6)):
                    link.exchange(slot)
                if rng.random() < 0.2:
                    link.start_peer(slot)
                    restarts += 1
                elif rng.random() < 0.6:
                    link.finish(slot)
            done += 100
    detail = f"{seals.seals} frames sealed under {len(seals.seen)} pairs; {restarts} restarts"
    return Result("nonce reuse", tries, seals.reused, detail)


# Stolen keys.


class Opener:
    """The keys of one connection in a thief's hands. A frame's counter is found by its token."""

    def __init__(self, triple: tuple[bytes, bytes, bytes], slot: int) -> None:
        """Make the tokens. triple: of requests, of replies, of tokens (stimfw.telemetry.keys)."""
        self._connection = Connection(triple, slot, 0)
        self._counters = {
            (kind, self._connection.token(kind, counter)): counter
            for kind in _SEALED
            for counter in range(_COUNTERS)
        }

    def opens(self, frame: bytes) -> bool:
        """Whether they open a frame."""
        kind = frames.kind_of(frame)
        counter = self._counters.get((kind, frame[2 : frames.HEADER_BYTES]))
        if counter is None:
            return False
        try:
            self._connection.open(kind, counter, frame)
        except NotAuthenticError:
            return False
        return True


def connections_of(link: LoopbackLink, slot: int, key: bytes = b"") -> list[tuple[Opener, list[bytes]]]:
    """From a recording and the pairing's key (or `key`): each connection's keys and what they open.

    This is what whoever steals a pairing's key can do: the handshake has no ephemeral secrets, only nonces
    that were in the air.
    """
    pairing = link.table.pairings[slot]
    heard = [frame for frame in link.recorded() if len(frame) > 1 and frame[1] == slot]
    hellos = [frame for frame in heard if frames.kind_of(frame) == frames.HELLO]
    challenges = [frame for frame in heard if frames.kind_of(frame) == frames.CHALLENGE]
    found = []
    for hello in dict.fromkeys(hellos):
        for challenge in dict.fromkeys(challenges):
            nonces = (bytes(frames.nonce_of(hello)), bytes(frames.nonce_of(challenge)))
            opener = Opener(keys.connection_keys(key or pairing.key, *nonces, slot, pairing.role), slot)
            opened = [frame for frame in heard if opener.opens(frame)]
            if opened:
                found.append((opener, opened))
    return found


def _recording(seed: int, requests: int = 3) -> LoopbackLink:
    link = LoopbackLink(seed, ((0, roles.PATIENT), (1, roles.CLINICIAN)))
    for _ in range(3):
        for slot in link.peers:
            for _ in range(requests):
                link.ask(START, slot)
            link.start_peer(slot)
    return link


def opened_with_pairing_key(seed: int) -> tuple[int, int]:
    """How many sealed frames of a recording the stolen pairing key opens, and how many of them there are.

    Its handshakes have no ephemeral secrets: it opens all of its own generation.
    """
    link = _recording(seed)
    sealed = [f for f in link.recorded() if frames.kind_of(f) in _SEALED and f[1] == 0]
    opened = Counter(frame for _, some in connections_of(link, 0) for frame in some)
    return len(opened), len(set(sealed))


def stolen_connection_key(tries: int, seed: int) -> Result:
    """Open the frames of other connections and of other slots with the keys of one connection.

    By a thief of a board's RAM.
    Each try is a recording of six connections and the keys of each. Success: keys open a frame that is not
    of their own connection. A stolen *pairing* key is worse: it opens every recorded connection whose
    handshake was recorded too, and lets its thief speak as that peer (and as that stimulator to that peer);
    the detail counts it.
    """
    successes = 0
    for number in range(tries):
        link = _recording(seed + number)
        every = [frame for frame in link.recorded() if frames.kind_of(frame) in _SEALED]
        made = [found for slot in link.peers for found in connections_of(link, slot)]
        for opener, own in made:
            successes += sum(opener.opens(frame) for frame in every if frame not in own)
        successes += len(made) != link.stimulator.connections
    opened, sealed = opened_with_pairing_key(seed)
    detail = f"a stolen pairing key opens {opened} of {sealed} recorded frames: as documented"
    return Result("stolen connection key", tries, successes, detail)
