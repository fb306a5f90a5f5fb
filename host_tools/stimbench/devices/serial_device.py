"""A board on a serial port of this machine: a wired one, or the pty of a bench that another process runs."""

from __future__ import annotations

import time
from typing import Self

import serial  # type: ignore[import-untyped, unused-ignore]

from stimbench.devices.device import Device, UsbIdentity
from stimbench.devices.link import SerialLink
from stimbench.devices.repl import BoardTransport, entered
from stimbench.devices.serial_ports import open_port, usb_identity
from stimbench.errors import PortError

__all__ = ("SerialDevice",)

_RESET = "import sys; sys.path.clear(); import machine; machine.reset()"
"""Without a path no file is searched for: an mpremote that is gone may have left its folder mounted."""
_GONE_S = 0.2
"""How long a board that was reset is given to leave the bus, and between two tries to open its port again."""
_BACK_S = 3.0


class SerialDevice(Device):
    """A board behind a port that is held alone while it is open."""

    def __init__(self, path: str) -> None:
        """Args: path: `/dev/ttyACM0`, `COM3`, or a pty of `stimbench bench up`."""
        self._path = path
        self._port: serial.Serial | None = None
        self._link: SerialLink | None = None
        self._transport: BoardTransport | None = None

    @property
    def name(self) -> str:
        """The port's path."""
        return self._path

    @property
    def is_open(self) -> bool:
        """Whether the port is taken."""
        return self._port is not None

    @property
    def identity(self) -> UsbIdentity | None:
        """See Device.identity."""
        return usb_identity(self._path)

    @property
    def power(self) -> None:
        """None: USB feeds it."""
        return None

    @property
    def console(self) -> SerialLink:
        """See Device.console."""
        if self._link is None:
            raise self._not_open()
        return self._link

    def _not_open(self) -> PortError:
        return PortError(f"{self.name} is not open.")

    def open(self) -> Self:
        """See Device.open."""
        if self._port is None:
            self._port = open_port(self._path)
            self._link = SerialLink(self._path, self._port)
        return self

    def close(self) -> None:
        """See Device.close."""
        if self._port is not None:
            self._port.close()
            self._port = self._link = self._transport = None

    def enter_repl(self) -> BoardTransport:
        """See Device.enter_repl."""
        if self._port is None:
            raise self._not_open()
        if self._transport is None:
            self._transport = BoardTransport(self._port)
        return entered(self._transport, self.name)

    def leave_repl(self) -> None:
        """See Device.leave_repl."""
        if self._transport is not None and self._transport.in_raw_repl:
            self._transport.exit_raw_repl()

    def reset(self) -> None:
        """Reset the chip by its own `machine.reset()`, from the REPL."""
        self.enter_repl().exec_raw_no_follow(_RESET)
        self.reconnect()

    def reconnect(self) -> None:
        """See Device.reconnect. The port is the same object, so the console lives on."""
        if self._port is None:
            raise self._not_open()
        self._transport = None
        self._port.close()
        end_s = time.monotonic() + _BACK_S
        while not self._port.is_open:
            time.sleep(_GONE_S)
            try:
                self._port.open()
            except OSError as error:  # pyserial's SerialException is one
                if time.monotonic() > end_s:
                    raise PortError(f"{self.name} does not come back: {error}.") from error
