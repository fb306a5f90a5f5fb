"""pytest-embedded's `dut` on the board under test: for tests that await text.

pytest-embedded 2.9.3 has no hook for a service of one's own, so its `serial` and `dut` fixtures are replaced
here by ones on a serial port, which on the emulated bench is a pty.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_embedded_serial import Serial, SerialDut
from stimbench.bench import Bench
from stimbench.bench.pty_server import serve

from support import device

_START_S = 30.0
_PACE = 2.0
"""Emulated seconds a second at the most, so that the waits of mpremote and pexpect mean something."""


class BoardSerial(Serial):
    """A MicroPython board's port: exclusive, and raw as pyserial opens it."""

    def __init__(self, msg_queue, port, meta) -> None:
        super().__init__(msg_queue, port=port, meta=meta, exclusive=True)


@contextmanager
def served(bench: Bench) -> Iterator[str]:
    """The path of the stimulator's pty, while a thread runs the bench."""
    paths: dict[str, str] = {}
    ready, stop = threading.Event(), threading.Event()

    def on_ready(found: dict[str, str]) -> None:
        paths.update(found)
        ready.set()

    thread = threading.Thread(target=serve, args=(bench, on_ready, _PACE, stop), daemon=True)
    thread.start()
    try:
        assert ready.wait(_START_S), "the bench did not come up"
        yield paths["stimulator"]
    finally:
        stop.set()
        thread.join(_START_S)
    assert not thread.is_alive()


@pytest.fixture
def console_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of the board's serial port. Not `port`: pytest-embedded asks for that one in every test."""
    if device.target(request.config) != device.EMULATOR:
        yield device.target(request.config)
        return
    with served(request.getfixturevalue("bench")) as path:
        yield path


@pytest.fixture
def serial(console_path, msg_queue, _meta) -> Iterator[BoardSerial]:
    """The port, open, its text on the way to `dut.expect`."""
    made = BoardSerial(msg_queue, console_path, _meta)
    yield made
    made.close()


@pytest.fixture
def dut(serial, pexpect_proc, msg_queue, app, _pexpect_logfile, test_case_name, _meta) -> Iterator[SerialDut]:
    """The board as pytest-embedded sees it: `write`, `expect`, `expect_exact`."""
    made = SerialDut(
        pexpect_proc=pexpect_proc,
        msg_queue=msg_queue,
        app=app,
        pexpect_logfile=_pexpect_logfile,
        test_case_name=test_case_name,
        serial=serial,
        meta=_meta,
    )
    yield made
    made.close()
