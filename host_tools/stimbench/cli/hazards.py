"""`stimbench hazards`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from stimbench.cli.common import JsonOption, StimbenchGroup, err, out, print_json
from stimbench.errors import EXIT_CHECK_FAILED
from stimbench.hazards.judge import problems
from stimbench.hazards.junit import read
from stimbench.hazards.marks import files_of
from stimbench.hazards.page import markdown
from stimbench.hazards.register import HAZARDS_FILE, Register, load
from stimbench.project import find_project_root

app = typer.Typer(
    cls=StimbenchGroup,
    no_args_is_help=False,
    help="Hazards, what controls them, and whether a test that passed shows each control.",
)

PAGE_FILE = "docs/hazards.md"
_JunitArguments = Annotated[
    list[Path], typer.Argument(metavar="JUNIT.xml...", help="What pytest wrote, with --junitxml.")
]
_MaybeJunitArguments = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[JUNIT.xml...]", help="Say what was run when. Default: say that nobody did."),
]


@app.callback(invoke_without_command=True)
def hazards(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List them."""
    if ctx.invoked_subcommand is not None:
        return
    register, marked = _here()
    if as_json:
        print_json(
            {
                "hazards": [vars(hazard) for hazard in register.hazards],
                "controls": [
                    {**vars(control), "files": marked.get(control.id, [])} for control in register.controls
                ],
            }
        )
        return
    table = Table("hazard", "severity", "controls", box=None)
    for hazard in register.hazards:
        table.add_row(f"{hazard.id} {hazard.title}", hazard.severity, " ".join(hazard.controls))
    out.print(table)


@app.command()
def check(junit: _JunitArguments, as_json: JsonOption = False) -> None:
    """Check that each control has a test that passed, and no mark an id that nobody knows. Exits 1 if not."""
    register, marked = _here()
    run = read(junit)
    found = problems(register, run, marked)
    planned = [control.id for control in register.controls if control.planned]
    shown = len(register.controls) - len(planned)
    if as_json:
        print_json(
            {"hazards": len(register.hazards), "shown": shown, "planned": planned, "problems": found}
        )
    else:
        for problem in found:
            err.print(problem, markup=False, highlight=False, soft_wrap=True)
        more = f"; planned: {', '.join(planned)}" if planned else ""
        verdict = f"{len(found)} problems" if found else f"each of {shown} controls is shown by a test{more}"
        out.print(f"hazards    {len(register.hazards)} hazards; {verdict}", highlight=False, soft_wrap=True)
    if found:
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def page(junit: _MaybeJunitArguments = None) -> None:
    """Write docs/hazards.md again."""
    register, marked = _here()
    text = markdown(register, marked, read(junit) if junit else None)
    (find_project_root() / PAGE_FILE).write_text(text, encoding="utf-8")
    out.print(f"{PAGE_FILE} is written.")


def _here() -> tuple[Register, dict[str, list[str]]]:
    """The register of this checkout, and the files that carry its marks."""
    root = find_project_root()
    return load(root / HAZARDS_FILE), files_of(root / "tests")
