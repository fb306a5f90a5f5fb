"""Every parser fuzzed for a minute, guided by coverage on CPython, at random on MicroPython."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.fuzz.registry import TARGETS, find
from stimbench.fuzz.runs import GUIDED, HEAP_KB, MICROPYTHON, Outcome, run

__all__ = ("FUZZ", "FuzzCase", "fuzz_case", "judge")

_SECONDS = 60
_QUICK_SECONDS = 6


@dataclass(frozen=True)
class FuzzCase:
    """A target by name, what it runs on, for how long."""

    target: str
    how: str
    seed: int
    seconds: float


def fuzz_case(case: FuzzCase) -> Outcome:
    """Fuzz one target."""
    return run(find(case.target), case.how, case.seed, case.seconds)


def _cases(options: Options) -> list[FuzzCase]:
    """All targets together take a minute on each of the two."""
    seconds = _QUICK_SECONDS if options.quick else _SECONDS
    cases = []
    for how in (GUIDED, MICROPYTHON):
        names = [target.name for target in TARGETS if how == GUIDED or target.portable]
        cases += [FuzzCase(name, how, options.seed, seconds / len(names)) for name in names]
    return cases


def judge(found: Sequence[Outcome], options: Options) -> list[Line]:
    """A line for each of the two. A target that ran nothing counts as an exception."""
    lines = []
    for how, where in (
        (GUIDED, "CPython, guided by coverage"),
        (MICROPYTHON, "MicroPython's unix port, at random"),
    ):
        outcomes = [outcome for outcome in found if outcome.how == how]
        findings = [f"{one.target}: {each.error}" for one in outcomes for each in one.findings]
        inputs = sum(outcome.executions for outcome in outcomes)
        memory = max((outcome.memory_kb for outcome in outcomes), default=0)
        idle = [outcome.target for outcome in outcomes if not outcome.executions]
        ways = sum(outcome.ways for outcome in outcomes)
        kept = (
            f"{ways:,} ways, at most {memory} KB in a process"
            if how == GUIDED
            else f"heap of {HEAP_KB} KB, at most {memory} KB live"
        )
        lines.append(
            reached(
                f"undeclared exceptions in a minute of fuzzing, {where}",
                len(findings) + len(idle), Relation.EQUAL, 0, "exceptions",
                "; ".join(findings + [f"{name} did not run" for name in idle])
                or f"{len(outcomes)} targets, {inputs:,} inputs, {kept}; seed {options.seed}",
                inputs=inputs, memory_kb=memory,
                targets=[[one.target, one.executions, one.ways, one.memory_kb] for one in outcomes],
            )
        )  # fmt: skip
    return lines


FUZZ = Row("fuzz", "every parser fuzzed", _cases, fuzz_case, judge, weight=5)
