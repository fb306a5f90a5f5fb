"""The folder of a campaign: what its jobs are, and a file for each result that no later one replaces."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from stimbench.campaign.errors import StoreError
from stimbench.campaign.files import create_file, remove_unfinished, replace_file
from stimbench.campaign.jobs import Job
from stimbench.campaign.plan import Plan
from stimbench.campaign.pool import Finished

__all__ = ("Record", "Store")

_RUN, _CASES, _ERRORS, _LOCK, _OWNER = "run.json", "cases", "errors", ".lock", ".owner"
_OURS = frozenset((_CASES, _ERRORS))
_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """What a folder holds of one job.

    Attributes:
        key: of the job.
        payload: of the job.
        result: what its function returned; None if `error` says why not.
        error: of the rig or the tools, never of the board.
        traceback: of the error, if there is one.
        seconds: how long it took where it ran.
        worker: host and process that did it.
    """

    key: str
    payload: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    worker: str = ""


class Store:
    """Results in files: `cases/<key>.json` once and for good, `errors/<key>.json` until there is a result.

    Attributes:
        folder: of all of it.
        aside: names of files that were found and are no results of this campaign; the broken ones among them
            were renamed, and their jobs are done again.
    """

    def __init__(self, folder: Path, campaign: str) -> None:
        """Name a folder; nothing is read or written yet.

        Args:
            folder: made when it is needed.
            campaign: a folder belongs to one of them.
        """
        self.folder = folder
        self.campaign = campaign
        self.aside: tuple[str, ...] = ()
        self._keys: frozenset[str] = frozenset()
        self._done: set[str] = set()

    @contextmanager
    def opened(self, jobs: Sequence[Job], firmware_hashes: Mapping[str, str]) -> Iterator[None]:
        """Have the folder for this process alone, with all jobs named in it.

        Raises:
            StoreError: another process has it, it belongs to another campaign, or it cannot be written.
        """
        plan = Plan(self.campaign, firmware_hashes, jobs)
        with self._told():
            self._require_room()
            for name in sorted(_OURS):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise StoreError(f"{self.folder} is in use by process {self._owner()}.") from error
        try:
            with self._told():
                (self.folder / _OWNER).write_text(f"{os.getpid()}\n", encoding="ascii")
                self._settle(plan)
            yield
        finally:
            with suppress(OSError):
                (self.folder / _OWNER).unlink()
            lock.release()

    def has(self, key: str) -> bool:
        """Whether there is a result already."""
        return key in self._done

    @property
    def count(self) -> int:
        """How many jobs have a result."""
        return len(self._done)

    def put(self, done: Finished) -> bool:
        """Keep what came of a job: a result for good, an error until there is a result.

        Returns:
            False if there was a result already; that one stays.

        Raises:
            StoreError: it cannot be written, the disk is full say; what was kept before stays.
        """
        key = done.job.key
        with self._told():
            if done.result is None:
                replace_file(self.folder / _ERRORS / f"{key}.json", _as_text(done))
                return True
            is_new = create_file(self.folder / _CASES / f"{key}.json", _as_text(done))
            (self.folder / _ERRORS / f"{key}.json").unlink(missing_ok=True)
        self._done.add(key)
        return is_new

    def plan(self) -> Plan:
        """What the campaign of this folder consists of.

        Raises:
            StoreError: there is none, or it cannot be read.
        """
        path = self.folder / _RUN
        try:
            return Plan.from_text(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}.") from error
        except ValueError as error:
            raise StoreError(
                f"{path} cannot be read: {error}. Remove it: the results that are there stay, and count."
            ) from error

    def records(self) -> dict[str, Record]:
        """What is known of the jobs, in their order: a result, or else an error, or nothing.

        Raises:
            StoreError: there is no campaign in this folder.
        """
        found = {}
        for job in self.plan().jobs:
            for name in (_CASES, _ERRORS):
                record = _read(self.folder / name / f"{job.key}.json")
                if record is not None:
                    found[job.key] = record
                    break
        return found

    def _require_room(self) -> None:
        """Keep out of folders that hold other things."""
        if not self.folder.exists() or (self.folder / _RUN).exists():
            return
        others = sorted(path.name for path in self.folder.iterdir() if path.name not in _OURS)
        others = [name for name in others if not name.startswith(".")]
        if others:
            raise StoreError(f"{self.folder} holds other files, {others[0]} say: name a folder of its own.")

    def _settle(self, plan: Plan) -> None:
        if (self.folder / _RUN).exists():
            difference = plan.difference(self.plan())
            if difference:
                raise StoreError(f"{self.folder} holds another campaign: {difference}. Name another folder.")
        else:
            replace_file(self.folder / _RUN, plan.as_text())
        self._keys = frozenset(job.key for job in plan.jobs)
        for name in sorted(_OURS):
            remove_unfinished(self.folder / name)
        self._take_stock()

    def _take_stock(self) -> None:
        """Find what is done. A broken file would keep its result out for ever, so it gives way."""
        self._done, aside = set(), []
        for path in sorted((self.folder / _CASES).iterdir()):
            known = path.suffix == ".json" and path.stem in self._keys
            if known and (record := _read(path)) is not None and record.result is not None:
                self._done.add(path.stem)
                continue
            aside.append(f"{_CASES}/{path.name}")
            if known:
                path.rename(path.with_suffix(".broken"))
        self.aside = tuple(aside)

    def _owner(self) -> str:
        try:
            return (self.folder / _OWNER).read_text(encoding="ascii").strip() or "of another user"
        except OSError:
            return "that has just begun"

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename or self.folder
            told = f"{place}: {error.strerror or error}."
            if self._keys:
                told += f" What was done stays ({len(self._done)} of {len(self._keys)} results);"
                told += " the same command goes on from there."
            raise StoreError(told) from error


def _as_text(done: Finished) -> str:
    data = {
        "format": _FORMAT,
        "key": done.job.key,
        "work": done.job.work,
        "payload": dict(done.job.payload),
        "seconds": done.seconds,
        "worker": done.worker,
    }
    if done.result is None:
        data |= {"error": done.error, "traceback": done.traceback}
    else:
        data["result"] = dict(done.result)
    return json.dumps(data, indent=1)


def _read(path: Path) -> Record | None:
    """A file of this module; None if it is not there, or is not whole."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != _FORMAT or data["key"] != path.stem:
            return None
        result, error = data.get("result"), str(data.get("error", ""))
        if not isinstance(result, dict) and not error:
            return None
        return Record(
            data["key"], dict(data["payload"]), result, error, str(data.get("traceback", "")),
            float(data["seconds"]), str(data["worker"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None
