"""What a part is: value, rating, who makes it, its pins, and how SPICE sees it. Knows no SKiDL."""

from __future__ import annotations

from dataclasses import dataclass, field

PinRow = tuple[str, str, str]
"""Number, name, kind: in, out, oc (open collector), bi, pas, pwr, src (a supply's output) or nc."""


@dataclass(frozen=True)
class Cell:
    """One SPICE element that a part holds: a chip of four switches has four.

    Attributes:
        model: a subcircuit of circuit.spice.models, or R, C, L, D for SPICE's own elements.
        pins: names of the part's pins, in the order in which the model takes its nodes.
        params: the model's parameters where they are not its defaults, SI units.
    """

    model: str
    pins: tuple[str, ...]
    params: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """One line of an order, as often as it is used.

    Attributes:
        value: what the drawing says: `10k`, `DG412`.
        tolerance: of the value, as a datasheet says it; `-` where a part has none.
        rating: what it bears.
        maker, number: who makes it and the number to order.
        second: maker and number of another part that does the same.
        must_match: what any other substitute must match.
        package: through-hole, or the breakout that it sits on.
        prefix: of its reference, `R`, `U`.
        pins: number, name and kind of each pin.
        cells: how SPICE sees it; empty: SPICE does not.
        si: of a resistor, capacitor or coil: the value in SI units.
        share: the tolerance of `si` as a share: 0.001 is 0.1 %.
    """

    value: str
    tolerance: str
    rating: str
    maker: str
    number: str
    second: str
    must_match: str
    package: str
    prefix: str
    pins: tuple[PinRow, ...]
    cells: tuple[Cell, ...] = ()
    si: float = 0.0
    share: float = 0.0


TWO_PINS: tuple[PinRow, ...] = (("1", "1", "pas"), ("2", "2", "pas"))


def rows(text: str) -> tuple[PinRow, ...]:
    """Pins from text: `1 OUT out; 2 IN- in` is two rows."""
    found = []
    for row in text.split(";"):
        number, name, kind = row.split()
        found.append((number, name, kind))
    return tuple(found)
