"""A pytest plugin: boards of the bench, emulated or wired, as fixtures. docs/plugin.md is its manual.

    pytest                                             # each test on an emulated bench of its own
    pytest --stimbench-target=/dev/ttyACM0             # a wired stimulator
    pytest --stimbench-target=all -n auto              # every board, one for each process

It is loaded in every run of pytest in an environment that has stimbench. So it imports nothing of the
emulator or of a port before a fixture is used, its options and its marker bear its name, and tests that use
none of its fixtures see nothing of it.
"""

from __future__ import annotations

from typing import Any

import pytest

from stimbench.pytest_plugin.fixtures import bench, capture, console_path, device, remote, stimulator
from stimbench.pytest_plugin.needs import add_marker, skip_if_lacking
from stimbench.pytest_plugin.options import add_options
from stimbench.pytest_plugin.outcomes import note_failure, status_of, summary
from stimbench.pytest_plugin.results import ResultsFile
from stimbench.pytest_plugin.run import begin, end, worker_count

__all__ = ("bench", "capture", "console_path", "device", "remote", "stimulator")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all of them `--stimbench-...`."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and the file of results if one is wanted."""
    add_marker(config)
    if config.getoption("stimbench_dut"):
        # Now, and not by -p: after pytest-embedded, whose fixture it replaces.
        from stimbench.pytest_plugin import dut

        config.pluginmanager.register(dut, "stimbench-dut")
    folder = config.getoption("stimbench_results")
    if folder is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ResultsFile(config, folder), "stimbench-results")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Find out which targets there are; refuse what cannot be before any test runs."""
    begin(session.config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give the board back."""
    end(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """`-n auto`: a process for each wired target."""
    return worker_count(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what the target cannot show."""
    skip_if_lacking(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep the traces of a failed test; a board that is gone is an error of the rig."""
    outcome = yield
    note_failure(item, call, outcome.get_result())


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """ERROR for a test whose board was lost."""
    return status_of(report)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was not run on this target, and why."""
    summary(terminalreporter)
