"""Files that are there whole or not at all, whatever is cut, killed or full."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ("create_file", "remove_unfinished", "replace_file")

_UNFINISHED = ".unfinished-"


def create_file(path: Path, text: str) -> bool:
    """Write a file that is not there yet; one that is there stays as it is.

    Returns:
        Whether it was written.

    Raises:
        OSError: it could not be written; nothing is left of it.
    """
    written = _written(path, text)
    try:
        os.link(written, path)
    except FileExistsError:
        return False
    except PermissionError:  # a file system without links, FAT say; the store's lock keeps others out
        if path.exists():
            return False
        os.rename(written, path)
    finally:
        with suppress(FileNotFoundError):
            written.unlink()
    _sync_folder(path.parent)
    return True


def replace_file(path: Path, text: str) -> None:
    """Write a file, in place of the one that is there.

    Raises:
        OSError: it could not be written; the old one is still there.
    """
    written = _written(path, text)
    try:
        os.replace(written, path)
    except OSError:
        with suppress(OSError):
            written.unlink()
        raise
    _sync_folder(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers left that were killed in the middle."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        path.unlink(missing_ok=True)


def _written(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
