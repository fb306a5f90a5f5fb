"""Test vectors for docs/telemetry.md, made from it with `cryptography` and nothing of the firmware.

    python -m stimbench.attacks.vectors        # writes docs/telemetry-vectors.json

Whoever writes a peer or a stimulator compares with these; so do the tests of this repository.
All byte strings are in hex.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stimbench.attacks import request_vectors
from stimbench.process import run
from stimbench.project import find_project_root

__all__ = ("PATH", "as_text", "vectors")

PATH = "docs/telemetry-vectors.json"
HELLO, CHALLENGE, REQUEST, REPLY, PAIR, PAIR_REPLY = 0x31, 0x32, 0x33, 0x34, 0x35, 0x36
"""First bytes: version 3 in the upper half, the kind in the lower."""

Values = dict[str, Any]


def _bytes(label: str, count: int) -> bytes:
    """Bytes that look random and that anybody can make again: SHA-256 of the label and a number."""
    names = [f"stimbench vectors {label} {number}" for number in range(count // 32 + 1)]
    return b"".join(hashlib.sha256(name.encode()).digest() for name in names)[:count]


def _expand(prk: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(SHA256(), length, info).derive(prk)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def _ccm(key: bytes, nonce: bytes, header: bytes, plaintext: bytes) -> bytes:
    return AESCCM(key, tag_length=8).encrypt(nonce, plaintext, header)


def _aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


# Keys.


def next_key(key: bytes) -> bytes:
    """The pairing's key of the next generation."""
    return _expand(key, b"stimbench 3 ratchet", 32)


def key_of_generation(key: bytes, steps: int) -> bytes:
    """The key, so many generations later."""
    for _ in range(steps):
        key = next_key(key)
    return key


def handshake_keys(key: bytes, slot: int, role: int) -> tuple[bytes, bytes]:
    """Hello key and challenge key."""
    okm = _expand(key, b"stimbench 3 handshake" + bytes((slot, role)), 32)
    return okm[:16], okm[16:]


def connection_keys(key: bytes, peer: bytes, own: bytes, slot: int, role: int) -> tuple[bytes, bytes, bytes]:
    """Request key, reply key and token key of the nonces NP and NS."""
    prk = _mac(peer + own, key)  # RFC 5869 section 2.2: Extract(salt, IKM) = HMAC(salt, IKM)
    okm = _expand(prk, b"stimbench 3 connection" + bytes((slot, role)), 48)
    return okm[:16], okm[16:32], okm[32:]


# Frames.


def hello(key: bytes, slot: int, generation: int, np: bytes) -> bytes:
    """A HELLO under a hello key."""
    return bytes((HELLO, slot, generation & 0xFF, 0)) + np + _aes(key, np)[:12]


def challenge(key: bytes, slot: int, np: bytes, ns: bytes) -> bytes:
    """A CHALLENGE under a challenge key."""
    return bytes((CHALLENGE, slot, 0, 0)) + ns + _aes(key, _xor(_aes(key, np), ns))[:12]


def token(key: bytes, first: int, counter: int) -> bytes:
    """The 3 bytes of a REQUEST or of its REPLY, under a token key."""
    block = _aes(key, struct.pack("<H", counter) + bytes(14))
    return block[:3] if first == REQUEST else block[3:6]


def sealed(first: int, keys: tuple[bytes, bytes, bytes], slot: int, counter: int, plain: bytes) -> bytes:
    """A REQUEST or REPLY under the keys of a connection."""
    header = bytes((first, slot)) + token(keys[2], first, counter)
    nonce = bytes((first, slot)) + struct.pack("<H", counter) + bytes(9)
    return header + _ccm(keys[0] if first == REQUEST else keys[1], nonce, header, plain)


def pieces(request_id: int, message: bytes) -> list[bytes]:
    """The plaintexts, 19 bytes each, that carry a request or a reply."""
    parts = [message[at : at + 16] for at in range(0, len(message), 16)] or [b""]
    flags = [*range(len(parts) - 1), len(parts) - 1 | 0x80]
    return [
        bytes((request_id, flag, len(part))) + part.ljust(16, b"\0")
        for flag, part in zip(flags, parts, strict=True)
    ]


def ask(request_id: int, number: int) -> bytes:
    """The plaintext that asks for a piece of the reply."""
    return bytes((request_id, 0x40 | number, 0)) + bytes(16)


# The file.


def vectors() -> Values:
    """All vectors by the step of the specification."""
    return {
        "specification": "docs/telemetry.md, version 3",
        "made by": "python -m stimbench.attacks.vectors",
        "ratchet": _ratchet(),
        "handshakes": [_handshake(*values) for values in _HANDSHAKES],
        "tokens": [_token(*values) for values in _TOKENS],
        "sealed": [_sealed(*values) for values in _SEALED],
        "pieces": [_pieces(number, size) for number, size in _SIZES],
        "conversation": _conversation(),
        "pairings": [_pairing(number) for number in range(3)],
        "requests": request_vectors.requests(),
        "refusals": request_vectors.refusals(),
    }


def _ratchet() -> list[Values]:
    """Keys of one pairing: of the next generation, of that after it, of the furthest that is taken."""
    key = _bytes("key 0", 32)
    return [{"key": key.hex(), "steps": n, "later_key": key_of_generation(key, n).hex()} for n in (1, 2, 32)]


_HANDSHAKES = (
    # number of the key, generation, slot, role, wants, peer's epoch and count, stimulator's epoch and count
    (0, 0, 0, 1, 0, (1, 1), (1, 1)),
    (1, 0, 5, 2, 0, (0x01020304, 0x0A0B0C0D), (0x11121314, 0x1A1B1C1D)),
    (2, 0, 3, 1, 1, (0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFE, 0x100)),
    (0, 0, 0, 2, 0, (1, 1), (1, 1)),  # as the first, but another role
    (0, 0, 1, 1, 0, (1, 1), (1, 1)),  # as the first, but another slot
    (0, 1, 0, 1, 1, (2, 1), (1, 2)),
    (0, 32, 0, 1, 0, (34, 0x1000), (0x80000000, 0xFFFFFFFF)),
    (1, 0x102, 2, 1, 0, (259, 7), (3, 9)),  # of a generation the low byte travels
)


def _handshake(
    number: int,
    generation: int,
    slot: int,
    role: int,
    wants: int,
    peer: tuple[int, int],
    stimulator: tuple[int, int],
) -> Values:
    first_key = _bytes(f"key {number}", 32)
    key = key_of_generation(first_key, generation)
    randoms = [_bytes(f"peer {number}", 7), _bytes(f"stimulator {number}", 8)]
    np = struct.pack("<IIB", *peer, wants) + randoms[0]
    ns = struct.pack("<II", *stimulator) + randoms[1]
    hello_key, challenge_key = handshake_keys(key, slot, role)
    request_key, reply_key, token_key = connection_keys(key, np, ns, slot, role)
    return {
        "first_key": first_key.hex(), "generation": generation, "key": key.hex(), "slot": slot, "role": role,
        "hello_key": hello_key.hex(), "challenge_key": challenge_key.hex(),
        "peer_epoch": peer[0], "peer_count": peer[1], "wants": wants, "peer_random": randoms[0].hex(),
        "stimulator_epoch": stimulator[0], "stimulator_count": stimulator[1],
        "stimulator_random": randoms[1].hex(),
        "np": np.hex(), "ns": ns.hex(),
        "hello": hello(hello_key, slot, generation, np).hex(),
        "challenge": challenge(challenge_key, slot, np, ns).hex(),
        "request_key": request_key.hex(), "reply_key": reply_key.hex(), "token_key": token_key.hex(),
    }  # fmt: skip


_TOKENS = ((0, 0), (0, 1), (0, 2), (1, 255), (1, 256), (1, 0x1234), (2, 0xFFFF))


def _token(number: int, counter: int) -> Values:
    key = _bytes(f"token key {number}", 16)
    return {
        "key": key.hex(), "counter": counter,
        "of_request": token(key, REQUEST, counter).hex(), "of_reply": token(key, REPLY, counter).hex(),
    }  # fmt: skip


_SEALED = (
    # first byte, slot, counter
    (REQUEST, 0, 0), (REPLY, 0, 0), (REQUEST, 5, 0x1234), (REPLY, 5, 0x1234),
    (REQUEST, 3, 0xFFFF), (REPLY, 3, 0xFFFF), (REQUEST, 1, 256),
)  # fmt: skip


def _sealed(first: int, slot: int, counter: int) -> Values:
    label = f"{first & 0x0F} {slot} {counter}"
    keys = (_bytes("request " + label, 16), _bytes("reply " + label, 16), _bytes("token " + label, 16))
    plain = _bytes("plain " + label, 19)
    return {
        "kind": first & 0x0F, "slot": slot, "counter": counter,
        "request_key": keys[0].hex(), "reply_key": keys[1].hex(), "token_key": keys[2].hex(),
        "plain": plain.hex(), "frame": sealed(first, keys, slot, counter, plain).hex(),
    }  # fmt: skip


_SIZES = ((1, 1), (2, 2), (3, 16), (4, 17), (200, 32), (254, 100), (255, 248), (0, 247))


def _pieces(request_id: int, size: int) -> Values:
    message = _bytes(f"message {size}", size)
    return {
        "request_id": request_id,
        "message": message.hex(),
        "plains": [plain.hex() for plain in pieces(request_id, message)],
        "asks": [ask(request_id, number).hex() for number in range(1, len(pieces(request_id, message)))],
    }


def _conversation() -> Values:
    """HELLO, CHALLENGE, and two requests: of 2 pieces with a reply of 3, then STOP."""
    made = _handshake(*_HANDSHAKES[1])
    slot = made["slot"]
    keys = tuple(bytes.fromhex(made[name]) for name in ("request_key", "reply_key", "token_key"))
    request, reply = _bytes("long request", 20), _bytes("long reply", 40)
    out, back = pieces(1, request), pieces(1, reply)
    told = bytes((1, 0, 0)) + bytes(16)  # the empty answer to a piece that is not the last
    plains = [(out[0], told), (out[1], back[0]), (ask(1, 1), back[1]), (ask(1, 2), back[2])]
    plains.append((pieces(2, b"\x04")[0], pieces(2, b"\x84\x00")[0]))
    frames = [made["hello"], made["challenge"]]
    for counter, (question, answer) in enumerate(plains):
        frames.append(sealed(REQUEST, keys, slot, counter, question).hex())  # type: ignore[arg-type]
        frames.append(sealed(REPLY, keys, slot, counter, answer).hex())  # type: ignore[arg-type]
    taken = ("key", "generation", "slot", "role", "peer_epoch", "peer_count", "wants", "peer_random")
    own = ("stimulator_epoch", "stimulator_count", "stimulator_random")
    return {
        **{name: made[name] for name in taken + own},
        "requests": [request.hex(), "04"],
        "replies": [reply.hex(), "8400"],
        "frames": frames,
    }


def _public(secret: bytes) -> bytes:
    key = X25519PrivateKey.from_private_bytes(secret).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _pairing(number: int) -> Values:
    """A pairing from both sides' secrets to the key and the confirmations."""
    secrets = [_bytes(f"{side} secret {number}", 32) for side in ("remote", "stimulator")]
    pr, ps = _public(secrets[0]), _public(secrets[1])
    peer_id, base = _bytes(f"id {number}", 4), _bytes(f"base {number}", 4)
    nr, ns = _bytes(f"nr {number}", 16), _bytes(f"ns {number}", 16)
    c = hashlib.sha256(b"stimbench 3 commitment" + ps + pr + ns).digest()[:16]
    t = hashlib.sha256(b"stimbench 3 pairing" + peer_id + base + ps + pr + ns + nr).digest()
    z = X25519PrivateKey.from_private_bytes(secrets[0]).exchange(X25519PublicKey.from_public_bytes(ps))
    okm = _expand(_mac(t, z), b"stimbench 3 pairing", 67)
    slot = number * 2
    frames = _pairing_frames((peer_id, base, pr, ps, nr, ns), c, t, okm, slot)
    return {
        "remote_secret": secrets[0].hex(), "stimulator_secret": secrets[1].hex(),
        "id": peer_id.hex(), "base": base.hex(), "pr": pr.hex(), "ps": ps.hex(), "nr": nr.hex(),
        "ns": ns.hex(), "c": c.hex(), "t": t.hex(), "z": z.hex(), "okm": okm.hex(), "key": okm[:32].hex(),
        "slot": slot, "code": int.from_bytes(okm[64:], "little") & 0xFFFFF,
        "frames": [frame.hex() for frame in frames],
    }  # fmt: skip


def _pairing_frames(
    said: tuple[bytes, bytes, bytes, bytes, bytes, bytes], c: bytes, t: bytes, okm: bytes, slot: int
) -> list[bytes]:
    """PAIR and PAIR_REPLY alternately; step 4 answered with state 1, step 5 with state 2, then with 3."""
    peer_id, base, pr, ps, nr, ns = said
    remote, stimulator = okm[32:48], okm[48:64]
    compare, waits, stored = bytes((1, 0)), bytes((2, 0)), bytes((3, slot))
    accept = _mac(remote, b"accept" + t)[:8]
    bodies = (
        (PAIR, 1, peer_id + pr[:26]), (PAIR_REPLY, 1, base + ps[:26]),
        (PAIR, 2, pr[26:]), (PAIR_REPLY, 2, ps[26:] + c),
        (PAIR, 3, nr), (PAIR_REPLY, 3, ns),
        (PAIR, 4, _mac(remote, b"confirm" + t)[:8]),
        (PAIR_REPLY, 4, compare + _mac(stimulator, b"confirm" + compare + t)[:8]),
        (PAIR, 5, accept), (PAIR_REPLY, 5, waits + _mac(stimulator, b"answer" + waits + t)[:8]),
        (PAIR, 5, accept), (PAIR_REPLY, 5, stored + _mac(stimulator, b"answer" + stored + t)[:8]),
    )  # fmt: skip
    return [bytes((first, step)) + body.ljust(30, b"\0") for first, step, body in bodies]


def as_text() -> str:
    """The file's text."""
    return json.dumps(vectors(), indent=1) + "\n"


def main() -> None:
    """Write the file."""
    path = Path(find_project_root()) / PATH
    path.write_text(as_text(), encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    run(lambda: main)
