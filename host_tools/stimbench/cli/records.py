"""`stimbench time`: the stimulator's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    opened,
    out,
    print_json,
    services,
)


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
