"""How long the analysis of a whole session takes, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stimbench.analysis.synthetic import make_capture
from stimbench.benchmarks.captures.recipes import LIMITS, PROGRAM, session_recipe
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.capture.files import read_capture
from stimbench.capture.sigrok import write_sr
from stimbench.checks.judge import judge_capture
from stimbench.checks.session import therapy_of

__all__ = ("ANALYSIS",)

_SESSION_S, _QUICK_S = 1835, 64
_RATE_HZ = 100_000


def _work(case: tuple[float, int]) -> tuple[float, float, int, float]:
    """Wall seconds, GB, pulses, size of the file in GB: the analysis has a process of its own."""
    seconds, seed = case
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.sr"
        # A .sr file has one rate for all of its channels. Packed harder it takes minutes to write.
        write_sr(make_capture(session_recipe(seconds, seed, digital_hz=0)), path, _RATE_HZ, compression=1)
        size_gb = path.stat().st_size / 1e9
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(path)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    wall, memory, pulses = done.stdout.split()
    return float(wall), float(memory), int(pulses), size_gb


def _main(path: str) -> None:
    """Read and judge a file, as `stimbench check --import` does; print seconds, GB and pulses."""
    coarse = dict.fromkeys(("width_ns", "gap_ns", "period_ns", "jitter_ns"), 25_000.0)
    begin = time.perf_counter()
    capture = read_capture(path)
    verdict = judge_capture(therapy_of(capture, PROGRAM).capture, PROGRAM, LIMITS.model_copy(update=coarse))
    wall = time.perf_counter() - begin
    pulses = sum(len(each.train.pulses) for each in verdict.leads.values())
    print(wall, _peak_gb(), pulses)


def _peak_gb() -> float:
    """The most memory that this process ever had. getrusage would count the process that started it, too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e9
    raise RuntimeError("this system does not say how much memory a process had")


def _judge(found: Sequence[tuple[float, float, int, float]], options: Options) -> list[Line]:
    wall, memory, pulses, size = found[0]
    told = (
        f"{pulses} pulses from a sigrok session of {size:.2f} GB, read and judged, currents at 100 kS/s; "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    scale = _SESSION_S / _QUICK_S if options.quick else 1.0
    note = f"{told}; scaled up from a part" if options.quick else told
    return [
        reached("analysis of 30 minutes, both leads", wall * scale, Relation.AT_MOST, 10, "s", note),
        reached("memory of it", memory, Relation.AT_MOST, 1, "GB", note),
    ]


ANALYSIS = Row(
    "analysis",
    "analysis of a session of 30 minutes",
    lambda options: [(_QUICK_S if options.quick else _SESSION_S, options.seed)],
    _work,
    _judge,
    weight=60,
    alone=True,
)

if __name__ == "__main__":
    _main(sys.argv[1])
