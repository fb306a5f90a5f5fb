"""Frames of the radio: what one packet in the air holds.

    0        1     2..3              4..              last 4
    version  kind  number (u16, LE)  message (1..24)  CRC-32 of all before it (LE)

The CRC finds accidents of the bus and of software; the radio has one of its own. It proves nothing about the
sender.
Any object with these functions and MAX_MESSAGE is a codec for stimfw.logic.link.
"""

import binascii
import struct

VERSION = 1
REQUEST = 1
REPLY = 2
HELLO = 3
NUMBER = 4
_KINDS = (REQUEST, REPLY, HELLO, NUMBER)
MAX_FRAME = 32  # bytes in a packet of the nRF24L01+
_HEADER = 4
_CRC = 4
MAX_MESSAGE = MAX_FRAME - _HEADER - _CRC
MIN_FRAME = _HEADER + 1 + _CRC


def encode(kind: int, number: int, message: bytes) -> bytes:
    """The frame that carries `message` as `kind` under `number` (u16).

    Raises:
        ValueError: the message is empty or longer than MAX_MESSAGE.
    """
    if not 1 <= len(message) <= MAX_MESSAGE:
        raise ValueError("message of %d bytes, 1 to %d fit" % (len(message), MAX_MESSAGE))
    body = struct.pack("<BBH", VERSION, kind, number & 0xFFFF) + message
    return body + struct.pack("<I", binascii.crc32(body))


def decode(frame: "bytes | memoryview") -> "tuple[int, int, bytes]":
    """Kind, number and message of a frame; the message is a copy.

    Raises:
        ValueError: wrong length, CRC, version or kind.
    """
    end = len(frame) - _CRC
    if not MIN_FRAME - _CRC <= end <= MAX_FRAME - _CRC:
        raise ValueError("frame of %d bytes" % len(frame))
    if struct.unpack_from("<I", frame, end)[0] != binascii.crc32(frame[:end]):
        raise ValueError("CRC")
    version, kind, number = struct.unpack_from("<BBH", frame, 0)
    if version != VERSION:
        raise ValueError("version %d" % version)
    if kind not in _KINDS:
        raise ValueError("kind %d" % kind)
    return kind, number, bytes(frame[_HEADER:end])
