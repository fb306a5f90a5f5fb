"""Serial ports: finding the board's, and opening it for ourselves alone."""

from __future__ import annotations

import errno
import os
import weakref
from collections.abc import Sequence
from typing import Protocol

import serial  # type: ignore[import-untyped, unused-ignore]
import serial.tools.list_ports  # type: ignore[import-untyped, unused-ignore]

from stimbench.devices.device import UsbIdentity
from stimbench.errors import InputError, PortError

__all__ = (
    "PortInfo",
    "choose_port",
    "choose_remote_port",
    "find_port",
    "find_remote_port",
    "open_port",
    "same_port",
    "usb_identity",
)

RASPBERRY_PI_VID = 0x2E8A
STIMULATOR_PRODUCT = "stimbench stimulator"
REMOTE_PRODUCT = "stimbench remote"
WRITE_TIMEOUT_S = 2.0
_BAUD = 115_200  # USB ignores it; a UART bridge would not
_opened: weakref.WeakSet[serial.Serial] = weakref.WeakSet()  # by this process


class PortInfo(Protocol):
    """What pyserial tells of a port, as far as it matters here."""

    device: str
    vid: int | None
    product: str | None


def choose_port(ports: Sequence[PortInfo]) -> str:
    """The one port among `ports` that must be the stimulator's.

    An RP2040 that calls itself a stimulator goes before other RP2040s, and these before a remote: both boards
    are often plugged in together.

    Raises:
        PortError: there is none.
        InputError: there is more than one.
    """
    found = _candidates(ports, STIMULATOR_PRODUCT, REMOTE_PRODUCT)
    if not found:
        raise PortError(
            "No RP2040 board is plugged in. Name a port with --board, or `bench` for the emulated one."
        )
    return _only(found, "with --board")


def choose_remote_port(ports: Sequence[PortInfo]) -> str:
    """The one port among `ports` that must be the remote's, found as the stimulator's is.

    Raises:
        PortError: there is none; a board that calls itself a stimulator is none.
        InputError: there is more than one.
    """
    others = [port for port in ports if port.product != STIMULATOR_PRODUCT]
    found = _candidates(others, REMOTE_PRODUCT, STIMULATOR_PRODUCT)
    if not found:
        raise PortError("No remote is plugged in: connect it by USB, or name its port.")
    return _only(found, "by its port")


def find_port() -> str:
    """The stimulator's port among those of this machine (errors as for `choose_port`)."""
    return choose_port(list(serial.tools.list_ports.comports()))


def find_remote_port() -> str:
    """The remote's port among those of this machine (errors as for `choose_remote_port`)."""
    return choose_remote_port(list(serial.tools.list_ports.comports()))


def _candidates(ports: Sequence[PortInfo], product: str, other: str) -> list[PortInfo]:
    """RP2040s that call themselves `product`; else those that do not call themselves `other`; else all."""
    boards = [port for port in ports if port.vid == RASPBERRY_PI_VID]
    named = [port for port in boards if port.product == product]
    return named or [port for port in boards if port.product != other] or boards


def _only(found: Sequence[PortInfo], how: str) -> str:
    if len(found) == 1:
        return found[0].device
    names = ", ".join(port.device for port in found)
    raise InputError(f"{len(found)} RP2040 boards are plugged in ({names}). Say which one {how}.")


def usb_identity(path: str) -> UsbIdentity | None:
    """How the board behind a port calls itself on USB; None if the port is not on USB, or is not there."""
    real = os.path.realpath(path)
    for port in serial.tools.list_ports.comports():
        if port.vid is not None and real in (port.device, os.path.realpath(port.device)):
            return UsbIdentity(port.product or "", port.serial_number or "")
    return None


def open_port(path: str) -> serial.Serial:
    """Open a serial port or pty exclusively.

    Raises:
        PortError: there is no such port, it is in use, or this user may not open it.
    """
    try:
        port = serial.Serial(path, _BAUD, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
    except (OSError, ValueError) as error:
        raise PortError(_refusal_reason(path, error)) from error
    _opened.add(port)
    return port


def same_port(one: str, other: str) -> bool:
    """Whether two names are of one port: `/dev/serial/by-id/...` leads to `/dev/ttyACM0`."""
    return os.path.realpath(one) == os.path.realpath(other)


def _refusal_reason(port: str, error: Exception) -> str:
    code = getattr(error, "errno", None)
    text = str(error).lower()
    if code == errno.ENOENT or "no such file" in text or "filenotfound" in text:
        return f"There is no port {port}."
    if code in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "busy" in text:
        if any(mine.is_open and same_port(mine.name or "", port) for mine in _opened):
            return f"{port} is already in use by this command: each board has a port of its own."
        return f"{port} is in use by another program."
    if code == errno.EACCES or "permission" in text:
        # Windows reports a port that another program holds as a refused permission.
        return f"No permission to open {port} (on Linux, join the group dialout), or another program uses it."
    if (
        code in (errno.ENOTTY, errno.EINVAL, errno.EISDIR)
        or "inappropriate ioctl" in text
        or "directory" in text
    ):
        return f"{port} is not a serial port."
    return f"{port} cannot be opened: {error}."
