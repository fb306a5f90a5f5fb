"""Prescriptions as TOML text, judged whole on the host: every rule that fails, before anything is sent.

Ranges and rules are the board's own (stimfw.therapy.prescription and rules); there is no second copy here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from stimfw.therapy import prescription, rules
from stimfw.therapy.prescription import FIELD_NAMES, PER_LEAD, SHARED, Prescription
from stimfw.therapy.ranges import LEADS
from stimfw.therapy.rules import Readings

from stimbench.client.prescription_rules import Finding, judge, utc
from stimbench.errors import EXIT_BAD_INPUT, InputError, StimbenchError
from stimbench.toml_text import read_text

__all__ = ("PrescriptionError", "Written", "changed", "is_prescription", "parse", "read", "to_toml")

_MOST_BYTES = 100_000
"""Far more than a prescription with comments takes. A wrong name may be that of a capture of gigabytes."""
_OFF = {"contact_s": 0, "activation_s": 0}
"""What may be left out, and what that means: however long without a remote; when the healing time is over."""
_OWN_SHARED = {"sessions_a_day", "between_s", "activation_s"}
_OWN_PER_LEAD = {"width_us", "gap_us", "least_ua", "most_ua"}
_SHARED_NAMES = tuple(known.name for known in SHARED)
_LEAD_NAMES = tuple(known.name for known in PER_LEAD)


class PrescriptionError(StimbenchError):
    """A prescription fails a rule.

    Attributes:
        findings: all that fail.
    """

    exit_code = EXIT_BAD_INPUT

    def __init__(self, source: str, findings: list[Finding]) -> None:
        lines = "\n".join(f"  {finding}" for finding in findings)
        count = f"{len(findings)} rules" if len(findings) != 1 else "a rule"
        super().__init__(f"{source} fails {count}, nothing was sent:\n{lines}")
        self.findings = findings


@dataclass(frozen=True)
class Written:
    """What a file says, whether it can be taken or not.

    Attributes:
        values: in the order of FIELD_NAMES; None: the field is missing, or no whole number.
        missing: findings of what is no field, or is missing.
    """

    values: tuple[Any, ...]
    missing: tuple[Finding, ...]

    def findings(self, readings: Readings) -> list[Finding]:
        """All that is wrong with it on a board with these readings."""
        told = {finding.field for finding in self.missing}
        judged = judge(self.values, readings)
        return [*self.missing, *(one for one in judged if one.rule != rules.RANGE or one.field not in told)]

    def prescription(self, source: str, readings: Readings) -> Prescription:
        """The prescription.

        Raises:
            PrescriptionError: it fails a rule; names `source` and all that fail.
        """
        found = self.findings(readings)
        if found:
            raise PrescriptionError(source, found)
        return Prescription(self.values)


def is_prescription(path: Path) -> bool:
    """Whether a file is meant as a prescription: it has a field that programmes of a bench do not have.

    Raises:
        InputError: the file cannot be read, or is not TOML.
    """
    tree = _tree(path)
    leads = [tree.get(lead) for lead in LEADS]
    per_lead = {name for lead in leads if isinstance(lead, dict) for name in lead}
    return bool(_OWN_SHARED & set(tree) or _OWN_PER_LEAD & per_lead)


def read(path: Path) -> Written:
    """What a TOML file says.

    Raises:
        InputError: the file cannot be read, or is not TOML.
    """
    return _written(_tree(path))


def parse(text: str, source: str) -> Written:
    """What TOML text says; `source` names it in errors, which are those of `read`."""
    return _written(_parsed(text, source))


def changed(written: Written, changes: Mapping[str, int]) -> Written:
    """The same with some fields changed.

    Raises:
        InputError: a name is no field.
    """
    unknown = [name for name in changes if name not in FIELD_NAMES]
    if unknown:
        names = ", ".join(FIELD_NAMES)
        raise InputError(f"No field of a prescription: {', '.join(unknown)}. One of {names}.")
    values = [changes.get(name, value) for name, value in zip(FIELD_NAMES, written.values, strict=True)]
    return Written(tuple(values), tuple(one for one in written.missing if one.field not in changes))


def to_toml(wanted: Prescription) -> str:
    """The prescription as TOML text, each value with its range; `parse` reads it back."""
    values = wanted.as_dict()
    lines = [_line(name, values[name]) for name in _SHARED_NAMES]
    for lead in LEADS:
        lines += ["", f"[{lead}]"]
        lines += [_line(f"{lead}.{name}", values[f"{lead}.{name}"]) for name in _LEAD_NAMES]
    return "\n".join(lines) + "\n"


def _line(field: str, value: int) -> str:
    name = field.rpartition(".")[2]
    said = prescription.range_of(field).text()
    if name == "activation_s" and value:
        said = f"{utc(value)}; {said.partition(',')[0]}"
    return f"{f'{name} = {value}':<26}# {said}"


def _tree(path: Path) -> dict[str, Any]:
    return _parsed(read_text(path, "a prescription", _MOST_BYTES), str(path))


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number of thousands of digits is another
        raise InputError(f"{source} is not TOML: {error}.") from error
    except RecursionError as error:
        raise InputError(f"{source} is not a prescription: it is nested too deeply.") from error


def _written(tree: Mapping[str, Any]) -> Written:
    missing = [_unknown(name) for name in tree if name not in (*_SHARED_NAMES, *LEADS)]
    values: list[object] = []
    for name in FIELD_NAMES:
        lead, _, field = name.rpartition(".")
        table = tree.get(lead) if lead else tree
        if not isinstance(table, Mapping) or field not in table:
            if name not in _OFF:
                missing.append(_absent(name))
            values.append(_OFF.get(name))
            continue
        values.append(_seconds(table[field]) if name == "activation_s" else table[field])
    for lead in LEADS:
        if isinstance(tree.get(lead), Mapping):
            missing += [_unknown(f"{lead}.{name}") for name in tree[lead] if name not in _LEAD_NAMES]
    return Written(tuple(values), tuple(missing))


def _seconds(value: object) -> object:
    """A date and time, or a date (of UTC), as seconds since 1970; anything else as it is."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    return value


def _absent(field: str) -> Finding:
    text = f"{field} is missing: allowed is {prescription.range_of(field).text()}"
    return Finding(0, "missing field", field, None, None, text)


def _unknown(field: str) -> Finding:
    names = _LEAD_NAMES if "." in field else (*_SHARED_NAMES, *LEADS)
    return Finding(0, "unknown field", field, None, None, f"{field} is no field: one of {', '.join(names)}")
