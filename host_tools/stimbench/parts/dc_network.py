"""A network of resistors and steady currents, solved by node voltages (Kirchhoff): what a slow meter sees.

Capacitors carry no direct current, so they are left out. Every node leaks a little to ground, so that one
which nothing else joins has a voltage, too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ("GROUND", "DcNetwork")

GROUND = "GND"
_LEAK_S = 1e-13
"""Of a node to ground: 10 Tohm, a clean breadboard."""
_PROBE_A = 1e-3


class DcNetwork:
    """Nodes are named; they come into being when something is joined to them."""

    def __init__(self) -> None:
        self._joins: list[tuple[str, str, float]] = []
        self._currents: list[tuple[str, float]] = []

    def resistor(self, one: str, other: str, ohm: float) -> None:
        """Join two nodes by a resistor, in ohm; not positive or infinite joins nothing."""
        if 0.0 < ohm < float("inf"):
            self._joins.append((one, other, 1.0 / ohm))

    def current(self, node: str, amps: float) -> None:
        """Push a current from ground into a node, in A."""
        self._currents.append((node, amps))

    def source(self, node: str, volts: float, ohm: float) -> None:
        """Hold a node at a voltage through a resistor."""
        self.resistor(node, GROUND, ohm)
        self.current(node, volts / ohm)

    def ohm_at(self, node: str) -> float:
        """Between a node and ground: how much it rises for each ampere that is pushed into it."""
        before = self.solve()[node]
        self._currents.append((node, _PROBE_A))
        after = self.solve()[node]
        self._currents.pop()
        return (after - before) / _PROBE_A

    def solve(self) -> Mapping[str, float]:
        """Volts of every node against ground."""
        names = sorted({end for one, other, _ in self._joins for end in (one, other)}
                       | {node for node, _ in self._currents})  # fmt: skip
        names = [name for name in names if name != GROUND]
        at = {name: k for k, name in enumerate(names)}
        matrix = np.eye(len(names)) * _LEAK_S
        pushed = np.zeros(len(names))
        for one, other, siemens in self._joins:
            for end, far in ((one, other), (other, one)):
                if end == GROUND:
                    continue
                matrix[at[end], at[end]] += siemens
                if far != GROUND:
                    matrix[at[end], at[far]] -= siemens
        for node, amps in self._currents:
            if node != GROUND:
                pushed[at[node]] += amps
        found = np.linalg.solve(matrix, pushed) if names else pushed
        return {GROUND: 0.0, **{name: float(found[k]) for name, k in at.items()}}
