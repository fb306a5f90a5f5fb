"""Doctor: boards on USB, whether this user may open them, and whether their disks can be mounted."""

from __future__ import annotations

import time
from collections.abc import Callable

from stimbench.client.board import Board
from stimbench.client.console import Console
from stimbench.client.records import Identity
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import StimbenchError
from stimbench.firmware_build import toolchain
from stimbench.flashing.doctor import Finding, Machine, State
from stimbench.flashing.mounting import ways_to_mount
from stimbench.flashing.state import firmware_text
from stimbench.flashing.usb import UsbPort

__all__ = ("Ask", "ask_board", "boards", "modem_manager", "mounting", "permissions", "power_switch", "udev")

_GROUP = "dialout"
_TRIES_S = 1.0
Ask = Callable[[str], Identity]


def ask_board(path: str) -> Identity:
    """Which firmware runs on the board of a port. Nothing is interrupted.

    Raises:
        StimbenchError: it does not say.
    """
    with SerialDevice(path) as device:
        return Board(Console(device.console, time.time_ns() >> 20, _TRIES_S)).identify()


def boards(machine: Machine, ask: Ask = ask_board) -> list[Finding]:
    """Every RP2040 that is plugged in, and what it runs. None is no defect of this machine."""
    ports = machine.usb.ports()
    findings = [_board(machine, port, ask) for port in ports]
    known = {port.usb_path for port in ports}
    for disk in machine.usb.disks():
        if disk.usb_path not in known:
            where = f"mounted at {disk.mounted}" if disk.mounted else "not mounted"
            told = f"USB {disk.usb_path} waits for an image in its boot ROM, its disk {where}"
            findings.append(Finding(disk.device, State.OK, told))
    return findings or [Finding("boards", State.OK, "no RP2040 is plugged in")]


def _board(machine: Machine, port: UsbPort, ask: Ask) -> Finding:
    if not machine.may_use(port.device):
        return Finding(port.device, State.CANNOT_TELL, "this user may not open it")
    try:
        identity = ask(port.device)
    except StimbenchError as error:
        return Finding(port.device, State.CANNOT_TELL, str(error), "stimbench flash")
    told = firmware_text(identity)
    if identity.deployed:
        told += f": {identity.deployed} DEPLOYED modules, so the content hash does not say what runs"
        mend = f"stimbench deploy --remove --port {port.device}"
        return Finding(port.device, State.CANNOT_TELL, told, mend)
    return Finding(port.device, State.OK, told)


def permissions(machine: Machine) -> Finding:
    """Whether this user may open serial ports."""
    name = "serial ports"
    ports = [port.device for port in machine.usb.ports()]
    shut = [path for path in ports if not machine.may_use(path)]
    mend = f"sudo usermod -aG {_GROUP} $USER, then log in again"
    if shut:
        return Finding(name, State.MISSING, f"no permission for {', '.join(shut)}", mend, needed=True)
    if ports:
        return Finding(name, State.OK, f"{', '.join(ports)} can be opened", needed=True)
    if machine.is_root or _GROUP in machine.groups():
        return Finding(name, State.OK, "root" if machine.is_root else f"in the group {_GROUP}")
    if not machine.platform.startswith("linux"):
        return Finding(name, State.CANNOT_TELL, "no board is plugged in")
    return Finding(name, State.MISSING, f"this user is not in the group {_GROUP}", mend)


def mounting(machine: Machine) -> Finding:
    """Whether the disk of a board in its boot ROM gets a folder."""
    name = "RPI-RP2 disks"
    disks = machine.usb.disks()
    if not machine.platform.startswith("linux"):
        return Finding(name, State.CANNOT_TELL, "mount it, then --volume DIR")
    ways = ways_to_mount(machine.which, machine.is_root)
    if ways:
        return Finding(name, State.OK, f"mounted with {ways[0]}")
    if disks and all(disk.mounted for disk in disks):
        return Finding(name, State.OK, "the desktop mounts them")
    mend = f"{toolchain.install_command(['udisks2'])}; or mount each by hand, then --volume DIR"
    return Finding(name, State.MISSING, "this user cannot mount them", mend, needed=bool(disks))


def udev(machine: Machine) -> Finding:
    """Whether devices appear by themselves."""
    if not machine.platform.startswith("linux"):
        return Finding("udev", State.CANNOT_TELL, f"not on {machine.platform}")
    if (machine.root / "run" / "udev" / "control").exists():
        return Finding("udev", State.OK, "devices appear by themselves")
    told = "udev does not run here, as in a container: a board that restarts may not appear again"
    return Finding("udev", State.CANNOT_TELL, told, "run this on the host, or give the container its /dev")


def modem_manager(machine: Machine) -> Finding:
    """Whether something else opens each new serial port first."""
    if not machine.which("ModemManager"):
        return Finding("ModemManager", State.OK, "not there")
    told = "it opens each new port for some seconds: a board may be busy after it is plugged in"
    return Finding("ModemManager", State.CANNOT_TELL, told, "sudo systemctl disable --now ModemManager")


def power_switch(machine: Machine) -> Finding:
    """Whether USB sockets can be switched."""
    if machine.which("uhubctl"):
        return Finding("uhubctl", State.OK, "sockets of a hub that can be switched")
    told = "to switch boards off and on, with a hub that can"
    return Finding("uhubctl", State.MISSING, told, toolchain.install_command(["uhubctl"]))
