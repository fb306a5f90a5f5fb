"""What is plugged into this machine that a bench is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from stimbench.errors import RigError
from stimbench.flashing.usb import UsbFinder, UsbPort
from stimbench.instruments.sigrok_program import Analyser, scan
from stimbench.rig.power import HubPort, list_hubs

__all__ = ("Found", "Looks", "list_usb_instruments", "look")

_T = TypeVar("_T")
_DEMO = "demo"
"""sigrok's driver of an instrument that is not there."""


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        boards: serial ports of RP2040s.
        analysers: what sigrok-cli can read.
        resources: VISA's names of instruments.
        sockets: of hubs that can switch them.
        unknown: what could not be looked for, and why: a sentence each.
    """

    boards: tuple[UsbPort, ...] = ()
    analysers: tuple[Analyser, ...] = ()
    resources: tuple[str, ...] = ()
    sockets: tuple[HubPort, ...] = ()
    unknown: tuple[str, ...] = ()

    def socket_of(self, board: UsbPort) -> HubPort | None:
        """The socket that a board is in, if it can be switched: uhubctl prints serial numbers."""
        if not board.serial_number:
            return None
        return next((each for each in self.sockets if board.serial_number in each.told), None)


def list_usb_instruments() -> list[str]:
    """VISA's names of the instruments on USB. Those of a network are not searched for: a person knows them.

    Raises:
        RigError: PyVISA is not installed, or cannot reach USB.
    """
    try:
        from pyvisa.constants import InterfaceType
        from pyvisa_py.sessions import Session
    except ImportError as error:
        raise RigError("Oscilloscopes: PyVISA is missing (pip install 'stimbench[instruments]').") from error
    try:
        found = [
            list(kind.list_resources())
            for (interface, name), kind in Session.iter_valid_session_classes()
            if interface == InterfaceType.usb and name == "INSTR"
        ]
    except Exception as error:  # of libusb, which raises its own
        raise RigError(f"Oscilloscopes: USB cannot be searched: {error}.") from error
    return [name for names in found for name in names]


@dataclass(frozen=True)
class Looks:
    """Where to look; tests put fakes here."""

    boards: Callable[[], Sequence[UsbPort]] = lambda: UsbFinder().ports()
    analysers: Callable[[], Sequence[Analyser]] = scan
    resources: Callable[[], Sequence[str]] = list_usb_instruments
    sockets: Callable[[], Sequence[HubPort]] = list_hubs


def look(looks: Looks | None = None) -> Found:
    """Look everywhere. What cannot be looked for is told, and the rest is found all the same."""
    looks = looks or Looks()
    unknown: list[str] = []
    analysers = [each for each in _tried(looks.analysers, unknown) if each.driver.partition(":")[0] != _DEMO]
    return Found(
        tuple(looks.boards()), tuple(analysers), tuple(_tried(looks.resources, unknown)),
        tuple(_tried(looks.sockets, unknown)), tuple(unknown),
    )  # fmt: skip


def _tried(search: Callable[[], Sequence[_T]], unknown: list[str]) -> Sequence[_T]:
    try:
        return search()
    except RigError as error:
        unknown.append(str(error))
        return ()
