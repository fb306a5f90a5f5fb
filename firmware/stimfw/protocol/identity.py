"""Which board this is and which sources run on it."""

from stimfw.version import VERSION

try:
    from stimfw_build import SOURCE_HASH  # frozen by the firmware build
except ImportError:
    SOURCE_HASH = "unfrozen"


def body(board: str) -> bytes:
    """The body of an IDENTIFY reply: board, version and source hash, separated by NUL."""
    return ("%s\0%s\0%s" % (board, VERSION, SOURCE_HASH)).encode()


def parse(identity: bytes) -> "tuple[str, str, str]":
    """Board, version and source hash of an IDENTIFY reply's body; ValueError if it is none."""
    parts = bytes(identity).decode().split("\0")
    if len(parts) != 3:
        raise ValueError("not an identity")
    return parts[0], parts[1], parts[2]
