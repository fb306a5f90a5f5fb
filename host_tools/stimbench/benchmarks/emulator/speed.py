"""How fast the emulation runs: rows that depend on the machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from stimbench.benchmarks.emulator.core_loads import busy_bench
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, Rig, programme
from stimbench.emulator.chip import Core

__all__ = ("SPEED",)

_RUNS = 3
_PULSING_MS, _BUSY_MS, _LONG_S = 10_000, 2000, 30 * 60
_QUICK = 20
"""How much shorter the long run is with --quick."""

Speeds = list[tuple[float, float]]
"""Emulated seconds per wall second, and per second of processor time."""


def _work(case: tuple[str, int]) -> Speeds | float:
    kind, seed = case
    if kind == "busy":
        return _busy(seed)
    return _pulsing(seed) if kind == "pulsing" else _long(seed, _LONG_S // (_QUICK if kind == "quick" else 1))


def _pulsing(seed: int) -> Speeds:
    with Rig(seed, ("stimulator", "remote")) as rig:
        rig.start(rig.connect(), programme(on_ms=60_000))
        rig.run_ms(500)
        return [_speed(rig.run_ms, _PULSING_MS) for _ in range(_RUNS)]


def _busy(seed: int) -> Speeds:
    with busy_bench(seed, Core.NATIVE) as bench:
        return [_speed(lambda ms: bench.run_for(ms * MS), _BUSY_MS) for _ in range(_RUNS)]


def _speed(run: Callable[[int], object], emulated_ms: int) -> tuple[float, float]:
    wall, used = time.perf_counter(), time.process_time()
    run(emulated_ms)
    wall, used = time.perf_counter() - wall, time.process_time() - used
    return emulated_ms / 1000 / wall, emulated_ms / 1000 / used


def _long(seed: int, emulated_s: int) -> float:
    """The wall time (s) that half an hour of pulsing takes, measured or scaled up."""
    with Rig(seed, ("stimulator", "remote")) as rig:
        rig.start(rig.connect(), programme(on_ms=60_000, session_s=3600))
        begin = time.perf_counter()
        for _ in range(emulated_s // 10):
            rig.run_ms(10_000)
            rig.forget()
        return (time.perf_counter() - begin) * _LONG_S / emulated_s


def _judge(found: Sequence[Speeds | float], options: Options) -> list[Line]:
    pulsing, busy, long_s = found
    assert isinstance(pulsing, list) and isinstance(busy, list) and isinstance(long_s, float)
    machine = (
        f"nothing else of the benchmark runs meanwhile; load average {os.getloadavg()[0]:.1f} "
        f"on {os.cpu_count()} cores; seed {options.seed}"
    )
    both = "both boards, 20 Hz bilateral, parts, traces and measurements on"
    return [
        _line("emulated seconds per CPU second, pulsing", pulsing, 20, both, machine),
        _line("emulated seconds per CPU second, one CPU busy", busy, 2, "Python without a pause", machine),
        reached(
            "30 minutes of pulsing, wall", long_s / 60, Relation.AT_MOST, 2, "min",
            f"{both}{'; scaled up from a part' if options.quick else ''}; {machine}",
        ),
    ]  # fmt: skip


def _line(what: str, speeds: Speeds, limit: float, load: str, machine: str) -> Line:
    used = [speed for _, speed in speeds]
    return reached(
        what, max(used), Relation.AT_LEAST, limit, "",
        f"{load}; the best of {', '.join(f'{speed:.2f}' for speed in used)}; {machine}",
        runs=used, per_wall_second=[speed for speed, _ in speeds], load_average=os.getloadavg()[0],
    )  # fmt: skip


SPEED = Row(
    "speed",
    "how fast the emulation runs",
    lambda o: [("pulsing", o.seed), ("busy", o.seed), ("quick" if o.quick else "long", o.seed)],
    _work,
    _judge,
    weight=60,
    alone=True,
)
