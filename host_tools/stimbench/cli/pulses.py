"""`stimbench pulses`: what the stimulator itself measured in each pulse."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from io import StringIO
from typing import Annotated, Any

import typer
from rich.table import Table

from stimbench.cli.common import BoardOption, JsonOption, RadioOption, err, opened, out, print_json
from stimbench.client.records import PulseSample, Status
from stimbench.client.stimulator import Stimulator
from stimbench.errors import InputError, RefusedError

__all__ = ("as_data", "measured_text", "pulses")

_COUNT = 30
_MOST = 10_000
_POLL_S = 0.2
_COLUMNS = ("number", "lead", "current_ua", "early_mv", "late_mv")
_HEAD = ("pulse", "lead", "measured uA", "early mV", "late mV")
_WIDTHS = (10, 5, 11, 8, 8)

FollowOption = Annotated[
    bool, typer.Option("--follow", help="Print each new pulse as it comes, oldest to newest, until Ctrl-C.")
]
CountOption = Annotated[
    int | None,
    typer.Option(
        "--count", min=0, max=_MOST,
        help=f"How many of the newest pulses; {_COUNT} by default, and none before the new ones of --follow.",
    ),
]  # fmt: skip
CsvOption = Annotated[
    bool, typer.Option("--csv", help=f"Print comma-separated values: {', '.join(_COLUMNS)}.")
]


def pulses(
    ctx: typer.Context,
    follow: FollowOption = False,
    count: CountOption = None,
    as_csv: CsvOption = False,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the stimulator measured in each pulse: its current, and the voltage across the lead.

    The table has the newest pulse first; --csv, --json and --follow have the oldest first. The stimulator
    keeps the newest 504 pulses of the present or last session, until it measures impedance or restarts. One
    that is implanted judges and counts each pulse itself, and keeps none: see `stimbench ledger`.
    """
    if as_csv and as_json:
        raise InputError("--csv and --json exclude each other.")
    if follow and "bench" in (board, radio):
        raise InputError("--follow needs a board that runs on: `bench` is built for this one command.")
    with opened(ctx, board, radio) as stimulator:
        if follow:
            _require_pulses(stimulator)
            _follow(stimulator, count or 0, _printer(as_csv, as_json))
            return
        found = stimulator.pulses(count=_COUNT if count is None else count)
        if not found:
            _require_pulses(stimulator)
        state = None if as_csv or as_json else stimulator.status()
        calibration = stimulator.calibration()
    if as_csv or as_json:
        err.print(f"Calibration: {calibration}.", markup=False)
    if as_json:
        print_json([as_data(pulse) for pulse in found])
    elif as_csv:
        typer.echo(_csv_line(_COLUMNS), nl=False)
        for pulse in found:
            typer.echo(_csv_line(as_data(pulse).values()), nl=False)
    elif found and state is not None:
        out.print(_table(found))
        out.print(_programmed(state))
        out.print(f"Calibration: {calibration}.", markup=False)
    else:
        out.print("No pulse was measured in this session, or since an impedance measurement.")


def _require_pulses(stimulator: Stimulator) -> None:
    """Say so where none will ever come: "no pulse was measured" would be wrong of an implant's session.

    Raises:
        InputError: it is implanted.
    """
    try:
        stimulator.therapy()
    except RefusedError:
        return
    raise InputError(
        "An implanted stimulator judges and counts each pulse itself, and keeps none: `stimbench ledger` has "
        "what was delivered, `stimbench fault` what its watch found."
    )


def as_data(pulse: PulseSample) -> dict[str, Any]:
    """A pulse for JSON and CSV: the lead is a word."""
    return {"number": pulse.number, **asdict(pulse), "lead": pulse.lead_name}


def measured_text(newest: list[PulseSample]) -> str:
    """The newest pulse of each lead in one line, by lead."""
    if not newest:
        return "no pulse yet"
    by_lead = {pulse.lead_name: f"{pulse.lead_name} {pulse.current_ua} uA" for pulse in newest}
    numbers = " and ".join(str(number) for number in sorted(pulse.number for pulse in newest))
    currents = ", ".join(by_lead[lead] for lead in sorted(by_lead))
    return f"{currents} (pulse{'s' if len(newest) > 1 else ''} {numbers})"


def _programmed(state: Status) -> str:
    left_ua, right_ua = state.amplitude_ua
    return f"Programmed now: left {left_ua} uA, right {right_ua} uA (state: {state.state_name})."


def _table(found: list[PulseSample]) -> Table:
    table = Table(title="Measured pulses, newest first", title_justify="left")
    for name in _HEAD:
        table.add_column(name, justify="left" if name == "lead" else "right")
    for pulse in reversed(found):
        table.add_row(*(str(value) for value in as_data(pulse).values()))
    return table


def _csv_line(values: Any) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _printer(as_csv: bool, as_json: bool) -> Callable[[PulseSample], str]:
    """How a line of --follow is made; the head is printed at once."""
    if as_json:
        return lambda pulse: json.dumps(as_data(pulse)) + "\n"
    line = _csv_line if as_csv else _columns
    _write(line(_COLUMNS if as_csv else _HEAD))
    return lambda pulse: line(as_data(pulse).values())


def _columns(values: Any) -> str:
    return "  ".join(f"{value!s:>{width}}" for value, width in zip(values, _WIDTHS, strict=True)) + "\n"


def _follow(stimulator: Stimulator, before: int, line_of: Callable[[PulseSample], str]) -> None:
    try:
        for pulse in _coming(stimulator, before):
            _write(line_of(pulse))
    except BrokenPipeError:
        # Who reads has read enough (`| head`). Nothing more is written, at Python's end neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _coming(stimulator: Stimulator, before: int) -> Iterator[PulseSample]:
    """The newest pulses, then each new one, in order of their numbers."""
    following = max(0, stimulator.pulse_count() - before)
    while True:
        total = stimulator.pulse_count()
        if total < following:
            err.print("The count of pulses begins anew: another session, or a measurement.")
            following = 0
        while following < total and (found := stimulator.pulses(following)):
            yield from found
            following = found[-1].number + 1
        stimulator.link.wait(_POLL_S)
