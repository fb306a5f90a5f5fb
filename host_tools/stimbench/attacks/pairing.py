"""A man in the middle of a pairing by radio, and pairings without an open window."""

from __future__ import annotations

import random
from collections.abc import Generator

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.telemetry import frames

from stimbench.attacks.result import Result

__all__ = ("Curve", "Leg", "PairingHarness", "middle", "no_window", "small_order")

_ID, _BASE = b"\x01\x02\x03\x04", b"\x11\x22\x33\x44"
_MOST_FRAMES = 400

SMALL_ORDER = tuple(
    value.to_bytes(32, "little")
    for value in (
        0,
        1,
        2**255 - 20,
        2**255 - 19,
        2**255 - 18,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    )
)
"""u coordinates of the points of small order on Curve25519 and non-canonical forms of them (Bernstein,
"Curve25519: new Diffie-Hellman speed records", and cr.yp.to/ecdh.html#validate)."""


class Curve:
    """stimfw.crypto.x25519 by the package `cryptography`: quick."""

    BASE_POINT = b"\x09" + bytes(31)

    @staticmethod
    def public(secret: bytes) -> bytes:
        """The public key of a secret."""
        key = X25519PrivateKey.from_private_bytes(secret).public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @staticmethod
    def shared(secret: bytes, peer: bytes) -> bytes:
        """Z; ValueError if it is zero."""
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(peer))

    def steps(self, secret: bytes, u: bytes) -> Generator[None, None, bytes]:
        """As stimfw.crypto.x25519.steps."""
        yield
        return self.public(secret) if u == self.BASE_POINT else self.shared(secret, u)

    def shared_steps(self, secret: bytes, peer: bytes) -> Generator[None, None, bytes]:
        """As stimfw.crypto.x25519.shared_steps."""
        yield
        return self.shared(secret, peer)


class PairingHarness:
    """A stimulator with an open window, a remote that pairs, and a person who compares honestly."""

    def __init__(
        self, rng: random.Random, remote: type[PairingRequester] = PairingRequester, window: bool = True
    ) -> None:
        self.stored: list[bytes] = []
        self.agreed = False
        self.kept: list[bytes] = []
        curve = Curve()
        self.stimulator = PairingResponder(_BASE, self._add, rng.randbytes, curve)
        self.remote = remote(_ID, self._keep, rng.randbytes, curve)
        if window:
            self.stimulator.open(0)
        self.remote.begin(0)
        self.now_ms = 0

    def _add(self, peer_id: bytes, role: int, key: bytes) -> int:
        self.stored.append(key)
        return 0

    def _keep(self, *, base: bytes, slot: int, role: int, key: bytes) -> None:
        self.kept.append(key)

    def ask(self, frame: bytes) -> bytes | None:
        """A PAIR reaches the stimulator; its answer."""
        self.compute()
        answer = self.stimulator.on_frame(frame, self.now_ms)
        self.compute()
        if self.agreed:
            self.stimulator.consent(self.now_ms)  # nothing before it is awaited
        return answer

    def say(self) -> bytes | None:
        """The PAIR that the remote sends next."""
        self.now_ms += pk.BODY_BYTES * 10
        self.compute()
        return self.remote.poll(self.now_ms)

    def compute(self) -> None:
        """Let both sides compute."""
        while self.stimulator.compute() or self.remote.compute():
            pass

    def compare(self) -> bool:
        """The person compares, and confirms on both sides if the codes are equal; whether they were."""
        sides = (self.stimulator._keys, self.remote._keys)
        if sides[0] is None or sides[1] is None:
            return False
        if self.stimulator.outcome != PairingResponder.COMPARING or sides[0].code != sides[1].code:
            return False
        self.now_ms += blink_code.PASS_MS
        self.remote.accept(self.now_ms)
        self.agreed = True
        return True


class Leg:
    """One half of a man in the middle: his own key pair against one of the two sides."""

    def __init__(self, rng: random.Random) -> None:
        self.secret, self.nonce = rng.randbytes(32), rng.randbytes(16)
        self.public = Curve.public(self.secret)
        self.theirs = b""
        self.their_nonce = b""

    def keys(self, as_stimulator: bool) -> pk.PairingKeys:
        """What this leg agrees on."""
        publics = (self.public, self.theirs) if as_stimulator else (self.theirs, self.public)
        nonces = (self.nonce, self.their_nonce) if as_stimulator else (self.their_nonce, self.nonce)
        said = pk.transcript(_ID, _BASE, *publics, nonces)
        return pk.PairingKeys(Curve.shared(self.secret, self.theirs), said)


def _body(frame: bytes | None, length: int) -> bytes:
    if frame is None:
        raise RuntimeError("no answer")
    return frame[2 : 2 + length]


def _with_stimulator(ends: PairingHarness, leg: Leg) -> pk.PairingKeys:
    """The man as a remote, up to step 4: the stimulator shows its code."""
    first = ends.ask(pk.pack(frames.PAIR, 1, _ID + leg.public[:26]))
    second = ends.ask(pk.pack(frames.PAIR, 2, leg.public[26:]))
    leg.theirs = _body(first, 30)[4:] + _body(second, 6)
    leg.their_nonce = _body(ends.ask(pk.pack(frames.PAIR, 3, leg.nonce)), 16)
    made = leg.keys(False)
    ends.ask(pk.pack(frames.PAIR, 4, made.of_remote(pk.CONFIRM)))
    return made


def _with_remote(ends: PairingHarness, leg: Leg, grind_to: int | None, other: bytes) -> pk.PairingKeys | None:
    """The man as the stimulator, up to step 4; None if the remote ends it.

    He may reveal another number than the one that he committed to: `other`, if it is not empty, or with
    `grind_to` one that makes the code this one, chosen when he knows the remote's.
    """
    first = _body(ends.say(), 30)
    ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, 1, _BASE + leg.public[:26]), ends.now_ms)
    leg.theirs = first[4:] + _body(ends.say(), 6)
    bound = pk.commitment(leg.public, leg.theirs, leg.nonce)
    ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, 2, leg.public[26:] + bound), ends.now_ms)
    leg.their_nonce = _body(ends.say(), 16)
    if grind_to is not None:
        _grind(leg, grind_to)
    elif other:
        leg.nonce = other
    ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, 3, leg.nonce), ends.now_ms)
    if ends.remote.state == PairingRequester.FAILED:
        return None  # it saw that the number is not the one committed to
    ends.say()
    made = leg.keys(True)
    tag = made.of_stimulator(pk.CONFIRM, pk.COMPARE, 0)
    ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, 4, bytes((pk.COMPARE, 0)) + tag), ends.now_ms)
    return made


def _grind(leg: Leg, code: int) -> None:
    """Search for a random number that makes the code this one: a million tries on average."""
    shared = Curve.shared(leg.secret, leg.theirs)
    for number in range(1 << 24):
        leg.nonce = number.to_bytes(16, "little")
        said = pk.transcript(_ID, _BASE, leg.public, leg.theirs, (leg.nonce, leg.their_nonce))
        if pk.PairingKeys(shared, said).code == code:
            return


def middle(
    tries: int, seed: int, remote: type[PairingRequester] = PairingRequester, grind: bool = False
) -> Result:
    """Sit between a remote and a stimulator that pair, with own keys to both sides.

    By somebody in radio range while the window is open.
    Each try is a window. After MITM attacks on Bluetooth's Just Works and on static or reflected values in
    its passkey pairing (Method Confusion, von Tschirschnitz et al., IEEE S&P 2021). The person compares the
    two codes honestly and confirms only equal ones. In each second try the man reveals a number that he did
    not commit to. Success: a key of his is stored on either side. One in 1 048 576 windows is to be expected:
    more than that fails.

    Args:
        tries: windows.
        seed: of all keys.
        remote: the remote's class; one that does not check the commitment shows what it is for.
        grind: choose the number so that the codes agree.
    """
    rng = random.Random(f"middle {seed}")
    successes = ended = 0
    for number in range(tries):
        ends = PairingHarness(rng, remote)
        made = _with_stimulator(ends, Leg(rng))
        other = _with_remote(ends, Leg(rng), made.code if grind else None, rng.randbytes(16 * (number % 2)))
        ended += other is None
        if ends.compare():
            ends.ask(pk.pack(frames.PAIR, 5, made.of_remote(pk.ACCEPT)))
        successes += bool(ends.stored or ends.kept)
    detail = f"{ended} ended by the commitment; a code is guessed once in 1048576"
    return Result("man in the middle of a pairing", tries, successes, detail)


def no_window(tries: int, seed: int) -> Result:
    """Pair without a window, or with frames of an earlier pairing in a new window.

    By somebody in radio range, with a recorded pairing.
    Each try is one of both. Success: any answer without a window; in a window with recorded frames, a
    stored key.
    """
    rng = random.Random(f"window {seed}")
    successes = answers = 0
    for number in range(tries):
        old = _recorded(rng)
        ends = PairingHarness(rng, window=number % 2 == 0)
        for frame in old:
            answer = ends.ask(frame)
            answers += answer is not None
            successes += answer is not None and number % 2 == 1
        ends.now_ms += blink_code.PASS_MS
        ends.stimulator.consent(ends.now_ms)
        for frame in old:
            ends.ask(frame)
        successes += len(ends.stored)
    return Result("pairing without a window or by replay", tries, successes, f"{answers} answers in windows")


def _recorded(rng: random.Random) -> list[bytes]:
    """The PAIR frames of a whole genuine pairing."""
    ends = PairingHarness(rng)
    said: list[bytes] = []
    for _ in range(_MOST_FRAMES):
        frame = ends.say()
        if frame is None:
            if not ends.compare():
                break
            continue
        said.append(frame)
        answer = ends.ask(frame)
        if answer is not None:
            ends.remote.on_frame(answer, ends.now_ms)
        if ends.remote.state == PairingRequester.COMPARING:
            ends.compare()
    if not ends.stored or ends.stored != ends.kept:
        raise RuntimeError("a genuine pairing failed")
    return said


def small_order(tries: int, seed: int) -> Result:
    """Give either side a public key of small order, so that Z is zero whatever its secret.

    By either side, or somebody between them.
    After the invalid curve attack on Bluetooth (Biham and Neumann, 2018; CVE-2018-5383). Each try is a
    window. Success: a side goes on beyond it: shows a code.
    """
    rng = random.Random(f"small {seed}")
    successes = 0
    for number in range(tries):
        ends = PairingHarness(rng)
        bad = SMALL_ORDER[number // 2 % len(SMALL_ORDER)]
        if number % 2:
            ends.ask(pk.pack(frames.PAIR, 1, _ID + bad[:26]))
            ends.ask(pk.pack(frames.PAIR, 2, bad[26:]))
            ends.ask(pk.pack(frames.PAIR, 3, rng.randbytes(16)))
            successes += ends.stimulator._keys is not None or ends.stimulator.is_open(ends.now_ms)
        else:
            ends.say()
            ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, 1, _BASE + bad[:26]), ends.now_ms)
            ends.say()
            ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, 2, bad[26:] + bytes(16)), ends.now_ms)
            ends.compute()
            successes += ends.remote._keys is not None or ends.remote.state != PairingRequester.FAILED
    return Result("public keys of small order", tries, successes, f"{len(SMALL_ORDER)} of them")
