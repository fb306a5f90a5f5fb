"""What the host's tests ask for: scripted boards, a key file, and the command line on them."""

from __future__ import annotations

import random

import pytest
from stimbench.bench import BenchConfig
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client.keyring import Keyring
from stimfw.therapy.program import Program
from support.scripted_link import FakeLink
from support.scripted_remote import FakeRemote
from support.scripted_stimulator import FakeBoard
from typer.testing import CliRunner

NOW_S = 1_800_000_000


@pytest.fixture(scope="session")
def images():
    """Both boards' firmware is built; without it the test fails, and the error says what to build."""
    for board in ("stimulator", "remote"):
        BenchConfig().firmware_path(board)


@pytest.fixture
def board():
    return FakeBoard()


@pytest.fixture
def make_link():
    return FakeLink


@pytest.fixture
def remote_board(board):
    return FakeRemote(board)


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "private" / "keys.json", random.Random(5).randbytes, lambda: "2026-11-29")


@pytest.fixture
def services(board, remote_board, keyring):
    return Services(
        open_board=board.open, open_remote=remote_board.open, keyring=lambda: keyring, now_s=lambda: NOW_S
    )


@pytest.fixture
def other_program():
    return Program((300, 100, 40, 1000, 500, 2000, 3000, 600, 3000, 0, 1, 1025, 3, 2, 120))


@pytest.fixture
def run(services):
    """Types a command: `run("status", "--json", code=1).stdout`. The exit code must be `code`."""

    def invoke(*args, code=0, obj=services, answer=None):
        result = CliRunner().invoke(app, list(args), obj=obj, input=answer, env={"COLUMNS": "120"})
        assert result.exit_code == code, result.output
        return result

    return invoke
