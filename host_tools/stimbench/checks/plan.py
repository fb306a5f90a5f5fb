"""Plans: a matrix of cases in a TOML file, checked whole before anything is run."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from stimfw.therapy import program as programs
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS, ParameterError

from stimbench.checks.cases import AXES, Case, Load, cases_of
from stimbench.checks.limits import EVERY_TEXT, Limits
from stimbench.errors import InputError
from stimbench.rig.toml_lines import Lines, sentence_of
from stimbench.toml_text import read_text

__all__ = ("BUILT_IN", "Plan", "PlanError", "load_plan", "parse_plan")

_MOST_BYTES = 1_000_000
_MOST_CASES = 100_000
_MOST_PROBLEMS = 20
"""Of one key: an impossible programme may be there in thousands of combinations."""
BUILT_IN = Path(__file__).parent / "plans"
"""The plans that come with the tools: their names need no path."""
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class PlanError(InputError):
    """A plan cannot be used; the text has every reason with its line.

    Attributes:
        problems: line number and reason, in order of lines.
    """

    def __init__(self, source: str, problems: list[tuple[int, str]]) -> None:
        self.problems = sorted(problems)
        lines = "\n".join(f"  line {line}: {text}" for line, text in self.problems)
        super().__init__(f"{source} is not a valid plan, nothing was run:\n{lines}")


class _Load(BaseModel):
    model_config = _STRICT

    resistance_ohm: float = Field(gt=0, le=1e6, description="series resistance of an electrode pair")
    double_layer_uf: float = Field(5.0, ge=0, le=1000, description="of each electrode; 0: a plain resistor")
    charge_transfer_ohm: float = Field(100e3, gt=0, le=1e9, description="of each electrode")


class _Number(BaseModel):
    """A peer's criterion as far as it is a number."""

    model_config = _STRICT

    measure: str = Field(description="one of the entry's measures")
    limit: float = Field(ge=0, le=1e12, description="in the measure's unit, or in percent of `of`")
    of: Literal["", "width", "period", "amplitude"] = Field("", description="of the programme")


class _Peer(BaseModel):
    """One criterion of somebody else's test, beside ours.

    The id is that of the test, and behind a space the letters of its criteria: `VV-IT03 c`.
    """

    model_config = _STRICT

    id: str = Field(pattern=r"^[A-Za-z0-9.-]+( [a-z0-9-]+)?$")
    source: str = Field(min_length=1, description="where it is written, or that it is recalled")
    title: str = Field(min_length=1)
    criterion: str = Field(min_length=1, description="theirs, in their words")
    ours: str = ""
    matrix: list[str] = Field(default_factory=list)
    measures: list[str] = Field(default_factory=list)
    number: _Number | None = None
    not_applicable: str = ""


class _Matrix(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)  # its axes are read apart

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = ""
    cycles: int = Field(1, ge=1, le=1000, description="contractions that are recorded whole")
    impedance: bool = Field(False, description="measure the impedance of all pairs before the session")
    limits: dict[str, Any] = Field(default_factory=dict)


class _About(BaseModel):
    model_config = _STRICT

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = ""


_TABLES = ("program", "limits", "loads", "matrix", "peer")
_MATRIX_KEYS = (*_Matrix.model_fields, *AXES)
_Model = TypeVar("_Model", bound=BaseModel)
_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Plan:
    """A plan, expanded.

    Attributes:
        name, description: its own.
        source: where it came from.
        sha256: of its text, in hex.
        cases: all of them, in the order of the file.
        peers: somebody else's tests that it stands for, as the file has them.
    """

    name: str
    description: str
    source: str
    sha256: str
    cases: tuple[Case, ...]
    peers: tuple[Mapping[str, Any], ...] = ()


def load_plan(name: str) -> Plan:
    """The plan in a file, or the built-in one of that name.

    Raises:
        InputError: there is no such file or plan.
        PlanError: it is not valid; has every problem with its line.
    """
    path = Path(name)
    built_in = BUILT_IN / f"{name}.toml"
    if not path.is_file() and built_in.is_file():
        path = built_in
    known = ", ".join(sorted(each.stem for each in BUILT_IN.glob("*.toml")))
    text = read_text(path, "a plan", _MOST_BYTES, f"Plans of stimbench itself: {known}.")
    return parse_plan(text, str(path) if path != built_in else name)


def parse_plan(text: str, source: str) -> Plan:
    """The plan of TOML text; errors as of `load_plan`."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not TOML: {error}.") from error
    reading = _Reading(tree, Lines(text))
    plan = reading.plan(source, hashlib.sha256(text.encode()).hexdigest())
    if reading.problems:
        raise PlanError(source, reading.problems)
    return plan


class _Reading:
    """A file on the way to its cases. What is wrong is noted, and the rest is read all the same."""

    def __init__(self, tree: Mapping[str, Any], lines: Lines) -> None:
        self._tree, self._lines = tree, lines
        self._told: dict[tuple[int, str], None] = {}
        self._at: Counter[_Path] = Counter()

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Line number and reason, as they were found."""
        left = [(self._lines.of(path), f"and {count - _MOST_PROBLEMS} more of this kind")
                for path, count in self._at.items() if count > _MOST_PROBLEMS]  # fmt: skip
        return [*self._told, *left]

    def plan(self, source: str, digest: str) -> Plan:
        """The plan; it means nothing if there are problems."""
        head = {name: value for name, value in self._tree.items() if name not in _TABLES}
        about = self._validated(_About, head, ())
        base = self._program(self._tree.get("program", {}))
        limits = self._limits(self._tree.get("limits", {}), ("limits",), Limits())
        loads = self._loads()
        matrices = self._list("matrix")
        if not matrices and isinstance(self._tree.get("matrix", []), list):
            self._wrong((), "there is no [[matrix]], so there is nothing to check")
        cases: list[Case] = []
        names: set[str] = set()
        for index, value in enumerate(matrices):
            cases += self._matrix(value, ("matrix", index), names, base, limits, loads)
            if len(cases) > _MOST_CASES:
                self._wrong(("matrix", index), f"the plan has more than {_MOST_CASES} cases")
                break
        peers = self._peers(names)
        name = about.name if about else ""
        return Plan(name, about.description if about else "", source, digest, tuple(cases), peers)

    def _matrix(
        self,
        value: Any,
        path: _Path,
        names: set[str],
        base: Program,
        limits: Limits,
        loads: Mapping[str, Load],
    ) -> list[Case]:
        matrix = self._validated(_Matrix, value, path)
        axes = self._axes(value, path, loads)
        given = value.get("limits", {}) if isinstance(value, dict) else {}
        own = self._limits(given, (*path, "limits"), limits)
        if matrix is None:
            return []
        if matrix.name in names:
            self._wrong((*path, "name"), f"the name {matrix.name!r} is there twice")
        names.add(matrix.name)
        judges = matrix.impedance or "fault" in axes
        if not judges and all(own.of(each) is None for each in Limits.model_fields):
            self._wrong(path, f"{matrix.name}: all limits are false, so nothing would be judged")
        count = math.prod(len(values) for values in axes.values())
        if count > _MOST_CASES:
            self._wrong(path, f"{matrix.name} has {count} cases; at most {_MOST_CASES} are allowed")
            return []
        template = Case(
            matrix.name, matrix.name, {}, base, own, cycles=matrix.cycles, impedance=matrix.impedance
        )
        return list(cases_of(template, axes, lambda name, text: self._wrong((*path, name), text)))

    def _axes(self, value: Any, path: _Path, loads: Mapping[str, Load]) -> dict[str, list[Any]]:
        axes: dict[str, list[Any]] = {}
        if not isinstance(value, dict):
            return axes
        for name, given in value.items():
            if name in _Matrix.model_fields:
                continue
            if name not in AXES:
                self._wrong((*path, name), f"unknown key {name!r}; there are {', '.join(_MATRIX_KEYS)}")
                continue
            values = given if isinstance(given, list) else [given]
            if not values:
                self._wrong((*path, name), f"{name} has no value")
            if len({repr(each) for each in values}) < len(values):
                self._wrong((*path, name), f"{name} has a value twice")
            axes[name] = []
            for each in values:
                try:
                    axes[name].append(AXES[name](each, loads))
                except ValueError as error:
                    self._wrong((*path, name), str(error))
        return axes

    def _program(self, values: Any) -> Program:
        """The base programme; 2000 uA on both leads if it says nothing of amplitudes."""
        base = programs.default().replaced({f"{lead}.amplitude_ua": 2000 for lead in LEADS})
        good: dict[str, int] = {}
        if not isinstance(values, Mapping):
            self._wrong(("program",), "program is a table: field = value")
            return base
        for name, value in _flat(values):
            try:
                if name not in programs.FIELD_NAMES:
                    raise ParameterError(name, value, f"one of {', '.join(programs.FIELD_NAMES)}")
                lead, dot, _ = name.rpartition(".")
                good[name] = programs.range_of(name).check(value, lead + dot)
            except ParameterError as error:
                self._wrong(("program", *name.split(".")), str(error))
        try:
            return base.replaced(good)
        except ParameterError as error:
            self._wrong(("program", *error.field.split(".")), str(error))
            return base

    def _loads(self) -> dict[str, Load]:
        loads: dict[str, Load] = {}
        given = self._tree.get("loads", {})
        if not isinstance(given, dict):
            self._wrong(("loads",), "loads are tables: [loads.NAME] with resistance_ohm")
            return loads
        for name, value in given.items():
            if not name.isprintable():
                self._wrong(("loads", name), f"the name {name!r} has characters that cannot be printed")
            load = self._validated(_Load, value, ("loads", name))
            loads[name] = Load(name)  # so that a wrong one is told once, and not for each use
            if load:
                loads[name] = Load(name, load.resistance_ohm, load.double_layer_uf, load.charge_transfer_ohm)
        return loads

    def _limits(self, values: Any, path: _Path, base: Limits) -> Limits:
        if not isinstance(values, dict):
            self._wrong(path, "limits is a table: name = largest deviation")
            return base
        known: dict[str, Any] = {}
        for name, value in values.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if name not in Limits.model_fields:
                every = ", ".join(Limits.model_fields)
                self._wrong((*path, name), f"unknown limit {name!r}; there are {every}")
            elif value is not False and not (is_number and 0 <= value <= 1e12):
                self._wrong((*path, name), f"{name} = {value!r}: allowed is a number from 0 on, or false")
            else:
                known[name] = float(value) if is_number else False
        return base.model_copy(update=known)

    def _peers(self, matrices: set[str]) -> tuple[Mapping[str, Any], ...]:
        found = []
        ids: set[str] = set()
        for index, value in enumerate(self._list("peer")):
            path = ("peer", index)
            peer = self._validated(_Peer, value, path)
            if peer is None:
                continue
            self._check_peer(peer, path, matrices)
            if peer.id in ids:
                self._wrong((*path, "id"), f"the id {peer.id!r} is there twice")
            ids.add(peer.id)
            found.append(peer.model_dump())
        return tuple(found)

    def _check_peer(self, peer: _Peer, path: _Path, matrices: set[str]) -> None:
        for name in peer.matrix:
            if name not in matrices:
                self._wrong((*path, "matrix"), f"there is no matrix {name!r}")
        for name in peer.measures:
            if name not in EVERY_TEXT:
                self._wrong((*path, "measures"), f"there is no measure {name!r}")
        if bool(peer.matrix) == bool(peer.not_applicable):
            self._wrong(path, f"{peer.id}: either matrix or not_applicable says what becomes of it")
        elif peer.matrix and not (peer.measures and peer.ours):
            self._wrong(path, f"{peer.id}: measures and ours say what is held against its criterion")
        if peer.number and peer.number.measure not in peer.measures:
            self._wrong((*path, "number"), f"{peer.number.measure!r} is none of the measures of {peer.id}")

    def _list(self, name: str) -> list[Any]:
        value = self._tree.get(name, [])
        if isinstance(value, list):
            return value
        self._wrong((name,), f"{name} is written [[{name}]]")
        return []

    def _validated(self, model: type[_Model], value: Any, path: _Path) -> _Model | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._wrong((*path, *detail["loc"]), sentence_of(detail))
            return None

    def _wrong(self, path: _Path, text: str) -> None:
        problem = (self._lines.of(path), text)
        if problem in self._told:
            return
        self._at[path] += 1
        if self._at[path] <= _MOST_PROBLEMS:
            self._told[problem] = None


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value
