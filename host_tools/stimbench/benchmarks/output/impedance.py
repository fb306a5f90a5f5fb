"""Lead impedance: every pair of both leads against the electrodes that the bench was built with."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.protocol import messages, requests
from stimfw.therapy.ranges import ELECTRODES_A_LEAD

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import SIDES, Rig
from stimbench.client.records import PairImpedance

__all__ = ("IMPEDANCE", "Error", "Fitting", "Measured", "errors_of", "fittings", "measured", "random_fitting")

_NARROW = (500, 5000)
_WIDE = (200, 10_000)
_C_UF = (1.0, 20.0)
_POLL_MS = 20


@dataclass(frozen=True)
class Fitting:
    """The electrodes of both leads of one bench.

    Attributes:
        seed: of its parts: amplifiers' and converter's errors, pumps, DAC.
        r_ohm: access resistance of each electrode, by lead; a pair has the sum of two.
        c_uf: double-layer capacitance of each electrode, by lead.
        open: (lead, electrode) that is broken; touching: (lead, one, other) that are shorted.
    """

    seed: int
    r_ohm: tuple[tuple[float, ...], tuple[float, ...]]
    c_uf: tuple[tuple[float, ...], tuple[float, ...]]
    open: tuple[tuple[int, int], ...] = ()
    touching: tuple[tuple[int, int, int], ...] = ()

    def pair_ohm(self, lead: int, cathode: int, anode: int) -> float:
        """The access resistance r_s of a pair: what has to be read."""
        return self.r_ohm[lead][cathode] + self.r_ohm[lead][anode]

    def is_judged(self, lead: int, cathode: int, anode: int) -> bool:
        """Whether a pair's resistance is `pair_ohm`: shorted conductors put two electrodes in parallel."""
        ends = {end for where, *pair in self.touching if where == lead for end in pair}
        return not ends & {cathode, anode} and self.kind(lead, cathode, anode) == messages.KIND_OK

    def kind(self, lead: int, cathode: int, anode: int) -> int:
        """What the board should call a pair."""
        if (lead, cathode) in self.open or (lead, anode) in self.open:
            return messages.KIND_OPEN
        if (lead, *sorted((cathode, anode))) in self.touching:
            return messages.KIND_SHORT
        return messages.KIND_OK


@dataclass(frozen=True)
class Measured:
    """What a board read of its electrodes."""

    fitting: Fitting
    pairs: list[PairImpedance]
    took_ns: int


def fittings(options: Options) -> list[Fitting]:
    """The ends of the ranges on all electrodes of a lead, then random electrodes, then faults."""
    seed, four = options.seed, ELECTRODES_A_LEAD
    rng = random.Random(f"impedance {seed}")
    found: list[Fitting] = []
    for low, high in (_WIDE, _NARROW):
        for c_uf in _C_UF:
            r_ohm = ((low / 2,) * four, (high / 2,) * four)
            found.append(Fitting(seed + len(found), r_ohm, ((c_uf,) * four,) * 2))
    for _ in range(2 if options.quick else 8):
        found.append(random_fitting(seed + len(found), rng))
    for k in range(1 if options.quick else 3):
        healthy = random_fitting(seed + 100 + k, rng)
        one, other = sorted(rng.sample(range(four), 2))
        broken = ((0, rng.randrange(four)),)
        found.append(Fitting(healthy.seed, healthy.r_ohm, healthy.c_uf, broken, ((1, one, other),)))
    return found


def random_fitting(seed: int, rng: random.Random) -> Fitting:
    """Electrodes evenly spread in the logarithm; every pair is inside the wide range."""

    def four(low: float, high: float) -> tuple[float, ...]:
        return tuple(math.exp(rng.uniform(math.log(low), math.log(high))) for _ in range(ELECTRODES_A_LEAD))

    ohm = tuple(four(_WIDE[0] / 2, _WIDE[1] / 2) for _ in range(2))
    farad = tuple(four(*_C_UF) for _ in range(2))
    return Fitting(seed, (ohm[0], ohm[1]), (farad[0], farad[1]))


def _measure(fitting: Fitting) -> Measured:
    with Rig(fitting.seed) as rig:
        return measured(rig, fitting)


def measured(rig: Rig, fitting: Fitting) -> Measured:
    """One measurement of all pairs, and the time from the request to an answer that says it is over."""
    stimulator = rig.connect()
    for lead, side in enumerate(SIDES):
        for index, electrode in enumerate(rig.parts.leads[side].electrodes):
            electrode.set(r_s_ohm=fitting.r_ohm[lead][index], c_dl_uf=fitting.c_uf[lead][index])
    sides = list(SIDES)
    for lead, index in fitting.open:
        rig.parts.leads[sides[lead]].electrodes[index].open()
    for lead, one, other in fitting.touching:
        electrodes = rig.parts.leads[sides[lead]].electrodes
        electrodes[one].short_to(electrodes[other])
    begin_ns = rig.now_ns
    stimulator._ask(requests.IMPEDANCE)
    rig.await_state(stimulator, poll_ms=_POLL_MS)
    took_ns = rig.now_ns - begin_ns
    pairs = [pair for lead in range(2) for pair in stimulator.impedance_results(lead)]
    return Measured(fitting, pairs, took_ns)


@dataclass(frozen=True)
class Error:
    """Of one reading of a pair."""

    percent: float
    ohm: float
    read: int
    c_uf: tuple[float, float]
    seed: int

    def text(self) -> str:
        """In words."""
        return (
            f"{self.percent:+.2f} % ({self.read} read for {self.ohm:.0f} ohm, "
            f"{self.c_uf[0]:.3g} and {self.c_uf[1]:.3g} uF, seed {self.seed})"
        )


def errors_of(found: Sequence[Measured]) -> list[Error]:
    """Of every healthy pair."""
    errors = []
    for each in found:
        for pair in each.pairs:
            where = (pair.lead, pair.cathode, pair.anode)
            if not each.fitting.is_judged(*where) or pair.kind != messages.KIND_OK:
                continue
            ohm = each.fitting.pair_ohm(*where)
            c_uf = each.fitting.c_uf[pair.lead]
            percent = (pair.ohm / ohm - 1) * 100
            errors.append(
                Error(percent, ohm, pair.ohm, (c_uf[pair.cathode], c_uf[pair.anode]), each.fitting.seed)
            )
    return errors


def _judge(found: Sequence[Measured], options: Options) -> list[Line]:
    errors = errors_of(found)
    narrow = [error for error in errors if _NARROW[0] <= error.ohm <= _NARROW[1]]
    benches = len({each.fitting.seed for each in found})
    seeds = f"{benches} benches of different parts, seeds from {options.seed}"
    lines = [
        _band("500 ohm-5 kohm", narrow, 2, seeds),
        _band("200 ohm-10 kohm", errors, 5, seeds),
        _names(found),
    ]
    slowest = max(found, key=lambda each: each.took_ns)
    lines.append(
        reached(
            "impedance: all 24 ordered pairs", slowest.took_ns / 1e9, Relation.AT_MOST, 2, "s",
            f"request to the first answer that says it is over, polled every {_POLL_MS} ms; "
            f"slowest of {len(found)}, seed {slowest.fitting.seed}",
            seconds=[each.took_ns / 1e9 for each in found],
        )
    )  # fmt: skip
    return lines


def _band(name: str, errors: list[Error], limit: float, seeds: str) -> Line:
    worst = sorted(errors, key=lambda error: -abs(error.percent))[:3]
    beyond = sum(abs(error.percent) > limit for error in errors)
    return reached(
        f"impedance error, {name}", abs(worst[0].percent), Relation.AT_MOST, limit, "%",
        f"of a pair's access resistance r_s, electrodes of 1-20 uF, ADC errors on: {len(errors)} readings "
        f"on {seeds}; {beyond} beyond the limit; worst {'; '.join(error.text() for error in worst)}",
        readings=[[error.ohm, error.read, *error.c_uf, error.seed] for error in errors],
    )  # fmt: skip


def _names(found: Sequence[Measured]) -> Line:
    wrong, counts = [], {messages.KIND_OPEN: 0, messages.KIND_SHORT: 0, messages.KIND_OK: 0}
    for each in found:
        for pair in each.pairs:
            expected = each.fitting.kind(pair.lead, pair.cathode, pair.anode)
            counts[expected] += 1
            if pair.kind != expected:
                wrong.append(
                    f"{pair.lead_name} {pair.cathode}-{pair.anode} {pair.kind_name}, "
                    f"{each.fitting.pair_ohm(pair.lead, pair.cathode, pair.anode):.0f} ohm, "
                    f"seed {each.fitting.seed}"
                )
    missing = 24 * len(found) - sum(counts.values())
    return reached(
        "impedance: pairs named wrongly (open, short, ok)", len(wrong) + missing, Relation.EQUAL, 0, "",
        f"{counts[messages.KIND_OPEN]} with a broken electrode, {counts[messages.KIND_SHORT]} shorted, "
        f"{counts[messages.KIND_OK]} healthy ones" + ("; wrong: " + "; ".join(wrong[:4]) if wrong else ""),
    )  # fmt: skip


IMPEDANCE = Row(
    "impedance", "impedance, electrode capacitance 1-20 uF, ADC errors on",
    fittings, _measure, _judge, weight=15,
)  # fmt: skip
