"""What of a bench can be reached now: boards by their ports, instruments by their own words, the supply."""

from __future__ import annotations

import os
from dataclasses import dataclass

from stimbench.devices.targets import port_of
from stimbench.errors import PortError, StimbenchError
from stimbench.rig.rig import Rig

__all__ = ("Reached", "reach")


@dataclass(frozen=True)
class Reached:
    """One thing of a bench.

    Attributes:
        name: `stimulator`, `fx2lafw`, `power`.
        ok: whether it is there.
        told: where it is, or why not.
    """

    name: str
    ok: bool
    told: str


def reach(rig: Rig) -> list[Reached]:
    """Look for everything that the file names; no board is opened and nothing is switched.

    Raises:
        InputError: an instrument cannot be made from its settings.
    """
    if rig.file.is_emulated:
        return []
    found = []
    ports = rig.parts.list_ports()
    for board, entry in rig.file.boards.items():
        try:
            port = port_of(entry.where, ports)
            if os.sep in port and not os.path.exists(port):
                raise PortError(f"There is no port {port}.")
            found.append(Reached(board, True, f"{entry.serial} on {port}" if entry.serial else port))
        except StimbenchError as error:
            found.append(Reached(board, False, str(error)))
    for wired in rig.file.sources:
        try:
            origin = rig.parts.make_source(wired).identify()
            found.append(Reached(wired.entry.name, True, origin.instrument))
        except StimbenchError as error:
            found.append(Reached(wired.entry.name, False, str(error)))
    if rig.file.power:
        found.append(_power(rig))
    return found


def _power(rig: Rig) -> Reached:
    try:
        state = "on" if rig.parts.make_power(rig.file.power).is_on else "off"
    except StimbenchError as error:
        return Reached("power", False, str(error))
    return Reached("power", True, f"uhubctl {rig.file.power} is {state}")
