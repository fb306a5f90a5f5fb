"""Start-up time, heap and CPU time of the stimulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.protocol import messages

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, Rig, programme

__all__ = ("CPU", "HEAP", "READY")

_CYCLES = 10

# Runs the application as its own loop does, and notes the free heap at the end of every cycle.
_HEAP_SCRIPT = """
import gc, main
from stimfw.protocol import messages
app, waiter, watchdog = main.build()
free = [0] * {cycles}
print("loaded")
done = 0
readable = True
state = 0
while done < {cycles}:
    readable = waiter.wait(app.poll(readable))
    watchdog.feed()
    before, state = state, app.control.state()
    if state == messages.REST and before != state:
        gc.collect()
        free[done] = gc.mem_free()
        done += 1
app.control.stop(messages.STOPPED_HOST)
watchdog.disable()
print("heap", free)
"""


@dataclass(frozen=True)
class _Boot:
    seed: int
    answer_ns: int
    boot_us: int
    heap_free: int
    state: int


def _boot(seed: int) -> _Boot:
    """Power on, and ask as often as a host does until the stimulator says ready."""
    with Rig(seed, ("stimulator", "remote")) as rig:
        stimulator = rig.connect()
        state = stimulator.status().state
        answer_ns = rig.now_ns
        details = stimulator.details()
        return _Boot(seed, answer_ns, details.boot_us, details.heap_free, state)


def _boots(options: Options) -> Sequence[int]:
    return [options.seed + k for k in range(2 if options.quick else 6)]


def _judge_ready(boots: Sequence[_Boot], options: Options) -> list[Line]:
    ready = [boot.answer_ns / 1e9 if boot.state == messages.READY else float("inf") for boot in boots]
    own = max(boot.boot_us for boot in boots) / 1e6
    return [
        reached(
            "power-on -> first answer that says ready", max(ready), Relation.AT_MOST, 1.0, "s",
            f"worst of {len(boots)} benches, seeds {boots[0].seed}-{boots[-1].seed}; the application "
            f"itself is ready {own:.3f} s after reset (boot_us). {options.cache_note}",
            samples=len(boots), boot_us=[boot.boot_us for boot in boots],
        )
    ]  # fmt: skip


READY = Row("ready", "power-on -> ready", _boots, _boot, _judge_ready, weight=3)


@dataclass(frozen=True)
class _Heap:
    ready_bytes: int
    cycles: list[int]


def _heap(seed: int) -> _Heap:
    """Free heap of the image as it is, then of its loop over contraction cycles, collected."""
    with Rig(seed) as rig:
        ready = rig.connect().details().heap_free
        stimulator = rig.execute(_HEAP_SCRIPT.format(cycles=_CYCLES + 1))
        rig.start(stimulator, programme(on_ms=1000, off_ms=0, rate_hz=20))
        seen = bytearray()

        def told() -> bool:
            seen.extend(rig.board.console.read())
            return b"heap [" in seen and b"]" in seen.partition(b"heap [")[2]

        if not rig.bench.run_until(told, 30_000 * MS, 100 * MS):
            raise RuntimeError(f"the script on the board said {bytes(seen[-300:])!r}")
        listed = seen.partition(b"heap [")[2].partition(b"]")[0]
        return _Heap(ready, [int(value) for value in listed.split(b",")])


def _judge_heap(found: Sequence[_Heap], options: Options) -> list[Line]:
    heap = found[0]
    change = heap.cycles[-1] - heap.cycles[0]
    span = f"{min(heap.cycles)} to {max(heap.cycles)} bytes"
    return [
        reached(
            "heap free when ready", heap.ready_bytes / 1000, Relation.AT_LEAST, 140, "KB",
            f"the image as it is, first DETAILS after power-on; seed {options.seed}",
        ),
        reached(
            f"heap: change over {_CYCLES} contraction cycles", change, Relation.EQUAL, 0, "bytes",
            f"collected free heap at the end of each of {len(heap.cycles)} cycles: {span}; 1 s at 20 Hz, "
            f"seed {options.seed}",
            free_bytes=heap.cycles,
        ),
    ]  # fmt: skip


HEAP = Row("heap", "heap free when ready; change over 10 cycles", lambda o: [o.seed], _heap, _judge_heap, 40)


@dataclass(frozen=True)
class _Cpu:
    hold_share: float
    contraction_share: float
    polled_share: float


def _awake(rig: Rig, duration_ms: int) -> float:
    before_ns, start_ns = rig.board.cpu_awake_ns, rig.now_ns
    rig.run_ms(duration_ms)
    return (rig.board.cpu_awake_ns - before_ns) / (rig.now_ns - start_ns)


def _cpu(seed: int) -> _Cpu:
    """Share of time awake in the hold, over a contraction with ramps, and with a host that asks."""
    with Rig(seed, ("stimulator", "remote")) as rig:
        stimulator = rig.connect()
        rig.start(stimulator, programme(on_ms=20_000))
        rig.run_ms(500)
        hold = _awake(rig, 8000)
        before_ns, start_ns = rig.board.cpu_awake_ns, rig.now_ns
        while rig.now_ns < start_ns + 2000 * MS:
            stimulator.status()
            rig.run_ms(100)
        polled = (rig.board.cpu_awake_ns - before_ns) / (rig.now_ns - start_ns)
        stimulator.stop()
        rig.start(stimulator, programme(ramp_ms=2000))
        return _Cpu(hold, _awake(rig, 14_000), polled)


def _judge_cpu(found: Sequence[_Cpu], options: Options) -> list[Line]:
    cpu = found[0]
    return [
        reached(
            "CPU awake while pulsing at 20 Hz, bilateral", cpu.hold_share * 100, Relation.AT_MOST, 5, "%",
            f"8 s of the hold, 2 mA; {cpu.contraction_share:.2%} over a whole contraction with 2 s ramps, "
            f"{cpu.polled_share:.2%} with a STATUS request every 0.1 s; seed {options.seed}. "
            f"{options.cache_note}",
            contraction_percent=cpu.contraction_share * 100, polled_percent=cpu.polled_share * 100,
        )
    ]  # fmt: skip


CPU = Row("cpu", "CPU awake while pulsing at 20 Hz, bilateral", lambda o: [o.seed], _cpu, _judge_cpu, 25)
