"""Random bytes from one seed: a fast-key-erasure generator on SHA-256.

Construction: D. J. Bernstein, "Fast-key-erasure random-number generators" (2017). Each call makes a new key
and the output from the present key and forgets that, so whoever reads the RAM later does not learn what was
given before. As good as its seed is unpredictable. The epoch log makes sure that no two seeds are equal
(stimfw.storage.epochs).
"""

from typing import TYPE_CHECKING

from stimfw.crypto.primitives import sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Source(Protocol):
        """stimfw.crypto.health.CheckedBits."""

        failed: bool

        def draw(self, count: int) -> bytearray: ...

    class Edges(Protocol):
        """stimfw.drivers.entropy.EdgeTimes."""

        low: bytearray


SEED_BYTES = 32
LEAST_KEY = 4
"""Bytes: what is shorter is no key, and nothing that must be unknown to others."""
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

    def stir(self, material: "bytes | bytearray") -> None:
        """Mix in bytes that others may not know; this never makes it worse."""
        self._key = sha256(self._key + b"stir" + material)


class RandomError(OSError):
    """The source of random bits has failed its tests: no key may be drawn, and no connection be made."""


class KeyRandom:
    """Random bytes for keys and handshakes: fresh, tested bits of the source are stirred in at each draw.

    Attributes:
        on_failure: called once, when the source is found to have failed, from the draw that noticed.
    """

    def __init__(self, generator: Drbg, source: "Source", edges: "Edges") -> None:
        """Args: source: tested; it may have failed at the start. edges: times of interrupts so far."""
        self._generator = generator
        self._source = source
        self._edges = edges
        self._told = source.failed
        self.on_failure: "Callable[[], None]" = _nothing

    @property
    def failed(self) -> bool:
        """Whether the source has failed its tests since the start; only another start can take that back."""
        return self._source.failed

    def take(self, count: int) -> bytes:
        """`count` random bytes, after as many raw bits were stirred in as these have.

        Fewer than LEAST_KEY bytes are no key, but when to do something: for these no bits are drawn, and the
        source need not work. The generator's seed was never used before, whatever the source does.

        Raises:
            RandomError: the source has failed, in this draw or before.
        """
        if count >= LEAST_KEY:
            if not self._source.failed:
                self._generator.stir(self._source.draw(8 * count) + self._edges.low)
            if self._source.failed:
                self._tell()
                raise RandomError("random source failed")
        return self._generator.take(count)

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self.on_failure()


def _nothing() -> None:
    """Nobody has to be told."""
