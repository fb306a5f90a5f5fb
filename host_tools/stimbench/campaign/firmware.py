"""The firmware of a campaign: read once, known by its hash, and checked wherever it is used."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stimbench.campaign.errors import PoolError
from stimbench.errors import InputError

__all__ = ("Firmware", "firmware_paths", "put_firmware")


@dataclass(frozen=True)
class Firmware:
    """The images of a campaign, as they were when it began: a build meanwhile changes nothing.

    Attributes:
        hashes: SHA-256 in hex of each board's UF2 file, by board.
        files: the bytes, by hash.
    """

    hashes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, paths: Mapping[str, Path]) -> Firmware:
        """Read the UF2 files, by board.

        Raises:
            InputError: one cannot be read.
        """
        hashes, files = {}, {}
        for board, path in paths.items():
            try:
                data = Path(path).read_bytes()
            except OSError as error:
                raise InputError(f"No firmware for the {board}: {path}: {error.strerror}.") from error
            hashes[board] = _hash(data)
            files[hashes[board]] = data
        return cls(hashes, files)


def put_firmware(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a folder under their hashes; several processes may do so at once.

    Args:
        folder: made if it is not there.
        files: bytes by hash.

    Raises:
        PoolError: bytes that do not have their hash came from somewhere; none of them is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for expected, data in files.items():
        if _hash(data) != expected:
            raise PoolError(f"The firmware {expected[:12]} came with other bytes ({_hash(data)[:12]}).")
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, _path(folder, expected))


def firmware_paths(folder: Path, hashes: Mapping[str, str]) -> dict[str, Path]:
    """The files by board, each read and checked again: what is on a disk may have been changed.

    Raises:
        PoolError: one is not there, or is not what its hash says.
    """
    paths = {}
    for board, expected in hashes.items():
        path = _path(folder, expected)
        try:
            found = _hash(path.read_bytes())
        except OSError as error:
            raise PoolError(f"The {board}'s firmware {expected[:12]} is not here: {error}.") from error
        if found != expected:
            raise PoolError(f"The {board}'s firmware {expected[:12]} has other bytes here ({found[:12]}).")
        paths[board] = path
    return paths


def _path(folder: Path, digest: str) -> Path:
    return folder / f"{digest}.uf2"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
