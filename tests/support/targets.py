"""Which boards the tests run on: the emulated ones, or those that --target and --remote-target name.

Where boards are named, a test runs on one that was named for it, or it does not run and pytest says so. It
never runs on an emulated board instead. stimbench's pytest plugin claims the boards, and says which are lost.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from stimbench.client import connect, connect_remote
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.targets import EMULATED, Target, port_of, read_targets, resolve
from stimbench.errors import NoAnswerError, StimbenchError
from stimbench.pytest_plugin import run
from stimbench.pytest_plugin.options import targets_file

from support.board import wired_board

EMULATOR = "emulator"
_OPTIONS = {"stimulator": "--target", "remote": "--remote-target"}
_FIXTURES = {"board": "stimulator", "console_path": "stimulator", "remote": "remote"}
"""Fixtures that are a wired board, where one is named."""
_RESULTS = Path(__file__).resolve().parents[2] / "build" / "device-results"
_GONE = pytest.StashKey[dict[str, list[str]]]()
_TAKEN = pytest.StashKey[bool]()


def add_option(parser: pytest.Parser) -> None:
    """--remote-target. pytest-embedded brings --target along."""
    parser.getgroup("stimbench").addoption(
        _OPTIONS["remote"],
        metavar="PORT",
        help="serial port of a wired remote, or the pty of one that is served; --target names a stimulator, "
        "or all that --stimbench-target can",
    )


def _words(config: pytest.Config) -> dict[str, str]:
    """What was named, by board; none: everything is emulated."""
    named = {board: config.getoption(option) for board, option in _OPTIONS.items()}
    return {board: word for board, word in named.items() if word and word not in (EMULATOR, EMULATED)}


def choose(config: pytest.Config) -> tuple[Target, ...]:
    """The targets that --target and --remote-target name, made those of the run; none: all is emulated.

    Raises:
        pytest.UsageError: they make no sense.
    """
    words = _words(config)
    if not words:
        return ()
    if len(set(words.values())) < len(words):
        raise pytest.UsageError("--target and --remote-target name the same port. No test was run.")
    try:
        path = targets_file(config)
        known = read_targets(path) if path else ()
        named = words.get("stimulator")
        found = resolve(named, known, run.ports_of_this_machine()) if named else ()
    except StimbenchError as error:
        raise pytest.UsageError(f"--target: {error} No test was run.") from error
    if "remote" in words:
        if len(found) > 1:
            raise pytest.UsageError("--remote-target stands beside one --target. No test was run.")
        (stimulator,) = found or (Target(words["remote"]),)
        found = (Target(stimulator.name, stimulator.stimulator, words["remote"], stimulator.has),)
    run.choose_targets(config, found)
    if config.option.stimbench_results is None:
        config.option.stimbench_results = _RESULTS
    return found


def boards(config: pytest.Config) -> set[str]:
    """The boards that every target of the run has; none: everything is emulated."""
    if run.is_emulated(config):
        return set()
    return set.intersection(*(set(target.boards) for target in run.targets_of(config)))


def ports(config: pytest.Config) -> dict[str, str]:
    """The ports of the boards that this process tests now, by board; none: everything is emulated."""
    return {} if run.is_emulated(config) else run.claimed(config).boards


def take_boards(config: pytest.Config) -> None:
    """Put the one board of the run into the state in which every test finds it: just reset, answering.

    Where there are several, each test sees to the board that its process has claimed.

    Raises:
        pytest.UsageError: it cannot be had, or is of the other kind; no test runs then.
    """
    if run.is_emulated(config) or config.option.collectonly or hasattr(config, "workerinput"):
        return
    targets = run.targets_of(config)
    if len(targets) > 1:
        return
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("A wired board is tested by one process: add -n 0. No test was run.")
    words = _words(config)
    for board, where in targets[0].boards.items():
        try:
            _restart(board, port_of(where, run.ports_of_this_machine()))
        except StimbenchError as error:
            named = f"{_OPTIONS[board]}={words[board]}" if board in words else f"--target, its {board}"
            raise pytest.UsageError(f"{named}: {error} No test was run.") from error
    config.stash[_TAKEN] = True


def leave_boards(config: pytest.Config) -> None:
    """Leave the board that was tested as it was found: a test may have ended in the REPL."""
    pool = run.pool_of(config)
    held = pool is not None and pool.held is not None
    if not held and not config.stash.get(_TAKEN, False):
        return
    try:
        for board, port in ports(config).items():
            _restart(board, port)
    except StimbenchError as error:
        config.get_terminal_writer().line(f"\nThe boards were not left running: {error}", red=True)


def _restart(board: str, port: str) -> None:
    ask = {"stimulator": connect, "remote": connect_remote}[board]
    with SerialDevice(port) as device, contextlib.suppress(NoAnswerError):  # it may be in the REPL
        ask(device.console)
    with wired_board(port, board):
        pass


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where boards are named take out what does not run on them, and remember it for the report."""
    gone: dict[str, list[str]] = {}
    config.stash[_GONE] = gone
    if run.is_emulated(config):
        return
    if hasattr(config, "workeroutput"):
        config.workeroutput["deselected"] = gone  # sent to the process that reports, at the end
    named = boards(config)
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


def _reason(item: pytest.Item, named: set[str]) -> str:
    """Why a test does not run on the named boards; empty if it does."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if "bench" in fixtures or item.get_closest_marker("emulated"):
        return "they need faults or traces, which only --target=emulator has"
    asked = {board for fixture, board in _FIXTURES.items() if fixture in fixtures}
    missing = [f"a {board} ({_OPTIONS[board]})" for board in sorted(asked - named)]
    if missing:
        return f"they need {' and '.join(missing)}, which was not named"
    return "" if asked else "they ask for no board"


def take_from_worker(config: pytest.Config, output: dict[str, dict[str, list[str]]]) -> None:
    """What a process of pytest-xdist took out; all of them take out the same."""
    if "deselected" in output:
        config.stash[_GONE] = output["deselected"]


def deselection_report(config: pytest.Config) -> list[str]:
    """Lines that say what was taken out, and why."""
    lines = []
    for reason, nodeids in config.stash.get(_GONE, {}).items():
        lines += [f"{len(nodeids)} tests deselected: {reason}:", *(f"  {nodeid}" for nodeid in nodeids)]
    return lines
