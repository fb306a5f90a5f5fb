"""A figure: something that was measured, its limit, and whether it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

__all__ = ("YES_OR_NO", "Metric", "Relation", "all_passed", "as_data", "format_number", "judge")


YES_OR_NO = "yes or no"


class Relation(Enum):
    """How a value must stand to its limit."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    EQUAL = "exactly"


@dataclass(frozen=True)
class Metric:
    """One measured value with its limit. `judge` makes it; data read back from a report make it too.

    Attributes:
        name: what was measured, as a person would call it.
        value: the result, in `unit`.
        unit: empty for a count; YES_OR_NO for a value that is 0 or 1.
        limit: what `value` is compared with, in `unit`.
        relation: how it is compared.
        passed: whether it holds.
        note: how it was measured, in a sentence.
    """

    name: str
    value: float
    unit: str
    limit: float
    relation: Relation
    passed: bool
    note: str = ""

    @property
    def value_text(self) -> str:
        """The value with its unit."""
        return _with_unit(self.value, self.unit)

    @property
    def limit_text(self) -> str:
        """The limit in words: `at most 5 ms`."""
        limit = _with_unit(self.limit, self.unit)
        return limit if self.unit == YES_OR_NO else f"{self.relation.value} {limit}"


def judge(
    name: str, value: float, relation: Relation, limit: float, unit: str = "", note: str = ""
) -> Metric:
    """Compare a figure with its limit; a value that is not a number fails."""
    holds = {
        Relation.AT_MOST: value <= limit,
        Relation.AT_LEAST: value >= limit,
        Relation.EQUAL: value == limit,
    }
    return Metric(name, float(value), unit, float(limit), relation, bool(holds[relation]), note)


def all_passed(figures: Iterable[Metric]) -> bool:
    """Whether there are figures and all of them hold."""
    results = [figure.passed for figure in figures]
    return bool(results) and all(results)


def as_data(figure: Metric) -> dict[str, Any]:
    """The figure as plain data for JSON; a value that is no finite number becomes None."""
    data = asdict(figure) | {"relation": figure.relation.value}
    data["value"] = figure.value if math.isfinite(figure.value) else None
    return data


def format_number(value: float) -> str:
    """A number as a table shows it: whole ones without decimals, others with three digits."""
    if not math.isfinite(value):
        return "not measured"
    if abs(value - round(value)) < 1e-9 and abs(value) < 1e9:
        return f"{round(value)}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _with_unit(value: float, unit: str) -> str:
    if unit == YES_OR_NO:
        return "yes" if value else "no"
    text = format_number(value)
    return f"{text} {unit}" if unit and math.isfinite(value) else text
