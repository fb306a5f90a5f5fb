"""One biphasic pulse into one load, in SPICE, and what is measured of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from circuit.sim import ngspice
from circuit.sim.deck import Changes, circuit_lines, deck, node
from circuit.sim.ngspice import Wave
from circuit.snapshot import Snapshot

EDGE_S = 5e-9
LEAD_IN_US = 20.0
"""Idle before the first edge."""
R_CT_OHM = 200e3
AT_REST_V = 0.1
_SUPPLY = ("rawp15v", "p15v")
CABLE_F = 30e-12
"""Each electrode's wire to ground: about 0.5 m beside others."""


@dataclass(frozen=True)
class Case:
    """What is asked of the circuit, and the load on electrodes 0 and 1 of the left lead."""

    amplitude_ua: float = 4000.0
    r_ohm: float = 500.0
    c_uf: float = 2.5
    width_us: float = 214.0
    gap_us: float = 50.0
    after_us: float = 60.0
    q_falls_us: float | None = None
    """When Q falls, from the first edge; None: it stays high."""
    recharge_us: float | None = None
    """When SHORT rises after the anodic phase; None: it stays low."""

    def edges_us(self) -> dict[str, tuple[float, float]]:
        """Rise and fall of each phase's line, in us from the run's start."""
        cathodic = LEAD_IN_US
        anodic = cathodic + self.width_us + self.gap_us
        return {"CATH": (cathodic, cathodic + self.width_us), "ANOD": (anodic, anodic + self.width_us)}

    def end_us(self) -> float:
        """The run's length."""
        return self.edges_us()["ANOD"][1] + self.after_us


@dataclass
class Waves:
    """A run's vectors. `lead_a` is the current through the load, positive from source rail to sink rail."""

    case: Case
    time_s: Wave
    lead_a: Wave
    volts: dict[str, Wave] = field(default_factory=dict)

    def between(self, start_us: float, end_us: float) -> tuple[Wave, Wave]:
        """Times in s and currents in A from start to end, both interpolated in."""
        start, end = start_us * 1e-6, end_us * 1e-6
        inside = (self.time_s > start) & (self.time_s < end)
        times = np.concatenate([[start], self.time_s[inside], [end]])
        return times, np.interp(times, self.time_s, self.lead_a)

    def charge_c(self, start_us: float, end_us: float) -> float:
        """The charge through the load."""
        times, amps = self.between(start_us, end_us)
        return float(np.trapezoid(amps, times))

    def at(self, name: str, time_us: float) -> float:
        """A net's voltage at a time."""
        return float(np.interp(time_us * 1e-6, self.time_s, self.volts[name]))


def line_source(name: str, high_v: float, changes_us: list[tuple[float, int]]) -> str:
    """A voltage source on a logic line: level 0 at the start, then (time, level) pairs."""
    points, level = ["0 0"], 0
    for time_us, after in changes_us:
        points.append(f"{time_us * 1e-6:.9g} {level * high_v:g}")
        points.append(f"{time_us * 1e-6 + EDGE_S:.9g} {after * high_v:g}")
        level = after
    return f"V_{name} {node(name)} 0 PWL({' '.join(points)})"


def stimulus(case: Case) -> list[str]:
    """Sources on the DAC's output, the Pico's lines and Q of the left lead; the load."""
    edges = case.edges_us()
    lines = [line_source(f"L_{name}", 3.3, [(rise, 1), (fall, 0)]) for name, (rise, fall) in edges.items()]
    recharge = [] if case.recharge_us is None else [(edges["ANOD"][1] + case.recharge_us, 1)]
    lines.append(line_source("L_SHORT", 3.3, recharge))
    if case.q_falls_us is None:
        lines.append("V_Q q 0 5")
    else:
        fall = (LEAD_IN_US + case.q_falls_us) * 1e-6
        lines.append(f"V_Q q 0 PWL(0 5 {fall:.9g} 5 {fall + EDGE_S:.9g} 0)")
    lines.append(f"V_DAC l_dac 0 {case.amplitude_ua / 2500.0:.9g}")
    return lines + load("L", case)


def load(side: str, case: Case) -> list[str]:
    """The electrode pair: R, then C beside a leak; and what the cables have to ground."""
    s = side.lower()
    return [
        f"Rload_{s} {s}_e0 {s}_tissue {case.r_ohm:g}",
        f"Cload_{s} {s}_tissue {s}_e1 {case.c_uf * 1e-6:g}",
        f"Rct_{s} {s}_tissue {s}_e1 {R_CT_OHM:g}",
        *(f"Ccable_{s}{k} {s}_e{k} 0 {CABLE_F:g}" for k in range(2)),
        *(f"Ropen_{s}{k} {s}_e{k} 0 1e12" for k in range(4)),
    ]


def joined(changes: Changes | None, side: str = "L") -> Changes:
    """The same changes, with electrode 0 on the source rail and 1 on the sink rail."""
    changes = changes or Changes()
    matrix = {f"U_{side}_MATRIX_0": {"on": 1.0}, f"U_{side}_MATRIX_5": {"on": 1.0}}
    return Changes(dict(changes.values), {**changes.params, **matrix}, set(changes.gone), list(changes.extra))


def run(
    board: Snapshot,
    case: Case,
    changes: Changes | None = None,
    nets: tuple[str, ...] = (),
    reltol: float = 1e-4,
) -> Waves:
    """Runs one pulse of the left lead.

    Args:
        board: the stimulator.
        case: amplitude, load, times.
        changes: tolerances or faults.
        nets: whose voltages are kept, too.
        reltol: 1e-3 is twice as fast, and moves a pulse's net charge by 0.002 % of a phase.
    """
    lines = circuit_lines(board, "L", joined(changes)) + stimulus(case)
    kept = ["l_e0", "l_tissue", *(node(net) for net in nets)]
    for tolerance in dict.fromkeys((reltol, 1e-4, 3e-5)):
        found = _solve(lines, kept, case, tolerance)
        if found is not None:
            amps = (found["v(l_e0)"] - found["v(l_tissue)"]) / case.r_ohm
            return Waves(case, found["time"], amps, {net: found[f"v({node(net)})"] for net in nets})
    raise ngspice.SpiceError("no operating point")


def recorded(case: Case, names: Iterable[str]) -> list[str]:
    """The control section that runs a case and keeps these nodes."""
    vectors = " ".join(f"v({name})" for name in names)
    return [
        f"save {vectors}",
        f"tran 1u {case.end_us() * 1e-6:.9g} 0 2u",
        "set filetype=binary",
        f"write out.raw {vectors}",
        "quit",
    ]


def _solve(lines: list[str], kept: list[str], case: Case, reltol: float) -> dict[str, Wave] | None:
    """One try; None if ngspice took a state for the operating point that is none.

    It shows in the supply's coil: at rest 1 V across its 0.15 ohm would be 7 A.
    """
    control = recorded(case, dict.fromkeys([*kept, *_SUPPLY]))
    found = ngspice.run(deck("one pulse of the left lead", lines, control, reltol))
    before, behind = (found[f"v({name})"][0] for name in _SUPPLY)
    return found if abs(before - behind) < AT_REST_V else None
