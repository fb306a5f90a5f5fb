"""pytest-embedded's `dut` on the board under test: for tests that await text.

pytest-embedded 2.9.3 has no hook for another service, so its `serial` and `dut` fixtures are replaced
here by ones on a serial port, which on the emulated bench is a pty.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_embedded_serial import Serial, SerialDut
from stimbench.bench.pty_server import served

from support import device

_PACE = 2.0
"""Emulated seconds a second at the most, so that the waits of mpremote and pexpect mean something."""


class BoardSerial(Serial):
    """A MicroPython board's port: exclusive, and raw as pyserial opens it."""

    def __init__(self, msg_queue, port, meta) -> None:
        super().__init__(msg_queue, port=port, meta=meta, exclusive=True)


@pytest.fixture
def console_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of the board's serial port. Not `port`: pytest-embedded asks for that one in every test."""
    if device.target(request.config) != device.EMULATOR:
        yield device.target(request.config)
        return
    with served(request.getfixturevalue("bench"), _PACE) as paths:
        yield paths["stimulator"]


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
