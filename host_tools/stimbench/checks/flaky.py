"""Cases that do not end the same way each time they are repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stimbench.checks.outcome import CaseResult, Outcome

__all__ = ("Flakiness", "flaky_cases", "repetitions")


@dataclass(frozen=True)
class Flakiness:
    """How the repetitions of one case ended.

    Attributes:
        name: of the case.
        good: how many were PASS or MARGINAL.
        failed: how many were FAIL.
        rig: how many were ERROR, TIMEOUT or ABORTED: they say nothing of the board, and are not counted.
        spread: by measurement, the smallest and the largest value.
    """

    name: str
    good: int
    failed: int
    rig: int
    spread: dict[str, tuple[float, float]]

    @property
    def judged(self) -> int:
        """Repetitions that say something of the board."""
        return self.good + self.failed

    @property
    def is_flaky(self) -> bool:
        """Whether some were good and some failed."""
        return bool(self.good and self.failed)

    @property
    def failed_percent(self) -> float:
        """Of those that say something of the board."""
        return self.failed / self.judged * 100 if self.judged else 0.0

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"failed_percent": self.failed_percent}


def repetitions(results: Sequence[CaseResult]) -> list[Flakiness]:
    """One a case, in order."""
    by_name: dict[str, list[CaseResult]] = {}
    for result in results:
        by_name.setdefault(result.name, []).append(result)
    return [_of(name, each) for name, each in by_name.items()]


def flaky_cases(results: Sequence[CaseResult]) -> list[Flakiness]:
    """The cases that ended both ways, those that failed most often first."""
    flaky = [each for each in repetitions(results) if each.is_flaky]
    return sorted(flaky, key=lambda each: -each.failed_percent)


def _of(name: str, results: Sequence[CaseResult]) -> Flakiness:
    good = sum(result.outcome.is_good for result in results)
    failed = sum(result.outcome is Outcome.FAIL for result in results)
    values: dict[str, list[float]] = {}
    for result in results:
        for each in result.measurements:
            if each.value == each.value:  # no NaN
                values.setdefault(each.title, []).append(each.value)
    spread = {title: (min(each), max(each)) for title, each in values.items() if min(each) != max(each)}
    return Flakiness(name, good, failed, len(results) - good - failed, spread)
