"""Single faults of the left lead's analogue part, each in SPICE: what flows, and what the converter sees.

Every part of the chain is opened, shorted and (resistors, capacitors) moved by a fifth; every line is stuck.
Two phases and the recharge are run. A fault counts as seen if V_LEFT or I_SENSE, at rest, in the middle of
a phase or in the recharge, differs from the healthy circuit's by more than 5 % of what is set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from circuit.proof import pulse
from circuit.proof.pulse import Case, Waves
from circuit.sim.deck import Changes, node
from circuit.sim.ngspice import SpiceError
from circuit.snapshot import Snapshot

CASE = Case(4000.0, 500.0, 2.5, after_us=150.0, recharge_us=4.0)
BLOCKS = ("pump L", "bridge L", "idle and recharge", "lead L", "drive L", "relays", "sense")
OPEN_OHM, SHORT_OHM = 1e9, 0.1
SEEN_SHARE, HARM_SHARE = 0.05, 0.02
PEAK_MA = 4.4
"""A tenth above what is set."""
_NETS = ("V_LEFT", "L_I_OUT")
_NAN = float("nan")
_NOTHING = (_NAN, _NAN, _NAN, _NAN, _NAN)
LINES = ("CATH", "ANOD", "SHORT")


@dataclass(frozen=True)
class Fault:
    """One fault: its name and what it changes."""

    name: str
    changes: Changes
    stuck: str = ""


@dataclass(frozen=True)
class Effect:
    """What a fault does: currents in the middle of the phases, peak, current at rest, net charge."""

    fault: str
    cathodic_ma: float
    anodic_ma: float
    peak_ma: float
    rest_ua: float
    net_nc: float
    seen: str
    harm: bool


def all_faults(board: Snapshot) -> Iterator[Fault]:
    """Every part of the left chain, open, shorted or out of tolerance; every switch and line stuck."""
    for part in board.parts:
        decouples = part.spec.prefix == "C" and part.ref[1:].isdigit()
        if part.block not in BLOCKS or decouples:
            continue
        nets = [node(net) for net in part.nets.values()]
        right = any(net.startswith("R_") for net in part.nets.values())
        if part.spec.prefix in "RCD" and len(part.nets) == 2 and not right:
            yield from _two_legs(part.ref, nets[0], nets[1], part.spec.si)
        elif part.spec.value in ("2N7000", "ZVP3306A") and not right:
            drain, source = node(part.nets["D"]), node(part.nets["S"])
            yield Fault(f"{part.ref} open", Changes(gone={part.ref}))
            yield Fault(f"{part.ref} shorted", Changes(extra=[f"Rfault {drain} {source} {SHORT_OHM}"]))
    yield from _switches(board)
    for line in LINES:
        for level in (0, 1):
            yield Fault(f"L_{line} stuck {'high' if level else 'low'}", Changes(), f"L_{line}={level}")
    yield Fault("DAC stuck at full scale", Changes(), "DAC=10000")
    yield Fault("DAC stuck at 0", Changes(), "DAC=0")


def _two_legs(ref: str, first: str, second: str, si: float) -> Iterator[Fault]:
    yield Fault(f"{ref} open", Changes(gone={ref}, extra=[f"Rfault {first} {second} {OPEN_OHM:g}"]))
    yield Fault(f"{ref} shorted", Changes(extra=[f"Rfault {first} {second} {SHORT_OHM}"]))
    if si:
        for share in (0.8, 1.2):
            yield Fault(f"{ref} x {share}", Changes(values={ref: si * share}))


def _switches(board: Snapshot) -> Iterator[Fault]:
    chips = [
        (f"U_L_BRIDGE_{k}", f"U_L_BRIDGE switch {k + 1}", board.part("U_L_BRIDGE"), k + 1) for k in range(4)
    ]
    chips += [(f"U_IDLE_{k}", f"U_IDLE switch {k + 1}", board.part("U_IDLE"), k + 1) for k in range(2)]
    chips += [("U_IDLE2_0", "U_IDLE2 switch 1", board.part("U_IDLE2"), 1)]
    for key, name, part, number in chips:
        ends = [node(part.nets[f"{leg}{number}"]) for leg in "DS"]
        yield Fault(f"{name} stuck open", Changes(params={key: {"ron": 1e9}}))
        yield Fault(f"{name} stuck closed", Changes(extra=[f"Rfault {ends[0]} {ends[1]} 25"]))
    for contact, rail, behind in (("K_L_1", "l_src", "l_block"), ("K_L_2", "l_snk", "l_b")):
        yield Fault(f"{contact} stays open", Changes(params={contact: {"ron": 1e9}}))
        yield Fault(f"{contact} welded", Changes(extra=[f"Rfault {rail} {behind} 0.15"]))
    for electrode, rail in (("l_e0", "l_src"), ("l_e1", "l_snk")):
        yield Fault(
            f"matrix: {electrode} never on {rail}",
            Changes(extra=[], params={f"U_L_MATRIX_{0 if rail == 'l_src' else 5}": {"ron": 1e9}}),
        )
    for a, b in (("l_e0", "l_snk"), ("l_e1", "l_src"), ("l_e2", "l_src")):
        yield Fault(f"matrix: {a} on {b}, too", Changes(extra=[f"Rfault {a} {b} 9.5"]))


def _run(board: Snapshot, fault: Fault) -> Waves:
    """Runs with the stuck line's source replaced, if a line is stuck."""
    case = CASE
    if fault.stuck.startswith("DAC="):
        case = Case(float(fault.stuck[4:]), 500.0, 2.5, after_us=150.0, recharge_us=4.0)
    extra = list(fault.changes.extra)
    if fault.stuck.startswith("L_"):
        line, level = fault.stuck.split("=")
        # a source of 1 milliohm beside the Pico's would fight: break the line into the gate instead
        extra.append(f"Bstuck {node(line)}_N 0 V = {0.0 if level == '1' else 5.0}")
    changes = Changes(fault.changes.values, fault.changes.params, fault.changes.gone, extra)
    return pulse.run(board, case, changes, _NETS, reltol=1e-3)


def effect(board: Snapshot, fault: Fault, healthy: Waves | None) -> Effect:
    """What one fault does, against the healthy circuit's samples."""
    try:
        waves = _run(board, fault)
    except SpiceError:
        return Effect(fault.name, *_NOTHING, "not simulated", True)
    edges = CASE.edges_us()
    mids = {name: 0.5 * sum(times) for name, times in edges.items()}

    def amps(time_us: float) -> float:
        return float(np.interp(time_us * 1e-6, waves.time_s, waves.lead_a))

    values = amps(mids["CATH"]) * 1e3, amps(mids["ANOD"]) * 1e3
    peak_ma = float(np.abs(waves.lead_a).max()) * 1e3
    rest_ua = amps(pulse.LEAD_IN_US - 5.0) * 1e6
    net_nc = waves.charge_c(0.0, CASE.end_us()) * 1e9
    if healthy is None:
        return Effect(fault.name, *values, peak_ma, rest_ua, net_nc, "", False)
    seen = _seen(waves, healthy, mids)
    base = [float(np.interp(mids[n] * 1e-6, healthy.time_s, healthy.lead_a)) * 1e3 for n in ("CATH", "ANOD")]
    harm = any(abs(a - b) > HARM_SHARE * 4.0 for a, b in zip(values, base, strict=True)) or abs(rest_ua) > 1.0
    harm = harm or peak_ma > PEAK_MA
    return Effect(fault.name, *values, peak_ma, rest_ua, net_nc, seen, harm)


def _seen(waves: Waves, healthy: Waves, mids: dict[str, float]) -> str:
    """Which sample differs first."""
    limits = {"V_LEFT": SEEN_SHARE * 0.2, "L_I_OUT": SEEN_SHARE * 0.6}
    names = {"V_LEFT": "V_LEFT", "L_I_OUT": "I_SENSE"}
    for moment, time_us in (
        ("rest", pulse.LEAD_IN_US - 5.0),
        ("cathodic", mids["CATH"]),
        ("anodic", mids["ANOD"]),
        ("recharge", CASE.edges_us()["ANOD"][1] + 100.0),
    ):
        found = [
            names[net]
            for net in _NETS
            if abs(waves.at(net, time_us) - healthy.at(net, time_us)) > limits[net]
        ]
        if found:
            return f"{' and '.join(found)}, {moment}"
    return ""


def _job(job: tuple[Snapshot, Fault, Waves]) -> Effect:
    return effect(*job)


def table(board: Snapshot) -> list[Effect]:
    """Every fault's effect."""
    healthy = _run(board, Fault("none", Changes()))
    jobs = [(board, fault, healthy) for fault in all_faults(board)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_job, jobs, chunksize=4))


_HEAD = """# Single faults of one lead, in SPICE

Written by `make hardware`. 4 mA, 214 us, 500 ohm and 2.5 uF. A fault is seen if V_LEFT or I_SENSE differs by
5 % of what is set: at rest before the pulse, in the middle of a phase, or in the recharge. The firmware
samples at rest and in the cathodic phase, an implant's watch in the anodic one, too; in the recharge nothing
does.

Only the left lead's analogue part is in it: not the Pico, the DAC's registers or the monostable, no shorted
supply (the rails are stiff here), and not what the firmware does with a sample.

A fault without harm changes neither phase by 2 %, peaks below 4.4 mA, and lets less than 1 uA flow at rest.
Welded contacts show no harm while the rest works: they take away the second way to end a current, so a
self-test must look for them.
"""


def page(board: Snapshot) -> str:
    """The table as Markdown: harmful faults first, those that no sample shows on top."""
    effects = table(board)
    hidden = [e for e in effects if e.harm and not e.seen]
    seen = [e for e in effects if e.harm and e.seen]
    quiet = [e for e in effects if not e.harm]
    lines = [
        _HEAD,
        f"{len(effects)} faults: {len(seen)} harmful and seen in the first pulse, {len(hidden)} harmful and "
        f"not seen, {len(quiet)} without harm ({sum(1 for e in quiet if e.seen)} of them seen).",
        "",
    ]
    for title, rows in (
        ("Harmful, in no sample", hidden),
        ("Harmful, seen in the first pulse", seen),
        ("Without harm", quiet),
    ):
        lines += [
            f"## {title}",
            "",
            "| fault | cathodic mA | anodic mA | peak mA | at rest uA | net nC | seen in |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {e.fault} | {e.cathodic_ma:.3f} | {e.anodic_ma:.3f} | {e.peak_ma:.2f} | "
            f"{abs(e.rest_ua):.2f} | {e.net_nc:.1f} | {e.seen} |"
            for e in rows
        ]
        lines.append("")
    return "\n".join(lines)
