"""pytest-embedded's `dut` on the serial port that the fixture `console_path` names.

pytest-embedded 2.9.3 has no hook for a service of one's own, so its fixtures `serial` and `dut` are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_embedded_serial import Serial, SerialDut

__all__ = ("BoardSerial", "dut", "serial")


class BoardSerial(Serial):  # type: ignore[misc]
    """A MicroPython board's port: exclusive, and raw as pyserial opens it."""

    def __init__(self, msg_queue: Any, port: str, meta: Any) -> None:
        """Open `port`; what comes from it goes into pytest-embedded's queue."""
        super().__init__(msg_queue, port=port, meta=meta, exclusive=True)


@pytest.fixture
def serial(console_path: str, msg_queue: Any, _meta: Any) -> Iterator[BoardSerial]:
    """The port, open, its text on the way to `dut.expect`."""
    made = BoardSerial(msg_queue, console_path, _meta)
    yield made
    made.close()


@pytest.fixture
def dut(
    serial: BoardSerial,
    pexpect_proc: Any,
    msg_queue: Any,
    app: Any,
    _pexpect_logfile: str,
    test_case_name: str,
    _meta: Any,
) -> Iterator[SerialDut]:
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
