"""Loads of the emulated boards by which two CPU cores are compared, and the processor time of each."""

from __future__ import annotations

import time
from collections.abc import Callable

from stimbench.bench import Bench, BenchConfig, provision
from stimbench.benchmarks.harness.rig import MS, Rig, programme
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.emulator.chip import Core

__all__ = ("CRUNCH", "LOADS", "busy_bench", "cpu_s")

CRUNCH = """
def work():
    n = 0
    while True:
        n = n * 1103515245 + 12345 & 0x3fffffff
        text = "text %d" % n
        some = [n, text, bytearray(n & 63)]
work()
"""
"""Python that keeps the CPU busy: numbers, text, garbage."""
_BOOT_MS, _SETTLED_MS = 400, 700
_BUSY_MS, _PULSING_MS, _RADIO_MS, _IDLE_MS = 2000, 10_000, 1000, 60_000


def busy_bench(seed: int, core: Core) -> Bench:
    """A stimulator without parts whose CPU works all the time."""
    bench = Bench(BenchConfig(seed=seed, boards=("stimulator",), with_parts=False, core=core))
    board = bench.board("stimulator")
    bench.run_until(lambda: board.usb_connected, 2000 * MS)
    bench.run_for(300 * MS)
    EmulatedDevice(bench, "stimulator").open().enter_repl().exec_raw_no_follow(CRUNCH)
    bench.run_for(100 * MS)
    return bench


def _used(action: Callable[[], object]) -> float:
    before = time.process_time()
    action()
    return time.process_time() - before


def _pair(seed: int, core: Core) -> Bench:
    bench = Bench(BenchConfig(seed=seed, core=core))
    provision.pair(bench, seed)
    return bench


def _boot(seed: int, core: Core) -> float:
    with _pair(seed, core) as bench:
        return _used(lambda: bench.run_for(_BOOT_MS * MS))


def _idle(seed: int, core: Core) -> float:
    with _pair(seed, core) as bench:
        bench.run_for(_SETTLED_MS * MS)
        return _used(lambda: bench.run_for(_IDLE_MS * MS))


def _radio(seed: int, core: Core) -> float:
    def talk(bench: Bench) -> None:
        for _ in range(4):
            bench.press("STATUS", 40)
            bench.run_for(_RADIO_MS // 4 * MS)

    with _pair(seed, core) as bench:
        bench.run_for(_SETTLED_MS * MS)
        return _used(lambda: talk(bench))


def _busy(seed: int, core: Core) -> float:
    with busy_bench(seed, core) as bench:
        return _used(lambda: bench.run_for(_BUSY_MS * MS))


def _pulsing(seed: int, core: Core) -> float:
    with Rig(seed, ("stimulator", "remote"), core=core) as rig:
        rig.start(rig.connect(), programme(on_ms=60_000))
        return _used(lambda: rig.run_ms(_PULSING_MS))


LOADS: dict[str, Callable[[int, Core], float]] = {
    "busy": _busy,
    "pulsing": _pulsing,
    "boot": _boot,
    "radio": _radio,
    "idle": _idle,
}


def cpu_s(load: str, seed: int, core: Core) -> float:
    """The processor time of this process that one of `LOADS` costs."""
    return LOADS[load](seed, core)
