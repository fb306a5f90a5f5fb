r"""Frames of the service console: one line of text each, so that a terminal survives them.

`~` + base64(version, number, message, CRC-32) + `\n`. Base64 keeps 0x03 (Ctrl-C) out of the stream: that
byte always means "interrupt". What is not a frame (a banner, a traceback) is passed over.
"""

import binascii
import struct

VERSION = 1
START = 0x7E  # ~
END = 0x0A  # newline
MAX_MESSAGE = 244
_OVERHEAD = 6  # version, number, CRC-32
MAX_LINE = 4 * ((MAX_MESSAGE + _OVERHEAD + 2) // 3)


def encode(number: int, message: bytes) -> bytes:
    """The line that carries `message` under `number` (0-255).

    Raises:
        ValueError: the message is longer than MAX_MESSAGE.
    """
    if len(message) > MAX_MESSAGE:
        raise ValueError("message of %d bytes, at most %d" % (len(message), MAX_MESSAGE))
    body = bytes((VERSION, number & 0xFF)) + message
    return b"~" + binascii.b2a_base64(body + struct.pack("<I", binascii.crc32(body)))


def decode(line: bytes) -> "tuple[int, bytes]":
    """Number and message of the text between `~` and the newline.

    Raises:
        ValueError: not base64, too short, of another version, or the CRC is wrong.
    """
    raw = binascii.a2b_base64(line)
    if len(raw) < _OVERHEAD + 1:
        raise ValueError("short frame")
    body = raw[:-4]
    if struct.unpack("<I", raw[-4:])[0] != binascii.crc32(body):
        raise ValueError("CRC")
    if body[0] != VERSION:
        raise ValueError("version %d" % body[0])
    return body[1], body[2:]


class Receiver:
    """Finds frames in a stream of bytes; counts what it had to throw away."""

    def __init__(self) -> None:
        self._line = bytearray(MAX_LINE)
        self._length = -1  # -1: outside a frame
        self.frames = 0
        self.bad = 0
        self.oversized = 0

    def feed(self, byte: int) -> "tuple[int, bytes] | None":
        """Take one byte; the number and the message if it completed a good frame."""
        if byte == START:
            if self._length >= 0:
                self.bad += 1
            self._length = 0
            return None
        if self._length < 0:
            return None
        if byte == END:
            return self._complete()
        if self._length == MAX_LINE:
            self._length = -1
            self.oversized += 1
            return None
        self._line[self._length] = byte
        self._length += 1
        return None

    def _complete(self) -> "tuple[int, bytes] | None":
        line = bytes(self._line[: self._length])
        self._length = -1
        try:
            found = decode(line)
        except ValueError:
            self.bad += 1
            return None
        self.frames += 1
        return found
