"""Frames of the radio protocol, version 2: kinds, exact lengths, headers. The layouts: docs/telemetry.md."""

import struct

VERSION = 2
HELLO = 1
CHALLENGE = 2
REQUEST = 3
REPLY = 4
PAIR = 5
PAIR_REPLY = 6

HANDSHAKE_BYTES = 26
SEALED_BYTES = 32
TAG_BYTES = 8
HEADER_BYTES = 5
"""Of a REQUEST or REPLY: first byte, slot, connection, counter."""
NONCE_BYTES = 16
"""Of a HELLO or CHALLENGE: epoch, count, random; bytes 2-17 of the frame."""
PLAIN_BYTES = SEALED_BYTES - HEADER_BYTES - TAG_BYTES

_LENGTHS = {
    HELLO: HANDSHAKE_BYTES,
    CHALLENGE: HANDSHAKE_BYTES,
    REQUEST: SEALED_BYTES,
    REPLY: SEALED_BYTES,
    PAIR: SEALED_BYTES,
    PAIR_REPLY: SEALED_BYTES,
}


def first(kind: int) -> int:
    """The first byte of a frame of that kind."""
    return VERSION << 4 | kind


def kind_of(frame: "bytes | memoryview") -> int:
    """The kind of a frame whose version and length are right; 0 for any other."""
    if len(frame) < 2 or frame[0] >> 4 != VERSION:
        return 0
    kind = frame[0] & 0x0F
    return kind if _LENGTHS.get(kind) == len(frame) else 0


def handshake_header(kind: int, slot: int, epoch: int, count: int, random: bytes) -> bytes:
    """All of a HELLO or CHALLENGE before its tag. epoch, count: u32; random: 8 bytes."""
    return struct.pack("<BBII", first(kind), slot, epoch, count) + random


def handshake_nonce(header: "bytes | memoryview") -> bytes:
    """The 13-byte CCM nonce of a HELLO or CHALLENGE: first byte, slot, epoch, count, zeros."""
    return bytes(header[:10]) + b"\0\0\0"


def sealed_header(kind: int, slot: int, connection: int, counter: int) -> bytes:
    """The 5 open bytes of a REQUEST or REPLY. connection: u8; counter: u16."""
    return struct.pack("<BBBH", first(kind), slot, connection, counter)


def sealed_nonce(header: bytes) -> bytes:
    """The 13-byte CCM nonce of a REQUEST or REPLY: its header and zeros."""
    return header + b"\0\0\0\0\0\0\0\0"
