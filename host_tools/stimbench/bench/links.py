"""Stable names for a bench's ptys: symbolic links in a folder that the user names."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from stimbench.errors import InputError

__all__ = ("folder_for_links", "link_to", "unlink_from")

_PTY = re.compile(r"/dev/(pts/\d+|ttys?\w+|pty\w+)")


@contextmanager
def folder_for_links(
    folder: Path, boards: Collection[str], in_use: Mapping[str, str]
) -> Iterator[dict[str, Path]]:
    """Where the links of the boards go, by board. The folder is made, and removed at the end if it was.

    Args:
        folder: the user's; one level of it may be missing.
        boards: their names.
        in_use: links of benches that run, by path: the name of the bench.

    Raises:
        InputError: the folder cannot be had, or something that is not ours has the name of a link. Nothing
            was changed then.
    """
    made = False
    try:
        if not folder.is_dir():
            folder.mkdir()
            made = True
    except OSError as error:
        raise InputError(f"--link {folder}: the folder cannot be made: {error.strerror}.") from error
    links = {board: folder.absolute() / board for board in boards}
    try:
        for link in links.values():
            _require_ours(link, in_use)
        yield links
    finally:
        if made:
            with suppress(OSError):
                folder.rmdir()


def _require_ours(link: Path, in_use: Mapping[str, str]) -> None:
    """InputError unless the name is free, or has a link that a bench left behind."""
    if str(link) in in_use:
        raise InputError(f"{link} is in use by the bench {in_use[str(link)]!r}: name another folder.")
    if not os.path.lexists(link):
        return
    if not link.is_symlink() or not _PTY.fullmatch(os.readlink(link)):
        raise InputError(f"{link} is there and is no link of a bench: move it away, or name another folder.")


def link_to(link: Path, port: str) -> None:
    """Let `link` lead to `port`, in place of a link that a bench left there, in one step.

    Raises:
        InputError: it cannot be made, or something that is not ours has that name.
    """
    _require_ours(link, {})
    part = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        part.unlink(missing_ok=True)
        part.symlink_to(port)
        part.replace(link)
    except OSError as error:
        raise InputError(f"The link {link} cannot be made: {error.strerror}.") from error


def unlink_from(link: Path, port: str) -> None:
    """Remove `link` if it still leads to `port`."""
    with suppress(OSError):
        if os.readlink(link) == port:
            link.unlink()
