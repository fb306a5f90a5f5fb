"""What this machine has, and what it lacks: one finding for each question, with what to do about it."""

from __future__ import annotations

import grp
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from stimbench.errors import InputError
from stimbench.flashing.usb import UsbFinder, UsbView
from stimbench.project import find_project_root

__all__ = ("Finding", "Machine", "State", "checkout", "has_module", "needed_is_missing")


class State(Enum):
    """The answer to one question."""

    OK = "ok"
    MISSING = "missing"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Finding:
    """One question about this machine."""

    name: str
    state: State
    told: str
    """What was found, in a few words."""
    mend: str = ""
    """What to do: a command where there is one."""
    needed: bool = False
    """Whether something that was asked of this machine cannot work without it; else it is for some uses."""


def needed_is_missing(findings: Sequence[Finding]) -> bool:
    """Whether something is missing without which boards, emulated or plugged in, cannot be used."""
    return any(one.needed and one.state is State.MISSING for one in findings)


def _version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requires() -> list[str]:
    """The packages that this one cannot do without."""
    asked = importlib.metadata.requires("stimbench") or []
    return [re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0] for one in asked if "extra ==" not in one]


def has_module(name: str) -> bool:
    """Whether a module can be imported; it is not, but the package around it is."""
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:  # the package around it raises whatever it likes
        return False


def _own_groups() -> frozenset[str]:
    names = set()
    for number in {*os.getgroups(), os.getegid()}:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            names.add(str(number))
    return frozenset(names)


def checkout() -> Path | None:
    """The checkout that this runs in; None for an installed package."""
    try:
        return find_project_root()
    except InputError:
        return None


@dataclass(frozen=True)
class Machine:
    """Where the checks look; tests put another machine here."""

    python: tuple[int, int] = sys.version_info[:2]
    platform: str = sys.platform
    which: Callable[[str], str | None] = shutil.which
    requires: Callable[[], list[str]] = _requires
    version_of: Callable[[str], str | None] = _version_of
    has_module: Callable[[str], bool] = has_module
    groups: Callable[[], frozenset[str]] = _own_groups
    is_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    may_use: Callable[[str], bool] = lambda path: os.access(path, os.R_OK | os.W_OK)
    root: Path = Path("/")
    """Of the file system: for what udev and the toolchain leave there."""
    project: Path | None = field(default_factory=checkout)
    """The checkout; None for an installed package."""
    usb: UsbView = field(default_factory=UsbFinder)
