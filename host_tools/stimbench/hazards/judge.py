"""Whether each control is shown by a test that passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stimbench.hazards.junit import FAILED, PASSED, SKIPPED, Run
from stimbench.hazards.register import Control, Register

__all__ = ("problems",)

_NAMED = 3  # of the tests of a problem


def problems(register: Register, run: Run, marked: Mapping[str, Sequence[str]]) -> list[str]:
    """What keeps the register from being shown by this run; empty if nothing does.

    Args:
        register: what has to be shown.
        run: what was run.
        marked: the files of each control's tests, as their source says: to tell a test that was not run from
            one that does not exist, and to find ids that nobody knows in tests that were not run.
    """
    found = register.problems()
    known = register.known
    carried = {control for test in run.tests for control in test.controls}
    for control in sorted((carried | set(marked)) - set(known)):
        where = ", ".join(marked.get(control, ())) or next(test.name for test in run.of(control))
        found.append(f"{control}: no such control, and {where} carries its mark")
    for one in register.controls:
        found += _of_control(one, run, marked.get(one.id, ()))
    return found


def _of_control(control: Control, run: Run, files: Sequence[str]) -> Iterator[str]:
    tests = run.of(control.id)
    by_outcome = {
        outcome: [test.name for test in tests if test.outcome == outcome] for outcome in (FAILED, SKIPPED)
    }
    for outcome, names in by_outcome.items():
        if names:
            yield f"{control.id}: {_some(names)} {outcome}"
    passed = any(test.outcome == PASSED for test in tests)
    if control.planned and passed:
        yield f"{control.id}: it is planned, and has tests that passed: take its status away"
    if control.planned or passed or any(by_outcome.values()):
        return
    if files:
        yield f"{control.id}: no test that passed; marked in {_some(files)}, which this run did not reach"
    else:
        yield f"{control.id}: no test that passed, and none is marked"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
