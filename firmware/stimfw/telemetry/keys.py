"""The key schedule: from a pairing's key to those of handshakes and connections (docs/telemetry.md, Keys)."""

from typing import TYPE_CHECKING

from stimfw.crypto import hkdf
from stimfw.crypto.equal import equal
from stimfw.crypto.primitives import ecb

if TYPE_CHECKING:
    from stimfw.crypto.primitives import Encryptor

KEY_BYTES = 32
MOST_GENERATIONS = 32
"""So far may a peer's key be ahead of the one that the stimulator keeps on flash."""
LAST_GENERATION = 0xFFFF
MOST_STEPS = 8
"""So many generations may a peer step ahead without having heard an authentic answer."""
HANDSHAKE_TAG_BYTES = 12
AES_BYTES = 16


def next_key(key: bytes) -> bytes:
    """The key of the next generation. It does not tell this one: recordings stay closed (forward secrecy)."""
    return hkdf.expand(key, b"stimbench 3 ratchet", KEY_BYTES)


def handshake_keys(key: bytes, slot: int, role: int) -> "tuple[bytes, bytes]":
    """The AES keys of HELLO and of CHALLENGE, 16 bytes each.

    Args:
        key: the pairing's, of the present generation, 32 bytes.
        slot: the pairing's, u8.
        role: the pairing's, u8.
    """
    okm = hkdf.expand(key, b"stimbench 3 handshake" + bytes((slot, role)), 2 * AES_BYTES)
    return okm[:AES_BYTES], okm[AES_BYTES:]


def connection_keys(
    key: bytes, peer_nonce: bytes, own_nonce: bytes, slot: int, role: int
) -> "tuple[bytes, bytes, bytes]":
    """The AES keys of requests, of replies and of tokens, 16 bytes each.

    Args:
        key: the pairing's, of the present generation, 32 bytes.
        peer_nonce: NP, 16 bytes.
        own_nonce: NS, 16 bytes.
        slot: the pairing's, u8.
        role: the pairing's, u8.
    """
    prk = hkdf.extract(peer_nonce + own_nonce, key)
    okm = hkdf.expand(prk, b"stimbench 3 connection" + bytes((slot, role)), 3 * AES_BYTES)
    return okm[:AES_BYTES], okm[AES_BYTES : 2 * AES_BYTES], okm[2 * AES_BYTES :]


class HelloTag:
    """What proves a HELLO: AES of its nonce, which is one block.

    A message of one fixed length in one block: the cipher itself is the authentication code. So a forged
    HELLO costs one block and a comparison.
    """

    def __init__(self, key: bytes) -> None:
        """Args: key: the hello key, 16 bytes."""
        self._aes: "Encryptor" = ecb(key)

    def make(self, peer_nonce: "bytes | memoryview") -> bytes:
        """The 12 bytes for NP."""
        return self._aes.encrypt(peer_nonce)[:HANDSHAKE_TAG_BYTES]  # type: ignore[arg-type]

    def proves(self, peer_nonce: "bytes | memoryview", tag: "bytes | memoryview") -> bool:
        """Whether `tag` is the one for NP."""
        return equal(self.make(peer_nonce), tag)


class ChallengeTag:
    """What proves a CHALLENGE: CBC-MAC over the two blocks NP and NS (ISO/IEC 9797-1, algorithm 1).

    CBC-MAC is sound for messages of one fixed length (Bellare, Kilian and Rogaway, 2000).
    """

    def __init__(self, key: bytes) -> None:
        """Args: key: the challenge key, 16 bytes."""
        self._aes: "Encryptor" = ecb(key)

    def make(self, peer_nonce: bytes, own_nonce: bytes) -> bytes:
        """The 12 bytes for NP and NS."""
        chained = int.from_bytes(self._aes.encrypt(peer_nonce), "big") ^ int.from_bytes(own_nonce, "big")
        return self._aes.encrypt(chained.to_bytes(AES_BYTES, "big"))[:HANDSHAKE_TAG_BYTES]

    def proves(self, peer_nonce: bytes, own_nonce: bytes, tag: "bytes | memoryview") -> bool:
        """Whether `tag` is the one for NP and NS."""
        return equal(self.make(peer_nonce, own_nonce), tag)
