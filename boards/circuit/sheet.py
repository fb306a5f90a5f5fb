"""Puts parts on a drawing and joins them by the names of their nets: a thin layer over SKiDL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from circuit import passives
from circuit.spec import Spec

SAID = StringIO()
"""What SKiDL has to say: it looks for KiCad's libraries, which nothing here uses. ERC's words, too."""

with redirect_stderr(SAID):
    import skidl

_KINDS = {
    "in": skidl.Pin.types.INPUT,
    "out": skidl.Pin.types.OUTPUT,
    "oc": skidl.Pin.types.OPENCOLL,
    "bi": skidl.Pin.types.BIDIR,
    "pas": skidl.Pin.types.PASSIVE,
    "pwr": skidl.Pin.types.PWRIN,
    "src": skidl.Pin.types.PWROUT,
    "nc": skidl.Pin.types.NOCONNECT,
}
POWERED_BY_WIRE = ("GND", "+15V", "-15V", "+5V")
"""Ground, and nets behind a coil or a fuse: SKiDL takes them for undriven."""


class Sheet:
    """One board's circuit. Every part is in a block, which is also a drawing."""

    def __init__(self, name: str) -> None:
        """Begin an empty circuit; `name` is the board's."""
        self.name = name
        self.circuit = skidl.Circuit(name=name, tag=name)
        self.specs: dict[str, Spec] = {}
        self.blocks: dict[str, str] = {}
        self._block = ""
        self._counts: dict[str, int] = {}
        self._nets: dict[str, Any] = {}

    def block(self, name: str) -> None:
        """The parts that follow belong to this block."""
        self._block = name

    def net(self, name: str) -> Any:
        """The net of that name, made at its first use."""
        if name not in self._nets:
            net = skidl.Net(name, circuit=self.circuit)
            if name in POWERED_BY_WIRE:
                net.drive = skidl.Pin.drives.POWER
            self._nets[name] = net
        return self._nets[name]

    def add(self, spec: Spec, joins: Mapping[str, str | None], ref: str = "") -> str:
        """Place a part.

        Args:
            spec: what it is.
            joins: the net of each pin by the pin's name; None leaves it open on purpose.
            ref: its reference; numbered within its prefix if not given.

        Returns:
            The reference.

        Raises:
            ValueError: a pin is missing in `joins`, or unknown.
        """
        names = {name for _, name, kind in spec.pins if kind != "nc"}
        if names != set(joins):
            raise ValueError(f"{ref or spec.value}: pins {sorted(names ^ set(joins))}")
        self._counts[spec.prefix] = self._counts.get(spec.prefix, 0) + 1
        ref = ref or f"{spec.prefix}{self._counts[spec.prefix]}"
        if ref in self.specs:
            raise ValueError(f"{ref}: twice")
        part = self._make(spec, ref)
        for pin in part.pins:
            target = joins.get(pin.name)
            pin += self.net(target) if target is not None else self.circuit.NC
        self.specs[ref], self.blocks[ref] = spec, self._block
        return ref

    def two(self, spec: Spec, first: str, second: str, ref: str = "") -> str:
        """Place a part of two legs: first pin (or + or K) and second pin (or - or A)."""
        return self.add(spec, {spec.pins[0][1]: first, spec.pins[1][1]: second}, ref)

    def decouple(self, *nets: str, to: str = "GND") -> None:
        """100 nF from each of the nets to ground, beside a chip."""
        for net in nets:
            self.two(passives.DECOUPLE, net, to)

    def _make(self, spec: Spec, ref: str) -> Any:
        pins = [skidl.Pin(num=number, name=name, func=_KINDS[kind]) for number, name, kind in spec.pins]
        template = skidl.Part(
            name=spec.value, tool=skidl.SKIDL, dest=skidl.TEMPLATE, pins=pins, ref_prefix=spec.prefix
        )
        part = template(
            circuit=self.circuit, ref=ref, value=spec.value, tag=f"{self.name}-{ref}", footprint=spec.package
        )
        part.fields["manufacturer"], part.fields["mpn"] = spec.maker, spec.number
        return part
