"""The place where a board is, whatever it runs there: a USB socket, or a place on an emulated bench.

A board that is flashed changes its face: a serial port, then a disk, then a port again. What stays is the
place.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from stimbench.devices.device import Device

__all__ = ("VOLUME_GONE", "FolderVolume", "Target", "Volume", "VolumeFile", "until")

VOLUME_GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EROFS, errno.ESTALE)
"""What the system answers when the disk that is written to is pulled out, or leaves by itself."""


class VolumeFile(Protocol):
    """A file on a boot ROM's disk, open for writing. Its methods raise OSError."""

    def write(self, data: bytes) -> None:
        """Add bytes."""

    def sync(self) -> None:
        """Return when the board has worked on all that was written."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Volume(Protocol):
    """The disk of a board in its boot ROM."""

    @property
    def name(self) -> str:
        """How messages name it: where it is mounted."""

    def info(self) -> str:
        """The text of INFO_UF2.TXT; OSError if it cannot be read."""

    def create(self, name: str) -> VolumeFile:
        """A new file; OSError if it cannot be made."""


class Target(Protocol):
    """One place. Every time-out counts on its clock."""

    @property
    def name(self) -> str:
        """How messages name it: `/dev/ttyACM0 (USB 1-2.3)`, `the emulated stimulator`."""

    @property
    def role(self) -> str | None:
        """What the board called itself on USB when it was found, `stimulator` or `remote`; None: nothing."""

    def device(self) -> Device | None:
        """The board's serial port, not open yet; None if there is none now.

        Raises:
            FlashError: it is not the board that was there before.
        """

    def volume(self) -> Volume | None:
        """The disk of the boot ROM; None if there is none now.

        Raises:
            FlashError: it is there and cannot be mounted; the text says what to do.
        """

    def now_s(self) -> float:
        """The clock, in seconds from any origin."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


def until(target: Target, condition: Callable[[], object], limit_s: float, poll_s: float = 0.2) -> bool:
    """Wait until `condition()` is true, at most `limit_s` on the target's clock; whether it became true."""
    end_s = target.now_s() + limit_s
    while not condition():
        if target.now_s() >= end_s:
            return False
        target.wait(poll_s)
    return True


class FolderVolume:
    """A disk that is mounted as a folder."""

    def __init__(self, path: Path, after_sync: Callable[[], None] = lambda: None) -> None:
        """Use the folder `path`.

        Args:
            path: where it is mounted.
            after_sync: called when the system has written everything; may raise OSError.
        """
        self._path = path
        self._after_sync = after_sync

    def __repr__(self) -> str:
        return f"<FolderVolume {self._path}>"

    @property
    def name(self) -> str:
        """See Volume.name."""
        return str(self._path)

    def info(self) -> str:
        """See Volume.info."""
        return (self._path / "INFO_UF2.TXT").read_text(encoding="ascii", errors="replace")

    def create(self, name: str) -> VolumeFile:
        """See Volume.create."""
        return _OpenFile(self._path / name, self._after_sync)


class _OpenFile:
    def __init__(self, path: Path, after_sync: Callable[[], None]) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._after_sync = after_sync

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def sync(self) -> None:
        os.fsync(self._descriptor)
        self._after_sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
