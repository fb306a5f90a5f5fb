"""Programmes as TOML text, checked whole on the host: all problems at once, before anything is sent.

The ranges are those of stimfw.therapy.ranges; there is no second copy of them here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, create_model
from stimfw.therapy import program
from stimfw.therapy.program import APPENDED, FIELD_NAMES, PER_LEAD, SHARED, Program
from stimfw.therapy.ranges import LEADS, ParameterError, Range

from stimbench.errors import MISSING, InputError, Problem, ProgramError
from stimbench.toml_text import read_text

__all__ = ("changed", "from_toml", "load", "parse_changes", "to_toml")

_MOST_BYTES = 100_000
"""Far more than a programme with comments takes. A wrong name may be that of a capture of gigabytes."""
_STRICT = ConfigDict(strict=True, extra="forbid")
_LATER = {known.name: 0 for known in APPENDED}
"""Fields that programme files of earlier versions do not have, and what these files mean by that: off."""


def _field(known: Range) -> tuple[Any, Any]:
    def check(value: int) -> int:
        return known.check(value)

    return Annotated[int, AfterValidator(check)], _LATER.get(known.name, ...)


def _model(name: str, fields: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    return create_model(name, __config__=_STRICT, **fields)  # type: ignore[call-overload, no-any-return, unused-ignore]


_LeadModel = _model("Lead", {known.name: _field(known) for known in PER_LEAD})
_ProgramModel = _model(
    "Programme",
    {known.name: _field(known) for known in SHARED + APPENDED} | {lead: (_LeadModel, ...) for lead in LEADS},
)


def load(path: Path) -> Program:
    """The programme of a TOML file.

    Raises:
        InputError: the file cannot be read, or is not TOML.
        ProgramError: it is not a valid programme; names every problem.
    """
    return from_toml(read_text(path, "a programme", _MOST_BYTES), str(path))


def from_toml(text: str, source: str) -> Program:
    """The programme of TOML text; `source` names it in errors, which are those of `load`."""
    try:
        tree = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number of thousands of digits is another
        raise InputError(f"{source} is not TOML: {error}.") from error
    except RecursionError as error:
        raise InputError(f"{source} is not a programme: it is nested too deeply.") from error
    return _checked(tree, source)


def to_toml(wanted: Program) -> str:
    """The programme as TOML text, each value with its range; `from_toml` reads it back."""
    values = wanted.as_dict()
    lines = [_line(name, values[name]) for name in FIELD_NAMES if "." not in name]
    for lead in LEADS:
        lines += ["", f"[{lead}]"]
        lines += [_line(known.name, values[f"{lead}.{known.name}"]) for known in PER_LEAD]
    return "\n".join(lines) + "\n"


def _line(name: str, value: int) -> str:
    return f"{f'{name} = {value}':<24}# {program.range_of(name).text()}"


def parse_changes(texts: Sequence[str]) -> dict[str, int]:
    """Changes from texts like `left.amplitude_ua=3000`.

    Raises:
        InputError: a field is named twice.
        ProgramError: some are not of that form; names all of these.
    """
    changes: dict[str, int] = {}
    problems = []
    seen: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name in seen:
            raise InputError(f"--set {name} is given twice: {seen[name]!r} and {value!r}. Give it once.")
        seen[name] = value
        try:
            if not equals:
                raise ValueError
            changes[name] = int(value, 10)
        except ValueError:
            allowed = _allowed(name, value) if equals else "FIELD=VALUE, such as left.amplitude_ua=3000"
            problems.append(Problem(name, value, allowed))
    if problems:
        raise ProgramError("--set", problems)
    return changes


def changed(
    base: Program, changes: Mapping[str, int], source: str = "The changed programme"
) -> Program:
    """`base` with some fields changed (the board zeroes the amplitude of a lead whose electrodes move).

    `source` names the result in errors.

    Raises:
        ProgramError: the result is not valid; names every problem.
    """
    tree = _tree(base.as_dict())
    unknown = []
    for name, value in changes.items():
        lead, dot, field = name.rpartition(".")
        if name not in FIELD_NAMES:
            unknown.append(Problem(name, value, _allowed(name)))
        elif dot:
            tree[lead][field] = value
        else:
            tree[field] = value
    try:
        _checked(tree, source)
    except ProgramError as error:
        raise ProgramError(source, unknown + error.problems) from error
    if unknown:
        raise ProgramError(source, unknown)
    return base.replaced(dict(changes))


def _tree(values: Mapping[str, int]) -> dict[str, Any]:
    tree: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
    for lead in LEADS:
        tree[lead] = {known.name: values[f"{lead}.{known.name}"] for known in PER_LEAD}
    return tree


def _checked(tree: Mapping[str, Any], source: str) -> Program:
    problems = _field_problems(tree)
    if not problems:
        whole = _LATER | dict(tree)
        values = [whole[name] if "." not in name else _in_lead(tree, name) for name in FIELD_NAMES]
        problems = _together_problems(values)
        if not problems:
            return Program(tuple(values))
    raise ProgramError(source, problems)


def _in_lead(tree: Mapping[str, Any], name: str) -> int:
    lead, _, field = name.partition(".")
    return int(tree[lead][field])


def _field_problems(tree: Mapping[str, Any]) -> list[Problem]:
    try:
        _ProgramModel.model_validate(tree)
    except ValidationError as error:
        found = [_problem(detail) for detail in error.errors(include_url=False)]
        order = {name: index for index, name in enumerate(FIELD_NAMES)}
        return sorted(found, key=lambda problem: order.get(problem.field, len(order)))
    return []


def _problem(detail: Any) -> Problem:
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return Problem(field, MISSING, _allowed(field))
    return Problem(field, detail["input"], _allowed(field, detail["input"]))


def _allowed(field: str, given: object = 0) -> str:
    """What the field takes, in words. Says so if what was `given` is not a whole number."""
    if field in FIELD_NAMES:
        whole = isinstance(given, int) and not isinstance(given, bool)
        return program.range_of(field).text() + ("" if whole else ", as a whole number")
    if field in LEADS:
        return f"a table [{field}] with " + ", ".join(known.name for known in PER_LEAD)
    return "one of " + ", ".join(FIELD_NAMES)


def _together_problems(values: Sequence[int]) -> list[Problem]:
    """What does not fit together. Program names only the first one, so each lead is tried on its own too."""
    default = program.default().values
    shared, per_lead = len(SHARED), len(PER_LEAD)
    mixed = [*values[:shared], *default[shared:]]
    variants = [list(values), mixed]
    for base in (default, mixed):
        for index in range(len(LEADS)):
            low = shared + index * per_lead
            variant = list(base)
            variant[low : low + per_lead] = values[low : low + per_lead]
            variants.append(variant)
    problems: dict[str, Problem] = {}
    for variant in variants:
        try:
            Program(tuple(variant))
        except ParameterError as error:
            problems.setdefault(error.field, Problem(error.field, error.value, error.allowed))
    return list(problems.values())
