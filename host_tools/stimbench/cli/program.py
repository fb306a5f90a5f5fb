"""`stimbench program show | set | check`; those of a prescription are in stimbench.cli.prescribe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from stimfw.therapy.program import PER_LEAD, Program, range_of
from stimfw.therapy.ranges import LEADS

from stimbench.cli import prescribe
from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    StimbenchGroup,
    err,
    opened,
    out,
    print_json,
)
from stimbench.cli.restarting import with_restart
from stimbench.client import prescription_file, program_file
from stimbench.errors import EXIT_CHECK_FAILED, InputError, ProgramError, ProtocolError

app = typer.Typer(
    cls=StimbenchGroup,
    no_args_is_help=True,
    help="A programme of the bench, or an implant's prescription.",
)

_SECTION_ENDS = ("session_s", f"{LEADS[-1]}.{PER_LEAD[-1].name}")

_FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE.toml", help="A programme, or a prescription.")
]
_ImpedanceOption = Annotated[
    Path | None,
    typer.Option("--impedance", metavar="FILE.json", help="What `impedance --json` printed."),
]
_MeasuredOption = Annotated[
    str | None,
    typer.Option("--board", metavar="PORT", help="Of a prescription: the board that measured its leads."),
]
_ChangesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change one field: left.amplitude_ua=3000. May be repeated."
    ),
]


@app.command("show")
@with_restart
def show(
    ctx: typer.Context,
    board: BoardOption = None,
    radio: RadioOption = None,
    toml: Annotated[bool, typer.Option("--toml", help="Print TOML, as `program set` reads it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the programme that the stimulator holds."""
    with opened(ctx, board, radio) as stimulator:
        held = stimulator.program()
    if toml:
        typer.echo(program_file.to_toml(held), nl=False)
    else:
        _print(held, as_json)


@app.command("check")
@with_restart
def check(
    ctx: typer.Context,
    file: _FileArgument,
    impedance: _ImpedanceOption = None,
    board: _MeasuredOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a programme, or a prescription, without any board. Names every refused value with its range.

    Of a prescription it names every rule that fails. Some take the impedances of the leads: from a file of
    `stimbench impedance --json`, or as a board has measured them last.
    """
    if prescription_file.is_prescription(file):
        prescribe.check_prescription(ctx, file, impedance, board, radio, as_json)
        return
    if impedance is not None or board is not None or radio is not None:
        raise InputError(f"{file} is a programme: only a prescription is checked against impedances.")
    with _problems_as_json(as_json):
        wanted = program_file.load(file)
    if as_json:
        print_json({"valid": True, "program": wanted.as_dict()})
    else:
        out.print(f"{file} is a valid programme.", markup=False, soft_wrap=True)


@app.command("set")
@with_restart
def set_(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE.toml", help="A whole programme.")] = None,
    changes: _ChangesOption = None,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a programme: a file, changes to what the board holds, or changes to a file.

    All of it is checked first; if a single value is refused, nothing is sent.

    A lead whose electrodes move gets amplitude 0 from the board. Exits 1 if another one was asked for.
    """
    if file is None and not changes:
        raise InputError("Nothing to set: give a FILE.toml, or --set FIELD=VALUE.")
    with _problems_as_json(as_json):
        # Before the board is opened: a bad file is reported even without a board.
        parsed = program_file.parse_changes(changes or ())
        base = program_file.load(file) if file else None
        if base:
            base = program_file.changed(base, parsed)
        with opened(ctx, board, radio) as stimulator:
            previous = stimulator.program()
            wanted = base or program_file.changed(previous, parsed)
            stimulator.set_program(wanted)
            held = stimulator.program()
    if held.values != wanted.after(previous).values:
        raise ProtocolError("The board holds another programme than the one that was sent.")
    _print(held, as_json)
    zeroed = [
        lead for lead, ua, was in zip(LEADS, held.amplitude_ua, wanted.amplitude_ua, strict=True) if ua != was
    ]
    for lead in zeroed:
        err.print(f"The electrodes of the {lead} lead moved, so the board set its amplitude to 0.")
    if any(base or f"{lead}.amplitude_ua" in parsed for lead in zeroed):
        err.print("If the electrodes are right, set the amplitude again.")
        raise typer.Exit(EXIT_CHECK_FAILED)


app.command("prescribe")(with_restart(prescribe.prescribe))
app.command("prescription")(with_restart(prescribe.show))
app.command("compare")(with_restart(prescribe.compare))
app.command("history")(with_restart(prescribe.history))


@contextmanager
def _problems_as_json(wanted: bool) -> Iterator[None]:
    """With --json, print the problems of a refused programme on stdout, then let the error pass."""
    try:
        yield
    except ProgramError as error:
        if wanted:
            print_json({"valid": False, "problems": [asdict(problem) for problem in error.problems]})
        raise


def _print(held: Program, as_json: bool) -> None:
    if as_json:
        print_json(held.as_dict())
        return
    table = Table(title="Programme", title_justify="left")
    table.add_column("field", style="bold")
    table.add_column("value", justify="right")
    table.add_column("allowed", style="dim")
    for name, value in held.as_dict().items():
        table.add_row(name, str(value), range_of(name).text(), end_section=name in _SECTION_ENDS)
    out.print(table)
