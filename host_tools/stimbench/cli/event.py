"""`stimbench event`: what happened to a device or to who has it, as codes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from stimbench.audit.fields import CAUSES, EVENTS, SEVERITIES
from stimbench.audit.outcomes import add_event, correct_event, device_id_of, events, parse_date
from stimbench.cli.common import JsonOption, StimbenchGroup, out, print_json, services
from stimbench.cli.outcome import AllOption, DeviceArgument, StoreOption
from stimbench.errors import InputError
from stimbench.journal.store import Store, default_path

app = typer.Typer(
    cls=StimbenchGroup,
    no_args_is_help=True,
    help="Coded events of a device: enter, list, correct, show the codes.",
)

_SeverityOption = Annotated[
    str | None, typer.Option("--severity", help=f"One of {', '.join(SEVERITIES[1:])}.")
]
_CauseOption = Annotated[str | None, typer.Option("--cause", help=f"Thought to be: {', '.join(CAUSES)}.")]


@app.command("add")
def add(
    ctx: typer.Context,
    device: DeviceArgument,
    code: Annotated[str, typer.Argument(help="Of the event: `stimbench event codes`.")],
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="When it began.")],
    severity: _SeverityOption = None,
    cause: _CauseOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter an event. A safety outcome needs its severity and its cause."""
    now_s = services(ctx).now_s()
    device_id, on = device_id_of(device), parse_date(date, now_s)
    with Store(store or default_path(), create=True) as opened:
        number = add_event(opened, device_id, code, on, severity, cause, int(now_s))
    if as_json:
        print_json({"device": device_id, "date": on, "number": number, "code": code})
    else:
        out.print(f"Entered of {on}: {EVENTS[code].title} (number {number}).")


@app.command("list")
def list_(
    device: Annotated[str | None, typer.Argument(metavar="DEVICE-ID", help="Of this device only.")] = None,
    store: StoreOption = None,
    every: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """List events."""
    with Store(store or default_path()) as opened:
        found = events(opened, None if device is None else device_id_of(device))
    found = [each for each in found if every or each.current]
    if as_json:
        print_json([{
            "number": each.id, "device": each.device_id, "date": each.on, "code": each.code,
            "severity": each.severity, "cause": each.cause, "supersedes": each.supersedes,
            "withdrawn": each.withdrawn, "counts": each.current,
        } for each in found])  # fmt: skip
        return
    table = Table(title="Events", title_justify="left")
    for name in ("number", "device", "date", "event", "severity", "cause", "", "corrects"):
        table.add_column(name)
    for each in found:
        state = "" if each.current else "withdrawn" if each.withdrawn else "corrected"
        table.add_row(str(each.id), each.device_id, str(each.on), each.code, each.severity, each.cause, state,
                      "" if each.supersedes is None else str(each.supersedes))  # fmt: skip
    out.print(table if found else "No events.")


@app.command("correct")
def correct(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="Of the event, as `event list` shows it.")],
    date: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The right date.")] = None,
    severity: _SeverityOption = None,
    cause: _CauseOption = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It counts no more.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put other data in the place of an event. The old one stays, and is shown with --all."""
    if withdraw and (severity or cause or date):
        raise InputError("An event is corrected or withdrawn, not both.")
    now_s = services(ctx).now_s()
    on = parse_date(date, now_s) if date else None
    with Store(store or default_path()) as opened:
        new = correct_event(opened, number, on, severity, cause, withdraw, int(now_s))
    if as_json:
        print_json({"number": new, "supersedes": number, "withdrawn": withdraw})
    else:
        out.print(f"Number {number} is {'withdrawn' if withdraw else 'corrected'} (by number {new}).")


@app.command("codes")
def codes(as_json: JsonOption = False) -> None:
    """List the codes of events, each with the outcome that it stands for."""
    if as_json:
        print_json({code: {"title": each.title, "nice": each.nice, "safety": each.safety}
                    for code, each in EVENTS.items()})  # fmt: skip
        return
    table = Table(title="Codes", title_justify="left")
    for name in ("code", "event", "outcome of NICE's scope", "safety"):
        table.add_column(name)
    for code, each in EVENTS.items():
        table.add_row(code, each.title, each.nice, "yes" if each.safety else "")
    out.print(table)
