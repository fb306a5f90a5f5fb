"""AES-128-CCM: authenticated encryption as in NIST SP 800-38C, with the formatting of its appendix A.

    sealed = plaintext XOR key stream (as long as the plaintext), tag (tag_bytes)

A nonce must never be used twice under one key, neither for sealing nor by the two sides of a link.
One call to CBC makes the tag and one to ECB the key stream; XOR is done on big integers: on a board an
interpreter's step costs more than an AES block.
"""

from stimfw.crypto.equal import equal
from stimfw.crypto.primitives import cbc_encrypt, ecb

MIN_NONCE = 7
MAX_NONCE = 13
MAX_HEADER = 0xFEFF
"""Longer headers have another encoding (appendix A.2.2), which nothing here needs."""

_BLOCK = 16
_ZEROS = bytes(_BLOCK)
_FIRST_COUNTERS = (b"\0\0", b"\0\1", b"\0\2", b"\0\3")  # of two bytes
_HAS_HEADER = 0x40  # appendix A.2.1, table 1


class NotAuthenticError(ValueError):
    """Sealed under another key or nonce, with another header, or changed on its way."""


class Ccm:
    """Seals and opens under one key.

    Args:
        key: 16 bytes.
        tag_bytes: 4, 6, ... 16. A forger's chance is 2**-(8 * tag_bytes) a try.

    Raises:
        ValueError: a key or a tag of another length.
    """

    def __init__(self, key: bytes, tag_bytes: int = 8) -> None:
        if not 4 <= tag_bytes <= 16 or tag_bytes & 1:
            raise ValueError("tag of %d bytes, 4, 6, ... 16 are allowed" % tag_bytes)
        self._ecb = ecb(key)
        self._key = bytes(key)
        self.tag_bytes = tag_bytes

    def seal(self, nonce: bytes, header: bytes, plaintext: bytes) -> bytes:
        """Encrypt `plaintext` and authenticate it together with `header` (section 6.1).

        Args:
            nonce: 7 to 13 bytes; the plaintext is shorter than 256**(15 - its length) bytes.
            header: 0 to 65279 bytes, not encrypted and not part of the result.
            plaintext: bytes; may be empty.

        Returns:
            The ciphertext, as long as the plaintext, and the tag.

        Raises:
            ValueError: a length out of range.
        """
        _check(nonce, header, len(plaintext))
        size = len(plaintext)
        mac = self._mac(nonce, header, plaintext)
        mixed = _xor(mac + plaintext, self._stream(nonce, size))
        return mixed[_BLOCK:] + mixed[: self.tag_bytes]

    def open(self, nonce: bytes, header: bytes, sealed: bytes) -> bytes:
        """The plaintext of what `seal` made with the same nonce and header (section 6.2).

        Raises:
            NotAuthenticError: it was not made so; none of the plaintext is returned.
            ValueError: a nonce or header of a length out of range.
        """
        size = len(sealed) - self.tag_bytes
        if size < 0:
            raise NotAuthenticError("%d bytes, shorter than the tag" % len(sealed))
        _check(nonce, header, size)
        # The received tag stands where `seal` had the MAC, so that one XOR decrypts both.
        mixed = b"" + sealed[size:] + _ZEROS[self.tag_bytes :] + sealed[:size]  # bytes, even of a memoryview
        mixed = _xor(mixed, self._stream(nonce, size))
        plaintext = mixed[_BLOCK:]
        mac = self._mac(nonce, header, plaintext)
        if not equal(mac[: self.tag_bytes], mixed[: self.tag_bytes]):
            raise NotAuthenticError("tag")
        return plaintext

    def _mac(self, nonce: bytes, header: bytes, plaintext: bytes) -> bytes:
        """The CBC-MAC over B0, the header and the plaintext, whole (appendix A.2)."""
        width = 15 - len(nonce)
        flags = (self.tag_bytes - 2 << 2) | (width - 1)
        if header:
            flags |= _HAS_HEADER
        blocks = bytes((flags,)) + nonce + len(plaintext).to_bytes(width, "big")
        if header:
            blocks += len(header).to_bytes(2, "big") + header
            blocks += _ZEROS[: -len(blocks) % _BLOCK]
        blocks += plaintext
        blocks += _ZEROS[: -len(blocks) % _BLOCK]
        return cbc_encrypt(self._key, _ZEROS, blocks)[-_BLOCK:]

    def _stream(self, nonce: bytes, size: int) -> bytes:
        """Key stream for the tag (a block) and `size` bytes (appendix A.3)."""
        width = 15 - len(nonce)
        start = bytes((width - 1,)) + nonce
        blocks = 1 + (size + _BLOCK - 1) // _BLOCK
        counters = b""
        if width == 2 and blocks <= len(_FIRST_COUNTERS):  # a radio frame's: a STOP waits for it
            for counter in _FIRST_COUNTERS[:blocks]:
                counters += start + counter
        else:
            for i in range(blocks):
                counters += start + i.to_bytes(width, "big")
        return self._ecb.encrypt(counters)[: _BLOCK + size]


def _xor(a: bytes, b: bytes) -> bytes:
    """Bytewise, of two values of one length."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def _check(nonce: bytes, header: bytes, size: int) -> None:
    if not MIN_NONCE <= len(nonce) <= MAX_NONCE:
        raise ValueError("nonce of %d bytes, 7 to 13 are allowed" % len(nonce))
    if len(header) > MAX_HEADER:
        raise ValueError("header of %d bytes, at most 65279" % len(header))
    if size >> 8 * (15 - len(nonce)):
        raise ValueError("%d bytes are too many for a nonce of %d" % (size, len(nonce)))
