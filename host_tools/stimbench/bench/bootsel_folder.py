"""The disk of an emulated board's boot ROM as a folder: `RPI-RP2`, as a desktop would show it.

A real disk is written sector by sector, and its host waits while the board is busy. A folder takes any
number of bytes at once. So whoever writes lets the bench's time pass until `is_done`; and if the bench runs
in another process, waits until the file `.taken` says how many bytes were taken.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.bootsel import INDEX_HTM, INFO_UF2, SECTOR_BYTES, BootselDisk

__all__ = ("BootselFolder", "served_folder", "taken_of")

_TAKEN, _PART = ".taken", ".taken.part"
_OWN = ("INFO_UF2.TXT", "INDEX.HTM")


class BootselFolder:
    """Is there while its board is in the boot ROM, and vanishes with all in it when the board leaves."""

    def __init__(self, board: EmulatedBoard, path: Path, tell: bool = False) -> None:
        """Show the disk of a board.

        Args:
            board: one of a bench.
            path: the folder, which is made and removed here; its parent exists.
            tell: write `.taken`, for another process.
        """
        self._board = board
        self._tell = tell
        self._told = -1
        self.path = path
        self._disk: BootselDisk | None = None
        self._taken: dict[str, int] = {}

    def poll(self) -> None:
        """Show or remove the folder as the board is; pass on what was written and the board takes."""
        if self._board.bootsel is not self._disk:
            self._change(self._board.bootsel)
        if self._disk is not None:
            for path in self._written():
                self._pass_on(self._disk, path)
            if self._tell:
                self._tell_taken()

    @property
    def is_done(self) -> bool:
        """Whether the board has worked on every whole sector that was written. `poll` first."""
        disk = self._disk
        if disk is None:
            return True
        return disk.idle and all(self._left(path) < SECTOR_BYTES for path in self._written())

    def close(self) -> None:
        """Remove the folder."""
        self._change(None)

    def _change(self, disk: BootselDisk | None) -> None:
        self._disk = disk
        self._taken.clear()
        self._told = -1
        shutil.rmtree(self.path, ignore_errors=True)
        if disk is not None:
            self.path.mkdir(mode=0o700)
            for name, text in zip(_OWN, (INFO_UF2, INDEX_HTM), strict=True):
                (self.path / name).write_bytes(text.encode())

    def _written(self) -> list[Path]:
        """The files of the host, the oldest first."""
        files = [
            one for one in self.path.glob("*") if one.name not in (*_OWN, _TAKEN, _PART) and one.is_file()
        ]
        return sorted(files, key=lambda one: (one.name not in self._taken, one.stat().st_mtime_ns))

    def _left(self, path: Path) -> int:
        return path.stat().st_size - self._taken.get(path.name, 0)

    def _pass_on(self, disk: BootselDisk, path: Path) -> None:
        """As many sectors as the board has room for."""
        while disk.has_room and self._left(path) >= SECTOR_BYTES:
            taken = self._taken.get(path.name, 0)
            with path.open("rb") as file:
                file.seek(taken)
                disk.write(file.read(SECTOR_BYTES))
            self._taken[path.name] = taken + SECTOR_BYTES

    def _tell_taken(self) -> None:
        total = sum(self._taken.values())
        if self.is_done and total != self._told:
            (self.path / _PART).write_text(str(total), encoding="ascii")
            (self.path / _PART).replace(self.path / _TAKEN)
            self._told = total


def served_folder(place: Path, bench: str, board: str) -> Path:
    """Where the boot ROM's disk of a board appears while `stimbench bench up` runs its bench.

    Args:
        place: stimbench.bench.running.folder().
        bench: the bench's name.
        board: the board's.
    """
    return place / f"{bench}-{board}-RPI-RP2"


def taken_of(folder: Path) -> int:
    """How many bytes the board of a served folder has worked on; FileNotFoundError: the folder has gone."""
    try:
        return int((folder / _TAKEN).read_text(encoding="ascii"))
    except FileNotFoundError:
        if folder.is_dir():
            return 0
        raise
