"""A stimulator whose CPU hangs or whose application dies: output off, and back with the output off."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.protocol import messages

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MARK_GPIO, MS, Rig, programme
from stimbench.emulator.board import ResetCause

__all__ = ("HANG",)

_WATCH_MS = 2500
"""Longer than the firmware's watchdog takes."""
_AFTER_MS = 600
_TURNING_MS = 400

# The application's own loop, which ends in the given way after pulsing for a while; a spare pin says when.
_SCRIPT = """
import main
from machine import Pin, disable_irq
from time import ticks_ms, ticks_diff
app, waiter, watchdog = main.build()
mark = Pin({mark}, Pin.OUT, value=0)
poll = app.poll
began = 0
def ends(*given):
    global began
    wait = poll(*given)
    if app.control.state() == 2:
        began = began or ticks_ms()
        if ticks_diff(ticks_ms(), began) >= {after_ms}:
            mark(1)
            {how}
    return wait
app.poll = ends
print("loaded")
app.run(waiter, watchdog)
"""

_WAYS = {
    "loop": "while True: pass",
    "loop, interrupts off": "disable_irq()\n            while True: pass",
    "uncaught exception": "raise RuntimeError('the application died')",
}
_HALTED = "CPU halted at a random moment"


@dataclass(frozen=True)
class _Case:
    way: str
    seed: int
    rate_hz: int = 20


@dataclass(frozen=True)
class _End:
    case: _Case
    off_ns: int
    """From the end of the CPU's work to the last current in either lead."""
    back_ns: int
    """From there to the reset; 0 without one."""
    late_edges: int
    """Rising edges on bridge pins from the reset on."""
    late_current: bool
    ready: bool


def _cases(options: Options) -> list[_Case]:
    seed = options.seed
    halts = 4 if options.quick else 20
    scripted = [_Case(way, seed) for way in _WAYS]
    return scripted + [_Case(_HALTED, seed + k, (20, 200, 1)[k % 3]) for k in range(halts)]


def _end(case: _Case) -> _End:
    """One end, from a running session until the board is back."""
    with Rig(case.seed) as rig:
        how = _WAYS.get(case.way)
        script = _SCRIPT.format(after_ms=_TURNING_MS + case.seed % 50, how=how, mark=MARK_GPIO)
        stimulator = rig.execute(script) if how else rig.connect()
        marks = rig.mark()
        rig.start(stimulator, programme(rate_hz=case.rate_hz, on_ms=60_000))
        if how:
            if not rig.bench.run_until(lambda: marks, 2000 * MS, MS):
                raise RuntimeError("the script did not end")
            dead_ns = marks[0]
        else:
            rig.run_ms(random.Random(f"hang {case.seed}").uniform(200, 1400))
            dead_ns = rig.now_ns
            rig.board.hang()
        return _watched(rig, case, dead_ns)


def _watched(rig: Rig, case: _Case, dead_ns: int) -> _End:
    resets = len(rig.board.resets)
    rig.bench.run_until(lambda: len(rig.board.resets) > resets, _WATCH_MS * MS, MS)
    reset = rig.board.resets[-1] if len(rig.board.resets) > resets else None
    off_ns = rig.current_until_ns(dead_ns) - dead_ns
    if reset is None or reset[1] is not ResetCause.WATCHDOG:
        return _End(case, off_ns, 0, 0, False, False)
    rig.run_ms(_AFTER_MS)
    ready = rig.connect().status().state == messages.READY
    late = rig.bridge_edges(reset[0], rising=True)
    return _End(case, off_ns, reset[0] - dead_ns, late, rig.current_until_ns(reset[0]) > reset[0], ready)


def _judge(found: Sequence[_End], options: Options) -> list[Line]:
    worst = max(found, key=lambda end: end.off_ns)
    ways = []
    for way in dict.fromkeys(end.case.way for end in found):
        mine = [end.off_ns / MS for end in found if end.case.way == way]
        ways.append(f"{way}: {len(mine)}, at most {max(mine):.1f} ms")
    bad = [end for end in found if end.late_edges or end.late_current or not end.ready]
    slowest = max(end.back_ns for end in found) / 1e9
    named = "; ".join(f"{end.case.way}, seed {end.case.seed}" for end in bad)
    return [
        reached(
            "CPU hung or application dead -> no current", worst.off_ns / MS, Relation.AT_MOST, 150, "ms",
            f"worst of {len(found)}: {'; '.join(ways)}; at 1, 20 and 200 Hz, to the last current in either "
            f"lead; worst at {worst.case.rate_hz} Hz, seed {worst.case.seed}",
            ends=[[end.case.way, end.case.rate_hz, end.case.seed, end.off_ns] for end in found],
        ),
        reached(
            "hung or dead: not back with the output off", len(bad), Relation.EQUAL, 0, "",
            f"of {len(found)}: reset by the watchdog (after {slowest:.2f} s at most), ready, no bridge pin "
            f"rose and no current flowed since{'; not so: ' + named if named else ''}",
        ),
    ]  # fmt: skip


HANG = Row(
    "hang", "CPU hung in a loop, or the application dead -> output off", _cases, _end, _judge, weight=40
)
