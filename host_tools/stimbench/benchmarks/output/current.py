"""What flows: amplitude into a resistor, and the net direct current of a contraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from stimfw.protocol import messages, requests
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import AMPLITUDE_UA

from stimbench.analysis import current_of
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import SIDES, Rig, most_ua, programme
from stimbench.client.stimulator import Stimulator
from stimbench.errors import OutOfRangeError

__all__ = (
    "AMPLITUDE", "NET_DC", "REFUSED", "Dc", "DcCase", "Setting", "allowed_ua", "amplitudes", "sweep",
)  # fmt: skip

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


def sweep(rig: Rig, seed: int, rising: Sequence[int] | None = None) -> list[Setting]:
    """All amplitudes on one bench: the left lead upwards, the right one downwards, set while it pulses."""
    rising = rising or amplitudes()
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


def _corner() -> Program:
    """The corner's contraction, with no amplitude: the one that it had is refused."""
    return programme(1000, 500, 198, 0, 1000, amplitude_ua=(0, 0))


def _long() -> Program:
    """The corner's pulses in the shortest contraction with ramps of 10 s that allows them, to a second."""
    return programme(1000, 500, 198, 10_000, 13_000, amplitude_ua=(AMPLITUDE_UA.high, AMPLITUDE_UA.high))


def _dc_cases(options: Options) -> list[DcCase]:
    """The default programme at several amplitudes and seeds, and the corners where most charge flows.

    At 198 Hz the largest pulses are refused in short contractions (`REFUSED`). Measured are the two nearest
    programmes that are not: the same contraction with the highest amplitude that is allowed in it, and the
    same pulses in a contraction whose ramps are long enough.
    """
    seed = options.seed
    corner = _corner()
    nearest_ua = most_ua(corner)
    found = [
        DcCase(f"{ua} uA", programme(ramp_ms=2000, amplitude_ua=(ua, ua)), seed + k, True)
        for k, ua in enumerate((2000, 500, 5000, 10_000))
    ]
    found += [
        DcCase("1000 us, gap 500 us, 20 Hz, 10000 uA",
               programme(1000, 500, 20, 2000, 10_000, amplitude_ua=(10_000, 10_000)), seed, False),
        DcCase(f"1000 us, gap 500 us, 198 Hz, {nearest_ua} uA, 1 s without ramps",
               corner.with_amplitudes(nearest_ua, nearest_ua), seed, False),
        DcCase("1000 us, gap 500 us, 198 Hz, 10000 uA, 13 s with ramps of 10 s", _long(), seed, False),
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


_CORNER_UA = AMPLITUDE_UA.high
_REQUESTS = ("SET_PROGRAM", "AMPLITUDE", "SET_WINDOW", "TEST_STIMULATION")


def _refusals(seed: int) -> list[tuple[str, str]]:
    """What a board answers to the corner at 198 Hz: each request, and "" if all is as it has to be.

    The three ways to ask for its amplitude. Then its pulses in a contraction that is long enough, which the
    board takes, and a test of one second with them, which is too short.
    """
    found: list[tuple[str, str]] = []
    with Rig(seed) as rig:
        stimulator = rig.connect()
        corner = _corner()
        rig.set_program(stimulator, corner)
        both = list(corner.values)
        both[8] = both[11] = _CORNER_UA
        for name, opcode, values in (
            ("SET_PROGRAM", requests.SET_PROGRAM, both),
            ("AMPLITUDE", requests.AMPLITUDE, [_CORNER_UA, _CORNER_UA]),
            ("SET_WINDOW", requests.SET_WINDOW, [0, _CORNER_UA, 0, _CORNER_UA]),
        ):
            found.append((name, _answer(stimulator, opcode, *values)))
            if stimulator.program().values != corner.values or stimulator.window().is_open:
                found[-1] = (name, "something changed")
        rig.set_program(stimulator, _long())
        found.append(("TEST_STIMULATION", _answer(stimulator, requests.TEST_STIMULATION, 1)))
        if stimulator.status().state != messages.READY:
            found[-1] = ("TEST_STIMULATION", "it began")
    return found


def _answer(stimulator: Stimulator, opcode: int, *values: int) -> str:
    try:
        stimulator._ask(opcode, *values)
    except OutOfRangeError as error:
        return "" if error.field == "left.amplitude_ua" and error.value == _CORNER_UA else str(error)
    return "taken"


def _judge_refused(found: Sequence[list[tuple[str, str]]], options: Options) -> list[Line]:
    wrong = [f"{name}: {what}" for each in found for name, what in each if what]
    missing = len(_REQUESTS) * len(found) - sum(len(each) for each in found)
    return [
        reached(
            "10000 uA, 1000 us, gap 500 us, 198 Hz, 1 s without ramps: asked for and not refused",
            len(wrong) + missing, Relation.AT_MOST, 0, "",
            f"{', '.join(_REQUESTS)}, {len(found)} benches of different parts; {most_ua(_corner())} uA are "
            f"allowed, for 25 nA of net direct current; {'; '.join(wrong) or 'nothing changed'}",
        )
    ]  # fmt: skip


REFUSED = Row(
    "net-dc-refused", "too much net DC is refused",
    lambda o: [o.seed + k for k in range(1 if o.quick else 3)], _refusals, _judge_refused, weight=3,
)  # fmt: skip
