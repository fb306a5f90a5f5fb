"""pytest-embedded's `dut` on the board under test: for tests that await text.

The fixtures are those of stimbench's pytest plugin, on the port of the board that --target names.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stimbench.bench.pty_server import served
from stimbench.pytest_plugin.dut import dut, serial  # noqa: F401

from support import targets
from support.board import wired_board

_PACE = 2.0
"""Emulated seconds a second at the most, so that the waits of mpremote and pexpect mean something."""


@pytest.fixture
def console_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of the board's serial port. Not `port`: pytest-embedded asks for that one in every test."""
    port = targets.ports(request.config).get("stimulator")
    if port is None:
        with served(request.getfixturevalue("bench"), _PACE) as paths:
            yield paths["stimulator"]
        return
    with wired_board(port):
        pass  # the test before may have left it in the REPL
    yield port
