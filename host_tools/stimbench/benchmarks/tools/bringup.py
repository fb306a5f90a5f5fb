"""The guided bring-up: errors of assembly that it finds and names, and boards in order that it passes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.bringup.emulated import open_workplace
from stimbench.bringup.record import Record, procedure_id
from stimbench.bringup.run import run_blocks
from stimbench.bringup.steps import BLOCKS
from stimbench.parts.assembly import ERRORS

__all__ = ("BRINGUP", "FIRST_STEP")

FIRST_STEP = {
    "lead-swapped": "lead.L.load",
    "dac-reference-wrong": "dac.reference",
    "clr-not-joined": "monostable.magnet",
    "bleed-missing": "lead.L.rest",
    "bridge-lines-swapped": "gate.L.cathodic",
    "shunt-10x": "lead.L.shunt",
    "sync-and-cs-swapped": "dac.select",
    "relay-reversed": "relays.L.contacts",
    "no-level-shifter": "dac.levels",
    "ce-open": "radio.ce",
}
"""By error, the step that is the first to measure what it changes: told here, not taken from a run."""
_TYPICAL, _WORST = 5, 15
_NOBODY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Case:
    seed: int
    tolerance: str
    planted: str = ""


@dataclass(frozen=True)
class _Found:
    case: _Case
    step: str
    cause: str
    signed: bool
    steps: int
    bench_s: float


def _cases(options: Options) -> list[_Case]:
    """Each error on a typical board and on one in worst tolerance; then boards in order."""
    seed = options.seed
    found = [_Case(seed, "typical", error) for error in ERRORS]
    if not options.quick:
        found += [_Case(seed + 1 + k, "worst", error) for k, error in enumerate(ERRORS)]
    typical, worst = (1, 1) if options.quick else (_TYPICAL, _WORST)
    found += [_Case(seed + k, "typical") for k in range(typical)]
    return found + [_Case(seed + k, "worst") for k in range(worst)]


def _bring_up(case: _Case) -> _Found:
    planted = (case.planted,) if case.planted else ()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_workplace(case.seed, case.tolerance, planted) as workplace,
    ):
        facts, procedure = workplace.facts(), procedure_id(BLOCKS)
        record = Record.begin(Path(folder) / "record", facts, procedure, lambda: _NOBODY)
        ended = run_blocks(BLOCKS, BLOCKS, workplace, record, lambda attempt: None)
        step, cause = (ended.failed.step, ended.failed.cause) if ended.failed else ("", "")
        return _Found(case, step, cause, ended.signed, len(record.document.attempts), workplace.bench_s)


def _is_named(found: _Found) -> bool:
    return found.cause == found.case.planted and found.step == FIRST_STEP[found.case.planted]


def _judge(found: Sequence[_Found], options: Options) -> list[Line]:
    planted = [each for each in found if each.case.planted]
    lines = []
    for tolerance in ("typical", "worst"):
        mine = [each for each in planted if each.case.tolerance == tolerance]
        if mine:
            wrong = [f"{each.case.planted}: {each.step} {each.cause}" for each in mine if not _is_named(each)]
            told = f"of {len(mine)}, each at the first step that measures it"
            lines.append(
                reached(
                    f"assembly errors found and named, {tolerance} boards", len(mine) - len(wrong),
                    Relation.EQUAL, len(ERRORS), "", told + ("; not: " + ", ".join(wrong) if wrong else ""),
                )
            )  # fmt: skip
    healthy = [each for each in found if not each.case.planted]
    failed = [
        f"seed {each.case.seed} {each.case.tolerance}: {each.step} {each.cause}".rstrip()
        for each in healthy if not each.signed
    ]  # fmt: skip
    worst = sum(each.case.tolerance == "worst" for each in healthy)
    lines.append(
        reached(
            "boards in order that do not pass", len(failed), Relation.EQUAL, 0, "",
            f"of {len(healthy)}, {worst} of them in worst tolerance"
            + ("; failed: " + ", ".join(failed) if failed else ""),
        )
    )  # fmt: skip
    whole = max(healthy, key=lambda each: each.bench_s)
    lines.append(
        compared("bring-up: steps; the board's time for them", f"{whole.steps}; {whole.bench_s:.1f} s",
                 "on the emulated bench: a person takes as long as a person takes")
    )  # fmt: skip
    return lines


BRINGUP = Row("bringup", "the guided bring-up", _cases, _bring_up, _judge, weight=5)
