"""Runs the rows' cases in parallel processes, and hands each row over when it is complete."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimbench.benchmarks.harness.model import Line, Options, Row
from stimbench.benchmarks.harness.rig import use_images, use_xip
from stimbench.emulator.chip import XipConfig

__all__ = ("Progress", "RowResult", "run_rows")


@dataclass
class RowResult:
    """A row, measured: its lines, or why it could not be measured."""

    row: Row
    lines: list[Line]
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether every limit of the row holds."""
        return not self.error and all(line.passed is not False for line in self.lines)


@dataclass
class Progress:
    """How far the run is."""

    total: int = 0
    done: int = 0
    open_rows: dict[str, int] = field(default_factory=dict)
    """Cases still to do, by row; rows that are complete are not in it."""


@dataclass
class _Pending:
    row: Row
    results: list[Any]
    left: int
    error: str = ""


def run_rows(
    rows: Sequence[Row],
    options: Options,
    jobs: int,
    on_progress: Callable[[Progress], None],
    images: Path | None = None,
) -> Iterator[RowResult]:
    """Measure rows; each is yielded as soon as it is complete, those that need the machine alone at the end.

    Args:
        rows: what to measure.
        options: for all of them.
        jobs: processes.
        on_progress: told after every case, and at least twice a second.
        images: the folder of the firmware's images; the build folder by default.
    """
    together = [row for row in rows if not row.alone]
    cases = {row.name: list(row.cases(options)) for row in rows}
    progress = Progress(
        sum(len(each) for each in cases.values()), 0, {name: len(each) for name, each in cases.items()}
    )
    groups = [(together, jobs)] + [([row], 1) for row in rows if row.alone]
    for group, workers in groups:
        if group:
            with _pool(workers, images, options.xip) as pool:
                yield from _run_group(pool, group, cases, options, progress, on_progress)


@contextmanager
def _pool(jobs: int, images: Path | None, xip: XipConfig) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: the terminal's refresh runs in a thread here.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _settle_in, (images, xip))
    try:
        yield pool
    except BaseException:
        # A case may take a minute more: nobody who interrupts wants to wait for it.
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _run_group(
    pool: ProcessPoolExecutor,
    rows: Sequence[Row],
    cases: dict[str, list[Any]],
    options: Options,
    progress: Progress,
    on_progress: Callable[[Progress], None],
) -> Iterator[RowResult]:
    pending = {row.name: _Pending(row, [None] * len(cases[row.name]), len(cases[row.name])) for row in rows}
    waiting: dict[Future[Any], tuple[str, int]] = {}
    for row in sorted(rows, key=lambda each: -each.weight):
        for index, case in enumerate(cases[row.name]):
            waiting[pool.submit(row.work, case)] = (row.name, index)
    while waiting:
        finished, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in finished:
            name, index = waiting.pop(future)
            progress.done += 1
            progress.open_rows[name] -= 1
            if not progress.open_rows[name]:
                del progress.open_rows[name]
            if _collect(pending[name], index, future):
                yield _judged(pending[name], options)
        on_progress(progress)


def _settle_in(images: Path | None, xip: XipConfig) -> None:
    """In a new process: leave Ctrl-C to the parent, and end when the parent ends."""
    use_images(images)
    use_xip(xip)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _collect(pending: _Pending, index: int, future: Future[Any]) -> bool:
    """Keep one case's result; whether the row is complete."""
    error = future.exception()
    if error is None:
        pending.results[index] = future.result()
    else:
        pending.error = pending.error or "".join(traceback.format_exception(error)).strip()
    pending.left -= 1
    return pending.left == 0


def _judged(pending: _Pending, options: Options) -> RowResult:
    row = pending.row
    if not pending.error:
        try:
            return RowResult(row, row.judge(pending.results, options))
        except Exception:
            pending.error = traceback.format_exc().strip()
    reason = pending.error.splitlines()[-1]
    return RowResult(row, [Line(row.title, "", "not measured", False, reason)], pending.error)
