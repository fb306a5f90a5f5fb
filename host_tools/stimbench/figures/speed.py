"""How fast the emulation runs: the one row that depends on the machine."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from stimbench.figures.model import Line, Options, Relation, Row, reached
from stimbench.figures.rig import Rig, programme

__all__ = ("SPEED",)

_RUNS = 3
_EMULATED_S = 10


def _speeds(seed: int) -> list[tuple[float, float]]:
    """Emulated seconds per wall second and per second of processor time, both boards, over the hold."""
    found = []
    with Rig(seed, ("stimulator", "remote")) as rig:
        stimulator = rig.connect()
        rig.start(stimulator, programme(on_ms=60_000))
        rig.run_ms(500)
        for _ in range(_RUNS):
            wall, used = time.perf_counter(), time.process_time()
            rig.run_ms(_EMULATED_S * 1000)
            wall, used = time.perf_counter() - wall, time.process_time() - used
            found.append((_EMULATED_S / wall, _EMULATED_S / used))
    return found


def _judge(found: Sequence[list[tuple[float, float]]], options: Options) -> list[Line]:
    speeds = [speed for speed, _ in found[0]]
    each = ", ".join(f"{speed:.2f}" for speed in speeds)
    used = ", ".join(f"{speed:.2f}" for _, speed in found[0])
    return [
        reached(
            "emulated seconds per wall second", max(speeds), Relation.AT_LEAST, 3, "",
            f"both boards, 20 Hz bilateral, parts and traces on: {_RUNS} runs of {_EMULATED_S} s: {each}; "
            f"per second of processor time {used}; nothing else of the benchmark runs meanwhile; "
            f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; seed {options.seed}",
            runs=speeds, per_cpu_second=[speed for _, speed in found[0]], load_average=os.getloadavg()[0],
        )
    ]  # fmt: skip


SPEED = Row(
    "speed", "emulated seconds per wall second", lambda o: [o.seed], _speeds, _judge, weight=15, alone=True
)
