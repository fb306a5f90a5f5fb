"""How bytes reach a board: one small protocol, whatever carries them.

A link has its own clock, because the built-in bench's time is not the wall's: a timeout of 1 s means
1 s of the board's time on either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from stimbench.errors import PortError

__all__ = ("Endpoint", "Link", "SerialLink", "SerialPort", "went_away")


class Endpoint(Protocol):
    """Who is at the other end, and the clock that time-outs are counted on."""

    @property
    def name(self) -> str:
        """How messages name the far end: `/dev/ttyACM0`, `the built-in bench`."""

    def now_s(self) -> float:
        """The link's clock, in seconds from any origin."""

    def wait(self, seconds: float) -> None:
        """Let `seconds` of the link's time pass."""


class Link(Endpoint, Protocol):
    """A two-way stream of bytes to one board."""

    def write(self, data: bytes) -> None:
        """Send all of `data`; PortError if the port went away."""

    def read(self, deadline_s: float) -> bytes:
        """The bytes that have arrived, waiting for the first until `deadline_s` (of `now_s`).

        Returns:
            At least one byte, or b"" if none came in time.

        Raises:
            PortError: the port went away.
        """

    def close(self) -> None:
        """Give the port back; a second time does nothing."""


class SerialPort(Protocol):
    """The part of pyserial's interface that a link needs."""

    timeout: float | None

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, after at most `timeout` seconds."""

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""

    def close(self) -> None:
        """Close."""


class SerialLink:
    """A link over a serial port."""

    def __init__(
        self,
        name: str,
        port: SerialPort,
        now_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use an open `port`; `now_s` and `wait` are the clock that its timeouts are counted on."""
        self._name = name
        self._port = port
        self._now_s = now_s
        self._wait = wait

    def __repr__(self) -> str:
        return f"<SerialLink to {self._name}>"

    @property
    def name(self) -> str:
        """How messages name the far end."""
        return self._name

    def now_s(self) -> float:
        """The port's clock, in seconds."""
        return self._now_s()

    def wait(self, seconds: float) -> None:
        """Let `seconds` of the port's time pass."""
        self._wait(seconds)

    def write(self, data: bytes) -> None:
        """Send all of `data`; PortError if the port went away."""
        try:
            self._port.write(data)
        except OSError as error:  # pyserial's SerialException is one
            raise PortError(f"Writing to {self._name} failed: {error}.") from error

    def read(self, deadline_s: float) -> bytes:
        """See Link.read."""
        try:
            self._port.timeout = max(0.0, deadline_s - self._now_s())
            first = self._port.read(1)
            if not first:
                return b""
            waiting = self._port.in_waiting
            return first + (self._port.read(waiting) if waiting else b"")
        except OSError as error:
            raise went_away(self._name, error) from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def went_away(name: str, error: Exception) -> PortError:
    """What to raise when a port fails that was open; `name` is how messages name the far end."""
    return PortError(f"{name} went away: {error}. Is the board still plugged in?")
