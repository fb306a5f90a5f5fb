"""Two runs beside each other: what became worse, what better, and what moved within its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stimbench.checks.outcome import CaseResult, Measurement, Outcome, worst
from stimbench.checks.run import Run

__all__ = ("Change", "Comparison", "compare")

_MOVED = 0.1
"""Of the width of its limits: what moves less is not told."""
_ORDER = (Outcome.PASS, Outcome.MARGINAL, Outcome.FAIL)


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        case: its name.
        measurement: its title; empty for the case as a whole.
        before, after: what was measured, or how the case ended.
    """

    case: str
    measurement: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """All differences of two runs.

    Attributes:
        worse, better: cases that end otherwise.
        unknown: cases of which one run says nothing of the board: the rig failed, or it was not run.
        moved: measurements that moved by more than a tenth of their limits.
        only_before, only_after: names of cases that only one run has.
        same: how many cases end as before.
    """

    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    unknown: tuple[Change, ...]
    moved: tuple[Change, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    same: int

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare(before: Run, after: Run) -> Comparison:
    """Compare case by case, by name; of repetitions the worst counts."""
    old, new = _by_name(before.results), _by_name(after.results)
    changes: dict[str, list[Change]] = {"worse": [], "better": [], "unknown": []}
    moved: list[Change] = []
    same = 0
    for name in (each for each in old if each in new):
        one, other = (worst(result.outcome for result in side[name]) for side in (old, new))
        if one not in _ORDER or other not in _ORDER:
            changes["unknown"].append(Change(name, "", one.value, other.value))
            continue
        if one is other:
            same += 1
        else:
            kind = "worse" if _ORDER.index(other) > _ORDER.index(one) else "better"
            changes[kind].append(Change(name, "", one.value, other.value))
        moved += _moved(name, old[name], new[name])
    return Comparison(
        tuple(changes["worse"]), tuple(changes["better"]), tuple(changes["unknown"]), tuple(moved),
        tuple(name for name in old if name not in new), tuple(name for name in new if name not in old), same,
    )  # fmt: skip


def _by_name(results: Sequence[CaseResult]) -> dict[str, list[CaseResult]]:
    found: dict[str, list[CaseResult]] = {}
    for result in results:
        found.setdefault(result.name, []).append(result)
    return found


def _moved(name: str, before: Sequence[CaseResult], after: Sequence[CaseResult]) -> list[Change]:
    old, new = _values(before), _values(after)
    found = []
    for title in (each for each in old if each in new):
        one, other = old[title], new[title]
        width = (one.high or 0.0) - (one.low or 0.0) if one.low is not None else (one.high or 0.0)
        if abs(other.value - one.value) > _MOVED * width and one.value != other.value:
            found.append(Change(name, title, f"{one.value:.6g} {one.unit}", f"{other.value:.6g} {one.unit}"))
    return found


def _values(results: Sequence[CaseResult]) -> Mapping[str, Measurement]:
    """The worst value of each measurement that has limits."""
    found: dict[str, Measurement] = {}
    for result in results:
        for each in result.measurements:
            if each.outcome is None or each.value != each.value:
                continue
            known = found.get(each.title)
            if known is None or abs(each.value) > abs(known.value):
                found[each.title] = each
    return found
