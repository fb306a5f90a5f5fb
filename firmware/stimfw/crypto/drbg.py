"""Random bytes from one seed: a fast-key-erasure generator on SHA-256.

Construction: D. J. Bernstein, "Fast-key-erasure random-number generators" (2017). Each call makes a new key
and the output from the present key and forgets that, so whoever reads the RAM later does not learn what was
given before. As good as its seed is unpredictable. The epoch log makes sure that no two seeds are equal
(stimfw.storage.epochs).
"""

from stimfw.crypto.primitives import sha256

SEED_BYTES = 32
_BLOCK = 32


class Drbg:
    """Not for two callers that interrupt each other: call it from the main loop only."""

    def __init__(self, seed: bytes) -> None:
        """Args: seed: 32 bytes, never used before. ValueError if it is of another length."""
        if len(seed) != SEED_BYTES:
            raise ValueError("seed of %d bytes, %d wanted" % (len(seed), SEED_BYTES))
        self._key = bytes(seed)

    def take(self, count: int) -> bytes:
        """`count` random bytes, 0 or more: one SHA-256 and one more for each 32 bytes."""
        key = self._key
        self._key = sha256(key + b"key")
        out = b""
        for index in range((count + _BLOCK - 1) // _BLOCK):
            out += sha256(key + b"out" + index.to_bytes(4, "little"))
        return out[:count]

    def stir(self, material: bytes) -> None:
        """Mix in bytes that others may not know; this never makes it worse."""
        self._key = sha256(self._key + b"stir" + material)
