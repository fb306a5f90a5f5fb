"""`stimbench outcome`: scores of the people who have the devices, by the devices' pseudonyms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from stimbench.audit.fields import SCORES
from stimbench.audit.outcomes import (
    Score,
    add_scores,
    correct_score,
    device_id_of,
    outside_indication,
    parse_date,
    parse_scores,
    scores,
)
from stimbench.cli.common import JsonOption, StimbenchGroup, err, out, print_json, services
from stimbench.errors import InputError
from stimbench.journal.store import Store, default_path

app = typer.Typer(
    cls=StimbenchGroup, no_args_is_help=True, help="Outcomes of a device: enter, list, correct."
)

DeviceArgument = Annotated[
    str, typer.Argument(metavar="DEVICE-ID", help="Its pseudonym, 16 hexadecimal digits; never a name.")
]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="FILE.sqlite", help="Default: STIMBENCH_STORE, or this user's own."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Also those that were corrected or withdrawn.")]
_ScoreOption = Annotated[
    list[str], typer.Option("--score", metavar="NAME=VALUE", help="nrs=7, say. May be repeated.")
]


@app.command("add")
def add(
    ctx: typer.Context,
    device: DeviceArgument,
    score: _ScoreOption,
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="When it was asked.")],
    baseline: Annotated[bool, typer.Option("--baseline", help="From before the therapy.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter scores of one day: all of them, or none if one is refused.

    A baseline outside the indication is said, and not refused.
    """
    now_s = services(ctx).now_s()
    device_id, on, found = device_id_of(device), parse_date(date, now_s), parse_scores(score)
    with Store(store or default_path(), create=True) as opened:
        unknown = not opened.journals(device_id)
        ids = add_scores(opened, device_id, found, on, baseline, int(now_s))
    notes = outside_indication(found) if baseline else []
    if unknown:
        notes.append(f"No journal of device {device_id} has been pulled into this store.")
    if as_json:
        entered = dict(zip(found, ids, strict=True))
        print_json({"device": device_id, "date": on, "entered": entered, "notes": notes})
        return
    named = ", ".join(f"{SCORES[name].name} {SCORES[name].text(value)}" for name, value in found.items())
    out.print(f"Entered of {on}: {named} (number {', '.join(map(str, ids))}).", markup=False, soft_wrap=True)
    for note in notes:
        err.print(f"[yellow]Note:[/] {note}", soft_wrap=True)


@app.command("list")
def list_(
    device: Annotated[str | None, typer.Argument(metavar="DEVICE-ID", help="Of this device only.")] = None,
    store: StoreOption = None,
    every: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """List scores."""
    with Store(store or default_path()) as opened:
        found = scores(opened, None if device is None else device_id_of(device))
    found = [each for each in found if every or each.current]
    if as_json:
        print_json([_as_data(each) for each in found])
        return
    table = Table(title="Scores", title_justify="left")
    for name in ("number", "device", "date", "score", "value", "", "corrects"):
        table.add_column(name)
    for each in found:
        state = "baseline" if each.baseline else ""
        state = state if each.current else "withdrawn" if each.withdrawn else "corrected"
        table.add_row(str(each.id), each.device_id, str(each.on), each.name, each.text, state,
                      "" if each.supersedes is None else str(each.supersedes))  # fmt: skip
    out.print(table if found else "No scores.")


@app.command("correct")
def correct(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="Of the score, as `outcome list` shows it.")],
    score: Annotated[str | None, typer.Option("--score", metavar="NAME=VALUE", help="The right one.")] = None,
    date: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The right date.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It counts no more.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put another value or date in the place of a score. The old one stays, and is shown with --all."""
    if withdraw and (score or date):
        raise InputError("A score is corrected or withdrawn, not both.")
    now_s = services(ctx).now_s()
    on, found = parse_date(date, now_s) if date else None, parse_scores([score]) if score else None
    with Store(store or default_path()) as opened:
        new = correct_score(opened, number, found, on, withdraw, int(now_s))
    if as_json:
        print_json({"number": new, "supersedes": number, "withdrawn": withdraw})
    else:
        out.print(f"Number {number} is {'withdrawn' if withdraw else 'corrected'} (by number {new}).")


def _as_data(each: Score) -> dict[str, Any]:
    return {
        "number": each.id, "device": each.device_id, "date": each.on, "score": each.name, "value": each.value,
        "text": each.text, "baseline": each.baseline, "supersedes": each.supersedes,
        "withdrawn": each.withdrawn, "counts": each.current,
    }  # fmt: skip
