"""Decides what the readings of a step mean. Pure: no bench, no board, no person."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from stimbench.bringup.model import Cause, Range, Step

__all__ = ("Verdict", "judge", "lies_in")


@dataclass(frozen=True)
class Verdict:
    """What came of a step.

    Attributes:
        passed: every reading was taken, and each is right.
        wrong: keys of the readings that are not right.
        skipped: keys of those that were not taken.
        cause: what is wrong, if the readings tell.
        check: what to look at in order, if they do not.
    """

    passed: bool
    wrong: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    cause: Cause | None = None
    check: tuple[str, ...] = ()


def lies_in(value: float, span: Range) -> bool:
    """Whether a value is in a range, its ends included; what is not a number never is."""
    return not math.isnan(value) and span[0] <= value <= span[1]


def judge(step: Step, values: Mapping[str, float | None]) -> Verdict:
    """What the readings of a step mean.

    Args:
        step: whose readings these are.
        values: by key, in the reading's unit; None for one that was skipped.

    Raises:
        KeyError: a reading is not among the values.
    """
    found = {reading.key: values[reading.key] for reading in step.readings}
    skipped = tuple(key for key, value in found.items() if value is None)
    wrong = tuple(
        reading.key
        for reading in step.readings
        if (value := found[reading.key]) is not None and not lies_in(value, reading.span)
    )
    if not wrong:
        return Verdict(not skipped, skipped=skipped)
    for cause in step.causes:
        if all(_fits(found.get(key), span) for key, span in cause.when.items()):
            return Verdict(False, wrong, skipped, cause)
    return Verdict(False, wrong, skipped, check=step.check)


def _fits(value: float | None, span: Range) -> bool:
    return value is not None and lies_in(value, span)
