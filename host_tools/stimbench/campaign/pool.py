"""Where jobs run: what every pool can do, and the pool that is this very process."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from stimbench import __version__
from stimbench.campaign.firmware import Firmware, put_firmware
from stimbench.campaign.jobs import Job
from stimbench.campaign.worker import do_job

__all__ = ("Finished", "Pool", "SerialPool", "finished")


@dataclass(frozen=True)
class Finished:
    """What came of a job.

    Attributes:
        job: the job.
        result: what its function returned; None if it did not.
        error: why there is no result, in a sentence; never the board's failure.
        traceback: of the error, if there is one.
        seconds: how long it took where it ran.
        worker: host and process that did it.
    """

    job: Job
    result: Mapping[str, Any] | None
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    worker: str = ""


class Pool(Protocol):
    """Does jobs somewhere. Whoever opened it closes it; it is a context as well."""

    def __enter__(self) -> Self:
        """The pool."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    @property
    def firmware(self) -> Firmware:
        """What every job is given."""

    @property
    def slots(self) -> int:
        """How many jobs can run at once now; it may change, and be 0 for a while."""

    @property
    def at_hand(self) -> int:
        """How many jobs were submitted and are not finished."""

    def submit(self, job: Job) -> None:
        """Let a job run."""

    def next(self, timeout_s: float) -> Finished | None:
        """A job that has finished; None if none has within about `timeout_s`.

        Raises:
            PoolError: nobody is there any more who could finish one.
        """

    def drain(self, grace_s: float) -> list[Finished]:
        """Forget what has not begun, and give the others a last chance of `grace_s` to finish."""

    def close(self) -> None:
        """End all processes that belong to the pool."""


class SerialPool:
    """One job after the other in this process; for --workers 1, and for looking at a job with a debugger."""

    def __init__(self, firmware: Firmware) -> None:
        """Args: firmware: what every job is given."""
        self.firmware = firmware
        self._queue: deque[Job] = deque()
        self._folder = tempfile.TemporaryDirectory(prefix="stimbench-firmware-")
        put_firmware(Path(self._folder.name), firmware.files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def slots(self) -> int:
        """One."""
        return 1

    @property
    def at_hand(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    def submit(self, job: Job) -> None:
        """See Pool."""
        self._queue.append(job)

    def next(self, timeout_s: float) -> Finished | None:
        """Do the next job, however long it takes; None if there is none."""
        if not self._queue:
            return None
        job = self._queue[0]
        done = do_job(job.work, job.payload, self.firmware.hashes, Path(self._folder.name), __version__)
        self._queue.popleft()
        return finished(job, done)

    def drain(self, grace_s: float) -> list[Finished]:
        """See Pool: nothing runs while nobody waits for it."""
        self._queue.clear()
        return []

    def close(self) -> None:
        """See Pool."""
        self._queue.clear()
        self._folder.cleanup()


def finished(job: Job, done: Mapping[str, Any]) -> Finished:
    """What `do_job` said of a job."""
    return Finished(
        job,
        done.get("result"),
        done.get("error", ""),
        done.get("traceback", ""),
        done.get("seconds", 0.0),
        done.get("worker", ""),
    )
