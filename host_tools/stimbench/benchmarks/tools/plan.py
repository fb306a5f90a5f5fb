"""How long the standard plan takes on the emulated bench, and what a second process brings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stimbench.bench.config import BenchConfig
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.pools import open_pool
from stimbench.checks.outcome import Outcome
from stimbench.checks.plan import load_plan
from stimbench.checks.run import run_plan

__all__ = ("PLAN",)

_LEAST, _MOST_MIN, _RATIO = 120, 3.0, 1.8
_QUICK = 12
"""Cases with --quick, spread over the plan."""


def _machine() -> float:
    """How much more two processes that only count get done on this machine than one alone."""
    words = [sys.executable, "-c", "sum(k * k for k in range(20_000_000))"]

    def wall(count: int) -> float:
        begin = time.perf_counter()
        for process in [subprocess.Popen(words) for _ in range(count)]:
            process.wait()
        return time.perf_counter() - begin

    return 2 * wall(1) / wall(2)


def _work(case: tuple[int, bool]) -> tuple[int, float, int, int]:
    """Workers, wall seconds without the start of the processes, cases, and how many of them passed.

    With 0 workers: what the machine itself gives two processes, in the place of the seconds.
    """
    workers, quick = case
    if not workers:
        return 0, _machine(), 0, 0
    plan = load_plan("standard")
    if quick:
        chosen = [each for each in plan.cases if not each.impedance][:: max(len(plan.cases) // _QUICK, 1)]
        plan = replace(plan, cases=tuple(chosen))
    firmware = Firmware.read({"stimulator": BenchConfig().firmware_path("stimulator")})
    with tempfile.TemporaryDirectory() as folder, open_pool(firmware, workers) as pool:
        begin = time.perf_counter()
        run = run_plan(plan, Path(folder) / "results", pool)
        wall = time.perf_counter() - begin
    return workers, wall, len(run.results), run.counts.get(Outcome.PASS, 0)


def _judge(found: Sequence[tuple[int, float, int, int]], options: Options) -> list[Line]:
    (_, one, count, _), (_, two, _, passed), (_, most, _, _) = found
    machine = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    part = "; a part of the plan, so neither count nor time is the whole one's" if options.quick else ""
    lines = [
        reached("standard plan: cases that pass", passed, Relation.EQUAL, count, "", f"of {count}{part}"),
        reached("standard plan on 2 workers", two / 60, Relation.AT_MOST, _MOST_MIN, "min",
                f"{count} cases, {two / count:.2f} s each; {machine}{part}"),
        reached("two workers over one", one / two, Relation.AT_LEAST, _RATIO, "",
                f"{one:.1f} s and {two:.1f} s in one run; {machine}{part}"),
        compared("two processes that only count over one, on this machine", f"{most:.2f}",
                 "as much as two workers can bring"),
    ]  # fmt: skip
    if not options.quick:
        lines.insert(0, reached("standard plan: combinations", count, Relation.AT_LEAST, _LEAST, "", ""))
    return lines


PLAN = Row(
    "plan",
    "the standard plan",
    lambda options: [(1, options.quick), (2, options.quick), (0, options.quick)],
    _work,
    _judge,
    weight=100,
    alone=True,
)
