"""How long a command takes to say what it can do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached

__all__ = ("START",)

_MOST_S = 0.3
_RUNS, _QUICK_RUNS = 15, 3


def _work(runs: int) -> list[float]:
    """Wall seconds of each run; the first one fills the caches of the disk and is left out."""
    found = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "stimbench", "--help"], check=True, capture_output=True)
        found.append(time.perf_counter() - begin)
    return found[1:]


def _judge(found: Sequence[list[float]], options: Options) -> list[Line]:
    times = sorted(found[0])
    middle = times[len(times) // 2]
    load = os.getloadavg()[0]
    told = f"median of {len(times)}, {times[0]:.2f} to {times[-1]:.2f} s; load average {load:.1f}"
    return [reached("stimbench --help", middle, Relation.AT_MOST, _MOST_S, "s", told)]


START = Row(
    "start",
    "the start of a command",
    lambda options: [_QUICK_RUNS if options.quick else _RUNS],
    _work,
    _judge,
    weight=5,
    alone=True,
)
