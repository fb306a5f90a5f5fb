"""A board of a bench that `stimbench bench up` runs in another process, as a place to flash."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from stimbench.bench import running
from stimbench.bench.bootsel_folder import served_folder, taken_of
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import same_port
from stimbench.flashing.target import FolderVolume

__all__ = ("ServedTarget", "find_served")

_POLL_S = 0.02
_WRITE_LIMIT_S = 120.0
"""For one group of blocks: a bench may run at a hundredth of real time."""


class ServedTarget:
    """See stimbench.flashing.target.Target. Its pty stays while the board is in its boot ROM, silent."""

    def __init__(
        self,
        board: str,
        port: str,
        folder: Path,
        now_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use one board.

        Args:
            board: `stimulator` or `remote`.
            port: its pty.
            folder: where its boot ROM's disk appears.
            now_s: the clock.
            wait: lets time pass.
        """
        self._board, self._port, self._folder = board, port, folder
        self.now_s, self.wait = now_s, wait

    def __repr__(self) -> str:
        return f"<ServedTarget {self.name}>"

    @property
    def name(self) -> str:
        """See Target.name."""
        return f"{self._port} (the emulated {self._board})"

    @property
    def role(self) -> str | None:
        """See Target.role: a pty does not tell."""
        return None

    def device(self) -> SerialDevice:
        """See Target.device."""
        return SerialDevice(self._port)

    def volume(self) -> FolderVolume | None:
        """See Target.volume."""
        there = (self._folder / "INFO_UF2.TXT").is_file()
        return FolderVolume(self._folder, self._await_taken) if there else None

    def _await_taken(self) -> None:
        """Wait until the bench has taken what was written; OSError as of a disk that was pulled out."""
        end_s = self.now_s() + _WRITE_LIMIT_S
        try:
            written = sum(one.stat().st_size for one in self._folder.glob("*.UF2"))
            while taken_of(self._folder) < written:
                if self.now_s() > end_s:
                    raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
                self.wait(_POLL_S)
        except FileNotFoundError as error:
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from error


def find_served(port: str) -> ServedTarget | None:
    """The board of a running bench whose pty, or the link to it, is `port`; None if it is none's."""
    for record in running.running():
        for board, path in record.ports.items():
            if same_port(path, port):
                folder = served_folder(running.folder(), record.name, board)
                return ServedTarget(board, path, folder)
    return None
