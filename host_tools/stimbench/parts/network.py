"""The closed form of one lead's circuit: resistors and capacitors between two rails, solved exactly.

States are the voltages on five capacitors: four electrode interfaces (`C_dl`) and the series capacitor that
blocks DC. For one setting of switches the circuit is linear, dx/dt = A x + b u, so it is solved once by an
eigenvalue decomposition (A is similar to a symmetric matrix, because every element between the capacitors
is a resistor) and kept; each later pulse only evaluates five exponentials.

Two ways to drive the rails from behind the blocking capacitor:

- `source_ohm=None`: a current u, in A, positive from the source rail through the tissue to the sink rail;
- `source_ohm=r`: a voltage u, in V, behind r ohm: the pump at its compliance limit, or the passive recharge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .adg1414 import R_ON_OHM

__all__ = ("BLOCKING_F", "ElectrodeValues", "LeadConfig", "Modes", "solve")

BLOCKING_F = 4.7e-6
"""The series capacitor in each lead."""

BLEED_OHM = 100e6
"""Between the rails: a way home for the buffers' bias (docs/decisions/0052). It holds open rails at 0 V."""

_LEAK_S = 1e-12
_CONTACT_OHM = 0.5
"""Between two conductors whose insulation is gone."""
_NO_DECAY = -1e-12
"""Stands for an eigenvalue of 0 (a capacitor that nothing discharges): a time constant of 30 000 years."""

_SOURCE, _SINK, _E0, _TISSUE, _NODES = 0, 1, 2, 6, 7
# The tissue is the reference of all node voltages: it floats on the bench, so any node would do.
_STATES = 5
_BLOCK = 4
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ElectrodeValues:
    """One electrode as the circuit sees it. `c_dl_f` of 0 means no interface: a plain resistor."""

    r_s_ohm: float
    r_ct_ohm: float
    c_dl_f: float
    open: bool = False


@dataclass(frozen=True, slots=True)
class LeadConfig:
    """Everything that the matrices depend on; the key under which a solution is kept.

    `mask` is the ADG1414's byte, `shorts` pairs of electrodes that touch, `r_on_ohm` of one closed switch.
    """

    mask: int
    electrodes: tuple[ElectrodeValues, ...]
    shorts: tuple[tuple[int, int], ...]
    source_ohm: float | None
    r_on_ohm: float = R_ON_OHM
    bleed_ohm: float = BLEED_OHM


@dataclass(frozen=True, slots=True)
class Modes:
    """The solution for one configuration.

    With x the capacitor voltages: z = to_modes @ x, and after t seconds
    z(t) = z0 + expm1(rates * t) * (z0 + drive * u); x = from_modes @ z.
    Outputs are rows @ z + direct * u: 0 the voltage from the source rail to the sink rail, 1 the voltage on
    the blocking capacitor, 2 the current through it.
    """

    rates: Vector
    to_modes: Vector
    from_modes: Vector
    drive: Vector
    rows: Vector
    direct: Vector


def _conductances(config: LeadConfig) -> Vector:
    """The node matrix in siemens; the tissue is one node, and every other leaks a little to it."""
    g = np.eye(_NODES) * _LEAK_S

    def join(a: int, b: int, siemens: float) -> None:
        g[a, a] += siemens
        g[b, b] += siemens
        g[a, b] -= siemens
        g[b, a] -= siemens

    join(_SOURCE, _SINK, 1.0 / config.bleed_ohm)
    for k, electrode in enumerate(config.electrodes):
        if config.mask >> k & 1:
            join(_SOURCE, _E0 + k, 1.0 / config.r_on_ohm)
        if config.mask >> (k + 4) & 1:
            join(_SINK, _E0 + k, 1.0 / config.r_on_ohm)
        join(_E0 + k, _TISSUE, _branch_siemens(electrode))
    for a, b in config.shorts:
        join(_E0 + a, _E0 + b, 1.0 / _CONTACT_OHM)
    if config.source_ohm is not None:
        join(_SOURCE, _SINK, 1.0 / config.source_ohm)
    return g


def _branch_siemens(electrode: ElectrodeValues) -> float:
    return 0.0 if electrode.open else 1.0 / electrode.r_s_ohm


def _injections(config: LeadConfig) -> Vector:
    """Current into each node per volt on each capacitor (columns 0-4) and per unit of drive (column 5)."""
    inject = np.zeros((_NODES, _STATES + 1))
    for k, electrode in enumerate(config.electrodes):
        if electrode.c_dl_f <= 0.0:
            continue
        inject[_E0 + k, k] += _branch_siemens(electrode)
        inject[_TISSUE, k] -= _branch_siemens(electrode)
    g = 1.0 if config.source_ohm is None else 1.0 / config.source_ohm
    inject[_SOURCE, _STATES] += g
    inject[_SINK, _STATES] -= g
    if config.source_ohm is not None:
        inject[_SOURCE, _BLOCK] -= g
        inject[_SINK, _BLOCK] += g
    return inject


@lru_cache(maxsize=1024)
def solve(config: LeadConfig) -> Modes:
    """Work out the modes of one configuration (a tenth of a millisecond; results are kept)."""
    nodes = np.zeros((_NODES, _STATES + 1))
    nodes[:_TISSUE] = np.linalg.solve(
        _conductances(config)[:_TISSUE, :_TISSUE], _injections(config)[:_TISSUE]
    )
    unit = np.eye(_STATES + 1)
    rail_to_rail = nodes[_SOURCE] - nodes[_SINK]
    if config.source_ohm is None:
        amps = unit[_STATES]
    else:
        amps = (unit[_STATES] - unit[_BLOCK] - rail_to_rail) / config.source_ohm
    capacity = np.full(_STATES, BLOCKING_F)
    flow = np.zeros((_STATES, _STATES + 1))  # current into each capacitor
    flow[_BLOCK] = amps
    for k, electrode in enumerate(config.electrodes):
        if electrode.c_dl_f <= 0.0:
            continue
        capacity[k] = electrode.c_dl_f
        flow[k] = (nodes[_E0 + k] - nodes[_TISSUE] - unit[k]) * _branch_siemens(electrode)
        flow[k, k] -= 1.0 / electrode.r_ct_ohm
    return _decompose(flow, capacity, rail_to_rail, amps)


def _decompose(flow: Vector, capacity: Vector, volts: Vector, amps: Vector) -> Modes:
    root = np.sqrt(capacity)
    symmetric = flow[:, :_STATES] / root[:, None] / root[None, :]
    rates, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2.0)
    rates = np.minimum(rates, _NO_DECAY)
    from_modes = vectors / root[:, None]
    to_modes = vectors.T * root[None, :]
    return Modes(
        rates=rates,
        to_modes=to_modes,
        from_modes=from_modes,
        drive=to_modes @ (flow[:, _STATES] / capacity) / rates,
        rows=np.array([volts[:_STATES] @ from_modes, from_modes[_BLOCK], amps[:_STATES] @ from_modes]),
        direct=np.array([volts[_STATES], 0.0, amps[_STATES]]),
    )
