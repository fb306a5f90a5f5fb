"""One board to work with: what an emulated and a wired board have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from stimbench.devices.link import Link
from stimbench.devices.repl import BoardTransport

__all__ = ("Device", "Power", "UsbIdentity")


@dataclass(frozen=True)
class UsbIdentity:
    """How a board calls itself on USB."""

    product: str
    """`stimbench stimulator` or `stimbench remote`."""
    serial_number: str
    """The chip's own number in hex, the same after every reset."""


class Power(Protocol):
    """A board's supply, where it can be switched."""

    @property
    def is_on(self) -> bool:
        """Whether the board has power."""

    def on(self) -> None:
        """Switch it on: the board boots. Nothing if it is on. Call `Device.reconnect` next."""

    def off(self) -> None:
        """Switch it off at this instant: RAM is lost, a write to flash is cut short. Nothing if it is off."""


class Device(Protocol):
    """A board and the ways to it. Every time-out counts on the clock of its console.

    As a context manager it is open inside and closed afterwards.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """How messages name it: `/dev/ttyACM0`, `the emulated stimulator`."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether the port is taken."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name}, {'open' if self.is_open else 'closed'}>"

    @property
    @abstractmethod
    def identity(self) -> UsbIdentity | None:
        """How it calls itself on USB; None on a pty, which does not tell.

        The application says more: `stimbench.client.connect(device.console).identity`.
        """

    @property
    @abstractmethod
    def power(self) -> Power | None:
        """Its supply; None if it cannot be switched from here."""

    @property
    @abstractmethod
    def console(self) -> Link:
        """The bytes to and from the application, with the board's clock. It stays the same over a reset.

        Raises:
            PortError: the device is not open.
        """

    @abstractmethod
    def open(self) -> Self:
        """Take the port; nothing to do if it is open. Returns the device.

        Raises:
            PortError: there is no such port, or it cannot be had; one sentence says why.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the port back. Nothing if it is closed."""

    @abstractmethod
    def enter_repl(self) -> BoardTransport:
        """Interrupt what runs and enter the raw REPL; nothing to do if it was entered before.

        The application ends. Only a reset starts it again.

        Returns:
            mpremote's transport: `exec`, `eval`, `exec_raw`, files.

        Raises:
            PortError: the device is not open, or its port went away.
            NoAnswerError: no prompt came.
        """

    @abstractmethod
    def leave_repl(self) -> None:
        """Go from the raw REPL to the prompt that people use. Nothing if the REPL was not entered."""

    @abstractmethod
    def reset(self) -> None:
        """Reset the chip and return when its port is back. The application still boots then: ask it first.

        Raises:
            PortError: the device is not open, or its port does not come back.
            NoAnswerError: a wired board is reset from its REPL, and no prompt came.
        """

    @abstractmethod
    def reconnect(self) -> None:
        """Find the port again after a restart that was not `reset`. What the board sent before is lost.

        Raises:
            PortError: the device is not open, or its port does not come back.
        """

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
