"""The root command: what exists, and the version."""

from __future__ import annotations

from typing import Annotated

import typer

from stimbench import __version__
from stimbench.cli import (
    bench,
    clinic,
    demo,
    impedance,
    pair,
    program,
    pulses,
    records,
    repair,
    session,
    status,
)
from stimbench.cli.boards import open_board
from stimbench.cli.common import Services, StimbenchGroup
from stimbench.cli.restarting import with_restart

__all__ = ("app", "main")

app = typer.Typer(
    name="stimbench",
    cls=StimbenchGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Drive a stimulator of the bench: wired to USB, or emulated. "
    "For resistors and saline only, never for a person.",
    epilog="Exit codes: 0 done, 1 a check failed, 2 bad input, 3 refused by the board, "
    "4 no board or no answer, 130 interrupted, 141 the reader of the output has gone.",
)
app.command("demo")(demo.demo)
app.add_typer(bench.app, name="bench")
app.command("status")(with_restart(status.status))
app.command("impedance")(with_restart(impedance.impedance))
app.add_typer(program.app, name="program")
app.command("start")(with_restart(session.start))
app.command("stop")(with_restart(session.stop))
app.command("amplitude")(with_restart(clinic.amplitude))
app.command("window")(with_restart(clinic.window))
app.command("test")(with_restart(clinic.test))
app.command("pulses")(with_restart(pulses.pulses))
app.command("log")(with_restart(records.log))
app.command("time")(with_restart(records.time_))
app.command("pair")(with_restart(pair.pair))
app.command("records")(with_restart(repair.records))
app.command("repair")(with_restart(repair.repair))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stimbench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Set up what the commands share."""
    ctx.obj = ctx.obj or Services(open_board=open_board)


def main() -> None:
    """Run the command of the command line. The entry point is stimbench.__main__."""
    app()
