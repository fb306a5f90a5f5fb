"""Which benches run on this machine: a private folder with a socket and a record for each.

The folder is the user's own (platformdirs, mode 0700), and a record holds the token that a message must
bring. So only this user's programs can reach a bench, and they find it by themselves. What a bench left
behind that was killed is noticed, because nobody answers at its socket, and removed.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock
from platformdirs import user_runtime_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.errors import InputError, PortError

__all__ = ("BenchRecord", "claim", "find", "folder", "running")

NAME = "bench"
"""Of a bench that nobody named; the next ones are bench-2, bench-3 ..."""
_NAMES = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_MOST = 100
_CONNECT_S = 5.0


class BenchRecord(BaseModel):
    """How a running bench is reached. Whoever can read this can do anything to that bench."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str
    pid: int
    socket: str
    """Path of the unix-domain socket."""
    token: str = Field(repr=False)
    """What every message to it must bring."""
    ports: dict[str, str]
    """Path of the pty by board."""
    links: dict[str, str]
    """Path of the symbolic link to it by board; empty if there are none."""


def folder() -> Path:
    """Where benches leave their sockets and records; made if it is not there.

    Raises:
        PortError: it cannot be had, or is not this user's alone.
    """
    with warnings.catch_warnings():  # of a machine without XDG_RUNTIME_DIR: the checks below are ours
        warnings.simplefilter("ignore")
        path = user_runtime_path("stimbench", appauthor=False)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in (path.parent, path):
            found = one.lstat()
            private = found.st_uid in (os.geteuid(), 0) and not found.st_mode & 0o022
            if one == path:
                private = found.st_uid == os.geteuid() and not found.st_mode & 0o077
            if not stat.S_ISDIR(found.st_mode) or not private:
                raise PortError(f"Others can read or change {one}, where benches leave their sockets.")
    except OSError as error:
        raise PortError(f"The folder {path} for sockets cannot be had: {error.strerror}.") from error
    return path


def running() -> list[BenchRecord]:
    """Every bench of this user that answers, by name. What dead ones left behind is removed."""
    place = folder()
    with _locked(place):
        return list(_alive(place))


def find(name: str | None) -> BenchRecord:
    """The bench of that name, or the only one that runs.

    Raises:
        PortError: none runs, or none of that name.
        InputError: several run, and none was named.
    """
    found = {record.name: record for record in running()}
    if name is not None:
        if name not in found:
            there = f"there is {', '.join(found)}" if found else "none runs"
            raise PortError(f"No bench {name!r} runs; {there}. `stimbench bench up --name {name}` starts it.")
        return found[name]
    if not found:
        raise PortError("No bench runs: start one in another terminal with `stimbench bench up`.")
    if len(found) > 1:
        raise InputError(f"{len(found)} benches run ({', '.join(found)}). Say which one: --bench NAME.")
    return next(iter(found.values()))


@contextmanager
def claim(name: str | None) -> Iterator[tuple[str, socket.socket]]:
    """A name that no running bench has, and a socket that listens under it; removed at the end.

    Args:
        name: None for the first of `bench`, `bench-2` ... that is free.

    Raises:
        InputError: the name is taken, or cannot be one.
        PortError: the socket cannot be made.
    """
    if name is not None and not _NAMES.fullmatch(name):
        raise InputError(f"--name {name!r}: a name has 1 to 31 small letters, digits and dashes.")
    place = folder()
    with _locked(place):
        taken = {record.name for record in _alive(place)} | {one.stem for one in place.glob("*.sock")}
        if name in taken:
            raise InputError(f"A bench named {name!r} runs already: choose another name.")
        free = (one for k in range(1, _MOST) if (one := NAME if k == 1 else f"{NAME}-{k}") not in taken)
        chosen = name or next(free, None)
        if chosen is None:
            raise InputError(f"{_MOST} benches run already.")
        path = place / f"{chosen}.sock"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen()
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise PortError(f"The bench's socket {path} cannot be made: {error}.") from error
    try:
        yield chosen, listener
    finally:
        listener.close()
        for left in (path, place / f"{chosen}.json"):
            with suppress(OSError):
                left.unlink()


def announce(name: str, ports: dict[str, str], links: dict[str, str]) -> BenchRecord:
    """Write the record of a bench whose name was claimed: from now on it is found."""
    place = folder()
    path = place / f"{name}.json"
    record = BenchRecord(
        name=name, pid=os.getpid(), socket=str(place / f"{name}.sock"), token=secrets.token_urlsafe(32),
        ports=ports, links=links,
    )  # fmt: skip
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(record.model_dump_json())
    part.replace(path)
    return record


def _alive(place: Path) -> Iterator[BenchRecord]:
    """The records of benches that answer; the folder is locked. What dead ones left is removed."""
    for path in sorted(place.glob("*.sock"), key=lambda one: one.stem):
        record_path = path.with_suffix(".json")
        if not _answers(path):
            for left in (path, record_path):
                left.unlink(missing_ok=True)
            continue
        try:
            yield BenchRecord.model_validate_json(record_path.read_bytes())
        except (OSError, ValidationError):
            continue  # it only begins, and is found once its record is whole


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # its backlog is full, say: somebody listens
    return True


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    with FileLock(place / "lock", mode=0o600, fallback_to_soft=False):
        yield
