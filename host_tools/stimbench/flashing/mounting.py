"""A boot ROM's disk gets a folder: the one where the desktop has mounted it, or one that we ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stimbench.flashing.errors import FlashError
from stimbench.flashing.usb import BootDisk

__all__ = ("Mounter", "ways_to_mount")

_TIMEOUT_S = 20
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)


def ways_to_mount(
    which: Callable[[str], str | None] = shutil.which, is_root: bool | None = None
) -> tuple[str, ...]:
    """How this user can mount a disk here: `udisksctl`, `mount`, or nothing."""
    root = os.geteuid() == 0 if is_root is None else is_root
    ways = ("udisksctl",) if which("udisksctl") else ()
    return (*ways, "mount") if root and which("mount") else ways


@dataclass
class Mounter:
    """Mounts disks, and unmounts at the end those that it mounted by itself in a folder of its own."""

    run: Run = _run
    which: Callable[[str], str | None] = shutil.which
    is_root: bool | None = None
    _own: dict[str, Path] = field(default_factory=dict)

    def mount(self, disk: BootDisk) -> Path:
        """Where the disk is mounted after this.

        Raises:
            FlashError: this user cannot mount it; the text says the command.
        """
        if disk.mounted is not None:
            return disk.mounted
        told = ""
        for way in ways_to_mount(self.which, self.is_root):
            try:
                path, told = self._by_udisks(disk) if way == "udisksctl" else self._by_mount(disk)
            except subprocess.TimeoutExpired:
                continue
            if path is not None:
                return path
        why = f" ({told})" if told else ""
        raise FlashError(
            f"The board's disk {disk.device} is there, and is not mounted{why}. Mount it and run this again: "
            f"sudo mount -o uid=$(id -u) {disk.device} /mnt, then --volume /mnt."
        )

    def close(self) -> None:
        """Give back what was mounted here."""
        for path in self._own.values():
            with suppress(OSError, subprocess.SubprocessError):
                self.run(["umount", str(path)])
            with suppress(OSError):
                path.rmdir()
        self._own.clear()

    def _by_udisks(self, disk: BootDisk) -> tuple[Path | None, str]:
        done = self.run(["udisksctl", "mount", "--no-user-interaction", "-b", disk.device])
        _, found, path = done.stdout.strip().rstrip(".").partition(" at ")
        if done.returncode == 0 and found:
            return Path(path), ""
        return None, _last_line(done.stderr)

    def _by_mount(self, disk: BootDisk) -> tuple[Path | None, str]:
        path = Path(tempfile.mkdtemp(prefix="stimbench-rpi-rp2-"))
        done = self.run(["mount", "-t", "vfat", disk.device, str(path)])
        if done.returncode == 0:
            self._own[disk.usb_path] = path
            return path, ""
        path.rmdir()
        return None, _last_line(done.stderr)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
