"""Keys from shared secrets: HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869)."""

from stimfw.crypto.primitives import sha256

HASH_BYTES = 32
MAX_OUTPUT = 255 * HASH_BYTES
"""RFC 5869 section 2.3: its counter is one byte."""

_BLOCK = 64  # bytes that SHA-256 takes at a time (FIPS 180-4 section 1)
# As integers, XOR over a whole block is one step of the interpreter.
_IPAD = int.from_bytes(b"\x36" * _BLOCK, "big")
_OPAD = int.from_bytes(b"\x5c" * _BLOCK, "big")


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """The 32 bytes of HMAC-SHA-256 of `data` under a key of any length."""
    inner, outer = _pads(key)
    return sha256(outer + sha256(inner + data))


def _pads(key: bytes) -> "tuple[bytes, bytes]":
    """What HMAC puts in front of its data, and of the hash of that: the same for all data under one key."""
    if len(key) > _BLOCK:
        key = sha256(key)
    padded = int.from_bytes(key + bytes(_BLOCK - len(key)), "big")
    return (padded ^ _IPAD).to_bytes(_BLOCK, "big"), (padded ^ _OPAD).to_bytes(_BLOCK, "big")


def extract(salt: bytes, input_key: bytes) -> bytes:
    """The pseudorandom key, 32 bytes, of a secret (RFC 5869 section 2.2).

    Args:
        salt: not secret, any length; empty is the same as 32 zeros.
        input_key: the secret, any length.
    """
    return hmac_sha256(salt, input_key)


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """Key material from a pseudorandom key (RFC 5869 section 2.3).

    Args:
        prk: from `extract`, at least 32 bytes.
        info: what the key is for, any length.
        length: bytes wanted, 1 to 8160.

    Raises:
        ValueError: a `prk` too short, a length out of range.
    """
    if len(prk) < HASH_BYTES:
        raise ValueError("pseudorandom key of %d bytes, 32 at least" % len(prk))
    if not 1 <= length <= MAX_OUTPUT:
        raise ValueError("%d bytes of key, 1 to 8160" % length)
    output = block = b""
    counter = 0
    inner, outer = _pads(prk)
    while len(output) < length:
        counter += 1
        block = sha256(outer + sha256(inner + block + info + bytes((counter,))))
        output += block
    return output[:length]
