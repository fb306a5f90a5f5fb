"""docs/hazards.toml: hazards and the controls against them, in the words of ISO 14971."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimbench.errors import InputError
from stimbench.project import HAZARDS

__all__ = ("HAZARDS_FILE", "KINDS", "SEVERITIES", "Control", "Hazard", "Register", "load")

HAZARDS_FILE = HAZARDS
SEVERITIES = ("negligible", "minor", "serious", "critical", "catastrophic")
"""The five steps that ISO/TR 24971:2020, table 4, gives as an example."""
KINDS = ("design", "protection", "information")
"""ISO 14971:2019, 7.1, in its order: safe by design, protective measure, information for safety."""
PLANNED = "planned"

_HAZARD_ID = re.compile(r"H-\d\d")
_CONTROL_ID = re.compile(r"C-\d\d")


@dataclass(frozen=True)
class Control:
    """A risk control measure.

    Attributes:
        id: C-nn, the mark that its tests carry.
        kind: one of KINDS.
        does: what it does, in a sentence.
        planned: no test shows it yet.
    """

    id: str
    kind: str
    does: str
    planned: bool = False


@dataclass(frozen=True)
class Hazard:
    """A hazard, and the sequence of events that leads from it to harm.

    Attributes:
        id: H-nn.
        title, harm, cause: in words.
        severity: of the harm, one of SEVERITIES.
        controls: ids.
        left: what the controls do not reach; empty: nobody has named anything.
    """

    id: str
    title: str
    harm: str
    cause: str
    severity: str
    controls: tuple[str, ...]
    left: str = ""


@dataclass(frozen=True)
class Register:
    """All hazards and controls, in the file's order."""

    hazards: tuple[Hazard, ...]
    controls: tuple[Control, ...]

    @property
    def known(self) -> dict[str, Control]:
        """Controls by id."""
        return {control.id: control for control in self.controls}

    def hazards_of(self, control: str) -> list[str]:
        """Ids of the hazards that need a control."""
        return [hazard.id for hazard in self.hazards if control in hazard.controls]

    def problems(self) -> list[str]:
        """What is wrong with the register itself: ids that are there twice, orphans, unknown controls."""
        ids = Counter([hazard.id for hazard in self.hazards] + [control.id for control in self.controls])
        found = [f"{name}: there are {count} of this id" for name, count in ids.items() if count > 1]
        for hazard in self.hazards:
            if not hazard.controls:
                found.append(f"{hazard.id}: a hazard without a control")
            found += [
                f"{hazard.id}: its control {control} does not exist"
                for control in hazard.controls
                if control not in self.known
            ]
        found += [
            f"{control.id}: no hazard needs this control"
            for control in self.controls
            if not self.hazards_of(control.id)
        ]
        return found


def load(path: Path) -> Register:
    """The register of a file.

    Raises:
        InputError: the file is not there, is no TOML, or an entry lacks a field or has one that nobody knows.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    unknown = sorted(set(table) - {"hazard", "control"})
    if unknown:
        raise InputError(f"{path}: nobody knows a table {unknown[0]!r}; there are hazard and control")
    hazards = tuple(_hazard(entry, path) for entry in table.get("hazard", []))
    controls = tuple(_control(entry, path) for entry in table.get("control", []))
    return Register(hazards, controls)


def _hazard(entry: dict[str, Any], path: Path) -> Hazard:
    needed = ("id", "title", "harm", "cause", "severity", "controls")
    _check(entry, needed, ("left",), _HAZARD_ID, path)
    _one_of(entry, "severity", SEVERITIES, path)
    controls = entry["controls"]
    if not isinstance(controls, list) or not all(isinstance(control, str) for control in controls):
        raise InputError(f"{path}: {entry['id']}: controls is a list of ids")
    words = {name: str(value) for name, value in entry.items() if name != "controls"}
    return Hazard(**words, controls=tuple(controls))


def _control(entry: dict[str, Any], path: Path) -> Control:
    _check(entry, ("id", "kind", "does"), ("status",), _CONTROL_ID, path)
    _one_of(entry, "kind", KINDS, path)
    if "status" in entry:
        _one_of(entry, "status", (PLANNED,), path)
    return Control(entry["id"], entry["kind"], entry["does"], "status" in entry)


def _check(
    entry: dict[str, Any], needed: tuple[str, ...], more: tuple[str, ...], form: re.Pattern[str], path: Path
) -> None:
    name = str(entry.get("id", "an entry without an id"))
    if not form.fullmatch(name):
        raise InputError(f"{path}: {name}: an id looks like {form.pattern.replace(chr(92) + 'd', '0')}")
    missing = [field for field in needed if not entry.get(field) and field != "controls"]
    unknown = sorted(set(entry) - {*needed, *more})
    if "controls" in needed and "controls" not in entry:
        missing.append("controls")
    if missing:
        raise InputError(f"{path}: {name}: {missing[0]} is missing")
    if unknown:
        raise InputError(f"{path}: {name}: nobody knows {unknown[0]!r}")


def _one_of(entry: dict[str, Any], field: str, words: tuple[str, ...], path: Path) -> None:
    if entry[field] not in words:
        raise InputError(f"{path}: {entry['id']}: {field} is {entry[field]!r}, not one of {', '.join(words)}")
