"""Worker processes of this machine: Dask's own cluster, kept quiet, on loopback, and out of Ctrl-C's way."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any

__all__ = ("LocalWorkers", "interrupts_wait")

_LOOPBACK = "127.0.0.1"
_MOST_DEATHS = 3
"""A job that was running when so many workers died is given up."""
_CLOSE_S = 5.0


class LocalWorkers:
    """Some processes with one thread each. A nanny replaces one that dies.

    Attributes:
        folder: for their files and for what they print; removed with them.
    """

    def __init__(self, count: int) -> None:
        """Start them. Ctrl-C meanwhile takes effect when they run.

        Args:
            count: how many.
        """
        import dask
        import distributed  # noqa: F401 - its loggers are made here

        _quiet()
        self._folder = tempfile.TemporaryDirectory(prefix="stimbench-workers-", ignore_cleanup_errors=True)
        self.folder = self._folder.name
        self._cluster: Any = None
        try:
            with (
                interrupts_wait(),
                # Dask blames every job of a dead worker. It is the right one, as no other is at hand there.
                dask.config.set({"distributed.scheduler.allowed-failures": _MOST_DEATHS - 1}),
            ):
                self._cluster = self._started(count)
        except BaseException:
            self.close()
            raise

    def _started(self, count: int) -> Any:
        import distributed

        unencrypted: Any = distributed.Security(require_encryption=False)  # type: ignore[no-untyped-call]
        cluster: Any = distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            # Whatever Dask's configuration says of other machines: these stay on this one.
            protocol="tcp",
            security=unencrypted,
            dashboard_address=None,
            # Without a dashboard, too, it listens to HTTP: on all interfaces if nobody says where.
            scheduler_kwargs={"dashboard": False, "dashboard_address": f"{_LOOPBACK}:0"},
            silence_logs=logging.CRITICAL,
            memory_limit=0,
            local_directory=self.folder,
        )
        return cluster

    @property
    def cluster(self) -> Any:
        """What a distributed.Client connects to."""
        return self._cluster

    @property
    def pids(self) -> list[int]:
        """Of the worker processes that run now."""
        found = (getattr(nanny, "pid", None) for nanny in self._cluster.workers.values())
        return [pid for pid in found if pid]

    def add(self) -> None:
        """Start one more; it takes jobs as soon as it runs."""
        self._cluster.scale(len(self._cluster.worker_spec) + 1)

    def close(self) -> None:
        """End them all, whatever they do. Nothing is lost: what they know is in their files, or was told."""
        if self._cluster is not None:
            for nanny in list(self._cluster.workers.values()):
                nanny.auto_restart = False
            for pid in self.pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(TimeoutError):
                self._cluster.close(timeout=_CLOSE_S)
        self._folder.cleanup()


def _quiet() -> None:
    """Dask tells of workers that die and connections that close; a campaign counts and tells them itself."""
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]:
        for handler in logging.getLogger(name).handlers:
            handler.setLevel(logging.CRITICAL + 1)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C in the block takes effect after it; threads and processes that begin in it never get it.

    A terminal sends Ctrl-C to the whole group of processes. The workers have to finish what they do, so they
    and the threads that start and restart them inherit a mask.
    """
    # Python's own helper process resets the mask of the thread that starts it.
    resource_tracker.ensure_running()
    came: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number)) if is_main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is not None:
            signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(signal.SIGINT, None)
