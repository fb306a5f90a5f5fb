"""Results in the form that MicroPython's tests/run-tests.py leaves behind: a file _results.json."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

__all__ = ("NAME", "ResultsFile")

NAME = "_results.json"
_UNFINISHED = "test never finished"


class ResultsFile:
    """Written when the tests are known and again at the end, so that a run that dies is never read as a pass.

    `results` is a list of [test, result, reason]: `pass`, `fail` or `skip` as in MicroPython, and `error` if
    the rig failed. `failed_tests` are those to be run again.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        """Register it as a plugin of the process that reports."""
        self._args = {
            "target": config.getoption("stimbench_target"),
            "args": [str(word) for word in config.invocation_params.args],
        }
        self._folder = folder
        self._results: dict[str, tuple[str, str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """The tests are known."""
        self._expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """The same in a process of pytest-xdist."""
        self._expect(ids)

    def _expect(self, nodeids: Iterable[str]) -> None:
        for nodeid in nodeids:
            self._results.setdefault(nodeid, ("fail", _UNFINISHED))
        self._write()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test is over; the first one that is not passed is the result."""
        result, reason = self._results.get(report.nodeid, ("fail", _UNFINISHED))
        if (result, reason) not in (("fail", _UNFINISHED), ("pass", "")):
            return
        if report.failed:
            error = report.when != "call"
            self._results[report.nodeid] = ("error" if error else "fail", _reason(report))
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            self._results[report.nodeid] = ("skip", reason.removeprefix("Skipped: "))
        elif report.when == "call":
            self._results[report.nodeid] = ("pass", "")

    def pytest_sessionfinish(self) -> None:
        """The run is over."""
        self._write()

    def _write(self) -> None:
        rows = [[nodeid, result, reason] for nodeid, (result, reason) in self._results.items()]
        failed = [nodeid for nodeid, result, _ in rows if result in ("fail", "error")]
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{NAME}.{os.getpid()}"
        text = json.dumps({"args": self._args, "results": rows, "failed_tests": failed}, indent=1)
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(self._folder / NAME)


def _reason(report: pytest.TestReport) -> str:
    """What went wrong, in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = getattr(report, "stimbench_lost", None) or (crash.message if crash else report.longreprtext)
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "")
