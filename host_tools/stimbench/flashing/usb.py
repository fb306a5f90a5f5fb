"""The RP2040s on this machine's USB: serial ports and boot ROMs' disks, each with the socket that it is on.

The boot ROM of every RP2040 has the same serial number (it is the ROM's version), so a disk cannot be matched
to a board by it. The USB path can: a board that restarts as a disk is still in the same socket. Linux tells
it of both. On other systems a disk has to be named by its folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stimbench.devices.serial_ports import RASPBERRY_PI_VID

__all__ = ("BOOT_ROM_PID", "BootDisk", "UsbFinder", "UsbPort", "UsbView")

BOOT_ROM_PID = 0x0003
_LOCATION = re.compile(r"^(\d+-[\d.]+)(:[\d.]+)?$")
_OCTAL = re.compile(r"\\([0-7]{3})")
_ROLES = {"stimbench stimulator": "stimulator", "stimbench remote": "remote"}


@dataclass(frozen=True)
class UsbPort:
    """A serial port of an RP2040."""

    device: str
    """`/dev/ttyACM0`."""
    usb_path: str | None
    """`1-2.3`: bus 1, socket 2, there the hub's socket 3. None if the system does not tell."""
    serial_number: str
    """The flash chip's own number, in hex."""
    role: str | None
    """`stimulator` or `remote`, if it calls itself so."""


@dataclass(frozen=True)
class BootDisk:
    """The disk of an RP2040 in its boot ROM."""

    device: str
    """`/dev/sda1`."""
    usb_path: str
    mounted: Path | None
    """Where it is mounted."""


class UsbView(Protocol):
    """What is plugged in now."""

    def ports(self) -> Sequence[UsbPort]:
        """Serial ports of RP2040s."""

    def disks(self) -> Sequence[BootDisk]:
        """Disks of boot ROMs."""


class UsbFinder:
    """Looks at this machine, or at a copy of what its kernel tells."""

    def __init__(
        self,
        comports: Callable[[], Iterable[object]] | None = None,
        sysfs: Path = Path("/sys"),
        mounts: Path = Path("/proc/self/mounts"),
    ) -> None:
        """Look.

        Args:
            comports: lists serial ports as pyserial does; None for pyserial itself.
            sysfs: where the kernel tells of devices.
            mounts: the table of what is mounted.
        """
        self._comports = comports or _system_ports
        self._sysfs = sysfs
        self._mounts = mounts

    def ports(self) -> list[UsbPort]:
        """See UsbView.ports."""
        found = []
        for port in self._comports():
            if getattr(port, "vid", None) != RASPBERRY_PI_VID:
                continue
            match = _LOCATION.match(getattr(port, "location", None) or "")
            product = getattr(port, "product", None) or ""
            found.append(
                UsbPort(
                    device=str(getattr(port, "device", "")),
                    usb_path=match.group(1) if match else None,
                    serial_number=getattr(port, "serial_number", None) or "",
                    role=_ROLES.get(product),
                )
            )
        return sorted(found, key=lambda port: port.device)

    def disks(self) -> list[BootDisk]:
        """See UsbView.disks. A disk with a partition is told once, as that."""
        by_path: dict[str, BootDisk] = {}
        mounted = self._mount_table()
        for entry in sorted((self._sysfs / "class" / "block").glob("*")):
            usb_path = _boot_rom_above(entry.resolve())
            if usb_path is None or (usb_path in by_path and not (entry / "partition").exists()):
                continue
            device = f"/dev/{entry.name}"
            by_path[usb_path] = BootDisk(device, usb_path, mounted.get(device))
        return list(by_path.values())

    def _mount_table(self) -> dict[str, Path]:
        try:
            lines = self._mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return {}
        rows = [line.split(" ") for line in lines]
        return {row[0]: Path(_unescaped(row[1])) for row in rows if len(row) > 1}


def _system_ports() -> Iterable[object]:
    import serial.tools.list_ports  # type: ignore[import-untyped, unused-ignore]

    return list(serial.tools.list_ports.comports())


def _boot_rom_above(path: Path) -> str | None:
    """The USB path of the RP2040 boot ROM that a block device belongs to; None if it is something else's."""
    for folder in path.parents:
        if (folder / "idVendor").is_file():
            ids = [_read(folder / name) for name in ("idVendor", "idProduct")]
            return folder.name if ids == [f"{RASPBERRY_PI_VID:04x}", f"{BOOT_ROM_PID:04x}"] else None
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip().lower()
    except OSError:  # it was pulled out just now
        return ""


def _unescaped(text: str) -> str:
    """A path of the mount table, which writes a space as its octal code."""
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), text)
