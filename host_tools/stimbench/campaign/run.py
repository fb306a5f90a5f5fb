"""Runs a campaign: what the folder lacks is done, kept and counted, however often it is interrupted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stimbench.campaign.jobs import Job, require_distinct, require_work
from stimbench.campaign.pool import Finished, Pool
from stimbench.campaign.store import Store

__all__ = ("Progress", "Summary", "run")

_LOOK_EVERY_S = 0.5
_GRACE_S = 3.0


@dataclass(frozen=True)
class Progress:
    """How far a campaign is.

    Attributes:
        total: its jobs.
        done: results in the folder, those of earlier runs included.
        errors: jobs of this run that gave none.
        workers: processes that work at present.
        rate_per_s: jobs finished a second in this run; None before the first one.
        left_s: how long the rest takes at that rate; None before the first one.
    """

    total: int
    done: int
    errors: int
    workers: int
    rate_per_s: float | None
    left_s: float | None


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        done: results that it added to the folder.
        skipped: jobs that had a result already.
        errors: jobs that gave none; they are tried again when the campaign is run again.
        interrupted: Ctrl-C ended it.
        duplicates: results that came a second time, and were dropped.
        left: jobs that have no result yet, those with errors included.
    """

    done: int = 0
    skipped: int = 0
    errors: int = 0
    interrupted: bool = False
    duplicates: int = 0
    left: int = 0


def run(
    jobs: Sequence[Job],
    store: Store,
    pool: Pool,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    now_s: Callable[[], float] = time.monotonic,
    grace_s: float = _GRACE_S,
    weight: Callable[[Job], float] = lambda job: 0.0,
) -> Summary:
    """Do all jobs that have no result in the folder.

    Ctrl-C ends it: what runs gets a few seconds, and the summary says that it was interrupted.

    Args:
        jobs: the whole campaign, always in full.
        store: its folder.
        pool: where they run; it stays open.
        on_progress: called after each job and at least twice a second; with a serial pool after each job.
        now_s: the clock, s from any origin.
        grace_s: how long jobs that run may go on after Ctrl-C, in s.
        weight: roughly how long a job takes: the longest are begun first, so that none is left alone at the
            end. Jobs of one weight stay in order.

    Raises:
        InputError: two jobs are the same, or no process could do one.
        StoreError: the folder cannot be used, or takes no more.
        PoolError: nobody is left who could do the rest.
    """
    require_distinct(jobs)
    require_work(jobs)
    with store.opened(jobs, pool.firmware.hashes):
        heaviest_first = sorted(jobs, key=weight, reverse=True)
        return _Run(heaviest_first, store, pool, on_progress, now_s, grace_s).all()


class _Run:
    """One run: counts as it goes."""

    def __init__(
        self,
        jobs: Sequence[Job],
        store: Store,
        pool: Pool,
        on_progress: Callable[[Progress], None],
        now_s: Callable[[], float],
        grace_s: float,
    ) -> None:
        self._total = len(jobs)
        self._todo = deque(job for job in jobs if not store.has(job.key))
        self._store, self._pool, self._on_progress, self._now_s = store, pool, on_progress, now_s
        self._grace_s = grace_s
        self._summary = Summary(skipped=len(jobs) - len(self._todo))
        self._begin_s = now_s()

    def all(self) -> Summary:
        try:
            self._tell()
            while self._todo or self._pool.at_hand:
                self._submit()
                done = self._pool.next(_LOOK_EVERY_S)
                # The worker gets its next job before this one's result is on the disk.
                self._submit()
                self._keep(done)
                self._tell()
        except KeyboardInterrupt:
            self._summary = replace(self._summary, interrupted=True)
            for late in self._pool.drain(self._grace_s):
                self._keep(late)
        except BaseException:
            self._pool.drain(0)
            raise
        return replace(self._summary, left=self._total - self._store.count)

    def _submit(self) -> None:
        while self._todo and self._pool.at_hand < self._pool.slots:
            self._pool.submit(self._todo.popleft())

    def _keep(self, done: Finished | None) -> None:
        if done is None:
            return
        is_new = self._store.put(done)
        summary = self._summary
        if done.result is None:
            summary = replace(summary, errors=summary.errors + 1)
        elif is_new:
            summary = replace(summary, done=summary.done + 1)
        else:
            summary = replace(summary, duplicates=summary.duplicates + 1)
        self._summary = summary

    def _tell(self) -> None:
        finished = self._summary.done + self._summary.errors
        passed_s = self._now_s() - self._begin_s
        rate = finished / passed_s if finished and passed_s > 0 else None
        left = self._total - self._summary.skipped - finished
        self._on_progress(
            Progress(
                total=self._total,
                done=self._store.count,
                errors=self._summary.errors,
                workers=self._pool.slots,
                rate_per_s=rate,
                left_s=left / rate if rate else None,
            )
        )
