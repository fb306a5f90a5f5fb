"""A circuit drawn at random within every part's tolerance, the same for the same seed."""

from __future__ import annotations

import random

from circuit.sim.deck import Changes
from circuit.snapshot import Placed, Snapshot

PART: dict[str, dict[str, tuple[float, float]]] = {
    "switch": {"ron": (15, 35), "ton": (70e-9, 175e-9), "toff": (60e-9, 145e-9), "qinj": (0, 10e-12)},
    "matrix": {"ron": (8.0, 11.5), "leak": (-0.15e-9, 0.15e-9)},
    "opamp": {"gbw": (7e6, 13e6), "pole": (20e6, 40e6)},
    "inamp": {"bw": (1e6, 2e6), "cmrr": (-2.5e-6, 2.5e-6)},
    "schmitt": {"vtp": (2.3, 3.3), "vtn": (1.2, 2.0)},
    "nand": {"tau": (10e-9, 25e-9)},
    "pmos": {"vto": (-3.5, -1.5), "kp": (0.08, 0.16), "cgd": (5e-12, 10e-12), "cds": (12e-12, 22e-12)},
    "nmos": {"vto": (0.8, 3.0), "kp": (0.13, 0.27)},
    "source": {},
    "contact": {"tau": (0.2e-3, 3e-3)},
}
"""Limits that all channels of one chip share: datasheet minimum and maximum, or +-30 % where it has only a
typical."""
CELL: dict[str, dict[str, tuple[float, float]]] = {
    "switch": {"leak": (-0.25e-9, 0.25e-9)},
    "opamp": {"vos": (-0.25e-3, 0.25e-3)},
    "inamp": {"vos": (-35e-6, 35e-6)},
}
"""Limits that each channel draws for itself."""
MATCH = {"switch": 0.05, "schmitt": 0.03}
"""How far the channels of one chip lie apart, as a share: not in the datasheets, taken from their curves."""
SUPPLY_SHARE = 0.03
"""The converter's 2 % and 1 % over the load."""


def draw(board: Snapshot, seed: int) -> Changes:
    """One circuit within tolerance.

    Args:
        board: the nominal circuit.
        seed: the same seed draws the same circuit.
    """
    rng = random.Random(seed)
    changes = Changes()
    for part in board.parts:
        if part.spec.si:
            share = part.spec.share
            changes.values[part.ref] = part.spec.si * (1.0 + rng.uniform(-share, share))
        elif part.spec.cells:
            _draw_cells(part, rng, changes)
    return changes


def _draw_cells(part: Placed, rng: random.Random, changes: Changes) -> None:
    model = part.spec.cells[-1].model  # a relay begins with its coil
    shared = {name: rng.uniform(*limits) for name, limits in PART.get(model, {}).items()}
    for index, cell in enumerate(part.spec.cells):
        key = f"{part.ref}_{index}" if len(part.spec.cells) > 1 else part.ref
        own = {name: rng.uniform(*limits) for name, limits in CELL.get(cell.model, {}).items()}
        spread = MATCH.get(cell.model, 0.0)
        mine = {name: value * (1.0 + rng.uniform(-spread, spread)) for name, value in shared.items()}
        if cell.model == "source":
            share = SUPPLY_SHARE if cell.params["volt"] > 10 else 0.0002
            mine["volt"] = cell.params["volt"] * (1.0 + rng.uniform(-share, share))
        if cell.model == "R":
            continue
        changes.params[key] = mine | own
