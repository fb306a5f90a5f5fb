"""A calibrated board: its currents and impedances on benches whose parts are all at their worst.

Each bench is calibrated as a person would: one resistor of 0.1 %, a handheld meter (parts.meter), both drawn
from the bench's seed. What then flows is known from the lead's model, and is not what that meter says.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.pulses.calibration_record import CURRENT_NA

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.harness.rig import SIDES, Rig
from stimbench.benchmarks.output.current import Setting, amplitudes, sweep
from stimbench.benchmarks.output.impedance import (
    Error,
    Fitting,
    Measured,
    errors_of,
    measured,
    random_fitting,
)
from stimbench.calibrate.board import calibrate
from stimbench.calibrate.meters import EmulatedMeter

__all__ = ("AMPLITUDE_CALIBRATED", "IMPEDANCE_CALIBRATED")

_RESISTOR_OHM = 500.0
_DAY_S = 1_796_000_000
_BENCHES, _QUICK = 20, 4
_FROM_UA = 2000
_EVERY = 4
"""Before the calibration only each fourth amplitude is tried."""
_NARROW = (500, 5000)


def _calibrate(rig: Rig, seed: int) -> list[float]:
    """Calibrate the bench's board; by lead, the most that it can give, uA, as its calibration says."""
    rig.connect()
    meter = EmulatedMeter(rig.bench, seed, _RESISTOR_OHM)
    found = calibrate(rig.device, meter, _RESISTOR_OHM, serial=f"bench {seed}", calibrated_s=_DAY_S)
    return [lead.currents[-1] * CURRENT_NA / 1000 for lead in found.record.leads]


@dataclass(frozen=True)
class _Sweeps:
    """One bench: most_ua by lead; amplitudes before and after."""

    seed: int
    most_ua: list[float]
    before: list[Setting]
    after: list[Setting]


def _seeds(options: Options) -> list[int]:
    return [options.seed + k for k in range(_QUICK if options.quick else _BENCHES)]


def _amplitude(seed: int) -> _Sweeps:
    with Rig(seed, tolerance="worst") as rig:
        before = sweep(rig, seed, amplitudes()[::_EVERY])
        most_ua = _calibrate(rig, seed)
        return _Sweeps(seed, most_ua, before, sweep(rig, seed))


def _off(one: Setting) -> float:
    return abs(one.measured_ua - one.wanted_ua)


def _share(one: Setting) -> float:
    return _off(one) / one.wanted_ua * 100


def _judge_amplitude(found: Sequence[_Sweeps], options: Options) -> list[Line]:
    most_ua = {
        (each.seed, side): most for each in found for side, most in zip(SIDES, each.most_ua, strict=True)
    }

    def is_in_reach(one: Setting) -> bool:
        return one.wanted_ua <= most_ua[one.seed, one.side]

    after = [one for each in found for one in each.after]
    before = [one for each in found for one in each.before]
    judged = [one for one in after if is_in_reach(one)]
    weak = [one for one in after if not is_in_reach(one)]
    high = max((one for one in judged if one.wanted_ua >= _FROM_UA), key=_share)
    low = max((one for one in judged if one.wanted_ua < _FROM_UA), key=_off)
    high_before = max((one for one in before if one.wanted_ua >= _FROM_UA and is_in_reach(one)), key=_share)
    low_before = max((one for one in before if one.wanted_ua < _FROM_UA), key=_off)
    detail = (
        f"{len(found)} benches with every part at an end of its tolerance, seeds {options.seed}-"
        f"{options.seed + len(found) - 1}, both leads, {len(judged)} settings; resistor 0.1 %, meter 0.05 %"
    )
    beyond = (
        f"; {len(weak)} settings beyond the DAC's full scale left out, the worst "
        f"{min(one.measured_ua for one in weak):.0f} uA for {max(one.wanted_ua for one in weak)}"
        if weak
        else ""
    )
    data = {"settings": [[one.seed, one.side, one.wanted_ua, one.measured_ua] for one in after]}
    return [
        reached(
            "amplitude error, calibrated, from 2 mA on", _share(high), Relation.AT_MOST, 0.5, "%",
            f"{detail}; worst {high.measured_ua:.1f} for {high.wanted_ua} uA, {high.side}, seed {high.seed}"
            + beyond,
            **data,
        ),
        reached(
            "amplitude error, calibrated, below 2 mA", _off(low), Relation.AT_MOST, 10, "uA",
            f"{detail}; worst {low.measured_ua:.1f} for {low.wanted_ua} uA, {low.side}, seed {low.seed}",
        ),
        compared(
            "amplitude error, the same benches not calibrated",
            f"{_share(high_before):.1f} % from 2 mA on, {_off(low_before):.0f} uA below",
            f"{high_before.measured_ua:.1f} for {high_before.wanted_ua} uA, "
            f"{low_before.measured_ua:.1f} for {low_before.wanted_ua} uA",
        ),
    ]  # fmt: skip


AMPLITUDE_CALIBRATED = Row(
    "amplitude-calibrated", "amplitude, calibrated, parts at their worst",
    _seeds, _amplitude, _judge_amplitude, weight=40,
)  # fmt: skip


@dataclass(frozen=True)
class _Impedances:
    """One bench: the ends of the ranges before; those and random electrodes after."""

    before: list[Measured]
    after: list[Measured]


def _fittings(seed: int) -> list[Fitting]:
    """The ends of both ranges, and random electrodes; all on one bench."""
    rng = random.Random(f"impedance, calibrated {seed}")
    four = 4
    ends = [
        Fitting(seed, ((low / 2,) * four, (high / 2,) * four), ((c_uf,) * four,) * 2)
        for (low, high), c_uf in (((200, 10_000), 1.0), ((500, 5000), 20.0))
    ]
    return [*ends, random_fitting(seed, rng)]


def _impedance(seed: int) -> _Impedances:
    fittings = _fittings(seed)
    with Rig(seed, tolerance="worst") as rig:
        before = [measured(rig, each) for each in fittings[:2]]
        _calibrate(rig, seed)
        return _Impedances(before, [measured(rig, each) for each in fittings])


def _judge_impedance(found: Sequence[_Impedances], options: Options) -> list[Line]:
    after = errors_of([one for each in found for one in each.after])
    before = errors_of([one for each in found for one in each.before])
    seeds = f"{len(found)} benches with every part at an end of its tolerance, seeds from {options.seed}"

    def narrow(errors: list[Error]) -> list[Error]:
        return [error for error in errors if _NARROW[0] <= error.ohm <= _NARROW[1]]

    def worst(errors: list[Error]) -> Error:
        return max(errors, key=lambda error: abs(error.percent))

    def line(name: str, errors: list[Error], limit: float) -> Line:
        return reached(
            f"impedance error, calibrated, {name}", abs(worst(errors).percent), Relation.AT_MOST, limit, "%",
            f"{len(errors)} readings, electrodes of 1-20 uF, {seeds}; worst {worst(errors).text()}",
            readings=[[error.ohm, error.read, *error.c_uf, error.seed] for error in errors],
        )  # fmt: skip

    return [
        line("500 ohm-5 kohm", narrow(after), 1),
        line("200 ohm-10 kohm", after, 2),
        compared(
            "impedance error, the same benches not calibrated",
            f"{abs(worst(narrow(before)).percent):.2f} % of 500 ohm-5 kohm, "
            f"{abs(worst(before).percent):.2f} % of 200 ohm-10 kohm",
            f"worst {worst(narrow(before)).text()}; {worst(before).text()}",
        ),
    ]


IMPEDANCE_CALIBRATED = Row(
    "impedance-calibrated", "impedance, calibrated, parts at their worst",
    _seeds, _impedance, _judge_impedance, weight=30,
)  # fmt: skip
