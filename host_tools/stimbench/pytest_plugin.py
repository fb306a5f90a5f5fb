"""A pytest plugin: the fixture `device`, a stimulator that was just reset.

    pytest -p stimbench.pytest_plugin                          # each test on an emulated bench of its own
    pytest -p stimbench.pytest_plugin --board=/dev/ttyACM0     # a wired board, or the pty of a served bench

It is not loaded by itself: `device` and `--board` are names that other plugins may have. To await text from a
board, use pytest-embedded's `dut` on the same port.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stimbench.bench import Bench, BenchConfig
from stimbench.devices.device import Device
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.serial_device import SerialDevice

_BENCH = "bench"
_BOARD = "stimulator"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option --board."""
    parser.getgroup("stimbench").addoption(
        "--board",
        metavar="PORT",
        default=_BENCH,
        help="serial port or pty of a stimulator, or `bench` (the default): an emulated one for each test",
    )


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """A stimulator, open, that boots: ask its application first. Closed at the end."""
    port: str = request.config.getoption("--board")
    if port == _BENCH:
        with Bench(BenchConfig(boards=(_BOARD,))) as bench, EmulatedDevice(bench, _BOARD) as emulated:
            yield emulated
        return
    with SerialDevice(port) as wired:
        wired.reset()
        yield wired
