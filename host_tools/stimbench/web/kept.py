"""The run of a server on disk, so that it outlives the server: repeated from its seed and actions.

The file lies in the user's own runtime folder (bench.running.folder) and has the cookie of the server's
pages, so that they come back by themselves.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.bench import running
from stimbench.errors import InputError
from stimbench.web.run_file import Run

__all__ = ("Kept", "keep", "latest", "path_of", "tidy")

_MOST = 8


class Kept(BaseModel):
    """What a server leaves behind. Whoever can read it can drive the bench of the next one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(ge=1, le=65535)
    cookie: str = Field(min_length=32, max_length=200, repr=False)
    run: Run


def path_of(port: int, folder: Path | None = None) -> Path:
    """Where the server of a port keeps its run.

    Raises:
        PortError: the folder cannot be had, or is not this user's alone.
    """
    return (folder or running.folder()) / f"page-{port}.json"


def keep(kept: Kept, folder: Path | None = None) -> None:
    """Write it, whole or not at all."""
    path = path_of(kept.port, folder)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(kept.model_dump_json())
    part.replace(path)


def tidy(folder: Path | None = None) -> None:
    """Remove what old servers left, all but the last few runs. Those of servers that run are never old."""
    found = (folder or running.folder()).glob("page-*.json")
    for path in sorted(found, key=lambda one: one.stat().st_mtime)[:-_MOST]:
        path.unlink(missing_ok=True)


def latest(port: int, folder: Path | None = None) -> Kept:
    """What the last server kept.

    Args:
        port: of the server; 0 for any.
        folder: where to look, if not in the user's own.

    Raises:
        InputError: there is nothing, or it cannot be read.
    """
    place = folder or running.folder()
    found = [path_of(port, place)] if port else list(place.glob("page-*.json"))
    found = sorted((one for one in found if one.is_file()), key=lambda one: one.stat().st_mtime)
    if not found:
        raise InputError("--again: no server kept a run that could be repeated.")
    try:
        return Kept.model_validate_json(found[-1].read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"--again: {found[-1]} cannot be read: remove it.") from error
