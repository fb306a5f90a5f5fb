"""The fixtures. Whatever is slow to import is imported in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from stimbench.pytest_plugin.needs import bench_fields
from stimbench.pytest_plugin.run import claimed, is_emulated

if TYPE_CHECKING:
    from stimbench.bench import Bench
    from stimbench.capture.capture import Capture
    from stimbench.client import Remote, Stimulator
    from stimbench.devices.device import Device
    from stimbench.devices.link import Link

__all__ = ("BENCH", "bench", "capture", "console_path", "device", "remote", "stimulator")

BENCH = pytest.StashKey["Bench"]()
"""Of a test: the emulated bench on which it runs."""

_PACE = 2.0
"""Emulated seconds a second at the most, so that the wall time of pexpect and mpremote means something."""
_BOOT_S = 30.0
"""A board is ready after a second; the pty of a bench on a busy machine needs longer."""
_Board = TypeVar("_Board")
_BOTH = ("stimulator", "remote")
_USES_REMOTE = {"bench", "remote", "capture"}


def _config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Fields of BenchConfig for a test: what its markers say, and only the boards that it asks for."""
    from stimbench.bench import BenchConfig

    wanted = bench_fields(request.node)
    known = [field.name for field in fields(BenchConfig)]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        has = ", ".join(["needs", *known])
        pytest.fail(f"@pytest.mark.stimbench has no {', '.join(unknown)}. It has: {has}.", pytrace=False)
    alone = not _USES_REMOTE & set(request.node.fixturenames)
    wanted.setdefault("boards", ("stimulator",) if alone else _BOTH)
    wanted.setdefault("paired", set(wanted["boards"]) == set(_BOTH))
    return wanted


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An emulated bench of the test's own, just switched on, its boards paired.

    Fields of its BenchConfig: `@pytest.mark.stimbench(seed=7)`. On a wired target the test is skipped.
    """
    from stimbench.bench import Bench, BenchConfig

    with Bench(BenchConfig(**_config(request))) as made:
        request.node.stash[BENCH] = made
        yield made


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The stimulator as a device: console, REPL, reset, power. It boots: ask its application first.

    On an emulated bench of its own, or the one of `bench`; a wired one was just reset.
    """
    with _opened(request, "stimulator") as found:
        yield found


@pytest.fixture
def stimulator(device: Device) -> Stimulator:
    """What can be asked of the stimulator, which is ready: the default programme, amplitudes of zero."""
    from stimbench.client import connect

    return _ready(connect, device)


@pytest.fixture
def remote(request: pytest.FixtureRequest) -> Iterator[Remote]:
    """What can be asked of the remote over its own USB."""
    from stimbench.client import connect_remote

    with _opened(request, "remote") as found:
        yield _ready(connect_remote, found)


@pytest.fixture
def capture(bench: Bench) -> Callable[[], Capture]:
    """Call it for all that was recorded until then, as a stimbench.capture.capture.Capture."""
    return bench.trace.capture


@pytest.fixture
def console_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """The serial port of a stimulator whose application runs: a wired one, or an emulated one's pty."""
    if {"device", "stimulator"} & set(request.fixturenames):
        pytest.fail("`device` and `dut` are the same port: a test asks for one of them.", pytrace=False)
    from stimbench.client import connect

    if not is_emulated(request.config):
        with _opened(request, "stimulator") as found:
            _ready(connect, found)
        yield found.name
        return
    from stimbench.bench.pty_server import served
    from stimbench.devices.emulated_device import EmulatedDevice

    made = request.getfixturevalue("bench")
    with EmulatedDevice(made, "stimulator") as emulated:
        connect(emulated.console)
    with served(made, _PACE) as paths:
        yield paths["stimulator"]


def _ready(connect: Callable[[Link], _Board], device: Device) -> _Board:
    """Ask a board that boots until it answers."""
    from stimbench.client.ready import connect_when_ready

    return connect_when_ready(device, connect, _BOOT_S)


@contextmanager
def _opened(request: pytest.FixtureRequest, board: str) -> Iterator[Device]:
    """A board of the target, open; a wired one was just reset."""
    if is_emulated(request.config):
        from stimbench.devices.emulated_device import EmulatedDevice

        with EmulatedDevice(request.getfixturevalue("bench"), board) as emulated:
            yield emulated
        return
    from stimbench.devices.serial_device import SerialDevice

    with SerialDevice(claimed(request.config).boards[board]) as wired:
        wired.reset()
        yield wired
