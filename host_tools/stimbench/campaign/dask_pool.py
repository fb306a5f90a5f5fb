"""Jobs on Dask: processes of this machine, or those of a scheduler that somebody runs."""

from __future__ import annotations

import queue
import re
import time
import uuid
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from stimbench import __version__
from stimbench.campaign.errors import LibraryError, PoolError
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.jobs import Job
from stimbench.campaign.local_cluster import LocalWorkers
from stimbench.campaign.pool import Finished, finished
from stimbench.errors import InputError

__all__ = ("DaskPool",)

_ADDRESS = re.compile(r"((tcp|tls)://)?([^\s:/\[\]]+|\[[0-9a-fA-F:]+\]):\d{1,5}")
_CONNECT_S = 10.0
_GATHER_S = 60.0
_ALONE_S = 60.0
"""So long without any worker is too long."""


class DaskPool:
    """As many jobs at once as there are worker processes; one that dies is replaced, and its job run again.

    No job waits at a worker: when a worker dies, the job that it ran is the only one that Dask can blame.
    """

    def __init__(self, firmware: Firmware, workers: int = 2, scheduler: str | None = None) -> None:
        """Start workers, or find those of a scheduler.

        Args:
            firmware: what every job is given; it goes to each worker once.
            workers: processes of this machine.
            scheduler: address of a Dask scheduler (`tcp://10.0.0.5:8786`), whose workers are used instead.

        Raises:
            InputError: that is no address.
            LibraryError: the library `distributed` is missing.
            PoolError: nobody answers there, or a worker cannot do these jobs.
        """
        self._library = _library()
        self.firmware = firmware
        self._name = f"stimbench-{uuid.uuid4().hex}"
        self._running: dict[str, tuple[Job, Any]] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._checked: set[str] = set()
        self._alone_since_s: float | None = None
        self._local = LocalWorkers(workers) if scheduler is None else None
        self._client: Any = None
        try:
            self._client = self._connect(scheduler)
            self._equip()
            self._look()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Of the worker processes of this machine that belong to the pool."""
        return self._local.pids if self._local else []

    @property
    def folder(self) -> str:
        """Where workers of this machine keep their files; empty if there are none."""
        return self._local.folder if self._local else ""

    @property
    def slots(self) -> int:
        """How many workers are there.

        Raises:
            PoolError: one that has joined cannot do these jobs, or the scheduler has gone.
        """
        return self._look()

    @property
    def at_hand(self) -> int:
        """See Pool."""
        return len(self._running)

    def add_worker(self) -> None:
        """Start one more process here.

        Raises:
            InputError: the workers are a scheduler's.
        """
        if self._local is None:
            raise InputError("This scheduler's workers are its own: start one more with `dask worker`.")
        self._local.add()

    def submit(self, job: Job) -> None:
        """See Pool."""
        from stimbench.campaign.dask_worker import do_here

        future = self._client.submit(
            do_here, job.work, dict(job.payload), dict(self.firmware.hashes), __version__,
            key=f"{self._name}-{job.key}", pure=False,
        )  # fmt: skip
        self._running[future.key] = (job, future)
        future.add_done_callback(self._finished.put)

    def next(self, timeout_s: float) -> Finished | None:
        """See Pool."""
        if not self._running:
            return None
        try:
            future = self._finished.get(timeout=timeout_s)
        except queue.Empty:
            self._require_somebody()
            return None
        job, _ = self._running.pop(future.key)
        return self._result_of(job, future)

    def drain(self, grace_s: float) -> list[Finished]:
        """See Pool."""
        end_s = time.monotonic() + grace_s
        kept = []
        with suppress(PoolError):
            while self._running and (left_s := end_s - time.monotonic()) > 0:
                if (done := self.next(left_s)) is not None:
                    kept.append(done)
        with suppress(Exception):
            self._client.cancel([future for _, future in self._running.values()], force=True)
        self._running.clear()
        return kept

    def close(self) -> None:
        """See Pool."""
        self._running.clear()
        if self._client is not None:
            if self._client.status == "running":  # else it would wait for a scheduler that has gone
                with suppress(Exception):
                    self._client.unregister_worker_plugin(self._name)
            with suppress(Exception):
                self._client.close(timeout=1)
        if self._local is not None:
            self._local.close()

    def _connect(self, scheduler: str | None) -> Any:
        if scheduler is not None:
            self._require_address(scheduler)
        where = self._local.cluster if self._local else scheduler
        try:
            return self._library.Client(where, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise PoolError(f"No Dask scheduler answers at {scheduler}.") from error

    def _require_address(self, scheduler: str) -> None:
        """Refuse what Dask's client cannot use: once made with that, it could not be closed for 20 s."""
        if not _ADDRESS.fullmatch(scheduler):
            raise InputError(f"--scheduler {scheduler}: an address is like tcp://10.0.0.5:8786, or tls://...")
        security, is_tls = self._library.Security(), scheduler.startswith("tls://")
        if is_tls and security.get_connection_args("client").get("ssl_context") is None:
            raise InputError(f"--scheduler {scheduler}: Dask's configuration names no certificates for TLS.")
        if security.require_encryption and not is_tls:
            raise InputError(f"--scheduler {scheduler}: Dask's configuration allows tls:// addresses only.")

    def _equip(self) -> None:
        from stimbench.campaign.dask_worker import Equipment

        log_folder = self.folder or None
        if self._local is None:
            self._check(list(self._client.nthreads()))
        self._client.register_plugin(Equipment(self._name, self.firmware.files, log_folder), name=self._name)

    def _look(self) -> int:
        """Count the workers, and check those that are new."""
        if self._client.status != "running":  # one that comes back knows nothing of the jobs
            raise PoolError("The Dask scheduler has gone.")
        try:
            threads = self._client.nthreads()
        except Exception as error:
            raise PoolError(f"The Dask scheduler has gone ({error}).") from error
        several = [address for address, count in threads.items() if count != 1]
        if several:
            raise PoolError(
                f"Worker {several[0]} does {threads[several[0]]} jobs at once, and a bench needs a process "
                "of its own: start workers with `dask worker --nthreads 1 --nworkers N`."
            )
        if self._local is None:
            self._check([address for address in threads if address not in self._checked])
        self._note_alone(not threads)
        return len(threads)

    def _check(self, addresses: list[str]) -> None:
        """Refuse workers without stimbench, and those with another one."""
        if not addresses:
            return
        # By name, as a worker without stimbench could not even load a function of ours.
        asked = "__import__('stimbench').__version__"
        for address, told in self._client.run(eval, asked, workers=addresses, on_error="return").items():
            if isinstance(told, ImportError):
                raise PoolError(f"Worker {address} cannot import stimbench ({told}).")
            if told != __version__ and not isinstance(told, OSError):  # an OSError: it has just left
                raise PoolError(f"Worker {address} has stimbench {told}, and this campaign {__version__}.")
            self._checked.add(address)

    def _require_somebody(self) -> None:
        self._look()
        if self._alone_since_s is not None and time.monotonic() - self._alone_since_s > _ALONE_S:
            raise PoolError(f"There has been no worker for {_ALONE_S:.0f} s.")

    def _note_alone(self, alone: bool) -> None:
        if not alone:
            self._alone_since_s = None
        elif self._alone_since_s is None:
            self._alone_since_s = time.monotonic()

    def _result_of(self, job: Job, future: Any) -> Finished:
        if future.status in ("cancelled", "lost"):
            raise PoolError("The Dask scheduler has gone, or has dropped this campaign's jobs.")
        try:
            done = future.result(timeout=_GATHER_S)
        except self._library.KilledWorker as error:
            deaths = getattr(error, "allowed_failures", _MOST_DEATHS_ELSEWHERE) + 1
            return Finished(job, None, f"the worker died {deaths} times")
        except Exception as error:
            return Finished(job, None, f"{type(error).__name__}: {error}")
        if "refused" in done:
            raise PoolError(f"Worker {done['worker']} {done['refused']}.")
        return finished(job, done)


_MOST_DEATHS_ELSEWHERE = 3
"""Dask's default of `distributed.scheduler.allowed-failures`."""


def _library() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise LibraryError(
            'Several workers need the library distributed: pip install "stimbench[campaign]".'
        ) from error
    return distributed
