"""The clinician's keys on this host: one private file.

Each stimulator has one pairing with this host, and an epoch: a number that is raised and written to the disk
before a run sends its first frame, so that no nonce is used twice with a key (docs/telemetry.md, Keys). With
the first run of a day (UTC) the key steps to its next generation, and the one before it is gone: whoever
takes this file opens nothing that was recorded earlier. The file is replaced as a whole, under a lock: after
a crash at any moment it is the old one or the new one.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from filelock import FileLock
from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from stimfw.protocol import roles
from stimfw.protocol.messages import SLOTS
from stimfw.telemetry.keys import KEY_BYTES, LAST_GENERATION, MOST_STEPS, next_key

from stimbench.client.access_records import ID_BYTES
from stimbench.errors import InputError, StimbenchError

__all__ = ("HostPairing", "KeyFileError", "Keyring", "default_path")

VARIABLE = "STIMBENCH_KEYS"
FORMAT = 2
_OLDEST_FORMAT = 1
"""It knew no generations."""
_LAST_EPOCH = 0xFFFFFFFF


class KeyFileError(InputError):
    """The key file cannot be used as it is. The text never holds a key."""


@dataclass(frozen=True)
class HostPairing:
    """This host's pairing with one stimulator."""

    base: bytes
    slot: int
    role: int
    key: bytes = field(repr=False)
    peer_id: bytes
    epoch: int = 0
    """The newest run's. A run that sends takes it from Keyring.begin()."""
    generation: int = 0
    """Of the key: how often it stepped on since it was given."""
    steps: int = 0
    """How many of these steps had no authentic answer yet."""
    day: str = ""
    """Of the newest step, or of the pairing: YYYY-MM-DD, UTC; empty if unknown."""


def today() -> str:
    """The day, UTC: YYYY-MM-DD."""
    return datetime.now(UTC).date().isoformat()


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """What the environment variable STIMBENCH_KEYS names, or a file in the user's configuration folder."""
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    return user_config_path("stimbench", appauthor=False, roaming=True) / "keys.json"


class Keyring:
    """The key file. Every method reads it again: other processes may have written it.

    All methods raise KeyFileError if others can read or replace the file, or if it is damaged, and
    StimbenchError if it cannot be read or written.
    """

    def __init__(
        self,
        path: Path,
        take_random: Callable[[int], bytes] = secrets.token_bytes,
        day: Callable[[], str] = today,
    ) -> None:
        """Use the file at `path`; it and its folder are made when something is stored. `day`: as today()."""
        self._path = path
        self._random = take_random
        self._day = day

    def __repr__(self) -> str:
        return f"<Keyring in {self._path}>"

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def pairings(self) -> list[HostPairing]:
        """All pairings of this host."""
        return list(self._load()[1].values())

    def own_id(self) -> bytes:
        """This host's id as a peer (4 bytes), drawn the first time."""
        with self._changing() as (own_id, _):
            return own_id

    def store(self, base: bytes, slot: int, role: int, key: bytes) -> None:
        """Keep the pairing with the stimulator `base`, in place of an earlier one. Its epoch goes on."""
        with self._changing() as (own_id, held):
            epoch = held[base].epoch if base in held else 0
            held[base] = HostPairing(base, slot, role, key, own_id, epoch, day=self._day())

    def forget(self, base: bytes) -> bool:
        """Erase the pairing with the stimulator `base`. Returns whether there was one."""
        if base not in self._load()[1]:
            return False
        with self._changing() as (_, held):
            return held.pop(base, None) is not None

    def begin(self, base: bytes) -> HostPairing:
        """The pairing with the stimulator `base`, with an epoch that is on the disk and was never used.

        Its key is of the next generation once a day, but of no more than MOST_STEPS without an answer.

        Raises:
            KeyFileError: there is no such pairing, or its epochs are used up.
        """
        with self._changing() as (_, held):
            if base not in held:
                raise KeyFileError(
                    f"This host has no key for the stimulator {base.hex()}: "
                    "`stimbench pair --clinician` gives it one."
                )
            if held[base].epoch >= _LAST_EPOCH:
                raise KeyFileError("The epochs of this key are used up: `stimbench pair --clinician` again.")
            held[base] = begun = _stepped(replace(held[base], epoch=held[base].epoch + 1), self._day())
        return begun

    def confirmed(self, begun: HostPairing) -> None:
        """A run with `begun` had an authentic answer: the stimulator knows that generation.

        Nothing if the stimulator was paired anew meanwhile.
        """
        now = self._load()[1].get(begun.base)
        if now is None or not now.steps:
            return
        with self._changing() as (_, held):
            now = held.get(begun.base)
            if now is None or not 0 <= now.generation - begun.generation < now.steps:
                return
            key = begun.key
            for _ in range(now.generation - begun.generation):
                key = next_key(key)
            if key == now.key:
                held[begun.base] = replace(now, steps=now.generation - begun.generation)

    @contextmanager
    def _changing(self) -> Iterator[tuple[bytes, dict[bytes, HostPairing]]]:
        """Own id and pairings by base, under the lock; written if the block ends without an error."""
        # Without a soft lock as a fallback: such a file would stay after a crash and lock the keys for good.
        lock = FileLock(self._path.with_name(self._path.name + ".lock"), mode=0o600, fallback_to_soft=False)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            locked = lock.acquire()
        except OSError as error:
            raise StimbenchError(f"The key file {self._path} cannot be locked: {error.strerror}.") from error
        with locked:
            own_id, held = self._load()
            before = (own_id, dict(held))
            own_id = own_id or self._random(ID_BYTES)
            yield own_id, held
            if (own_id, held) != before:
                self._write(_as_json(own_id, held))

    def _load(self) -> tuple[bytes, dict[bytes, HostPairing]]:
        try:
            with self._path.open("rb") as file:
                self._require_private(os.fstat(file.fileno()))
                text = file.read()
        except FileNotFoundError:
            return b"", {}
        except OSError as error:
            raise StimbenchError(f"The key file {self._path} cannot be read: {error.strerror}.") from error
        try:
            # `from None`, and no word of what the file holds: it holds keys.
            return _KeyFile.model_validate_json(text).opened()
        except (ValidationError, ValueError):
            raise KeyFileError(
                f"The key file {self._path} is damaged or of another version. Move it away, and have this "
                "host paired again with `stimbench pair --clinician`."
            ) from None

    def _require_private(self, file: os.stat_result) -> None:
        if os.name == "nt":
            return  # there the folder's access list decides, and the user's profile is the user's
        if file.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(
                f"Others can read or change the key file {self._path}, so its keys may be known. "
                f"`chmod 600 {self._path}`, and have this host paired again if somebody may have read it."
            )
        folder = os.stat(self._path.parent).st_mode
        if folder & (stat.S_IWGRP | stat.S_IWOTH) and not folder & stat.S_ISVTX:
            raise KeyFileError(
                f"Others can replace the key file {self._path}: `chmod 700 {self._path.parent}`."
            )

    def _write(self, text: str) -> None:
        # One name is enough: only the holder of the lock writes. The next write removes what a crash left.
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.unlink(missing_ok=True)
            number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise StimbenchError(f"The key file {self._path} cannot be written: {error.strerror}.") from error


def _stepped(pairing: HostPairing, day: str) -> HostPairing:
    """The pairing with its next key, if it has not stepped that day and may."""
    if pairing.day == day or pairing.steps >= MOST_STEPS or pairing.generation >= LAST_GENERATION:
        return pairing
    return replace(
        pairing,
        key=next_key(pairing.key),
        generation=pairing.generation + 1,
        steps=pairing.steps + 1,
        day=day,
    )


_Id = Annotated[str, Field(pattern=f"^[0-9a-f]{{{2 * ID_BYTES}}}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class _Entry(_Strict):
    base: _Id
    slot: Annotated[int, Field(ge=0, lt=SLOTS)]
    role: Annotated[str, Field(pattern="^(patient|clinician)$")]
    key: Annotated[str, Field(pattern=f"^[0-9a-f]{{{2 * KEY_BYTES}}}$", repr=False)]
    peer_id: _Id
    epoch: Annotated[int, Field(ge=0, le=_LAST_EPOCH)]
    generation: Annotated[int, Field(ge=0, le=LAST_GENERATION)] = 0
    steps: Annotated[int, Field(ge=0, le=MOST_STEPS)] = 0
    day: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""


class _KeyFile(_Strict):
    format: Annotated[int, Field(ge=_OLDEST_FORMAT, le=FORMAT)]
    peer_id: _Id
    pairings: list[_Entry]

    def opened(self) -> tuple[bytes, dict[bytes, HostPairing]]:
        """Own id, and pairings by base."""
        found = [
            HostPairing(
                bytes.fromhex(entry.base),
                entry.slot,
                roles.ROLE_NAMES.index(entry.role),
                bytes.fromhex(entry.key),
                bytes.fromhex(entry.peer_id),
                entry.epoch,
                entry.generation,
                entry.steps,
                entry.day,
            )
            for entry in self.pairings
        ]
        return bytes.fromhex(self.peer_id), {pairing.base: pairing for pairing in found}


def _as_json(own_id: bytes, held: Mapping[bytes, HostPairing]) -> str:
    entries = [
        _Entry(
            base=pairing.base.hex(),
            slot=pairing.slot,
            role=roles.ROLE_NAMES[pairing.role],
            key=pairing.key.hex(),
            peer_id=pairing.peer_id.hex(),
            epoch=pairing.epoch,
            generation=pairing.generation,
            steps=pairing.steps,
            day=pairing.day,
        )
        for pairing in held.values()
    ]
    return _KeyFile(format=FORMAT, peer_id=own_id.hex(), pairings=entries).model_dump_json(indent=2) + "\n"


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
