"""What may lie in a record area of two blocks in place of a record. Runs on MicroPython too."""

import random
import struct
from binascii import crc32

AREA = 2 * 4096
PAGE = 256


def _random(size, seed):
    random.seed(seed)
    return bytes([random.getrandbits(8) for _ in range(PAGE)]) * (size // PAGE)


def _files(size, seed):
    """Blocks of another MicroPython's littlefs: a superblock's pair, with a file's text behind it."""
    head = struct.pack("<II", 1 + seed, 0xF0000FF7)[:4] + b"\xf0\x0f\xff\xf7littlefs" + b"\x2f\xe0\x00\x10"
    head += struct.pack("<IIIIII", 0x00020000, 4096, 352, 255, 0x7FFFFFFF, 1022)
    block = head + b"import machine\nled = machine.Pin(25)\n" * 8
    return (block + b"\xff" * (4096 - len(block))) * (size // 4096)


def _later(size, seed):
    """A whole record of a later version."""
    page = bytearray(b"\xff" * PAGE)
    struct.pack_into("<4sBBHI", page, 0, b"SBr1", 2, 200, 0, 9)
    page[12:212] = bytes([(index * 7 + seed) & 0xFF for index in range(200)])
    struct.pack_into("<I", page, 252, crc32(page[:252]))
    return bytes(page) + b"\xff" * (size - PAGE)


FILLS = {
    "zeros": lambda size, seed: bytes(size),
    "erased": lambda size, seed: b"\xff" * size,
    "random": _random,
    "files": _files,
    "later": _later,
}


def fill(memory, start, name, is_log, seed=1):
    """Put a fill into the area that begins at `start`. is_log: a later version is one of the epoch log."""
    memory[start : start + AREA] = FILLS[name](AREA, seed)
    if name == "later" and is_log:
        head = b"SBe2" + struct.pack("<I", 77)
        memory[start : start + AREA] = b"\xff" * AREA
        memory[start : start + 12] = head + struct.pack("<I", crc32(head))


def flip(memory, at, bit):
    """Change one bit."""
    memory[at] ^= 1 << bit


def record_bytes(content):
    """The offsets in an area of the bytes that a record takes: of each 64 bytes that are not blank, all."""
    return [
        at
        for first in range(0, len(content), 64)
        if content[first : first + 64] != b"\xff" * 64
        for at in range(first, first + 64)
    ]
