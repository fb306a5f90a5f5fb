"""The text of a file that a person wrote. A wrong name may be that of a capture of gigabytes."""

from __future__ import annotations

from pathlib import Path

from stimbench.errors import InputError

__all__ = ("read_text",)


def read_text(path: Path, what: str, most_bytes: int, hint: str = "") -> str:
    """The text of a file.

    Args:
        path: the file, UTF-8.
        what: what it should be, with its article: `a plan`.
        most_bytes: far more than such a file takes.
        hint: a sentence that follows if it cannot be read.

    Raises:
        InputError: it cannot be read, is no text, or is too long.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{path} cannot be read: {reason}. {hint}".rstrip()) from error
    if len(data) > most_bytes:
        raise InputError(f"{path} is not {what}: it has more than {most_bytes} bytes.")
    return text
