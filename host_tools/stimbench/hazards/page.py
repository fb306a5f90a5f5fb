"""docs/hazards.md: the register for people to read, and what was run when."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from stimbench.hazards.junit import PASSED, Run
from stimbench.hazards.register import HAZARDS_FILE, Control, Hazard, Register

__all__ = ("RUN_HEADING", "markdown")

_WIDEST_LINE = 116
RUN_HEADING = "## What was run"
_HEAD = f"""\
# Hazards

This page is made from `{HAZARDS_FILE}` by `stimbench hazards page`. It is an exercise in risk management by
the steps of ISO 14971: hazard, sequence of events, harm, control, and the test that shows the control. **It
is for teaching. The bench is no medical device, and nobody may connect it to a person.** Severity is that
of an implant in use, as the bench stands in for one, in the words of ISO/TR 24971's example. No probability
is estimated: nobody used this on anybody, so there is no data for one.

A test names the control that it shows: `@pytest.mark.control("C-07")`. `stimbench hazards check` reads what
pytest ran, in `make test`, and fails on a control without a test that passed, on one whose test was skipped,
on an id that nobody knows, on a control that no hazard needs, and on a hazard without a control."""


def markdown(register: Register, marked: Mapping[str, Sequence[str]], run: Run | None) -> str:
    """The page.

    Args:
        register: what it shows.
        marked: the files of each control's tests, below tests/.
        run: what was run; None: nothing is known of it.
    """
    standing = [control for control in register.controls if not control.planned]
    planned = [control for control in register.controls if control.planned]
    parts = [_HEAD, _counts(register, planned), "## The hazards"]
    parts += [_hazard(hazard, register) for hazard in register.hazards]
    parts += ["## The controls", _controls(standing, register, marked)]
    if planned:
        text = "No test shows these yet. The hazards that need them are not controlled by them."
        parts += ["## Controls that are planned", text, _controls(planned, register, marked)]
    return "\n\n".join([*parts, RUN_HEADING, _run(standing, run)]) + "\n"


def _counts(register: Register, planned: Sequence[Control]) -> str:
    text = f"{len(register.hazards)} hazards, {len(register.controls)} controls"
    return f"{text}, {len(planned)} of these planned." if planned else f"{text}."


def _hazard(hazard: Hazard, register: Register) -> str:
    known = register.known
    controls = [f"{control}{' (planned)' if known[control].planned else ''}" for control in hazard.controls]
    rows = [("harm", f"{hazard.harm} ({hazard.severity})"), ("cause", hazard.cause)]
    rows.append(("controls", ", ".join(controls)))
    if hazard.left:
        rows.append(("what is left", hazard.left))
    items = "\n".join(_item(f"*{name}*: {text}") for name, text in rows)
    return f"### {hazard.id} {hazard.title}\n\n{items}"


def _controls(controls: Sequence[Control], register: Register, marked: Mapping[str, Sequence[str]]) -> str:
    lines = []
    for control in controls:
        files = ", ".join(f"`tests/{name}`" for name in marked.get(control.id, ()))
        needed = ", ".join(register.hazards_of(control.id))
        tests = f". Tests: {files}" if files else ""
        lines.append(_item(f"**{control.id}** ({control.kind}; {needed}): {control.does}{tests}"))
    return "\n".join(lines)


def _run(standing: Sequence[Control], run: Run | None) -> str:
    if run is None:
        return "This page was made without a run's JUnit file: it does not say what passed when."
    lines = [f"- {began}: {count} tests" for began, count in run.began]
    rows = ["| control | tests that passed |", "|---|---|"]
    for control in standing:
        passed = [test for test in run.of(control.id) if test.outcome == PASSED]
        rows.append(f"| {control.id} | {len(passed)} |")
    return "\n".join(lines) + "\n\n" + "\n".join(rows)


def _item(text: str) -> str:
    return textwrap.fill(
        text, _WIDEST_LINE, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
