"""Whole runs of the firmware on one core, and all that can be told of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stimbench.bench import Bench, BenchConfig, provision
from stimbench.emulator.chip import Core

from support.board import emulated_board
from support.scene import HOLD, MS

Digest = dict[str, Any]

_CRUNCH = b"for i in range(10**9): x = (i * 37 ^ i) % 1001; y = 'text %d' % x; z = bytearray(x)\r\n"


def digest(bench: Bench) -> Digest:
    """By what it is of: times, awake cycles, and hashes of RAM, edges and currents since the power came."""
    found: Digest = {"now": bench.now_ns}
    for name, board in bench.boards.items():
        found[f"{name}: time"] = board.runner.clock.nanos
        found[f"{name}: awake"] = board.cpu_awake_ns
        found[f"{name}: registers"] = list(board.mcu.core.registers)
        found[f"{name}: RAM"] = _hash(bytes(board.mcu.sram))
        found[f"{name}: USB RAM"] = _hash(bytes(board.mcu.usb_dpram))
    for name, signal in bench.trace.signals:
        found[f"{name}: edges of {signal}"] = _hash(bench.trace.edges(name, signal))
    for name, current in bench.trace.currents.items():
        found[f"current {name}"] = _hash(list(current.segments))
    return found


def _hash(what: Any) -> tuple[int, str]:
    data = what if isinstance(what, bytes) else repr(what).encode()
    return len(what), hashlib.sha256(data).hexdigest()


@contextmanager
def _pair(core: Core, **fields: Any) -> Iterator[Bench]:
    with Bench(BenchConfig(core=core, seed=11, **fields)) as bench:
        if len(bench.boards) == 2:
            provision.pair(bench, 11)
        yield bench


def boot_and_idle(core: Core) -> Iterator[Digest]:
    """Both boards from power on until they sleep."""
    with _pair(core) as bench:
        for _ in range(5):
            bench.run_for(100 * MS)
            yield digest(bench)


def radio(core: Core) -> Iterator[Digest]:
    """A button of the remote, which the stimulator hears and answers."""
    with _pair(core) as bench:
        bench.run_for(600 * MS)
        bench.press("STATUS")
        for _ in range(4):
            bench.run_for(50 * MS)
            yield digest(bench)


def searching(core: Core) -> Iterator[Digest]:
    """A button of the remote whose stimulator is off."""
    with _pair(core) as bench:
        bench.board("stimulator").power_off()
        bench.run_for(600 * MS)
        bench.press("START")
        for _ in range(4):
            bench.run_for(150 * MS)
            yield digest(bench)


def pulsing(core: Core) -> Iterator[Digest]:
    """Both boards, both leads, started from the console."""
    with _pair(core) as bench:
        board = emulated_board(bench)
        board.wait_ready()
        board.set(**HOLD)
        board.set(**HOLD)
        yield digest(bench)
        board.client.start()
        for _ in range(4):
            bench.run_for(150 * MS)
            yield digest(bench)
        yield digest(bench) | {"status": repr(board.client.status())}


def busy(core: Core) -> Iterator[Digest]:
    """Python that keeps the CPU busy: numbers, text, garbage."""
    with _pair(core, boards=("stimulator",), with_parts=False) as bench:
        board = emulated_board(bench)
        board.wait(0.8)  # its application runs: it has waited for a supply of +-15 V that is not there
        board.interrupt()
        board.wait(0.1)
        board.write(_CRUNCH + b"\r\n")
        for _ in range(4):
            bench.run_for(100 * MS)
            yield digest(bench)


RUNS: dict[str, Callable[[Core], Iterator[Digest]]] = {
    run.__name__: run for run in (boot_and_idle, radio, searching, pulsing, busy)
}
