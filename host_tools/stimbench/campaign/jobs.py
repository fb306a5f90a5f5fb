"""A job: which function does it, with what, and the key that says whether it was done already."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimbench.errors import InputError

__all__ = ("Job", "Work", "job_key", "make_job", "require_distinct", "require_work", "work_function")

Work = Callable[[dict[str, Any], Mapping[str, Path]], dict[str, Any]]
"""Does one job: takes its payload and the firmware's files by board, returns what is kept (both JSON)."""

_WORK = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_KEY_DIGITS = 32


@dataclass(frozen=True)
class Job:
    """One piece of a campaign, small enough to be sent to another machine.

    Attributes:
        key: 32 hex digits, from all that decides the result: see `job_key`.
        work: `package.module:function`, which every process can import; see `Work`.
        payload: what the function is given, JSON.
    """

    key: str
    work: str
    payload: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What people read: the payload's `name`, or the key."""
        return str(self.payload.get("name") or self.key)


def make_job(work: str, payload: Mapping[str, Any], firmware_hashes: Mapping[str, str]) -> Job:
    """A job with its key.

    Args:
        work: `package.module:function`.
        payload: JSON; a key `name` is what people see.
        firmware_hashes: by board, as Firmware.hashes has them.

    Raises:
        InputError: `work` is no such name, or the payload is not JSON.
    """
    if not _WORK.fullmatch(work):
        raise InputError(f"{work!r} does not name a function as `package.module:function` does.")
    key = job_key(work, payload, firmware_hashes)
    # Through JSON and back: a job is the same in this process and in one far away.
    return Job(key, work, json.loads(_canonical(dict(payload))))


def job_key(work: str, payload: Mapping[str, Any], firmware_hashes: Mapping[str, str]) -> str:
    """32 hex digits of the SHA-256 of what decides a result: function, payload, firmware.

    Raises:
        InputError: the payload is not JSON.
    """
    text = _canonical([work, dict(payload), dict(firmware_hashes)])
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


def _canonical(data: Any) -> str:
    try:
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"A job can be given JSON only: {error}.") from error


def work_function(work: str) -> Work:
    """Import the function of a job.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such function.
    """
    module, name = work.split(":")
    found: Work = getattr(importlib.import_module(module), name)
    return found


def require_work(jobs: Iterable[Job]) -> None:
    """Look for the modules of all jobs before the first one runs.

    Raises:
        InputError: one is not there.
    """
    for work in sorted({job.work for job in jobs}):
        module = work.split(":")[0]
        try:
            found = importlib.util.find_spec(module)
        except ImportError:
            found = None
        if found is None:
            raise InputError(f"There is no module {module}, which is to do the jobs of {work!r}.")


def require_distinct(jobs: Iterable[Job]) -> None:
    """Check that no two jobs are the same: one of them would never get a result.

    Raises:
        InputError: two have one key.
    """
    seen: dict[str, Job] = {}
    for job in jobs:
        if job.key in seen:
            raise InputError(f"Two jobs of the campaign are the same: {seen[job.key].name} and {job.name}.")
        seen[job.key] = job
