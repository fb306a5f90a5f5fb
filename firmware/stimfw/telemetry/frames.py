"""Frames of the radio protocol, version 3: kinds, layouts, headers. All are 32 bytes (docs/telemetry.md)."""

import struct

VERSION = 3
HELLO = 1
CHALLENGE = 2
REQUEST = 3
REPLY = 4
PAIR = 5
PAIR_REPLY = 6

FRAME_BYTES = 32
HEADER_BYTES = 5
"""Of a REQUEST or REPLY: first byte, slot, token."""
TOKEN_BYTES = 3
TAG_BYTES = 8
PLAIN_BYTES = FRAME_BYTES - HEADER_BYTES - TAG_BYTES

NONCE_AT = 4
NONCE_BYTES = 16
"""Of a HELLO or CHALLENGE: epoch, count, then what fills it up; bytes 4-19 of the frame."""
TAG_AT = NONCE_AT + NONCE_BYTES
HANDSHAKE_TAG_BYTES = FRAME_BYTES - TAG_AT
RANDOM_BYTES = 8
"""That fill a CHALLENGE's nonce up; a HELLO has one less, because `wants` takes its place."""

COPIES = 3
"""Of a frame in a burst."""
MORE_COPIES = 8
"""Of one that must get through: between packets on the air for 45 % of the time, all of three can be hit."""

WANTS_CONNECTION = 0
WANTS_STOP = 1
_WANTS_AT = NONCE_AT + 8


def first(kind: int) -> int:
    """The first byte of a frame of that kind."""
    return VERSION << 4 | kind


def kind_of(frame: "bytes | memoryview") -> int:
    """The kind of a frame whose version and length are right; 0 for any other."""
    if len(frame) != FRAME_BYTES or frame[0] >> 4 != VERSION:
        return 0
    kind = frame[0] & 0x0F
    return kind if HELLO <= kind <= PAIR_REPLY else 0


def hello_nonce(epoch: int, count: int, wants: int, random: bytes) -> bytes:
    """NP, 16 bytes. epoch, count: u32; wants: WANTS_...; random: 7 bytes."""
    return struct.pack("<IIB", epoch, count, wants) + random


def challenge_nonce(epoch: int, count: int, random: bytes) -> bytes:
    """NS, 16 bytes. epoch, count: u32; random: 8 bytes."""
    return struct.pack("<II", epoch, count) + random


def handshake(kind: int, slot: int, generation: int, nonce: bytes, tag: bytes) -> bytes:
    """A HELLO or CHALLENGE. generation: its low byte goes in (0 in a CHALLENGE); tag: 12 bytes."""
    return bytes((first(kind), slot, generation & 0xFF, 0)) + nonce + tag


def nonce_of(frame: "bytes | memoryview") -> "bytes | memoryview":
    """NP of a HELLO, or NS of a CHALLENGE."""
    return frame[NONCE_AT:TAG_AT]


def tag_of(frame: "bytes | memoryview") -> "bytes | memoryview":
    """The 12 bytes at the end of a HELLO or CHALLENGE."""
    return frame[TAG_AT:]


def wants_of(hello: "bytes | memoryview") -> int:
    """What a HELLO asks for: WANTS_..., or a number that has no meaning yet."""
    return hello[_WANTS_AT]


def sealed_header(kind: int, slot: int, token: bytes) -> bytes:
    """The 5 open bytes of a REQUEST or REPLY. token: 3 bytes."""
    return bytes((first(kind), slot)) + token


def sealed_nonce(kind: int, slot: int, counter: int) -> bytes:
    """The 13-byte CCM nonce of a REQUEST or REPLY: first byte, slot, counter u16, zeros."""
    return struct.pack("<BBH", first(kind), slot, counter) + b"\0\0\0\0\0\0\0\0\0"


def token_number(frame: "bytes | memoryview") -> int:
    """The token of a REQUEST or REPLY as a number: a look-up by it takes no heap."""
    return frame[2] | frame[3] << 8 | frame[4] << 16
