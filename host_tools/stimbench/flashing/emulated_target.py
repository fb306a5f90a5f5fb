"""A board of an emulated bench in this process as a place to flash. Waiting is emulated time."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from stimbench.bench import Bench
from stimbench.bench.bootsel_folder import BootselFolder
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.flashing.target import FolderVolume

__all__ = ("EmulatedTarget",)

_POLL_NS = 1_000_000
_WRITE_LIMIT_NS = 60_000_000_000


class EmulatedTarget:
    """See stimbench.flashing.target.Target. The bench stays its owner's."""

    def __init__(self, bench: Bench, board: str, folder: Path) -> None:
        """Use one board of a bench.

        Args:
            bench: nobody else runs it while a method of this object waits.
            board: `stimulator` or `remote`.
            folder: where its boot ROM's disk appears; it is made and removed here, its parent exists.

        Raises:
            BenchError: the bench has no such board.
        """
        self._bench = bench
        self._board = bench.board(board)
        self._disk = BootselFolder(self._board, folder)

    def __repr__(self) -> str:
        return f"<EmulatedTarget of {self.name}>"

    @property
    def name(self) -> str:
        """See Target.name."""
        return f"the emulated {self._board.name}"

    @property
    def role(self) -> str | None:
        """See Target.role."""
        return self._board.name if self._board.usb_connected else None

    def device(self) -> EmulatedDevice | None:
        """See Target.device."""
        return EmulatedDevice(self._bench, self._board.name) if self._board.usb_connected else None

    def volume(self) -> FolderVolume | None:
        """See Target.volume."""
        self._disk.poll()
        return FolderVolume(self._disk.path, self._work) if self._board.bootsel else None

    def now_s(self) -> float:
        """Bench time."""
        return self._bench.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        """Let bench time pass."""
        self._bench.run_for(round(seconds * 1e9))
        self._disk.poll()

    def close(self) -> None:
        """Remove the disk's folder."""
        self._disk.close()

    def _work(self) -> None:
        """Let time pass until the board has taken what was written, as the driver of a disk waits for it."""
        disk = self._board.bootsel

        def is_done() -> bool:
            self._disk.poll()
            return disk is None or not disk.is_current or self._disk.is_done

        done = self._bench.run_until(is_done, _WRITE_LIMIT_NS, _POLL_NS)
        if not done or disk is None or not (disk.is_current or disk.restarts):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
