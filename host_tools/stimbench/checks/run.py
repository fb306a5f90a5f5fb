"""Runs a plan as a campaign: one job a case and repetition, one folder of results, one report."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from stimbench.campaign.errors import StoreError
from stimbench.campaign.jobs import Job, make_job
from stimbench.campaign.pool import Pool
from stimbench.campaign.run import Progress, Summary, run
from stimbench.campaign.store import Record, Store
from stimbench.checks.attach import unpack
from stimbench.checks.cases import Case
from stimbench.checks.outcome import CaseResult, Outcome, worst
from stimbench.checks.plan import Plan
from stimbench.checks.work import WORK, split_error
from stimbench.errors import InputError

__all__ = ("Run", "Where", "jobs_of", "load_run", "names_of", "run_plan")

_ABOUT = "check.json"
"""What the campaign's own files do not say: the plan's name, its peers."""
_OF_A_CASE = frozenset(each.name for each in fields(Case))
_IMPEDANCE_S = 5.0
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Run:
    """A run of a plan, as its folder holds it.

    Attributes:
        folder: of the results.
        about: of the plan: name, description, source, sha256, peers, bench.
        results: one a case and repetition, in the plan's order; ABORTED for what was not run. At the end
            those that the bench could not run: once each, ABORTED, with the reason.
        summary: of what was done just now; None for a run that was read.
    """

    folder: Path
    about: dict[str, Any]
    results: tuple[CaseResult, ...]
    summary: Summary | None = None

    @property
    def run_results(self) -> tuple[CaseResult, ...]:
        """Without those that the bench could not run."""
        left_out = {each["name"] for each in self.about.get("left_out", [])}
        return tuple(result for result in self.results if result.name not in left_out)

    @property
    def outcome(self) -> Outcome:
        """Of all cases together, without those that the bench could not run; ABORTED if it could run none."""
        outcomes = [result.outcome for result in self.run_results]
        return worst(outcomes) if outcomes else Outcome.ABORTED

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many cases ended in each way, those that are none left out."""
        outcomes = [result.outcome for result in self.results]
        return {each: outcomes.count(each) for each in Outcome if each in outcomes}


@dataclass(frozen=True)
class Where:
    """What cases run on, if that is not an emulated bench for each of them.

    Attributes:
        work: what does one case.
        bench: in words, for reports.
        more: what each job is given besides its case.
        left_out: by name of a case, why the bench cannot run it: it is ABORTED, and makes no job.
    """

    work: str = WORK
    bench: str = "emulated"
    more: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


def jobs_of(plan: Plan, count: int, pool: Pool, where: Where | None = None) -> list[Job]:
    """One job a repetition and case that the bench can run."""
    where = where or Where()
    if count < 1:
        raise InputError(f"--count {count}: at least 1 is needed.")
    return [
        make_job(where.work, case.as_payload() | {"attempt": attempt, **where.more}, pool.firmware.hashes)
        for attempt in range(1, count + 1)
        for case in plan.cases
        if case.name not in where.left_out
    ]


def run_plan(
    plan: Plan,
    folder: Path,
    pool: Pool,
    count: int = 1,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    where: Where | None = None,
) -> Run:
    """Run what the folder lacks.

    Args:
        plan: the cases.
        folder: of the results; one of an earlier, interrupted run of the same plan and firmware goes on.
        pool: where the cases run.
        count: repetitions of each case.
        on_progress: see campaign.run.
        where: what the cases run on.

    Raises:
        InputError: the folder holds another campaign.
        RigError: nobody is left who could run a case.
    """
    where = where or Where()
    jobs = jobs_of(plan, count, pool, where)
    store = Store(folder, f"check {plan.name} {plan.sha256[:12]}")
    about = {
        "plan": plan.name,
        "description": plan.description,
        "source": plan.source,
        "sha256": plan.sha256,
        "peers": [dict(peer) for peer in plan.peers],
        "bench": where.bench,
        "left_out": [
            {"name": case.name, "matrix": case.matrix, "reason": where.left_out[case.name]}
            for case in plan.cases
            if case.name in where.left_out
        ],
        "firmware_sha256": dict(pool.firmware.hashes),
    }

    def told(progress: Progress) -> None:
        # The folder is this run's from here on; a run that is killed can be read, too.
        if not (folder / _ABOUT).is_file():
            (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        on_progress(progress)

    # On a wired bench a person may change the loads: there the plan's own order stays.
    weight = _weight if where.work == WORK else _unweighed
    summary = run(jobs, store, pool, told, weight=weight)
    return replace(load_run(folder), summary=summary)


def _unweighed(job: Job) -> float:
    return 0.0


def _weight(job: Job) -> float:
    """Roughly how many seconds a case takes on an emulated bench."""
    case = Case.from_payload({name: each for name, each in job.payload.items() if name in _OF_A_CASE})
    measures = case.impedance or case.fault.kind.expect in ("open", "short", "high")
    emulated_s = case.cycles * case.cycle_ms / 1000
    # A pulse costs more than the time between two: 20 Hz runs about 15 times as fast as real time.
    return emulated_s * (0.03 + case.program.rate_hz / 500) + (_IMPEDANCE_S if measures else 0.0)


def load_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        StoreError: it holds no run.
    """
    store = Store(folder, "")
    records = store.records()
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder} holds no run of a plan: {_ABOUT} cannot be read ({error}).") from error
    results = [_result(job, records.get(job.key), folder) for job in store.plan().jobs]
    results += [
        CaseResult(each["name"], "", Outcome.ABORTED, each["reason"], parameters={"matrix": each["matrix"]})
        for each in about.get("left_out", [])
    ]
    return Run(folder, about, tuple(results))


def _result(job: Job, record: Record | None, folder: Path) -> CaseResult:
    payload = job.payload
    nothing = CaseResult(
        job.name,
        job.key,
        Outcome.ABORTED,
        "it was not run",
        parameters={"matrix": payload.get("matrix", "")},
        attempt=int(payload.get("attempt", 1)),
    )
    if record is None:
        return nothing
    if record.result is None:
        outcome, reason = split_error(record.error)
        # A file name of another encoding has characters that no report can hold.
        told = reason.encode("utf-8", "replace").decode("utf-8")
        return replace(nothing, outcome=outcome, reason=told, seconds=record.seconds)
    data = dict(record.result)
    packed = data.pop("packed", [])
    try:
        found = CaseResult.from_data(data)
        # The key tells apart what differs in characters that no file name has.
        name = _NAME.sub("_", f"{job.name}-{found.attempt}-{job.key[:8]}")
        attachments = unpack(packed, folder, name)
    except (ValueError, zlib.error) as error:
        return replace(nothing, outcome=Outcome.ERROR, reason=f"its result cannot be read: {error}")
    return replace(found, key=job.key, seconds=record.seconds, attachments=attachments)


def names_of(results: Sequence[CaseResult]) -> list[str]:
    """Every case's name once, in order."""
    return list(dict.fromkeys(result.name for result in results))
