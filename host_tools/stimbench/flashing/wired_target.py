"""A USB socket as a place to flash, and the choice among those in which a board is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from stimbench.devices.device import Device
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import same_port
from stimbench.errors import InputError, PortError
from stimbench.flashing.errors import FlashError
from stimbench.flashing.mounting import Mounter
from stimbench.flashing.target import FolderVolume, Volume
from stimbench.flashing.usb import BootDisk, UsbPort, UsbView

__all__ = ("UsbSockets", "WiredTarget", "choose")

_DESKTOP_S = 3.0
"""How long a desktop is given to mount a disk before it is done here."""
_POLL_S = 0.2
OpenDevice = Callable[[str], Device]


class WiredTarget:
    """See stimbench.flashing.target.Target."""

    def __init__(
        self,
        usb: UsbView,
        mounter: Mounter,
        usb_path: str | None,
        port: UsbPort | None = None,
        volume: Path | None = None,
        device: OpenDevice = SerialDevice,
        now_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use a socket.

        Args:
            usb: what is plugged in.
            mounter: mounts the boot ROM's disk.
            usb_path: the socket; None if the system does not tell, or the disk was named by its folder.
            port: what was in it when it was found.
            volume: the folder of a disk that is mounted already.
            device: opens a port.
            now_s: the clock.
            wait: lets time pass.
        """
        self._usb, self._mounter, self._device = usb, mounter, device
        self._usb_path, self._port, self._folder = usb_path, port, volume
        self._serial_number = port.serial_number if port else ""
        self._others = {one.device for one in usb.ports()} if usb_path is None else set()
        self.now_s, self.wait = now_s, wait

    def __repr__(self) -> str:
        return f"<WiredTarget {self.name}>"

    @property
    def name(self) -> str:
        """See Target.name."""
        socket = f"USB {self._usb_path}" if self._usb_path else ""
        if self._port is not None:
            return f"{self._port.device} ({socket})" if socket else self._port.device
        return f"the board on {socket}" if socket else f"the board of the disk {self._folder}"

    @property
    def role(self) -> str | None:
        """See Target.role."""
        return self._port.role if self._port else None

    def device(self) -> Device | None:
        """See Target.device."""
        for port in self._usb.ports():
            if not self._is_here(port):
                continue
            if self._serial_number and port.serial_number not in ("", self._serial_number):
                raise FlashError(
                    f"Another board is in the socket of {self.name} now: its serial number is "
                    f"{port.serial_number}, and not {self._serial_number}."
                )
            return self._device(port.device)
        return None

    def _is_here(self, port: UsbPort) -> bool:
        if self._usb_path is not None:
            return port.usb_path == self._usb_path
        if self._serial_number:
            return port.serial_number == self._serial_number
        if self._port is not None:
            return port.device == self._port.device
        return port.device not in self._others

    def volume(self) -> Volume | None:
        """See Target.volume."""
        if self._folder is not None:
            return FolderVolume(self._folder) if (self._folder / "INFO_UF2.TXT").is_file() else None
        disk = self._disk()
        end_s = self.now_s() + _DESKTOP_S
        while disk is not None and disk.mounted is None and self.now_s() < end_s:
            self.wait(_POLL_S)
            disk = self._disk()
        return FolderVolume(self._mounter.mount(disk)) if disk else None

    def _disk(self) -> BootDisk | None:
        return next((disk for disk in self._usb.disks() if disk.usb_path == self._usb_path), None)


class UsbSockets:
    """All sockets of this machine, and the choice among them."""

    def __init__(
        self,
        usb: UsbView,
        mounter: Mounter,
        device: OpenDevice = SerialDevice,
        now_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Args: as of WiredTarget."""
        self._usb, self._mounter = usb, mounter
        self._device, self._now_s, self._wait = device, now_s, wait

    def find(self) -> list[WiredTarget]:
        """Every socket in which there is an RP2040, with a port or a disk."""
        ports = self._usb.ports()
        targets = [self._target(port.usb_path, port) for port in ports]
        known = {port.usb_path for port in ports}
        return targets + [
            self._target(disk.usb_path) for disk in self._usb.disks() if disk.usb_path not in known
        ]

    def of_port(self, path: str) -> WiredTarget:
        """The socket of a serial port.

        Raises:
            PortError: there is no RP2040 on that port.
        """
        for port in self._usb.ports():
            if same_port(port.device, path):
                return self._target(port.usb_path, port)
        raise PortError(f"No RP2040 is on {path}.")

    def of_volume(self, folder: Path) -> WiredTarget:
        """The socket of a disk that is mounted.

        Raises:
            InputError: the folder is no boot ROM's disk.
        """
        if not (folder / "INFO_UF2.TXT").is_file():
            raise InputError(f"{folder} is no disk of an RP2040: it has no INFO_UF2.TXT.")
        for disk in self._usb.disks():
            if disk.mounted is not None and disk.mounted.resolve() == folder.resolve():
                return self._target(disk.usb_path)
        return self._target(None, volume=folder)

    def close(self) -> None:
        """Unmount what was mounted for this."""
        self._mounter.close()

    def _target(
        self, usb_path: str | None, port: UsbPort | None = None, volume: Path | None = None
    ) -> WiredTarget:
        fields = (self._usb, self._mounter, usb_path, port, volume)
        return WiredTarget(*fields, self._device, self._now_s, self._wait)


def choose(targets: list[WiredTarget], role: str | None) -> WiredTarget:
    """The one board that is meant.

    Args:
        targets: what is plugged in.
        role: `stimulator` or `remote`; None if there is but one board anyway.

    Raises:
        PortError: there is none.
        InputError: there are several.
    """
    if not targets:
        raise PortError(
            "No RP2040 is plugged in. For a new board, or one that does not show: pull its USB cable, hold "
            "BOOTSEL, plug it in, let go. `stimbench doctor` looks at this machine."
        )
    named = [one for one in targets if one.role == role] if role else []
    unnamed = [one for one in targets if one.role is None]
    found = named or (unnamed if role else targets) or targets
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise InputError(f"{len(found)} boards are plugged in ({names}). Say which one: --port, or --all.")
    return found[0]
