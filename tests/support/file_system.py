"""File systems of a board, made by MicroPython's unix port."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from stimfw.storage import layout

MICROPYTHON = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "micropython"
_SCRIPT = """
import sys, vfs

class Disk:
    def __init__(self, blocks):
        self.data = bytearray(b"\\xff" * 4096 * blocks)

    def readblocks(self, block, buffer, offset=0):
        start = block * 4096 + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * 4096 + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        return {4: len(self.data) // 4096, 5: 4096}.get(operation, 0)

disk = Disk(int(sys.argv[1]))
vfs.VfsLfs2.mkfs(disk, progsize=256)
with vfs.VfsLfs2(disk, progsize=256).open(sys.argv[2], "wb") as file:
    file.write(sys.stdin.buffer.read())
sys.stdout.buffer.write(disk.data)
"""


@cache
def file_system(name: str, content: bytes) -> bytes:
    """What littlefs has in a board's blocks with nothing but this file."""
    words = [str(MICROPYTHON), "-X", "heapsize=8M", "-c", _SCRIPT, str(layout.FILESYSTEM_BLOCKS), name]
    return subprocess.run(words, input=content, check=True, capture_output=True).stdout
