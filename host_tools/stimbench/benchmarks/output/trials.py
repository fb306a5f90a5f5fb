"""Trials of what turns the output off, spread over the period of a train, and their judgement."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stimbench.benchmarks.harness.model import Line, Options, Relation, reached
from stimbench.benchmarks.harness.rig import BRIDGE, MS, Rig, programme

__all__ = (
    "AFTER_MS",
    "PERIOD_NS",
    "PROGRAM",
    "TRIALS",
    "Chunk",
    "Trial",
    "in_pulse",
    "judge_trial",
    "next_ns",
    "seeded",
    "worst_line",
)

TRIALS = 200
_CHUNKS = 8
PROGRAM = programme(on_ms=60_000, off_ms=0)
PERIOD_NS = PROGRAM.period_us * 1000
_PULSE_NS = (2 * PROGRAM.width_us + PROGRAM.gap_us) * 1000
AFTER_MS = 30
_LONGEST_NS = 500 * MS


@dataclass(frozen=True)
class Chunk:
    """Some of the trials: of `trials` in all, numbers `first`, `first + step`, ..."""

    kind: str
    seed: int
    first: int
    step: int
    trials: int

    def numbers(self) -> range:
        """Of its trials."""
        return range(self.first, self.trials, self.step)

    def share(self, number: int) -> float:
        """A place in the period for a trial, 0 to 1: evenly spread, at random within its part."""
        rng = random.Random(f"{self.kind} {number} {self.seed}")
        return (number // 2 + rng.random()) / (self.trials / 2) % 1.0

    def phase_ns(self, number: int) -> int:
        """Half of the trials evenly over the period, half over the two pulses in it; at a random place."""
        share = self.share(number)
        if number % 2:
            return int(share * PERIOD_NS)
        slot_ns = int(share * 2 * _PULSE_NS)
        return slot_ns if slot_ns < _PULSE_NS else PERIOD_NS // 2 + slot_ns - _PULSE_NS


@dataclass(frozen=True)
class Trial:
    """Attributes: phase_ns: of the event in the period; delay_ns: from it to the last pin's falling edge."""

    kind: str
    phase_ns: int
    delay_ns: int
    in_pulse: bool
    late_edges: int


def _chunks(kinds: dict[str, int]) -> list[Chunk]:
    return [
        Chunk(kind, 0, first, _CHUNKS, trials)
        for kind, trials in kinds.items()
        for first in range(min(_CHUNKS, trials))
    ]


def seeded(kinds: dict[str, int], options: Options) -> list[Chunk]:
    """Chunks of so many trials of each kind, an eighth if it shall be quick."""
    kinds = {kind: max(8, trials // 8) if options.quick else trials for kind, trials in kinds.items()}
    return [
        Chunk(chunk.kind, options.seed + chunk.first, chunk.first, chunk.step, chunk.trials)
        for chunk in _chunks(kinds)
    ]


def in_pulse(phase_ns: int) -> bool:
    """Whether this place in a period of PROGRAM lies in a pulse."""
    return phase_ns % (PERIOD_NS // 2) < _PULSE_NS


def next_ns(rig: Rig, first_ns: int, phase_ns: int, least_ns: int) -> int:
    """When a period next reaches `phase_ns`, at least `least_ns` from now."""
    periods = -(-(rig.now_ns + least_ns - first_ns - phase_ns) // PERIOD_NS)
    return first_ns + periods * PERIOD_NS + phase_ns


def judge_trial(rig: Rig, chunk: Chunk, first_ns: int, event_ns: int) -> Trial:
    """Judge an event that has passed by now."""
    rig.bench.run_to(max(rig.now_ns, event_ns))
    rig.bench.run_until(lambda: not any(rig.board.pin(signal).level for signal in BRIDGE), _LONGEST_NS)
    rig.run_ms(AFTER_MS)
    phase_ns = (event_ns - first_ns) % PERIOD_NS
    off_ns = rig.off_ns(event_ns)
    rig.run_ms(PERIOD_NS / MS)
    return Trial(chunk.kind, phase_ns, off_ns - event_ns, in_pulse(phase_ns), rig.bridge_edges(off_ns + 1))


def worst_line(
    what: str,
    trials: list[Trial],
    limit: float,
    unit: str,
    unit_ns: int,
    options: Options,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Line:
    """The worst trial, in `unit` of `unit_ns`; not reached if the bridge moved after one of them.

    `names`: what the line calls a kind, if not by its own name.
    """
    worst = max(trials, key=lambda trial: trial.delay_ns)
    kinds = []
    for kind in dict.fromkeys(trial.kind for trial in trials):
        mine = sorted(trial.delay_ns for trial in trials if trial.kind == kind)
        kinds.append(
            f"{names.get(kind, kind)}: {len(mine)}, median {mine[len(mine) // 2] / unit_ns:.3g}, "
            f"worst {mine[-1] / unit_ns:.3g} {unit}"
        )
    late = sum(trial.late_edges for trial in trials)
    value = worst.delay_ns / unit_ns if not late else float("inf")
    return reached(
        what, value, Relation.AT_MOST, limit, unit,
        f"worst of {len(trials)} ({'; '.join(kinds)}); {sum(t.in_pulse for t in trials)} in a pulse, "
        f"the rest anywhere in the period, the worst at {worst.phase_ns / MS:.2f} ms of it; "
        f"{late} bridge edges in the period after; seeds {options.seed}-{options.seed + _CHUNKS - 1}",
        trials=[[t.kind, t.phase_ns, t.delay_ns] for t in trials],
    )  # fmt: skip
