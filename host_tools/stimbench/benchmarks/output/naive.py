"""For comparison: the stimulator as users write it today in MicroPython, on the same emulated board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis import intervals, switches_of
from stimbench.benchmarks.harness.load import LOADED_APPLICATION, WORK, HostLoad
from stimbench.benchmarks.harness.model import Line, Options, Row, compared
from stimbench.benchmarks.harness.rig import MS, Rig, programme

__all__ = ("NAIVE", "Case", "Found")

_WIDTH_NS, _PERIOD_NS = 214_000, 50_000_000
_SECONDS = 10
_FRAMES_A_SECOND = 8

_PINS = """
from machine import Pin, Timer
from time import sleep_ms, sleep_us, ticks_diff, ticks_us
cath = Pin(Pin.board.L_CATH, Pin.OUT, value=0)
anod = Pin(Pin.board.L_ANOD, Pin.OUT, value=0)
def pulse(_timer=None):
    cath(1)
    sleep_us(214)
    cath(0)
    anod(1)
    sleep_us(214)
    anod(0)
"""

# What the busy ones do between two pulses: the same work as the firmware under load, and the host's bytes.
_READ = """
import select, sys
host = select.poll()
host.register(sys.stdin, select.POLLIN)
def busy():
    work()
    while host.poll(0):
        sys.stdin.buffer.read(1)
"""

_TIMER = """
timer = Timer(freq=20, mode=Timer.PERIODIC, callback=pulse)
print("loaded")
while True:
    {work}
    sleep_ms(7)
"""

_LOOP = """
print("loaded")
while True:
    began = ticks_us()
    pulse()
    {work}
    sleep_us(50000 - ticks_diff(ticks_us(), began))
"""

_OURS = "this firmware (PIO)"
_WAYS = {"machine.Timer callback": _TIMER, "sleep_us loop": _LOOP}


@dataclass(frozen=True)
class Case:
    """One way to make pulses, on a board that is busy or idle otherwise."""

    way: str
    busy: bool
    seed: int
    seconds: int


@dataclass(frozen=True)
class Found:
    """Errors of the pulses of one case."""

    case: Case
    width_ns: NDArray[np.int64]
    period_ns: NDArray[np.int64]


def _cases(options: Options) -> list[Case]:
    seconds = 3 if options.quick else _SECONDS
    return [Case(way, busy, options.seed, seconds) for busy in (False, True) for way in (*_WAYS, _OURS)]


def _run(case: Case) -> Found:
    """Pulses of the left lead, in one of three ways, on a board that is idle otherwise or busy."""
    with Rig(case.seed) as rig:
        if case.way == _OURS:
            begin_ns = _ours(rig, case)
        else:
            work = "busy()" if case.busy else "pass"
            script = (WORK + _READ if case.busy else "") + _PINS + _WAYS[case.way].format(work=work)
            transport = rig.repl()
            transport.exec_raw_no_follow(script)
            rig.bench.run_until(lambda: b"loaded" in rig.board.console.read(), 3000 * MS)
            begin_ns = rig.now_ns
            _let_run(rig, case)
        high = [intervals(edges) for edges in switches_of(rig.capture(begin_ns), "left")[:2]]
        widths = np.concatenate([each[:, 1] - each[:, 0] for each in high])
        return Found(case, widths - _WIDTH_NS, np.diff(high[0][:, 0]) - _PERIOD_NS)


def _ours(rig: Rig, case: Case) -> int:
    stimulator = rig.execute(LOADED_APPLICATION) if case.busy else rig.connect()
    begin_ns = rig.start(stimulator, programme(on_ms=60_000)) - 1
    _let_run(rig, case)
    return begin_ns


def _let_run(rig: Rig, case: Case) -> None:
    """Let the seconds pass; a busy board is sent frames that arrive at the left lead's pulses."""
    if case.busy:
        HostLoad(rig, 2 * _PERIOD_NS, _FRAMES_A_SECOND, case.seed).run_ms(case.seconds * 1000)
    else:
        rig.run_ms(case.seconds * 1000)


def _judge(found: Sequence[Found], options: Options) -> list[Line]:
    return [_line(each, options) for each in found]


def _line(found: Found, options: Options) -> Line:
    case = found.case
    busy = "garbage, page programs and USB" if case.busy else "nothing else"
    return compared(
        f"for comparison: {case.way}, {'busy' if case.busy else 'idle'}",
        f"width {_range(found.width_ns)}, period {_range(found.period_ns)}",
        f"error of {len(found.width_ns)} phases of 214 us and {len(found.period_ns)} periods of 50 ms, min "
        f"to max (standard deviation {_stats(found.width_ns).get('std', 0):.3g} and "
        f"{_stats(found.period_ns).get('std', 0):.3g} us); "
        f"the CPU does {busy} besides; seed {case.seed}; {options.cache_note}",
        width_us=_stats(found.width_ns), period_us=_stats(found.period_ns),
    )  # fmt: skip


def _range(errors: NDArray[np.int64]) -> str:
    return f"{errors.min() / 1000:+.3g} to {errors.max() / 1000:+.3g} us" if len(errors) else "none"


def _stats(errors: NDArray[np.int64]) -> dict[str, float]:
    if not len(errors):
        return {}
    micro = errors / 1000
    return {"min": float(micro.min()), "max": float(micro.max()), "std": float(micro.std())}


NAIVE = Row(
    "naive", "a stimulator as users write it today: machine.Timer callback, sleep_us loop",
    _cases, _run, _judge, weight=30,
)  # fmt: skip
