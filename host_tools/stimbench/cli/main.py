"""The root command: what exists, and the version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from stimbench import __version__
from stimbench.cli.lazy import Entry, LazyGroup

__all__ = ("app", "main")

# To add a command: write stimbench/cli/<name>.py and add its row here. The text is the first paragraph of its
# help (the function's docstring, or `help=` of a Typer application) word for word: a test compares them.
# Nothing of the command is imported before it runs, so do not import its module here.
COMMANDS: Mapping[str, Entry] = {
    "demo": Entry(
        "stimbench.cli.demo:demo",
        "Run the main job on the emulated bench and judge it. Exits 1 if a figure does not hold.",
    ),
    "lesson": Entry(
        "stimbench.cli.lesson:lesson",
        "Run a lesson of the tutorial on the emulated bench; without a number, list them.",
    ),
    "bench": Entry("stimbench.cli.bench:app", "The emulated bench."),
    "serve": Entry(
        "stimbench.cli.serve:serve",
        "Serve the emulated bench, or a wired one, as a page for a browser, until Ctrl-C.",
    ),
    "save-run": Entry(
        "stimbench.cli.save_run:save_run",
        "Repeat the run of a link, and save it as one HTML file that plays without a server.",
    ),
    "status": Entry(
        "stimbench.cli.status:status",
        "Show what the stimulator (or a remote) is, does and has counted. Exits 1 if its self-test failed.",
        restart=True,
    ),
    "impedance": Entry(
        "stimbench.cli.impedance:impedance",
        "Measure every electrode pair of both leads. Exits 1 if a pair is open, shorted or was not measured.",
        restart=True,
    ),
    "calibrate": Entry(
        "stimbench.cli.calibrate:calibrate_",
        "Calibrate the stimulator's currents and measurements with a 0.1 % resistor and a meter. Over USB.",
    ),
    "program": Entry("stimbench.cli.program:app", "A programme of the bench, or an implant's prescription."),
    "start": Entry(
        "stimbench.cli.session:start",
        "Begin a session with the programme that the stimulator holds. "
        "Ctrl-C before it says so turns it off.",
        restart=True,
    ),
    "stop": Entry(
        "stimbench.cli.session:stop",
        "Turn the output off. Stopping what is off is no error.",
        restart=True,
    ),
    "amplitude": Entry(
        "stimbench.cli.clinic:amplitude",
        "Set both leads' amplitudes in uA, also while the output is on; the rest of the programme stays.",
        restart=True,
    ),
    "window": Entry(
        "stimbench.cli.clinic:window",
        "Show or set the amplitudes that a patient may choose with the remote.",
        restart=True,
    ),
    "test": Entry(
        "stimbench.cli.clinic:test",
        "Stimulate once with the present programme: ramp up, hold, ramp down, then the output is off.",
        restart=True,
    ),
    "pulses": Entry(
        "stimbench.cli.pulses:pulses",
        "Show what the stimulator measured in each pulse: its current, and the voltage across the lead.",
        restart=True,
    ),
    "implant": Entry(
        "stimbench.cli.therapy:implant",
        "Make a stimulator a therapy device, as if it were implanted now. Over USB; the board restarts then.",
        restart=True,
    ),
    "explant": Entry(
        "stimbench.cli.therapy:explant",
        "Make an implanted stimulator a board on the bench again. Over USB; the journal stays.",
        restart=True,
    ),
    "therapy": Entry(
        "stimbench.cli.therapy:therapy",
        "Show what an implanted stimulator does, what is left of today, and what stands against a session.",
        restart=True,
    ),
    "mode": Entry(
        "stimbench.cli.therapy:mode",
        "Set an implanted stimulator's mode: normal, mri or storage.",
        restart=True,
    ),
    "train": Entry(
        "stimbench.cli.therapy:train",
        "Give a test train on one lead of an implanted stimulator, for as long as this command holds it.",
        restart=True,
    ),
    "fault": Entry(
        "stimbench.cli.therapy:fault",
        "What the watch of an implanted stimulator found.",
    ),
    "ledger": Entry(
        "stimbench.cli.therapy:ledger",
        "Show what an implanted stimulator has delivered in its present or last session, lead by lead.",
        restart=True,
    ),
    "log": Entry(
        "stimbench.cli.log:app",
        "Show what happened on the stimulator since its start: who connected, what was refused and done.",
    ),
    "outcome": Entry("stimbench.cli.outcome:app", "Outcomes of a device: enter, list, correct."),
    "event": Entry(
        "stimbench.cli.event:app", "Coded events of a device: enter, list, correct, show the codes."
    ),
    "audit": Entry(
        "stimbench.cli.audit:audit",
        "Report a device from its journal and outcomes, or review a service of many.",
    ),
    "incident": Entry(
        "stimbench.cli.audit:incident",
        "Print the device part of an incident report, from its journal. Exits 1 if the journal is not whole.",
    ),
    "time": Entry(
        "stimbench.cli.records:time_",
        "Show or set the stimulator's clock. It is not set after a start, and nothing waits for it.",
        restart=True,
    ),
    "pair": Entry(
        "stimbench.cli.pair:pair",
        "Pair a remote with a stimulator, both on USB, or this host with --clinician.",
        restart=True,
    ),
    "records": Entry(
        "stimbench.cli.repair:records",
        "Show whether a board's records on flash are sound, and what a repair would do. Exits 1 if not.",
        restart=True,
    ),
    "repair": Entry(
        "stimbench.cli.repair:repair",
        "Rewrite what is damaged on a board's flash, and nothing else. The board restarts then.",
        restart=True,
    ),
    "check": Entry(
        "stimbench.cli.check:check",
        "Run a plan of pulse checks, every pulse measured, or judge a capture from a file.",
    ),
    "flash": Entry(
        "stimbench.cli.flash:flash",
        "Put the firmware on a board, and check that the board runs it. Exits 1 if it does not.",
    ),
    "deploy": Entry(
        "stimbench.cli.deploy:deploy",
        "Put changed modules of the firmware on a board without a new image. The board restarts.",
    ),
    "doctor": Entry(
        "stimbench.cli.doctor:doctor",
        "Say what this machine lacks, with the command that mends it. "
        "Exits 1 if something needed is missing.",
    ),
    "bringup": Entry(
        "stimbench.cli.bringup:bringup",
        "Bring up a new board: a guided procedure with a meter and an oscilloscope, and a record of it.",
    ),
    "selftest": Entry(
        "stimbench.cli.selftest:selftest",
        "Test the whole bench: machine, boards, loads, instruments, pulses. Ctrl-C turns the output off.",
    ),
    "fuzz": Entry(
        "stimbench.cli.fuzz:fuzz",
        "Feed every parser with mutated bytes. Exits 1 if one raises what it does not declare.",
    ),
    "attacks": Entry(
        "stimbench.cli.attacks:attacks",
        "Try what the radio protocol says cannot be done, and count. Exits 1 if an attack succeeds.",
    ),
    "hazards": Entry(
        "stimbench.cli.hazards:app",
        "Hazards, what controls them, and whether a test that passed shows each control.",
    ),
    "campaign": Entry(
        "stimbench.cli.campaign:app",
        "Many emulated benches, one after the other or on many processes. "
        "The same command again goes on where it was interrupted.",
    ),
}


class _Root(LazyGroup):
    table = COMMANDS


app = typer.Typer(
    name="stimbench",
    cls=_Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Drive a stimulator of the bench: wired to USB, or emulated. "
    "For resistors and saline only, never for a person.",
    epilog="Exit codes: 0 done, 1 a check failed, 2 bad input, 3 refused by the board, "
    "4 no board or no answer, 130 interrupted, 141 the reader of the output has gone.",
)


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
    if ctx.obj is None:
        from stimbench.cli.boards import open_board
        from stimbench.cli.common import Services

        ctx.obj = Services(open_board=open_board)


def main() -> None:
    """Run the command of the command line. The entry point is stimbench.__main__."""
    app()
