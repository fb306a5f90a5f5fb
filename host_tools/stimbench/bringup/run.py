"""Does the steps: one block after the other, each judged and kept; the first that fails ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimbench.bringup.judge import judge
from stimbench.bringup.model import Block, Step
from stimbench.bringup.record import FAILED, PASSED, Attempt, Record
from stimbench.bringup.workplace import Workplace

__all__ = ("Ended", "run_blocks")

ALWAYS = "supply.safe"
"""Done in every run: nobody knows what was joined since the last one."""


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        signed: all steps have passed and somebody signed.
        failed: the step that failed, and why.
        left: steps that have not passed, skipped ones included.
    """

    signed: bool
    failed: Attempt | None
    left: tuple[str, ...]


def run_blocks(
    chosen: Sequence[Block],
    every: Sequence[Block],
    workplace: Workplace,
    record: Record,
    told: Callable[[Attempt], None],
) -> Ended:
    """Do the steps that have not passed yet.

    Args:
        chosen: blocks to do.
        every: all blocks: a record is signed only if all of them have passed.
        workplace: its board's output is off when this returns, whatever happens.
        record: goes on in it.
        told: of each attempt, when it is kept.

    Raises:
        StimbenchError: the board, an instrument or the person cannot go on; the record holds what was done.
        KeyboardInterrupt: the same.
    """
    try:
        failed = _do(chosen, workplace, record, told)
    finally:
        workplace.rest()
    left = tuple(step.name for block in every for step in block.steps if not record.has_passed(step.name))
    if failed is not None or left:
        return Ended(False, failed, left)
    name = workplace.sign()
    if name:
        record.sign(name)
    return Ended(bool(name), None, ())


def _do(
    chosen: Sequence[Block], workplace: Workplace, record: Record, told: Callable[[Attempt], None]
) -> Attempt | None:
    for block in chosen:
        steps = [step for step in block.steps if step.name == ALWAYS or not record.has_passed(step.name)]
        if any(not record.has_passed(step.name) for step in steps):  # else it is only asked again
            workplace.begin_block(block)
        for step in steps:
            attempt = _step(block, step, workplace, record, told)
            if attempt.outcome == FAILED:
                return attempt
    return None


def _step(
    block: Block, step: Step, workplace: Workplace, record: Record, told: Callable[[Attempt], None]
) -> Attempt:
    """A step, until it passes or nobody wants to measure it again."""
    while True:
        workplace.begin_step(block, step)
        values = {reading.key: workplace.read(step, reading) for reading in step.readings}
        verdict = judge(step, values)
        attempt = record.add(block, step, values, verdict)
        told(attempt)
        if attempt.outcome == PASSED or not workplace.again(step, verdict):
            return attempt
