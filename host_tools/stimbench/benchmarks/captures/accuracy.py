"""How far the measures are from the truth, on synthetic captures whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stimbench.analysis.synthetic import Recipe, make_capture, make_truth
from stimbench.analysis.train import measure_train
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached

__all__ = ("ACCURACY", "Errors", "errors_of")

_SAMPLES, _CHARGE_PERCENT = 1.0, 0.5
_RATES = (1_000_000, 10_000_000, 24_000_000)
_SLOW = "slow current"


@dataclass(frozen=True)
class Errors:
    """The worst errors of one capture.

    Attributes:
        width, period: in samples.
        charge_percent: of a phase, the worst pulse.
        mean_percent: of all phases together.
        pulses: how many.
    """

    width: float
    period: float
    charge_percent: float
    mean_percent: float
    pulses: int


def errors_of(recipe: Recipe) -> Errors:
    """Measure a capture of this recipe against its truth."""
    truth = make_truth(recipe)
    capture = make_capture(recipe, truth)
    worst = []
    for lead, wanted in truth.pulses.items():
        train = measure_train(capture, lead)
        found, step = train.pulses, train.resolution_ns
        if len(found) != len(wanted) or train.shapes is None:
            return Errors(np.inf, np.inf, np.inf, np.inf, len(found))
        width = max(np.abs(found[name] - wanted[name]).max() for name in ("cathodic_ns", "anodic_ns"))
        true_periods = np.diff(wanted["start_ns"])
        period = np.abs(found["period_ns"][1:] - true_periods).max()
        charges = np.column_stack([train.shapes.pulses[name] for name in ("cathodic_nc", "anodic_nc")])
        off = charges / truth.charge_nc(lead) - 1
        worst.append((width / step, period / step, np.abs(off).max() * 100, abs(off.mean()) * 100))
    width, period, charge, mean = (float(max(values)) for values in zip(*worst, strict=True))
    return Errors(width, period, charge, mean, sum(len(each) for each in truth.pulses.values()))


def _cases(options: Options) -> list[tuple[str, Recipe]]:
    seconds = 20.0 if options.quick else 120.0
    base = Recipe(
        seconds=seconds, jitter_ns=500.0, drift_ppm=50.0, noise_db=40.0, seed=options.seed,
        digital_hz=_RATES[-1], analog_hz=1_000_000,
    )  # fmt: skip
    cases = [
        (f"{rate // 1000} kS/s", replace(base, digital_hz=rate, seed=options.seed + k))
        for k, rate in enumerate(_RATES)
    ]
    return [
        *cases,
        ("offset and a rise of 800 ns", replace(base, offset_ua=30.0, settle_ns=364.0)),
        ("interphase gap", replace(base, gap_us=50)),
        ("current alone", replace(base, digital_hz=-1, analog_hz=10_000_000, seconds=seconds / 6)),
        (_SLOW, replace(base, analog_hz=100_000)),
    ]


def _work(case: tuple[str, Recipe]) -> tuple[str, Recipe, Errors]:
    return (*case, errors_of(case[1]))


def _judge(found: Sequence[tuple[str, Recipe, Errors]], options: Options) -> list[Line]:
    timing = max(max(each.width, each.period) for _, _, each in found)
    by_name = {name: each for name, _, each in found}
    slow = by_name[_SLOW]
    # At 1 MS/s an edge is up to 1 us late, which alone is 0.5 % of 214 us.
    fine = [each for name, recipe, each in found if name != _SLOW and recipe.digital_hz != _RATES[0]]
    count = sum(each.pulses for _, _, each in found)
    told = ", ".join(f"{name} {max(each.width, each.period):.2f}" for name, each in by_name.items())
    charges = ", ".join(f"{name} {each.charge_percent:.2f} %" for name, _, each in found)
    return [
        reached("error of width and period, worst pulse, in samples", timing, Relation.AT_MOST, _SAMPLES, "",
                f"{count} pulses, jitter 500 ns, drift 50 ppm, 40 dB; {told}"),
        reached("error of a phase's charge, worst pulse, at 40 dB", max(e.charge_percent for e in fine),
                Relation.AT_MOST, _CHARGE_PERCENT, "%",
                f"current at 1 MS/s or more, edges at 10 MS/s or more; all: {charges}"),
        compared("the same with the current at 100 kS/s", f"{slow.charge_percent:.2f} %",
                 f"21 samples a phase: noise alone is 0.22 %; mean of all {slow.mean_percent:.3f} %"),
    ]  # fmt: skip


ACCURACY = Row("accuracy", "error of the measures on synthetic captures", _cases, _work, _judge, weight=10)
