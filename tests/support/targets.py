"""Which boards the tests run on: the emulated ones, or those whose ports --target and --remote-target name.

Where a port is named, a test runs on the board that was named for it, or it does not run and pytest says so.
It never runs on an emulated board instead.
"""

from __future__ import annotations

import contextlib

import pytest
from stimbench.client import connect, connect_remote
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import NoAnswerError, StimbenchError

from support.board import wired_board

EMULATOR = "emulator"
_OPTIONS = {"stimulator": "--target", "remote": "--remote-target"}
_FIXTURES = {"board": "stimulator", "console_path": "stimulator", "remote": "remote"}
"""Fixtures that are a wired board, where one is named."""
_GONE = pytest.StashKey[dict[str, list[str]]]()
_TAKEN = pytest.StashKey[bool]()


def add_option(parser: pytest.Parser) -> None:
    """--remote-target. pytest-embedded brings --target along."""
    parser.getgroup("stimbench").addoption(
        _OPTIONS["remote"],
        metavar="PORT",
        help="serial port of a wired remote, or the pty of one that is served; --target is the stimulator's",
    )


def ports(config: pytest.Config) -> dict[str, str]:
    """The named ports by board; none: everything is emulated."""
    named = {board: config.getoption(option) for board, option in _OPTIONS.items()}
    return {board: port for board, port in named.items() if port and port != EMULATOR}


def take_boards(config: pytest.Config) -> None:
    """Put the named boards into the state in which every test finds them: just reset, answering.

    Raises:
        pytest.UsageError: one of them cannot be had, or is of the other kind; no test runs then.
    """
    named = ports(config)
    if not named or config.option.collectonly:
        return
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("A wired board is tested by one process: add -n 0. No test was run.")
    if len(set(named.values())) < len(named):
        raise pytest.UsageError("--target and --remote-target name the same port. No test was run.")
    for board, port in named.items():
        try:
            _restart(board, port)
        except StimbenchError as error:
            raise pytest.UsageError(f"{_OPTIONS[board]}={port}: {error} No test was run.") from error
    config.stash[_TAKEN] = True


def leave_boards(config: pytest.Config) -> None:
    """Leave the named boards as they were found: a test may have ended in the REPL."""
    if not config.stash.get(_TAKEN, False):
        return
    for board, port in ports(config).items():
        try:
            _restart(board, port)
        except StimbenchError as error:
            config.get_terminal_writer().line(f"\nThe {board} was not left running: {error}", red=True)


def _restart(board: str, port: str) -> None:
    ask = {"stimulator": connect, "remote": connect_remote}[board]
    with SerialDevice(port) as device, contextlib.suppress(NoAnswerError):  # it may be in the REPL
        ask(device.console)
    with wired_board(port, board):
        pass


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where ports are named take out what does not run on them, and remember it for the report."""
    named = ports(config)
    gone: dict[str, list[str]] = {}
    config.stash[_GONE] = gone
    if not named:
        return
    kept = []
    for item in items:
        reason = _reason(item, named)
        if reason:
            gone.setdefault(reason, []).append(item.nodeid)
        else:
            kept.append(item)
    if gone:
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _reason(item: pytest.Item, named: dict[str, str]) -> str:
    """Why a test does not run on the named ports; empty if it does."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if "bench" in fixtures or item.get_closest_marker("emulated"):
        return "they need faults or traces, which only --target=emulator has"
    boards = {board for fixture, board in _FIXTURES.items() if fixture in fixtures}
    missing = [f"a {board} ({_OPTIONS[board]})" for board in sorted(boards - named.keys())]
    if missing:
        return f"they need {' and '.join(missing)}, which was not named"
    return "" if boards else "they ask for no board"


def deselection_report(config: pytest.Config) -> list[str]:
    """Lines that say what was taken out, and why."""
    lines = []
    for reason, nodeids in config.stash.get(_GONE, {}).items():
        lines += [f"{len(nodeids)} tests deselected: {reason}:", *(f"  {nodeid}" for nodeid in nodeids)]
    return lines
