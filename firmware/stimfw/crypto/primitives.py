"""The two primitives that every interpreter has in C: AES-128 (FIPS 197) and SHA-256 (FIPS 180-4).

MicroPython's `cryptolib` knows the modes ECB and CBC and no more; CPython has AES through the package
`cryptography`. Everything else in this package is made from these.
"""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Protocol

    class Encryptor(Protocol):
        """AES under one key, block by block."""

        def encrypt(self, __blocks: bytes) -> bytes: ...


BLOCK_BYTES = 16
KEY_BYTES = 16
_MODE_ECB = 1  # MicroPython, extmod/modcryptolib.c
_MODE_CBC = 2

try:
    from cryptolib import aes  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class aes:  # type: ignore[no-redef,unused-ignore]  # noqa: N801
        """MicroPython's `cryptolib.aes`, as far as it is used here."""

        def __init__(self, key: bytes, mode: int, iv: bytes = b"") -> None:
            chosen: "Any" = modes.ECB() if mode == _MODE_ECB else modes.CBC(iv)
            self._encryptor = Cipher(algorithms.AES(key), chosen).encryptor()

        def encrypt(self, blocks: bytes) -> bytes:
            if len(blocks) % BLOCK_BYTES:
                raise ValueError("blksize % 16")
            return self._encryptor.update(blocks)


def ecb(key: bytes) -> "Encryptor":
    """AES-128 in ECB mode (NIST SP 800-38A section 6.1); the object can be used again and again.

    Args:
        key: 16 bytes.

    Raises:
        ValueError: another length. `encrypt` of anything but whole blocks of 16 bytes.
    """
    _check(key)
    encryptor: "Encryptor" = aes(key, _MODE_ECB)
    return encryptor


def cbc_encrypt(key: bytes, iv: bytes, blocks: bytes) -> bytes:
    """AES-128 in CBC mode (NIST SP 800-38A section 6.2), a whole message at a time.

    Args:
        key: 16 bytes.
        iv: 16 bytes.
        blocks: a multiple of 16 bytes.

    Raises:
        ValueError: another length.
    """
    _check(key)
    # A new object each time: it carries the last block on into the next call.
    encryptor: "Encryptor" = aes(key, _MODE_CBC, iv)
    return encryptor.encrypt(blocks)


def sha256(data: bytes) -> bytes:
    """The 32 bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def _check(key: bytes) -> None:
    # Both libraries take other lengths too, for AES-192 and AES-256.
    if len(key) != KEY_BYTES:
        raise ValueError("key of %d bytes, 16 wanted" % len(key))
