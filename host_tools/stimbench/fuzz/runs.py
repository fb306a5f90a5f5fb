"""Runs of targets in processes of their own: guided by coverage on CPython, at random on MicroPython."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import stimfw

from stimbench.errors import StimbenchError
from stimbench.fuzz.mutation import MOST_BYTES
from stimbench.fuzz.registry import Target

__all__ = ("GUIDED", "HEAP_KB", "MICROPYTHON", "Finding", "Outcome", "run", "run_all")

GUIDED = "guided"
MICROPYTHON = "micropython"
HEAP_KB = 512
"""Of the unix port. Its words are twice as wide as a board's, whose heap is 198 KB."""
_HANGS_S = 20
_GRACE_S = 120
_STATISTIC = re.compile(r"stat::(\w+): +(\d+)")
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+)(?: corp: (\d+))?")


@dataclass(frozen=True)
class Finding:
    """An exception that nobody declared, or an input at which the process ended or hung.

    Attributes:
        error: in one line.
        where: the innermost lines that it passed through.
        data: the input in hex; empty if it is not known.
    """

    error: str
    where: str
    data: str


@dataclass(frozen=True)
class Outcome:
    """What came of one target.

    Attributes:
        how: GUIDED or MICROPYTHON.
        executions: inputs that were run.
        ways: features that libFuzzer has seen: ways through the code, with how often each. 0 on MicroPython.
        memory_kb: the process's most memory; on MicroPython the most heap that was live after an input.
        findings: one for each place.
    """

    target: str
    how: str
    executions: int
    ways: int
    memory_kb: int
    findings: tuple[Finding, ...]


def run(target: Target, how: str, seed: int, seconds: float = 0, executions: int = 0) -> Outcome:
    """Fuzz one target, for so long or so many executions; 0 is no limit, one of them must be there.

    Raises:
        StimbenchError: what it runs on is not installed, or did not start.
    """
    return (_guided if how == GUIDED else _on_micropython)(target, seed, seconds, executions)


def run_all(
    targets: Sequence[Target], how: str, seed: int, seconds: float, executions: int, workers: int
) -> list[Outcome]:
    """All targets, on so many processes at a time; `seconds` for all together."""
    chosen = [target for target in targets if how == GUIDED or target.portable]
    each = max(0.1, seconds * workers / len(chosen)) if seconds else 0
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda target: run(target, how, seed, each, executions), chosen))


def _guided(target: Target, seed: int, seconds: float, executions: int) -> Outcome:
    if find_spec("atheris") is None:
        raise StimbenchError("Atheris is not installed: pip install atheris, or --micropython.")
    limits = [f"-max_total_time={max(1, round(seconds))}"] if seconds else []
    limits += [f"-runs={executions}"] if executions else []
    words = [sys.executable, "-m", "stimbench.fuzz.guided", str(seed), target.name, *limits]
    words += [f"-max_len={MOST_BYTES}", f"-timeout={_HANGS_S}", "-rss_limit_mb=1024", "-print_final_stats=1"]
    done = _process([*words, "-verbosity=1"], seconds, dict(os.environ))
    found = [Finding(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]
    statistics = {name: int(value) for name, value in _STATISTIC.findall(done.stderr)}
    covered = _COVERAGE.findall(done.stderr)
    if done.returncode:
        if not covered:
            raise StimbenchError(f"Atheris did not run: {_last_line(done.stderr)}")
        found.append(Finding(f"the process ended with {done.returncode}", _last_line(done.stderr), ""))
    return Outcome(
        target.name,
        GUIDED,
        statistics.get("number_of_executed_units", 0),
        int(covered[-1][1]) if covered else 0,
        1024 * statistics.get("peak_rss_mb", 0),
        tuple(found),
    )


def _on_micropython(target: Target, seed: int, seconds: float, executions: int) -> Outcome:
    firmware = Path(str(stimfw.__file__)).resolve().parents[1]
    host = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "MICROPYPATH": os.pathsep.join(map(str, (firmware, firmware / "modules", host))),
    }
    words = [sys.executable, "-m", "micropython_unix", "-X", f"heapsize={HEAP_KB}k"]
    words += [
        str(Path(__file__).with_name("rounds.py")),
        str(seed),
        str(seconds),
        str(executions),
        f"{target.run.__module__.rpartition('.')[2]}:{target.name}",
    ]
    done = _process(words, seconds, environment)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        last = _last_line(done.stdout + done.stderr)
        return Outcome(target.name, MICROPYTHON, 0, 0, 0, (Finding(f"the process ended: {last}", "", ""),))
    found = (Finding(told["error"], "", told["data"]),) if told["error"] else ()
    return Outcome(target.name, MICROPYTHON, told["executions"], 0, told["memory_bytes"] // 1024, found)


def _process(
    words: list[str], seconds: float, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    limit = seconds + _GRACE_S if seconds else None
    return subprocess.run(
        words, env=environment, capture_output=True, text=True, errors="replace", timeout=limit, check=False
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "without a word"
