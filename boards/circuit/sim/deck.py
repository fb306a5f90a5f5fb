"""From a board's snapshot to a SPICE netlist: every cell of every part, joined as SKiDL joined it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from circuit.sim.models import LIBRARY
from circuit.snapshot import Placed, Snapshot
from circuit.spec import Cell

_DIODES = ("dsig", "dschottky", "dbody")
SOURCES = {"+5V": 5.0, "+3V3": 3.3}
"""Rails that come from parts without a model (USB, the Pico), in V."""
STRAY_F = {"P": 5e-12, "A": 5e-12, "X": 5e-12, "BLOCK": 5e-12, "SRC": 10e-12, "SNK": 10e-12, "B": 5e-12}
"""What a breadboard adds between these nets of a lead and ground: two rows of contacts and a short wire."""


@dataclass
class Changes:
    """What differs from the nominal circuit.

    Attributes:
        values: another value for a resistor, capacitor or coil, by reference, SI units.
        params: other parameters of a part's cells, by reference.
        gone: references that are taken out.
        extra: lines of SPICE that are added: faults, loads, sources.
    """

    values: dict[str, float] = field(default_factory=dict)
    params: dict[str, dict[str, float]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    extra: list[str] = field(default_factory=list)


def node(net: str) -> str:
    """A net's name in SPICE: `+15V` is p15v, GND is 0."""
    if net == "GND":
        return "0"
    return re.sub(r"\W", "_", net.replace("+", "p").replace("-", "n")).lower()


def circuit_lines(board: Snapshot, sides: str = "LR", changes: Changes | None = None) -> list[str]:
    """The circuit's elements.

    Args:
        board: the stimulator.
        sides: which leads; what only another one has is left out.
        changes: what differs from the drawing.
    """
    changes = changes or Changes()
    skip = tuple(f"{side}_" for side in "LR" if side not in sides)
    lines = []
    for part in board.parts:
        if part.ref in changes.gone:
            continue
        for index, cell in enumerate(part.spec.cells):
            nets = [part.nets.get(pin) for pin in cell.pins]
            if None in nets or any(net.startswith(skip) for net in nets if net and skip):
                continue
            lines.append(_element(part, index, cell, [node(net) for net in nets if net], changes))
    lines += [f"V{node(net)} {node(net)} 0 {volt}" for net, volt in SOURCES.items()]
    for side in sides:
        lines += [
            f"Cstray_{side}_{name} {node(f'{side}_{name}')} 0 {farad:g}" for name, farad in STRAY_F.items()
        ]
    return lines + changes.extra


def deck(title: str, lines: Iterable[str], control: Iterable[str], reltol: float = 1e-4) -> str:
    """A complete input file for ngspice; `reltol` is its relative tolerance."""
    options = f".options reltol={reltol:g} abstol=1e-11 vntol=1e-6 chgtol=1e-15 method=gear rshunt=1e13"
    return "\n".join([f"* {title}", LIBRARY, *lines, options, ".control", *control, ".endc", ".end", ""])


def _element(part: Placed, index: int, cell: Cell, nodes: list[str], changes: Changes) -> str:
    joined = " ".join(nodes)
    name = f"{part.ref}_{index}" if len(part.spec.cells) > 1 else part.ref
    if cell.model in ("R", "C"):
        value = changes.values.get(part.ref, cell.params.get("value", part.spec.si))
        return f"{cell.model}{name} {joined} {value:g}"
    if cell.model in _DIODES:
        return f"D{name} {joined} {cell.model}"
    params: Mapping[str, float] = {**cell.params, **changes.params.get(part.ref, {})}
    params = {**params, **changes.params.get(f"{part.ref}_{index}", {})}
    if cell.model == "L":
        return f"X{name} {joined} coil value={changes.values.get(part.ref, part.spec.si):g}"
    given = " ".join(f"{key}={value:g}" for key, value in sorted(params.items()))
    return f"X{name} {joined} {cell.model} {given}".rstrip()
