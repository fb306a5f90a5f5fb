"""What flows: amplitude into a resistor, and the net direct current of a contraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import AMPLITUDE_UA

from stimbench.analysis import current_of
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import SIDES, Rig, programme

__all__ = ("AMPLITUDE", "NET_DC", "Dc", "DcCase", "Setting", "allowed_ua", "amplitudes", "sweep")

_LOAD_OHM = 500.0
_LOW_UA = 100
_COUNT = 24
_RATE_HZ = 50
_SETTLE_MS = 100
_COUNTED_MS = 100


@dataclass(frozen=True)
class Setting:
    """One amplitude on one lead: the worst of its pulses."""

    seed: int
    side: str
    wanted_ua: int
    measured_ua: float
    pulses: int


def allowed_ua(wanted_ua: int) -> float:
    """How far a current may be off: 1 %, or 10 uA where that is more."""
    return max(10.0, wanted_ua / 100)


def amplitudes() -> list[int]:
    """From 100 uA to 10 000 uA, evenly in the logarithm, on the grid of the programme."""
    step = AMPLITUDE_UA.step
    spread = np.geomspace(_LOW_UA, AMPLITUDE_UA.high, _COUNT)
    return sorted({round(value / step) * step for value in spread})


def _sweep(seed: int) -> list[Setting]:
    with Rig(seed) as rig:
        return sweep(rig, seed)


def sweep(rig: Rig, seed: int) -> list[Setting]:
    """All amplitudes on one bench: the left lead upwards, the right one downwards, set while it pulses."""
    rising = amplitudes()
    found: list[Setting] = []
    for lead in rig.parts.leads.values():
        lead.load_resistor(_LOAD_OHM)
    stimulator = rig.connect()
    base = programme(rate_hz=_RATE_HZ, on_ms=60_000, amplitude_ua=(rising[0], rising[-1]))
    rig.start(stimulator, base)
    for pair in zip(rising, reversed(rising), strict=True):
        changed = {"left.amplitude_ua": pair[0], "right.amplitude_ua": pair[1]}
        stimulator.set_program(base.replaced(changed))
        rig.run_ms(_SETTLE_MS)
        rig.forget()
        begin_ns = rig.now_ns
        rig.run_ms(_COUNTED_MS)
        for side, wanted in zip(SIDES, pair, strict=True):
            found.append(_worst(rig, seed, side, wanted, begin_ns))
    stimulator.stop()
    return found


def _worst(rig: Rig, seed: int, side: str, wanted_ua: int, begin_ns: int) -> Setting:
    current = current_of(rig.capture(), side)
    pulses = rig.pulses(side, begin_ns)
    pulses = pulses[pulses["complete"]]
    both = np.concatenate([current.cathodic_ua(pulses), current.anodic_ua(pulses)])
    worst = both[np.abs(both - wanted_ua).argmax()] if len(both) else float("inf")
    return Setting(seed, side, wanted_ua, float(worst), len(pulses))


def _judge_amplitude(found: Sequence[list[Setting]], options: Options) -> list[Line]:
    every = [setting for each in found for setting in each]
    worst = max(every, key=lambda s: abs(s.measured_ua - s.wanted_ua) / allowed_ua(s.wanted_ua))
    share = max(abs(s.measured_ua - s.wanted_ua) / allowed_ua(s.wanted_ua) for s in every)
    high = max((s for s in every if s.wanted_ua >= 1000), key=lambda s: abs(s.measured_ua / s.wanted_ua - 1))
    low = max((s for s in every if s.wanted_ua < 1000), key=lambda s: abs(s.measured_ua - s.wanted_ua))
    count = sum(s.pulses for s in every)
    return [
        reached(
            "amplitude into 500 ohm, 100-10000 uA: error as a share of what is allowed (1 % or 10 uA)",
            share * 100, Relation.AT_MOST, 100, "%",
            f"{len(every)} settings ({len(amplitudes())} amplitudes, both leads, {len(found)} benches of "
            f"different parts, seeds {options.seed}-{options.seed + len(found) - 1}), both phases of "
            f"{count} pulses; worst {worst.measured_ua:.1f} for {worst.wanted_ua} uA, {worst.side}, "
            f"seed {worst.seed}; "
            f"from 1000 uA on at most {(high.measured_ua / high.wanted_ua - 1) * 100:+.2f} %, "
            f"below it {low.measured_ua - low.wanted_ua:+.1f} uA",
            settings=[[s.seed, s.side, s.wanted_ua, s.measured_ua] for s in every],
        )
    ]  # fmt: skip


AMPLITUDE = Row(
    "amplitude", "amplitude into 500 ohm, 100-10 000 uA",
    lambda o: [o.seed + k for k in range(2 if o.quick else 6)], _sweep, _judge_amplitude, weight=12,
)  # fmt: skip


@dataclass(frozen=True)
class DcCase:
    """A programme on one bench."""

    name: str
    program: Program
    seed: int
    is_default: bool


@dataclass(frozen=True)
class Dc:
    """Net direct current through one lead: over the contraction, and with the rest after it."""

    case: DcCase
    side: str
    net_na: float
    rest_na: float


def _dc_cases(options: Options) -> list[DcCase]:
    """The default programme at several amplitudes and seeds, and the corners where most charge flows."""
    seed = options.seed
    found = [
        DcCase(f"{ua} uA", programme(ramp_ms=2000, amplitude_ua=(ua, ua)), seed + k, True)
        for k, ua in enumerate((2000, 500, 5000, 10_000))
    ]
    found += [
        DcCase("1000 us, gap 500 us, 20 Hz, 10000 uA",
               programme(1000, 500, 20, 2000, 10_000, amplitude_ua=(10_000, 10_000)), seed, False),
        DcCase("1000 us, gap 500 us, 198 Hz, 10000 uA, 1 s without ramps",
               programme(1000, 500, 198, 0, 1000, amplitude_ua=(10_000, 10_000)), seed, False),
    ]  # fmt: skip
    return found[:2] if options.quick else found


def _dc(case: DcCase) -> list[Dc]:
    """Charge through each lead from the first pulse of a contraction to the end of its last period."""
    program = case.program
    with Rig(case.seed) as rig:
        leads = rig.parts.leads
        for lead in leads.values():
            lead.trace.enabled = False
        stimulator = rig.connect()
        before = {side: lead.charge_nc() for side, lead in leads.items()}
        rig.start(stimulator, program)
        length_ms = program.ramp_up_ms + program.on_ms + program.ramp_down_ms
        rig.run_ms(length_ms + 100)
        during = {side: lead.charge_nc() for side, lead in leads.items()}
        found = []
        for side in SIDES:
            train = rig.therapy(side, 0)
            seconds = (int(train["start_ns"][-1] - train["start_ns"][0]) + program.period_us * 1000) / 1e9
            charge = during[side] - before[side]
            found.append(Dc(case, side, charge / seconds, charge / (seconds + program.off_ms / 1000)))
        stimulator.stop()
    return found


def _judge_dc(found: Sequence[list[Dc]], options: Options) -> list[Line]:
    every = [each for case in found for each in case]
    kinds = {
        "default programme": [each for each in every if each.case.is_default],
        "corners": [each for each in every if not each.case.is_default],
    }
    return [
        _dc_line(kind, side, [each for each in mine if each.side == side])
        for kind, mine in kinds.items()
        if mine
        for side in SIDES
    ]


def _dc_line(kind: str, side: str, mine: list[Dc]) -> Line:
    worst = max(mine, key=lambda each: abs(each.net_na))
    listed = "; ".join(f"{each.net_na:+.2f} nA {each.case.name}, seed {each.case.seed}" for each in mine)
    return reached(
        f"net DC over a contraction, {kind}, {side} lead", abs(worst.net_na), Relation.AT_MOST, 25, "nA",
        "charge through the lead, recharge included, over the contraction's time; default electrodes "
        f"(500 ohm, 5 uF each): {listed}",
        cases=[[each.case.name, each.net_na] for each in mine],
    )  # fmt: skip


NET_DC = Row("net-dc", "net DC over a contraction", _dc_cases, _dc, _judge_dc, weight=20)
