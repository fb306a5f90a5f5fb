"""Both leads in one bath: what the resting lead sees of the other one's pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuit.proof import pulse
from circuit.proof.pulse import Case
from circuit.sim import ngspice
from circuit.sim.deck import Changes, circuit_lines, deck, node
from circuit.snapshot import Snapshot

BATH_F = 100e-12
_NETS = ("V_LEFT", "V_RIGHT", "I_SENSE", "L_SRC", "L_SNK", "R_SRC", "R_SNK")


@dataclass(frozen=True)
class Bath:
    """A 4 mA pulse of the left lead, the right one resting with two electrodes joined and its recharge on.

    Attributes:
        right_peak_ua: the largest current through an electrode of the resting lead.
        right_moved_nc: the most charge that moved through that electrode at any time of the run.
        right_net_nc: its charge over the run.
        v_right_v: how far V_RIGHT moves from its rest, settled.
        i_error_share: of I_SENSE, both amplifiers in their chain, against the left lead's current.
        v_error_share: of V_LEFT against the voltage between the left rails.
    """

    right_peak_ua: float
    right_moved_nc: float
    right_net_nc: float
    v_right_v: float
    i_error_share: float
    v_error_share: float


def both_leads(board: Snapshot, case: Case | None = None) -> Bath:
    """Runs one pulse with both leads' circuits in the deck."""
    case = case or Case()
    changes: Changes = pulse.joined(pulse.joined(None, "L"), "R")
    lines = circuit_lines(board, "LR", changes) + pulse.stimulus(case)[: -_load_lines(case)] + _bath(case)
    lines += ["V_R_CATH r_cath 0 0", "V_R_ANOD r_anod 0 0", "V_R_SHORT r_short 0 3.3", "V_R_DAC r_dac 0 0"]
    names = ["l_e0", "l_m0", "r_e0", "r_m0", "r_e1", "r_m1", *(node(net) for net in _NETS)]
    control = pulse.recorded(case, names)
    return _measure(case, ngspice.run(deck("two leads in one bath", lines, control)))


def _load_lines(case: Case) -> int:
    return len(pulse.load("L", case))


def _bath(case: Case) -> list[str]:
    """Four electrodes to one point, each with half of R and twice C; cables; the open electrodes."""
    lines = [f"Cbath bath 0 {BATH_F:g}"]
    for side in "lr":
        for k in range(2):
            lines += [
                f"Rs_{side}{k} {side}_e{k} {side}_m{k} {case.r_ohm / 2:g}",
                f"Cd_{side}{k} {side}_m{k} bath {2 * case.c_uf * 1e-6:g}",
                f"Rc_{side}{k} {side}_m{k} bath {pulse.R_CT_OHM / 2:g}",
                f"Ccable_{side}{k} {side}_e{k} 0 {pulse.CABLE_F:g}",
            ]
        lines += [f"Ropen_{side}{k} {side}_e{k} 0 1e12" for k in range(4)]
    return lines


def _measure(case: Case, found: dict[str, ngspice.Wave]) -> Bath:
    time_s = found["time"]
    half = case.r_ohm / 2
    steps = np.diff(time_s)
    left = (found["v(l_e0)"] - found["v(l_m0)"]) / half
    right = [(found[f"v(r_e{k})"] - found[f"v(r_m{k})"]) / half for k in range(2)]
    _, fall = case.edges_us()["CATH"]

    def at(wave: ngspice.Wave, time_us: float) -> float:
        return float(np.interp(time_us * 1e-6, time_s, wave))

    rest, late = pulse.LEAD_IN_US - 2.0, fall - 5.0
    sensed_a = (at(found["v(i_sense)"], late) - at(found["v(i_sense)"], rest)) / 150.0
    sensed_v = (at(found["v(v_left)"], late) - at(found["v(v_left)"], rest)) * 10.0
    rails_v = at(found["v(l_src)"] - found["v(l_snk)"], late) - at(
        found["v(l_src)"] - found["v(l_snk)"], rest
    )
    return Bath(
        right_peak_ua=max(float(np.abs(wave).max()) for wave in right) * 1e6,
        right_moved_nc=float(np.abs(np.cumsum(0.5 * (right[0][1:] + right[0][:-1]) * steps)).max()) * 1e9,
        right_net_nc=float(np.trapezoid(right[0], time_s)) * 1e9,
        v_right_v=abs(at(found["v(v_right)"], late) - at(found["v(v_right)"], rest)),
        i_error_share=sensed_a / at(left, late) - 1.0,
        v_error_share=sensed_v / rails_v - 1.0,
    )
