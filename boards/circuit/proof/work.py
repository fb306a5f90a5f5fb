"""Many runs over all cores, each by its case and seed; results in order, whatever finishes first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from circuit.proof import measures, pulse, tolerances
from circuit.proof.measures import Phase
from circuit.proof.pulse import Case
from circuit.sim.deck import Changes
from circuit.snapshot import Snapshot

QUICK_RELTOL = 1e-3


@dataclass(frozen=True)
class Outcome:
    """Both phases of one run, and their net charge over the cathodic one's."""

    case: Case
    cathodic: Phase
    anodic: Phase
    imbalance_share: float


def outcome(waves: pulse.Waves) -> Outcome:
    """Everything that is read off one pulse."""
    cathodic, anodic = measures.phase(waves, "CATH"), measures.phase(waves, "ANOD")
    share = (anodic.charge_nc - cathodic.charge_nc) / cathodic.charge_nc if cathodic.charge_nc else 0.0
    return Outcome(waves.case, cathodic, anodic, share)


def _cases(job: tuple[Snapshot, Case, Changes | None]) -> Outcome:
    board, case, changes = job
    return outcome(pulse.run(board, case, changes))


def _seeds(job: tuple[Snapshot, Case, int]) -> Outcome:
    board, case, seed = job
    return outcome(pulse.run(board, case, tolerances.draw(board, seed), reltol=QUICK_RELTOL))


def each_case(board: Snapshot, cases: Sequence[Case], changes: Changes | None = None) -> list[Outcome]:
    """One run a case."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_cases, [(board, case, changes) for case in cases]))


def each_seed(board: Snapshot, case: Case, runs: int) -> list[Outcome]:
    """One run a seed, 0 to runs - 1: a Monte Carlo."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_seeds, [(board, case, seed) for seed in range(runs)], chunksize=5))
