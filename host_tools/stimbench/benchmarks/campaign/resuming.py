"""A campaign that is disturbed: a worker is killed, one is added, Ctrl-C ends it, and it is resumed."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stimbench.bench import Bench, BenchConfig
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.harness.rig import image_of
from stimbench.campaign.dask_pool import DaskPool
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.jobs import Job, make_job
from stimbench.campaign.run import Progress, Summary, run
from stimbench.campaign.store import Store

__all__ = ("CAMPAIGN", "CampaignCase", "Disturbed", "disturbed_campaign", "judge", "small_bench")

_WORK = "stimbench.benchmarks.campaign.resuming:small_bench"
_BENCHES, _QUICK = 1000, 60
_WORKERS = 2
_KILL_AT, _ADD_AT, _INTERRUPT_AT = 0.2, 0.4, 0.6
"""After which share of the cases: a worker is killed, one is added, Ctrl-C comes."""
_BENCH_NS = 200_000_000
_DISTURBANCES = 3


@dataclass(frozen=True)
class CampaignCase:
    """How many benches, with seeds from `seed` on."""

    benches: int
    seed: int


@dataclass(frozen=True)
class Disturbed:
    """What came of a disturbed campaign.

    Attributes:
        cases: jobs.
        once: jobs that have exactly one result at the end, and this one is their own.
        disturbances: how many of these came: a worker killed, one added, Ctrl-C.
        most_workers: how many worked at once.
        with_result: jobs that had a result when it was resumed.
        repeated: of these, how many ran again.
        executions: how often a job was begun, in all.
        counted_done: results that the two runs say they added.
        errors: jobs that the two runs say gave none.
        seconds: of both runs, on the wall clock.
    """

    cases: int
    once: int
    disturbances: int
    most_workers: int
    with_result: int
    repeated: int
    executions: int
    counted_done: int
    errors: int
    seconds: float


def small_bench(payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """A stimulator boots for 0.2 s. Leaves a file for each time that it is begun."""
    seed = int(payload["seed"])
    (Path(payload["executions"]) / f"{seed}-{uuid.uuid4().hex}").touch(exist_ok=False)
    config = BenchConfig(seed=seed, boards=("stimulator",), firmware=dict(firmware), trace=False)
    with Bench(config) as bench:
        bench.run_for(_BENCH_NS)
        operations = len(bench.board("stimulator").flash.operations)
    return {"verdict": "PASS", "seed": seed, "flash_operations": operations}


def disturbed_campaign(case: CampaignCase) -> Disturbed:
    """Run a campaign, disturb it, resume it, and count."""
    firmware = Firmware.read({"stimulator": image_of("stimulator")})
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stimbench-campaign-") as name:
        executions = Path(name) / "executions"
        executions.mkdir()
        jobs = [_job(case.seed + number, executions, firmware) for number in range(case.benches)]
        store = Store(Path(name) / "results", "figure")
        first, came, most = _first_run(jobs, store, firmware)
        finished = {key for key, one in store.records().items() if one.result is not None}
        before = _begun(executions)
        with DaskPool(firmware, _WORKERS) as pool:
            second = run(jobs, store, pool)
        again = _begun(executions) - before
        seeds = {job.key: int(job.payload["seed"]) for job in jobs}
        return Disturbed(
            cases=case.benches,
            once=_once(store, seeds),
            disturbances=came,
            most_workers=most,
            with_result=len(finished),
            repeated=sum(again[seeds[key]] > 0 for key in finished),
            executions=_begun(executions).total(),
            counted_done=first.done + second.done,
            errors=first.errors + second.errors,
            seconds=time.monotonic() - begin_s,
        )


def _job(seed: int, executions: Path, firmware: Firmware) -> Job:
    return make_job(_WORK, {"seed": seed, "executions": str(executions)}, firmware.hashes)


def _first_run(jobs: Sequence[Job], store: Store, firmware: Firmware) -> tuple[Summary, int, int]:
    """The run that is disturbed; how many disturbances came, and how many workers there were at most."""
    with DaskPool(firmware, _WORKERS) as pool:
        disturb = _Disturb(pool, len(jobs))
        summary = run(jobs, store, pool, disturb)
    return summary, disturb.came + summary.interrupted, disturb.most_workers


class _Disturb:
    """Told of each job that is done; does something to the pool at three of them."""

    def __init__(self, pool: DaskPool, total: int) -> None:
        self._pool = pool
        self._due: list[tuple[int, Callable[[], None]]] = [
            (round(_KILL_AT * total), self._kill),
            (round(_ADD_AT * total), self._add),
            (round(_INTERRUPT_AT * total), _interrupt),
        ]
        self.came = 0
        self.most_workers = 0

    def __call__(self, told: Progress) -> None:
        self.most_workers = max(self.most_workers, told.workers)
        while self._due and told.done >= self._due[0][0]:
            _, act = self._due.pop(0)
            act()

    def _kill(self) -> None:
        os.kill(self._pool.pids[0], signal.SIGKILL)
        self.came += 1

    def _add(self) -> None:
        self._pool.add_worker()
        self.came += 1


def _interrupt() -> None:
    """What Ctrl-C does to a run."""
    raise KeyboardInterrupt


def _begun(executions: Path) -> Counter[int]:
    """How often each seed was begun."""
    return Counter(int(path.name.partition("-")[0]) for path in executions.iterdir())


def _once(store: Store, seeds: Mapping[str, int]) -> int:
    """Jobs whose one file holds their own result. A second file for a key there cannot be."""
    records = store.records()
    own = [key for key, one in records.items() if one.result and one.result["seed"] == seeds[key]]
    return len(own) if len({path.stem for path in (store.folder / "cases").iterdir()}) == len(own) else 0


def _cases(options: Options) -> list[CampaignCase]:
    return [CampaignCase(_QUICK if options.quick else _BENCHES, options.seed)]


def judge(found: Sequence[Disturbed], options: Options) -> list[Line]:
    """Four lines: all cases once, the disturbances, none repeated, and how long it took."""
    one = found[0]
    numbers = asdict(one)
    counted = one.once if one.counted_done == one.cases else 0
    return [
        reached(
            "campaign: cases with exactly one result", counted, Relation.EQUAL, one.cases, "cases",
            f"{one.executions} begun in all, {one.errors} errors", **numbers,
        ),
        reached(
            "disturbances: a worker killed, one added, Ctrl-C", one.disturbances, Relation.EQUAL,
            _DISTURBANCES, "of 3", f"{one.most_workers} workers at most, {_WORKERS} at first",
        ),
        reached(
            "resumed after Ctrl-C: cases repeated that had a result", one.repeated, Relation.EQUAL, 0,
            "cases", f"{one.with_result} of {one.cases} had one",
        ),
        compared("the campaign, both runs", f"{one.seconds:.0f} s", f"{one.cases} benches of 0.2 s each"),
    ]  # fmt: skip


CAMPAIGN = Row(
    "campaign", "campaigns on several processes", _cases, disturbed_campaign, judge, weight=120, alone=True
)
