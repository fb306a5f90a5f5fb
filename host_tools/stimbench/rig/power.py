"""A board's supply through uhubctl: a USB hub that can switch its sockets."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimbench.errors import InputError, RigError

__all__ = ("HubPort", "Runner", "UhubctlPower", "list_hubs", "parse_place", "run_program")

_PLACE = re.compile(r"(\d+-\d+(?:\.\d+)*):(\d+)")
_HUB = re.compile(r"(?:Current|New) status for hub (\S+)")
_PORT = re.compile(r"\s+Port (\d+): ([0-9a-f]{4})(.*)")
_POWERED = 0x0100
"""Bit PORT_POWER of a USB 2 hub's port status (USB 2.0, table 11-21)."""
_POWERED_USB3 = 0x0200
"""The same of a USB 3 hub (USB 3.2, table 10-13)."""
_TIMEOUT_S = 20.0
Runner = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def run_program(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run uhubctl with a list of arguments; OSError or TimeoutExpired if it cannot be done."""
    return subprocess.run(
        list(arguments), capture_output=True, text=True, check=False, timeout=_TIMEOUT_S,
        stdin=subprocess.DEVNULL, errors="replace",
    )  # fmt: skip


@dataclass(frozen=True)
class HubPort:
    """A socket of a hub that can be switched.

    Attributes:
        hub: its place, `1-1`.
        port: from 1.
        is_on: whether it has power.
        told: what uhubctl says of the device in it.
    """

    hub: str
    port: int
    is_on: bool
    told: str = ""

    @property
    def place(self) -> str:
        """`1-1:2`, as a bench file has it."""
        return f"{self.hub}:{self.port}"


def parse_place(place: str) -> tuple[str, int]:
    """Hub and port of `1-1:2`.

    Raises:
        InputError: it is none.
    """
    found = _PLACE.fullmatch(place)
    if not found:
        raise InputError(f"{place!r} is no socket of a hub: write 1-1:2, as uhubctl prints hub and port.")
    return found[1], int(found[2])


def list_hubs(run: Runner = run_program) -> list[HubPort]:
    """Every socket that uhubctl can switch.

    Raises:
        RigError: uhubctl is not installed, or finds no such hub.
    """
    return _parsed(_asked(run, []))


class UhubctlPower:
    """See stimbench.devices.device.Power."""

    def __init__(self, place: str, run: Runner = run_program) -> None:
        """Use one socket.

        Args:
            place: `1-1:2`.
            run: runs uhubctl.

        Raises:
            InputError: the place is none.
        """
        self._hub, self._port = parse_place(place)
        self._place, self._run = place, run

    def __repr__(self) -> str:
        return f"<UhubctlPower {self._place}>"

    @property
    def is_on(self) -> bool:
        """Whether the socket has power.

        Raises:
            RigError: uhubctl fails, or knows no such socket.
        """
        for each in _parsed(_asked(self._run, self._arguments())):
            if (each.hub, each.port) == (self._hub, self._port):
                return each.is_on
        raise RigError(f"uhubctl knows no socket {self._place}.")

    def on(self) -> None:
        """Switch it on. RigError if it stays off."""
        self._switch("on")

    def off(self) -> None:
        """Switch it off. RigError if it stays on: many hubs say that they can and do not."""
        self._switch("off")

    def _switch(self, state: str) -> None:
        _asked(self._run, [*self._arguments(), "-a", state])
        if self.is_on != (state == "on"):
            raise RigError(f"uhubctl could not switch {self._place} {state}: the hub takes no notice.")

    def _arguments(self) -> list[str]:
        return ["-l", self._hub, "-p", str(self._port)]


def _asked(run: Runner, arguments: Sequence[str]) -> str:
    try:
        done = run(["uhubctl", *arguments])
    except FileNotFoundError as error:
        raise RigError("uhubctl, which switches USB sockets, is not installed.") from error
    except OSError as error:
        raise RigError(f"uhubctl cannot be started: {error.strerror}.") from error
    except subprocess.TimeoutExpired as error:
        raise RigError(f"uhubctl did not end within {_TIMEOUT_S:g} s.") from error
    if done.returncode:
        words = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise RigError(f"uhubctl failed: {words[0].rstrip('.') if words else 'it does not say why'}.")
    return done.stdout


def _parsed(text: str) -> list[HubPort]:
    """The last that it says of each socket: after a switch it prints both the old and the new state."""
    found: dict[tuple[str, int], HubPort] = {}
    hub, powered = "", _POWERED
    for line in text.splitlines():
        if header := _HUB.search(line):
            hub, powered = header[1], _POWERED_USB3 if "USB 3" in line else _POWERED
        elif hub and (row := _PORT.match(line)):
            is_on = bool(int(row[2], 16) & powered)
            found[hub, int(row[1])] = HubPort(hub, int(row[1]), is_on, row[3].strip())
    return list(found.values())
