"""What becomes of a test that failed: its traces are kept, and a lost board is an error of the rig.

What the rig did wrong is never counted as the board's failure: when a board is gone at the end of a failed
test, nobody knows what the test would have said. One that came back by itself was restarted, by its watchdog
say; then the failure stays a failure.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stimbench.pytest_plugin.fixtures import BENCH
from stimbench.pytest_plugin.needs import LACKING
from stimbench.pytest_plugin.options import artefacts_folder
from stimbench.pytest_plugin.run import pool_of

if TYPE_CHECKING:
    from stimbench.bench import Bench
    from stimbench.devices.claims import TargetPool

__all__ = ("note_failure", "status_of", "still_gone", "summary")

_BACK_S, _POLL_S = 3.0, 0.1
"""A board that restarts is back on the bus by then."""


def note_failure(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Look at what a failed test left: its bench, or its board."""
    if not report.failed or call.when == "teardown":
        return
    made = item.stash.get(BENCH, None)
    if made is not None and call.when == "call":
        folder = artefacts_folder(item.config) / re.sub(r"[^\w.-]+", "-", item.nodeid)
        report.sections.append(("stimbench", _kept(made, folder)))
    pool = pool_of(item.config)
    if pool is not None and pool.held is not None:
        _note_loss(pool, item, report)


def _note_loss(pool: TargetPool, item: pytest.Item, report: pytest.TestReport) -> None:
    held = pool.held
    if held is None or not (gone := still_gone(pool.held_ports)):
        return
    reason = f"Board lost: {held.name} ({', '.join(gone)}) went away in {item.name} and did not come back."
    pool.lose(reason)
    report.longrepr = f"{reason}\n\n{report.longreprtext}"
    report.stimbench_lost = reason  # type: ignore[attr-defined]
    report.when = "setup"  # pytest counts, and writes to JUnit, a failure there as an error


def still_gone(ports: Iterable[str]) -> list[str]:
    """Those of the ports that are not there, and not back in time either."""
    end_s = time.monotonic() + _BACK_S
    while gone := [port for port in ports if os.sep in port and not os.path.exists(port)]:
        if time.monotonic() >= end_s:
            return gone
        time.sleep(_POLL_S)
    return []


def _kept(made: Bench, folder: Path) -> str:
    """Write what the bench recorded; a line that says where it is, or why it is not there."""
    from stimbench.capture.vcd import write_vcd

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_vcd(made.trace.capture(), folder / "bench.vcd")
        (folder / "bench.txt").write_text("\n".join(_told(made)) + "\n", encoding="utf-8")
    except Exception as error:  # whatever it is, the test's own failure matters more
        return f"The traces were not kept: {type(error).__name__}: {error}"
    return f"Traces of the bench: {folder / 'bench.vcd'}; its boards: {folder / 'bench.txt'}"


def _told(made: Bench) -> Iterable[str]:
    yield repr(made)
    for name, board in made.boards.items():
        for time_ns, cause in board.resets:
            yield f"{name}: reset at {time_ns} ns: {cause.value}"
        for text in (*board.log.messages, *board.log.bus_errors):
            yield f"{name}: {text}"


def status_of(report: Any) -> tuple[str, str, str] | None:
    """What pytest calls the outcome of a report; None for its own words."""
    if report.failed and getattr(report, "stimbench_lost", None):
        return "error", "E", "BOARD LOST"
    return None


def summary(terminalreporter: Any) -> None:
    """Say what was not run, and which boards were lost."""
    reasons: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        for name, value in getattr(report, "user_properties", ()):
            if name == LACKING:
                reasons.setdefault(value, []).append(report.nodeid)
    lost = [getattr(report, "stimbench_lost", None) for report in terminalreporter.stats.get("error", ())]
    if not reasons and not any(lost):
        return
    terminalreporter.section("stimbench")
    for reason in filter(None, lost):
        terminalreporter.line(reason, red=True)
    for reason, nodeids in reasons.items():
        terminalreporter.line(f"{len(nodeids)} not run: {reason}:")
        for nodeid in nodeids:
            terminalreporter.line(f"  {nodeid}")
