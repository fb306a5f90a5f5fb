"""What a row of the benchmark is: cases, the work for one of them, and the judgement of what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stimbench.emulator.chip import XipConfig
from stimbench.report.metrics import Metric, Relation, judge

__all__ = ("Line", "Options", "Relation", "Row", "compared", "measure", "reached")


@dataclass(frozen=True)
class Options:
    """What the person at the terminal chose.

    Attributes:
        seed: of every random choice: part tolerances, noise, phases.
        quick: fewer samples, for a quick check; the table says so.
        xip: what a miss of the flash cache costs, as in BenchConfig; the table says so if it is special.
    """

    seed: int = 1
    quick: bool = False
    xip: XipConfig = "cache"

    @property
    def cache_note(self) -> str:
        """What a row on CPU time says of the flash cache."""
        if self.xip == "ideal":
            return "misses of the flash cache NOT counted"
        cost = "" if self.xip == "cache" else f", {self.xip} cycles each"
        return f"misses of the flash cache counted{cost}"


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        what: what was measured.
        limit: the limit in words, empty for a comparison.
        measured: the value in words.
        passed: whether the limit holds; None for a comparison, which has none.
        detail: number of samples, worst case, seeds.
        data: the numbers, for JSON.
    """

    what: str
    limit: str
    measured: str
    passed: bool | None
    detail: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One row of the figures.

    Attributes:
        name: what `--only` takes.
        title: what the row is about.
        cases: its independent cases, each of which may run in a process of its own.
        work: measures one case; a module's function, as it is sent to another process.
        judge: makes the lines of the table of what `work` returned, in the order of the cases.
        weight: roughly how long a case takes, s: the longest are begun first.
        alone: measured while nothing else runs, as it depends on the machine's speed.
    """

    name: str
    title: str
    cases: Callable[[Options], Sequence[Any]]
    work: Callable[[Any], Any]
    judge: Callable[[Sequence[Any], Options], list[Line]]
    weight: float = 10.0
    alone: bool = False


def measure(row: Row, options: Options) -> list[Line]:
    """Measure a whole row in this process."""
    return row.judge([row.work(case) for case in row.cases(options)], options)


def reached(
    what: str,
    value: float,
    relation: Relation,
    limit: float,
    unit: str,
    detail: str,
    **data: Any,
) -> Line:
    """A line with a limit, judged; what is not a number fails."""
    figure: Metric = judge(what, value, relation, limit, unit)
    numbers = {"value": figure.value, "unit": unit, "relation": relation.value, "limit": figure.limit}
    return Line(what, figure.limit_text, figure.value_text, figure.passed, detail, numbers | data)


def compared(what: str, measured: str, detail: str, **data: Any) -> Line:
    """A line without a limit, for comparison."""
    return Line(what, "", measured, None, detail, data)
