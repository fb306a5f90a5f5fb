"""The key schedule: from a pairing's key to those of handshakes and connections (docs/telemetry.md, Keys)."""

from stimfw.crypto import hkdf

KEY_BYTES = 32
_AES_BYTES = 16


def handshake_keys(key: bytes) -> "tuple[bytes, bytes]":
    """The AES keys of HELLO and of CHALLENGE, 16 bytes each, from a pairing's 32."""
    okm = hkdf.expand(key, b"stimbench 2 handshake", 2 * _AES_BYTES)
    return okm[:_AES_BYTES], okm[_AES_BYTES:]


def connection_keys(
    key: bytes, peer_nonce: bytes, own_nonce: bytes, slot: int, role: int
) -> "tuple[bytes, bytes]":
    """The AES keys of requests and of replies, 16 bytes each.

    Args:
        key: the pairing's, 32 bytes.
        peer_nonce: bytes 2-17 of HELLO.
        own_nonce: bytes 2-17 of CHALLENGE.
        slot: the pairing's, u8.
        role: the pairing's, u8.
    """
    prk = hkdf.extract(peer_nonce + own_nonce, key)
    okm = hkdf.expand(prk, b"stimbench 2 connection" + bytes((slot, role)), 2 * _AES_BYTES)
    return okm[:_AES_BYTES], okm[_AES_BYTES:]
