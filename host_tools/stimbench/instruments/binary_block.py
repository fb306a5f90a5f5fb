"""The block in which an instrument sends samples: IEEE 488.2, definite length, `#800001000` and data."""

from __future__ import annotations

from stimbench.errors import RigError

__all__ = ("parse_block",)


def parse_block(raw: bytes, source: str) -> bytes:
    """The data of a block.

    Args:
        raw: a whole answer. A line feed ends it (IEEE 488.2, 8.5); without one, a block that lacks its last
            byte could not be told from a whole one.
        source: who sent it, in words.

    Raises:
        RigError: it is no such block, or holds more or fewer bytes than its header says.
    """
    digits = raw[1:2]
    if not raw.startswith(b"#") or not digits.isdigit() or digits == b"0":
        raise RigError(f"{source} sent no block of samples, it sent {raw[:20]!r}.")
    begin = 2 + int(digits)
    length = raw[2:begin]
    if len(length) != int(digits) or not length.isdigit():
        raise RigError(f"{source} sent a block whose header makes no sense: {raw[:begin]!r}.")
    data = raw[begin:]
    if not data.endswith(b"\n"):
        raise RigError(f"{source} sent {len(data)} bytes in a block of {int(length)}, and no line feed.")
    data = data[:-1]
    if len(data) != int(length):
        raise RigError(f"{source} sent {len(data)} bytes in a block of {int(length)}.")
    return data
