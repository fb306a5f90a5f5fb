"""A board's circuit as plain data: what everything but SKiDL's own outputs is made from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from circuit.spec import Spec


@dataclass(frozen=True)
class Placed:
    """A part in its place. `nets` has the net of each joined pin, by the pin's name."""

    ref: str
    block: str
    spec: Spec
    nets: dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A board's parts, in the order in which they were placed."""

    name: str
    parts: tuple[Placed, ...]

    def part(self, ref: str) -> Placed:
        """The part of that reference; KeyError if there is none."""
        for part in self.parts:
            if part.ref == ref:
                return part
        raise KeyError(ref)

    def nets(self) -> dict[str, list[tuple[Placed, str, str]]]:
        """Each net's pins: part, number and name, in the order of placing."""
        found: dict[str, list[tuple[Placed, str, str]]] = defaultdict(list)
        for part in self.parts:
            for number, name, _ in part.spec.pins:
                if name in part.nets:
                    found[part.nets[name]].append((part, number, name))
        return dict(found)


def snapshot(sheet: Any) -> Snapshot:
    """Reads back what SKiDL holds: so BOM, wiring and SPICE say what its netlist says.

    Args:
        sheet: a circuit.sheet.Sheet.
    """
    placed = []
    for part in sheet.circuit.parts:
        nets: dict[str, str] = {}
        for pin in part.pins:
            names = {net.name for net in pin.nets if type(net).__name__ != "NCNet"}
            if len(names) > 1:
                raise ValueError(f"{part.ref}.{pin.name}: on nets {sorted(names)}")
            if names:
                nets[pin.name] = names.pop()
        placed.append(Placed(part.ref, sheet.blocks[part.ref], sheet.specs[part.ref], nets))
    return Snapshot(sheet.name, tuple(placed))
