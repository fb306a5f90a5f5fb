"""The campaign of faults: in a session on both boards something breaks, at many moments.

Whatever breaks, the output goes off, or the pulses stay within the programme's limits: no current flows
outside of a pulse, none is larger than the programme's amplitude, no phase is longer than its width, no pulse
comes before its period is over, and the leads never pulse together. What must turn the output off does so in
time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimbench.bench import Bench, BenchConfig
from stimbench.bench.hands import Hands
from stimbench.campaign.jobs import Job, make_job
from stimbench.checks.campaigns.within import PROGRAM, outside_limits
from stimbench.client.on_bench import ready_bench
from stimbench.client.stimulator import Stimulator

__all__ = ("FAULTS", "FaultAction", "fault_jobs", "fault_work")

_WORK = "stimbench.checks.campaigns.faults:fault_work"
_MS = 1_000_000
_SPAN_NS = 3_220 * _MS
"""From START on: the self-test of the output, one contraction, its rest, and some of the next one."""
_AFTER_NS = 500 * _MS
"""So long it is watched after the fault, at least."""
_BACK_NS = 50 * _MS
"""So long the supply is off in a short power cut."""


@dataclass(frozen=True)
class FaultAction:
    """Something that breaks.

    Attributes:
        action: of bench.actions; empty for STOP over USB.
        arguments: of the action.
        off_within_ms: after how long the output must be off (docs/figures.md), None if it need not go off.
        back: the supply that was cut comes back.
    """

    action: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    off_within_ms: float | None = None
    back: bool = False


def _broken(part: str, fault: str, value: str | float | None = None) -> FaultAction:
    more = {} if value is None else {"value": value}
    return FaultAction("break", {"part": part, "fault": fault} | more)


FAULTS: Mapping[str, FaultAction] = {
    "open electrode": _broken("left.1", "open"),
    "loose electrode": _broken("left.1", "loose", 30.0),
    "short of electrodes": _broken("left.1", "short", "left.2"),
    "dry electrode": _broken("right.2", "resistance", 20_000.0),
    "magnet": FaultAction("magnet", {"state": "on"}, off_within_ms=0.2),
    "STOP over USB": FaultAction("", off_within_ms=5.0),
    "stimulator hangs": FaultAction("break", {"part": "stimulator", "fault": "hung"}, off_within_ms=150.0),
    "stimulator without power": FaultAction("power", {"state": "off", "board": "stimulator"}, 0.01),
    "short power cut": FaultAction("power", {"state": "off", "board": "stimulator"}, 0.01, back=True),
    "remote hangs": _broken("remote", "hung"),
    "remote without power": FaultAction("power", {"state": "off", "board": "remote"}),
    "lost packets": _broken("air", "loss", 0.7),
    "jammed air": FaultAction("jam", {"channel": "all"}),
}
"""Every fault, by name."""


def fault_jobs(seeds: int, moments: int, firmware_hashes: Mapping[str, str]) -> list[Job]:
    """Each fault, at each moment of a session, with each seed.

    Args:
        seeds: how many, from 1 on.
        moments: the session is cut into so many pieces; the fault comes somewhere in one, as the seed says.
        firmware_hashes: by board.
    """
    return [
        make_job(
            _WORK,
            {
                "name": f"{fault}, moment {moment} of {moments}, seed {seed}",
                "group": fault,
                "fault": fault,
                "moment": moment,
                "moments": moments,
                "seed": seed,
            },
            firmware_hashes,
        )
        for seed in range(1, seeds + 1)
        for fault in FAULTS
        for moment in range(moments)
    ]


def fault_work(payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """Run a session, let something break in it, and judge all that flowed.

    Args:
        payload: of `fault_jobs`.
        firmware: both images.

    Returns:
        PASS or FAIL, with a sentence, and `pulses`: how many there were on both leads.
    """
    fault, seed = FAULTS[payload["fault"]], int(payload["seed"])
    chance = random.Random(f"{payload['fault']} {payload['moment']} {seed}")
    after_ns = round(_SPAN_NS * (payload["moment"] + chance.random()) / payload["moments"])
    config = BenchConfig(seed=seed, firmware=dict(firmware))
    with ready_bench(config, **PROGRAM) as (bench, stimulator):
        begin_ns = bench.now_ns
        bench.press("START")
        bench.run_for(after_ns)
        fault_ns = bench.now_ns
        _strike(bench, stimulator, fault)
        bench.run_to(max(begin_ns + _SPAN_NS, fault_ns + _AFTER_NS))
        capture = bench.trace.capture(begin_ns)
    off_ns = None if fault.off_within_ms is None else fault_ns + round(fault.off_within_ms * _MS)
    found = outside_limits(capture, off_ns)
    told = "; ".join(found.wrong) or f"{found.pulses} pulses, all within the programme's limits"
    if not found.wrong and off_ns is not None:
        told += f", and the output off within {fault.off_within_ms:g} ms"
    return {
        "verdict": "FAIL" if found.wrong else "PASS",
        "told": f"{payload['fault']}, {after_ns / _MS:.3f} ms after START: {told}.",
        "pulses": found.pulses,
        "fault_ms": round(after_ns / _MS, 6),
    }


def _strike(bench: Bench, stimulator: Stimulator, fault: FaultAction) -> None:
    if not fault.action:
        stimulator.stop()
        return
    hands = Hands(bench)
    hands.do(fault.action, fault.arguments)
    if fault.back:
        bench.run_for(_BACK_NS)
        hands.do("power", {"state": "on", "board": fault.arguments["board"]})
