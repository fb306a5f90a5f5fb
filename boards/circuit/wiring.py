"""Which wire goes where: a table to wire by, and the check of the Pico's pins."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from circuit.snapshot import Placed, Snapshot

COLUMNS = ("from_part", "from_pin", "from_name", "to_part", "to_pin", "to_name", "net", "colour")
_COLOURS = {"GND": "black", "+5V": "red", "VBUS": "red", "+3V3": "orange", "+15V": "yellow", "-15V": "blue"}
ON_THE_PICO = frozenset({"LED"})
"""Signals of pins.csv that never leave the module."""


def colour(net: str) -> str:
    """The colour of a net's wires."""
    if net in _COLOURS:
        return _COLOURS[net]
    if net.startswith(("RAW", "V_")):
        return "violet"
    return {"L": "white", "R": "green"}.get(net.partition("_")[0], "grey")


def wires(board: Snapshot) -> list[dict[str, str]]:
    """A row a wire: each net as a chain, in the order in which its parts were placed."""
    rows = []
    for net, pins in board.nets().items():
        for (part, number, name), (to, to_number, to_name) in pairwise(pins):
            ends = (part.ref, number, name, to.ref, to_number, to_name, net, colour(net))
            rows.append(dict(zip(COLUMNS, ends, strict=True)))
    return rows


def read_pins(path: Path) -> dict[str, int]:
    """Signals of a pins.csv and their GPIO numbers, without the board's own GP names."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, gpio = line.partition(",")
        if gpio and name != f"GP{gpio.removeprefix('GPIO')}":
            found[name] = int(gpio.removeprefix("GPIO"))
    return found


def pin_differences(pico: Placed, pins: dict[str, int]) -> list[str]:
    """Where the Pico's nets and pins.csv do not say the same.

    Args:
        pico: the Pico in its place.
        pins: signal and GPIO number, from `read_pins`.

    Returns:
        A line for each GPIO that differs, either way round; empty if all agree.
    """
    drawn = {
        int(name[2:]): net for name, net in pico.nets.items() if name.startswith("GP") and name[2:].isdigit()
    }
    wanted = {gpio: name for name, gpio in pins.items() if name not in ON_THE_PICO}
    return [
        f"GP{gpio}: {drawn.get(gpio, 'nothing')} in the circuit, {wanted.get(gpio, 'nothing')} in pins.csv"
        for gpio in sorted(drawn.keys() | wanted.keys())
        if drawn.get(gpio) != wanted.get(gpio)
    ]
