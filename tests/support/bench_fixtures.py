"""Fixtures of the bench's own tests: bare boards without firmware, and boards with the built images."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.repl import BoardTransport
from stimbench.emulator.board import EmulatedBoard

PINS = {f"P{index}": index for index in range(29)}


@pytest.fixture
def bare() -> EmulatedBoard:
    """A board with a halted CPU and an empty flash: registers are written from the test."""
    board = EmulatedBoard("bare", PINS, seed=1)
    board.power_on()
    board.hang()
    return board


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    """Builds benches with the images in build/; without them it fails."""
    made: list[Bench] = []

    def make(**fields: Any) -> Bench:
        made.append(Bench(BenchConfig(**fields)))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def repl(make_bench: Callable[..., Bench]) -> tuple[Bench, EmulatedBoard, BoardTransport]:
    """A stimulator without parts at its raw REPL, the application interrupted."""
    bench = make_bench(boards=("stimulator",), with_parts=False)
    board = bench.board("stimulator")
    bench.run_until(lambda: board.usb_connected, 2_000_000_000)
    bench.run_for(500_000_000)
    return bench, board, EmulatedDevice(bench, board.name).open().enter_repl()


@pytest.fixture
def root() -> Path:
    return Path(__file__).resolve().parents[2]
