"""Which boards are under test, by their serial numbers: from words on a command line and a file of targets.

The file says what cannot be seen from here, apart from the tests: which remote stands by which stimulator,
and what is on its leads.

    [[target]]
    name = "desk-1"
    stimulator = "E660583883724A2C"     # a serial number, or a port
    remote = "E66138935F6F2B29"
    has = ["radio", "500-ohm"]
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.errors import InputError, PortError

__all__ = ("ALL", "EMULATED", "Target", "UsbPort", "emulated_target", "port_of", "read_targets", "resolve")

EMULATED = "emulated"
ALL = "all"
_EMULATED_HAS = frozenset({"bench", "capture", "power", "radio"})
_WORD = r"^[a-z0-9][a-z0-9-]*$"
_PRODUCTS = {"stimbench stimulator": "stimulator", "stimbench remote": "remote"}


class UsbPort(Protocol):
    """What pyserial tells of a port."""

    device: str
    product: str | None
    serial_number: str | None


@dataclass(frozen=True)
class Target:
    """A stimulator under test, with what belongs to it.

    Attributes:
        name: how messages call it.
        stimulator: the port or the serial number of its board; empty without one, or on the emulated bench.
        remote: the same of the remote beside it.
        has: what else a test may need, in words of one's own: `500-ohm`.
    """

    name: str
    stimulator: str = ""
    remote: str = ""
    has: frozenset[str] = field(default=frozenset())

    @property
    def is_emulated(self) -> bool:
        """Whether it is an emulated bench of the test's own."""
        return self.name == EMULATED

    @property
    def boards(self) -> dict[str, str]:
        """Port or serial number by board."""
        both = {"stimulator": self.stimulator, "remote": self.remote}
        return {board: where for board, where in both.items() if where}

    @property
    def capabilities(self) -> frozenset[str]:
        """What a test can find on it."""
        return self.has | ({"stimulator", "remote"} if self.is_emulated else set(self.boards))


def emulated_target() -> Target:
    """An emulated bench: it has whatever the emulator has."""
    return Target(EMULATED, has=_EMULATED_HAS)


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(pattern=_WORD)
    stimulator: str = ""
    remote: str = ""
    has: list[str] = Field(default_factory=list)


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    target: list[_Row] = Field(min_length=1)


def read_targets(path: Path) -> tuple[Target, ...]:
    """The targets of a file.

    Raises:
        InputError: it cannot be read, or says something that cannot be; all of it in one sentence.
    """
    try:
        rows = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).target
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: {error}.") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InputError(f"{path}: {told}.") from error
    problems = [f"{row.name} names no board" for row in rows if not (row.stimulator or row.remote)]
    words = [
        *(row.name for row in rows),
        *(board for row in rows for board in (row.stimulator, row.remote) if board),
    ]
    problems += [f"{word} is there twice" for word in dict.fromkeys(words) if words.count(word) > 1]
    problems += [f"{row.name}: no target may be called so" for row in rows if row.name in (ALL, EMULATED)]
    problems += [
        f"{word!r} in has: only a-z, 0-9 and -"
        for row in rows
        for word in row.has
        if not re.match(_WORD, word)
    ]
    if problems:
        raise InputError(f"{path}: {'; '.join(problems)}.")
    return tuple(Target(row.name, row.stimulator, row.remote, frozenset(row.has)) for row in rows)


def resolve(words: str, known: Sequence[Target], ports: Sequence[UsbPort]) -> tuple[Target, ...]:
    """The targets that a person named.

    Args:
        words: separated by commas: `emulated`, a port, a serial number, a name among `known`; or `all`, which
            is all of `known`, or without any every stimulator that is plugged in.
        known: those of the file.
        ports: the ports of this machine.

    Raises:
        InputError: a word names nothing, or `emulated` or `all` stands beside another word.
        PortError: `all`, and nothing is known or plugged in.
    """
    named = [word.strip() for word in words.split(",") if word.strip()]
    if named == [EMULATED]:
        return (emulated_target(),)
    if named == [ALL]:
        return tuple(known) or _plugged_in(ports)
    if EMULATED in named or ALL in named or not named:
        raise InputError(f"{words!r}: `{EMULATED}` and `{ALL}` stand alone; name boards, or one of the two.")
    found = [_named(word, known, ports) for word in named]
    taken = [os.path.realpath(port) for target in found for port in target.boards.values()]
    twice = [word for word, target in zip(named, found, strict=True) if _shares(target, taken)]
    if twice:
        raise InputError(f"{twice[0]} is named twice.")
    return tuple(found)


def _shares(target: Target, taken: Sequence[str]) -> bool:
    return any(taken.count(os.path.realpath(port)) > 1 for port in target.boards.values())


def _named(word: str, known: Sequence[Target], ports: Sequence[UsbPort]) -> Target:
    for target in known:
        if word == target.name or word in target.boards.values():
            return target
    for port in ports:
        if word in (port.serial_number, port.device):
            return _of_port(word, port)
    if _is_path(word):
        return Target(word, stimulator=word)
    seen = ", ".join(sorted(port.serial_number for port in ports if port.serial_number)) or "none"
    names = ", ".join(target.name for target in known) or "none"
    raise InputError(
        f"There is no target {word}: it is no port, no serial number of a board plugged in ({seen}), and no "
        f"name in a file of targets ({names})."
    )


def _of_port(word: str, port: UsbPort) -> Target:
    where = port.serial_number or port.device
    if _PRODUCTS.get(port.product or "") == "remote":
        return Target(word, remote=where)
    return Target(word, stimulator=where)


def _plugged_in(ports: Sequence[UsbPort]) -> tuple[Target, ...]:
    found = [_of_port(port.serial_number or port.device, port) for port in ports if port.product in _PRODUCTS]
    stimulators = tuple(target for target in found if target.stimulator)
    if not stimulators:
        raise PortError("No stimulator is plugged in.")
    return stimulators


def port_of(board: str, ports: Sequence[UsbPort]) -> str:
    """The port of a board now; after a cable was pulled it may have another one.

    Args:
        board: its port or its serial number.
        ports: the ports of this machine.

    Raises:
        PortError: it is not plugged in.
    """
    for port in ports:
        if board == port.serial_number:
            return port.device
    if _is_path(board):
        return board
    raise PortError(f"The board with the serial number {board} is not plugged in.")


def _is_path(word: str) -> bool:
    return os.sep in word or re.fullmatch(r"COM\d+", word) is not None
