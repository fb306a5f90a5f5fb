"""How fast a low Q ends the current: by the lines, and by the relays alone when the lines fail."""

from __future__ import annotations

import numpy as np

from circuit.proof import pulse, tolerances
from circuit.proof.pulse import Case, Waves
from circuit.sim.deck import Changes
from circuit.snapshot import Snapshot

QUIET_A = 1e-6
SEEDS = 12
_BY_LINES = Case(amplitude_ua=10_000.0, width_us=200.0, q_falls_us=100.0, after_us=20.0)
_BY_RELAYS = Case(
    amplitude_ua=1000.0, r_ohm=500.0, c_uf=20.0, width_us=8000.0, gap_us=10.0, q_falls_us=500.0, after_us=20.0
)


def quiet_after_us(waves: Waves) -> float:
    """From Q's fall until the lead's current stays below 1 uA."""
    fell_s = (pulse.LEAD_IN_US + (waves.case.q_falls_us or 0.0)) * 1e-6
    loud = waves.time_s[np.abs(waves.lead_a) >= QUIET_A]
    return max(0.0, float(loud.max()) - fell_s) * 1e6


def by_lines(board: Snapshot) -> tuple[float, float]:
    """Nominal, and the worst of SEEDS circuits, in us."""
    nominal = quiet_after_us(pulse.run(board, _BY_LINES))
    drawn = [
        quiet_after_us(pulse.run(board, _BY_LINES, tolerances.draw(board, seed), reltol=1e-3))
        for seed in range(SEEDS)
    ]
    return nominal, max(drawn)


def by_relays(board: Snapshot) -> tuple[float, float]:
    """Nominal and with the slowest relay, in us, while the gates let a phase through as if Q were high."""
    stuck = {"U_GATE1", "U_GATE2"}
    case = _BY_RELAYS
    rise, _ = case.edges_us()["CATH"]
    lines = [
        pulse.line_source("L_CATH_N", 5.0, [(0.0, 1), (rise, 0)]),
        pulse.line_source("L_BUSY", 5.0, [(rise, 1)]),
        "V_ANOD_N l_anod_n 0 5",
        "V_SHORT_N l_short_n 0 5",
    ]
    times = []
    for tau_s in (1e-3, 3e-3):
        changes = Changes(
            gone=set(stuck), extra=list(lines), params={"K_L_1": {"tau": tau_s}, "K_L_2": {"tau": tau_s}}
        )
        times.append(quiet_after_us(pulse.run(board, case, changes)))
    return times[0], times[1]
