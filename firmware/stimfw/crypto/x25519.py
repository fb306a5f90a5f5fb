"""X25519: a shared secret from two key pairs (RFC 7748), in slices short enough for a main loop.

Integers of Python do the arithmetic modulo p = 2**255 - 19. This is NOT constant-time (stimfw.crypto.equal
says what that means): use a key pair for one agreement, and where nobody can time it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    Steps = Generator[None, None, bytes]

KEY_BYTES = 32
BASE_POINT = b"\x09" + bytes(31)
"""u = 9 (RFC 7748 section 4.1): `scalar_mult(secret, BASE_POINT)` is the public key."""

_P = (1 << 255) - 19
_A24 = 121665  # (486662 - 2) / 4, section 5
_BITS = 255
_SQUARINGS = 8  # between two yields; on the RP2040 as long as a step of the ladder, some 1.5 ms


def scalar_mult(secret: bytes, u: bytes) -> bytes:
    """X25519(secret, u) of RFC 7748 section 5, 32 bytes.

    Args:
        secret: 32 bytes, any: they are clamped.
        u: 32 bytes, a public key or BASE_POINT; its top bit is ignored.

    Raises:
        ValueError: another length.
    """
    return _finish(steps(secret, u))


def shared(secret: bytes, peer: bytes) -> bytes:
    """The secret shared with the owner of the public key `peer`, 32 bytes.

    Raises:
        ValueError: another length, or a `peer` that makes the result zero whatever the secret (section 6.1).
    """
    return _finish(shared_steps(secret, peer))


def shared_steps(secret: bytes, peer: bytes) -> "Steps":
    """`shared` as a generator, see `steps`."""
    result = yield from steps(secret, peer)
    if not any(result):
        raise ValueError("public key of small order")
    return result


def steps(secret: bytes, u: bytes) -> "Steps":
    """`scalar_mult` as a generator: yields None every few steps, returns the 32 bytes.

    Between two yields the RP2040 works for some 2 ms; a collection of the heap, which falls into a few of the
    slices, comes on top. The lengths are checked before the first.
    """
    if len(secret) != KEY_BYTES or len(u) != KEY_BYTES:
        raise ValueError("32 bytes wanted")
    scalar = int.from_bytes(secret, "little")
    scalar = scalar & ~7 & ((1 << 254) - 1) | 1 << 254  # clamped, section 5
    x1 = int.from_bytes(u, "little") & ((1 << _BITS) - 1)
    x, z = yield from _ladder(scalar, x1)
    inverse = yield from _inverse(z)
    return (x * inverse % _P).to_bytes(KEY_BYTES, "little")


def _ladder(scalar: int, x1: int) -> "Generator[None, None, tuple[int, int]]":
    """The Montgomery ladder of section 5: (x : z) of scalar times x1.

    Sums and differences stay unreduced. 2**256 = 38 modulo p, so a product that another one follows is
    only folded to 2**280 or less, which takes half the time of `%`; `+ p` keeps it positive for that.
    """
    p = _P
    m = (1 << 256) - 1
    points = ((1, 0), (x1, 1))
    for t in range(_BITS - 1, -1, -1):
        bit = scalar >> t & 1
        # By index and not by `if`: both values of a bit run the same bytecodes.
        x2, z2 = points[bit]
        x3, z3 = points[1 - bit]
        a = x2 + z2
        b = x2 - z2 + p
        da = (x3 - z3 + p) * a
        da = (da & m) + 38 * (da >> 256)
        cb = (x3 + z3) * b
        cb = (cb & m) + 38 * (cb >> 256)
        aa = a * a
        aa = (aa & m) + 38 * (aa >> 256)
        bb = b * b
        bb = (bb & m) + 38 * (bb >> 256)
        e = aa - bb
        a = da + cb
        b = da - cb
        bd = b * b
        bd = (bd & m) + 38 * (bd >> 256)
        one = (aa * bb % p, e * (aa + _A24 * e) % p)
        other = (a * a % p, x1 * bd % p)
        both = (one, other)
        points = (both[bit], both[1 - bit])
        yield
    return points[0]


def _inverse(z: int) -> "Generator[None, None, int]":
    """z**(p - 2), which is 1 / z, and 0 for 0: pow(z, p - 2, p) takes too long in one go.

    The usual chain for 2**255 - 21; exponents 2**n - 1 for n = 5, 10, 20, 40, 50, 100, 200, 250.
    """
    p = _P
    z2 = z * z % p
    z9 = z2 * z2 % p
    z9 = z9 * z9 % p * z % p
    z11 = z9 * z2 % p
    n5 = z11 * z11 % p * z9 % p
    n10 = (yield from _squared(n5, 5)) * n5 % p
    n20 = (yield from _squared(n10, 10)) * n10 % p
    n40 = (yield from _squared(n20, 20)) * n20 % p
    n50 = (yield from _squared(n40, 10)) * n10 % p
    n100 = (yield from _squared(n50, 50)) * n50 % p
    n200 = (yield from _squared(n100, 100)) * n100 % p
    n250 = (yield from _squared(n200, 50)) * n50 % p
    return (yield from _squared(n250, 5)) * z11 % p


def _squared(value: int, times: int) -> "Generator[None, None, int]":
    """value**(2**times)."""
    while times:
        count = min(times, _SQUARINGS)
        value = pow(value, 1 << count, _P)
        times -= count
        yield
    return value


def _finish(generator: "Steps") -> bytes:
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            result: bytes = stop.value
            return result
