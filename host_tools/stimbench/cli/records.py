"""`stimbench log` and `stimbench time`: what happened on the stimulator, and its clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    opened,
    out,
    print_json,
    services,
)
from stimbench.client.access_records import LogEvent

_LAST_S = 0xFFFFFFFF


def log(
    ctx: typer.Context,
    first: Annotated[
        int | None,
        typer.Option(
            "--from", min=0, max=_LAST_S, help="Number of the first event to show; 0: all that are kept."
        ),
    ] = None,
    strangers: Annotated[
        bool, typer.Option("--strangers", help="Show what came from senders without a key instead.")
    ] = False,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what happened on the stimulator since its start: who connected, what was refused and done.

    The stimulator keeps the newest 256 events at least, those of earlier starts too: --from 0. What senders
    without a key caused is apart, since the start only: --strangers.
    """
    if strangers:
        _show_strangers(ctx, board, radio, as_json)
        return
    with opened(ctx, board, radio) as stimulator:
        events = stimulator.log(first)
    if as_json:
        print_json([_as_data(event) for event in events])
    elif events:
        title = "Events since the start" if first is None else "Events"
        out.print(_table(events, title, "by"))
    else:
        out.print("No events.")


def _show_strangers(ctx: typer.Context, board: str | None, radio: str | None, as_json: bool) -> None:
    with opened(ctx, board, radio) as stimulator:
        told = stimulator.strangers()
    counts = {"forged": told.forged, "replayed": told.replayed, "flood": told.flood}
    if as_json:
        print_json({"counts": counts, "events": [_as_data(event) for event in told.events]})
        return
    out.print(
        f"Since the start: forged frames in {told.forged} seconds, replayed ones in {told.replayed}; "
        f"{told.flood} changes of the back-off."
    )
    if told.events:
        out.print(_table(list(told.events), "The newest, at most one a second", "claimed to be"))


def time_(
    ctx: typer.Context,
    set_: Annotated[bool, typer.Option("--set", help="Set it to this host's clock.")] = False,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set the stimulator's clock. It is not set after a start, and nothing waits for it."""
    now_s = services(ctx).now_s
    with opened(ctx, board, radio) as stimulator:
        if set_:
            stimulator.set_time(round(now_s()))
        seconds = stimulator.time()
        off_s = None if seconds is None else seconds - round(now_s())
    text = None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
    if as_json:
        print_json({"time": text, "seconds": seconds, "off_s": off_s})
    elif text is None:
        out.print("The clock is not set: `stimbench time --set`.")
    else:
        out.print(f"{text}, {off_s:+d} s against this host.")


def _as_data(event: LogEvent) -> dict[str, object]:
    return {
        "number": event.number,
        "uptime_s": event.uptime_s,
        "event": event.event,
        "sender": event.sender_name,
        "detail": event.detail,
        "detail_text": event.detail_text,
        "repeats": event.repeats,
    }


def _table(events: list[LogEvent], title: str, sender: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("number", justify="right")
    table.add_column("after", justify="right")
    table.add_column("event", style="bold")
    table.add_column(sender)
    table.add_column("detail")
    for event in events:
        again = f"{event.repeats} more within a minute" if event.repeats else ""
        detail = ", ".join(text for text in (event.detail_text, again) if text)
        table.add_row(str(event.number), f"{event.uptime_s} s", event.event, event.sender_name, detail)
    return table
