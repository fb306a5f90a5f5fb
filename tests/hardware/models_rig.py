"""The same pulse in ngspice and in the bench's models: what flows and what the pins show, at equal times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from circuit.proof import pulse
from circuit.proof.pulse import Case
from circuit.sim import ngspice
from circuit.sim.deck import Changes, circuit_lines, deck, node
from circuit.snapshot import Snapshot
from numpy.typing import NDArray
from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorParts, StimulatorWiring, wire_stimulator
from support.parts_fakes import US, FakeBoard

Columns = dict[str, NDArray[np.float64]]
"""By name, a value a time: `lead_ma` through the lead, `rails_v` between its rails, `v_pin` and `i_pin` at
the converter (V), `charge_nc` through the lead since the start."""

NETS = ("V_LEFT", "I_SENSE", "L_SRC", "L_SNK")
UA_A_CODE = 2.5
PAIR = 0x21
"""Electrode 0 on the source rail, 1 on the sink rail."""
READY_NS = 100 * US
RELTOL = 1e-3
"""Twice as fast as 1e-4, and moves a pulse's net charge by 0.002 % of a phase."""
Prepare = Callable[[StimulatorParts], None]


@dataclass(frozen=True)
class Stimulus:
    """One comparison.

    Attributes:
        case: amplitude, load, times; both sides take all of it.
        changes: what differs in SPICE.
        prepare: what differs in the models.
        single: the cathodic phase alone; the anodic line stays low.
    """

    case: Case
    changes: Changes = field(default_factory=Changes)
    prepare: Prepare | None = None
    single: bool = False


def in_spice(
    board: Snapshot, stimulus: Stimulus, times_us: Sequence[float], nets: Sequence[str] = ()
) -> Columns:
    """Runs both leads' circuits, the right one at rest: the pin of I_SENSE has both amplifiers before it.

    Args:
        board: the stimulator.
        stimulus: what is driven.
        times_us: from the run's start.
        nets: other nets whose volts are wanted, by their names.
    """
    case = stimulus.case
    driven = pulse.stimulus(case)
    if stimulus.single:
        driven = ["V_L_ANOD l_anod 0 0" if line.startswith("V_L_ANOD ") else line for line in driven]
    lines = circuit_lines(board, "LR", pulse.joined(stimulus.changes)) + driven
    lines += [f"V_R_{line} r_{line.lower()} 0 0" for line in ("CATH", "ANOD", "SHORT", "DAC")]
    lines += [f"Ropen_r{k} r_e{k} 0 1e12" for k in range(4)]
    kept = ["l_e0", "l_tissue", *(node(net) for net in (*NETS, *nets))]
    found = ngspice.run(deck("a pulse for the models", lines, pulse.recorded(case, kept), RELTOL))
    time_s = found["time"]
    amps = (found["v(l_e0)"] - found["v(l_tissue)"]) / case.r_ohm
    flowed = np.concatenate([[0.0], np.cumsum(np.diff(time_s) * (amps[1:] + amps[:-1]) / 2.0)])
    waves = {
        "lead_ma": amps * 1e3,
        "rails_v": found["v(l_src)"] - found["v(l_snk)"],
        "v_pin": found["v(v_left)"],
        "i_pin": found["v(i_sense)"],
        "charge_nc": flowed * 1e9,
        **{net: found[f"v({node(net)})"] for net in nets},
    }
    return {name: np.interp(np.array(times_us) * 1e-6, time_s, wave) for name, wave in waves.items()}


def in_models(stimulus: Stimulus, times_us: Sequence[float]) -> Columns:
    """Drives the same lines of a fake board at the same times; its parts are ideal, so nominal."""
    board, parts = _ready(stimulus)
    lead, begin = parts.leads["left"], board.clock.now_ns
    rows = np.zeros((len(times_us), 5))

    def look(k: int) -> None:
        now = board.clock.now_ns
        pins = [board.sources[channel](now) for channel in (0, 2)]
        rows[k] = (lead.amps(now) * 1e3, lead.volts(now), *pins, lead.charge_nc(now))

    looks = [(time_us, partial(look, k)) for k, time_us in enumerate(times_us)]
    for time_us, act in sorted([*_moves(stimulus, board, parts), *looks], key=lambda move: move[0]):
        board.clock.run_to(begin + round(time_us * US))
        act()
    columns = rows.T
    return dict(zip(("lead_ma", "rails_v", "v_pin", "i_pin", "charge_nc"), columns, strict=True))


def _ready(stimulus: Stimulus) -> tuple[FakeBoard, StimulatorParts]:
    case, board = stimulus.case, FakeBoard()
    parts = wire_stimulator(board, StimulatorWiring(ideal=True, bounce_ms=0.0), AirChannel())
    # An electrode has half of R, twice C and half of the leak: both in series are SPICE's pair.
    parts.leads["left"].set_pair(r_s_ohm=case.r_ohm, c_dl_uf=2.0 * case.c_uf, r_ct_ohm=pulse.R_CT_OHM / 2.0)
    if stimulus.prepare is not None:
        stimulus.prepare(parts)
    board.set_matrix(PAIR)
    board.set_dac(0, round(case.amplitude_ua / UA_A_CODE))
    board.keep_alive()
    board.clock.run_for(READY_NS)
    return board, parts


def _moves(
    stimulus: Stimulus, board: FakeBoard, parts: StimulatorParts
) -> list[tuple[float, Callable[[], None]]]:
    case = stimulus.case

    def line(name: str, level: bool) -> Callable[[], None]:
        return lambda: board.pin(name).out(level)

    moves: list[tuple[float, Callable[[], None]]] = []
    for name, (rise, fall) in case.edges_us().items():
        if stimulus.single and name == "ANOD":
            continue
        moves += [(rise, line(f"L_{name}", True)), (fall, line(f"L_{name}", False))]
    if case.recharge_us is not None:
        moves.append((case.edges_us()["ANOD"][1] + case.recharge_us, line("L_SHORT", True)))
    if case.q_falls_us is not None:
        moves.append((pulse.LEAD_IN_US + case.q_falls_us, parts.magnet.close))
    return moves
