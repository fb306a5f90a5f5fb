"""Which board this is and which sources run on it."""

try:
    import stimfw_build as _build  # frozen by the firmware build
except ImportError:
    _build = None


def body(board: str) -> bytes:
    """The body of an IDENTIFY reply: board, version and source hash, separated by NUL."""
    from stimfw.version import VERSION

    source_hash = _build.SOURCE_HASH if _build else "unfrozen"
    return ("%s\0%s\0%s" % (board, VERSION, source_hash)).encode()


def parse(identity: bytes) -> "tuple[str, str, str]":
    """Board, version and source hash of an IDENTIFY reply's body; ValueError if it is none."""
    parts = bytes(identity).decode().split("\0")
    if len(parts) != 3:
        raise ValueError("not an identity")
    return parts[0], parts[1], parts[2]
