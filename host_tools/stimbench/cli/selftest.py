"""`stimbench selftest`: is the whole bench in order?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stimbench.cli.common import JsonOption, err, out, print_json, services
from stimbench.cli.terminal import escaped
from stimbench.errors import EXIT_CHECK_FAILED, EXIT_NO_BOARD

if TYPE_CHECKING:
    from stimbench.checks.selftest import Step

__all__ = ("selftest",)

BenchOption = Annotated[
    Path | None,
    typer.Option(
        "--bench",
        metavar="bench.toml",
        help="The wired bench; `stimbench bench init` writes it. Default: an emulated one.",
    ),
]


def selftest(ctx: typer.Context, bench: BenchOption = None, as_json: JsonOption = False) -> None:
    """Test the whole bench: machine, boards, loads, instruments, pulses. Ctrl-C turns the output off.

    Exits 1 if a board failed, and 4 if none failed but the rig did.
    """
    from stimbench.checks.selftest import SelfTest

    rig = services(ctx).rig(bench)
    with err.status("Testing the bench") as spinner:

        def on_step(step: Step) -> None:
            spinner.update(f"Testing the bench: {step.name} is done")

        steps = SelfTest(rig, services(ctx).machine(), on_step=on_step).run()
    code = _exit_code(steps)
    if as_json:
        print_json({"bench": rig.about, "ok": not code, "steps": [asdict(step) for step in steps]})
    else:
        out.print(_table(steps))
        out.print(_verdict(steps, code), markup=False, soft_wrap=True)
    if code:
        raise typer.Exit(code)


def _exit_code(steps: list[Step]) -> int:
    from stimbench.checks.outcome import Outcome

    outcomes = [step.outcome for step in steps]
    if Outcome.FAIL in outcomes:
        return EXIT_CHECK_FAILED
    return EXIT_NO_BOARD if {Outcome.ERROR, Outcome.TIMEOUT} & set(outcomes) else 0


def _verdict(steps: list[Step], code: int) -> str:
    from stimbench.checks.outcome import Outcome

    left = sum(step.outcome is Outcome.ABORTED for step in steps)
    rest = f" {left} of {len(steps)} steps were not run." if left else ""
    told = {0: "The bench is in order.", EXIT_CHECK_FAILED: "A board failed."}
    return told.get(code, "The rig failed; nothing is said of the boards.") + rest


def _table(steps: list[Step]) -> object:
    from rich.table import Table

    colours = {"PASS": "green", "FAIL": "red", "ABORTED": "dim"}
    table = Table("what", "outcome", "found", box=None, pad_edge=False)
    for step in steps:
        colour = colours.get(step.outcome.value, "yellow")
        shown = "not run" if step.outcome.value == "ABORTED" else step.outcome.value
        told = escaped(step.told.removeprefix("not run: "))
        table.add_row(step.name, f"[{colour}]{shown}[/]", told)
    return table
