"""A pytest plugin: a stimulator that was just reset, as the fixture `device` or as the fixture `dut`.

    pytest -p stimbench.pytest_plugin                          # each test on an emulated bench of its own
    pytest -p stimbench.pytest_plugin --board=/dev/ttyACM0     # a wired board, or the pty of a served bench

`device` is for requests, the REPL, resets and power; on the emulated bench it waits in emulated time. `dut`
is pytest-embedded's, for text that is awaited: `dut.write`, `dut.expect`. A test asks for one of
them: both are the same port.

The plugin is not loaded by itself: `device` and `--board` are names that other plugins may have.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stimbench.bench import Bench, BenchConfig
from stimbench.bench.pty_server import served
from stimbench.client import connect
from stimbench.devices.device import Device
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.serial_device import SerialDevice
from stimbench.pytest_plugin import dut

_BENCH = "bench"
_BOARD = "stimulator"
_PACE = 2.0
"""Emulated seconds a second at the most, so that the wall time of `dut.expect` means something."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option --board."""
    parser.getgroup("stimbench").addoption(
        "--board",
        metavar="PORT",
        default=_BENCH,
        help="serial port or pty of a stimulator, or `bench` (the default): an emulated one for each test",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registered after pytest-embedded, whichever was named first: so `dut` is ours."""
    config.pluginmanager.register(dut, "stimbench-dut")


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


@pytest.fixture
def console_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """The serial port of a stimulator whose application runs: the named one, or an emulated one's pty."""
    if "device" in request.fixturenames:
        pytest.fail("`device` and `dut` are the same port: a test asks for one of them.", pytrace=False)
    port: str = request.config.getoption("--board")
    if port == _BENCH:
        with Bench(BenchConfig(boards=(_BOARD,))) as bench:
            with EmulatedDevice(bench, _BOARD) as emulated:
                connect(emulated.console)
            with served(bench, _PACE) as paths:
                yield paths[_BOARD]
        return
    with SerialDevice(port) as wired:
        wired.reset()
        connect(wired.console)
    yield port
