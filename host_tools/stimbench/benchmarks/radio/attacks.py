"""The whole suite of attacks on the desk (stimbench.attacks), in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stimbench.attacks import ATTACKS, Attack, Result
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached

__all__ = ("ATTACK_SUITE", "AttackCase", "attack_case", "carry_out", "judge")

_QUICK = 0.01
_BY_NAME = {attack.name: attack for attack in ATTACKS}


@dataclass(frozen=True)
class AttackCase:
    """An attack by name, and how often it is tried."""

    name: str
    tries: int
    seed: int


def attack_case(attack: Attack, options: Options, seed: int) -> AttackCase:
    """All tries of an attack, or with --quick a hundredth."""
    tries = max(attack.least, round(attack.tries * _QUICK)) if options.quick else attack.tries
    return AttackCase(attack.name, tries, seed)


def carry_out(case: AttackCase) -> Result:
    """Carry one attack out."""
    return _BY_NAME[case.name].run(case.tries, case.seed)


def _cases(options: Options) -> list[AttackCase]:
    return [attack_case(attack, options, options.seed) for attack in ATTACKS]


def judge(found: Sequence[Result], options: Options) -> list[Line]:
    """Two lines: how many attacks succeeded, and whether all were carried out with all their tries."""
    succeeded = [result.name for result in found if result.successes]
    tries = {case.name: case.tries for case in _cases(options)}
    run = sum(result.tries >= tries.get(result.name, result.tries + 1) for result in found)
    each = "; ".join(f"{result.name}: {result.tries:,} tries, {result.successes}" for result in found)
    line = reached(
        "attacks that succeeded", len(succeeded), Relation.EQUAL, 0, "attacks",
        f"{each} successes; seed {options.seed}",
        results=[[result.name, result.tries, result.successes, result.detail] for result in found],
    )  # fmt: skip
    if succeeded:
        line = replace(line, detail=f"SUCCEEDED: {', '.join(succeeded)}; {line.detail}")
    return [
        line,
        reached(
            "attacks carried out", run, Relation.EQUAL, len(ATTACKS), "attacks",
            "of the registry of stimbench.attacks, each with all its tries"
            + (", a hundredth with --quick" if options.quick else ""),
        ),
    ]  # fmt: skip


ATTACK_SUITE = Row("attacks", "the attack suite, on the desk", _cases, carry_out, judge, weight=15)
