"""`stimbench records` and `stimbench repair`: what lies on a board's flash. Over USB only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.table import Table

from stimbench.cli.boards import BENCH
from stimbench.cli.common import BoardOption, JsonOption, Services, confirm, err, out, print_json, services
from stimbench.client.board import Board
from stimbench.client.flash_records import FlashRecords, RepairPlan, described
from stimbench.errors import EXIT_CHECK_FAILED, InputError

RemoteOption = Annotated[
    str | None,
    typer.Option("--remote", metavar="PORT", help="Use the remote on this port instead of a stimulator."),
]
_LaterOption = Annotated[
    bool,
    typer.Option("--overwrite-later", help="Overwrite also what a later firmware has written."),
]


def records(
    ctx: typer.Context,
    board: BoardOption = None,
    remote: RemoteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whether a board's records on flash are sound, and what a repair would do. Exits 1 if not."""
    with _opened(services(ctx), board, remote) as opened:
        found = opened.records()
        role = opened.identity.role
    plan = found.plan(found.later and not found.plan(False).rewritten)
    if as_json:
        print_json(_as_data(role, found) | {"repair": _plan_data(plan)})
    else:
        out.print(_table(role, found))
        if plan.rewritten:
            command = f"`stimbench repair{_options(remote, found)}`"
            out.print(f"{command} would do this:\n{_plan_text(plan)}", soft_wrap=True)
    if not found.sound:
        raise typer.Exit(EXIT_CHECK_FAILED)


def repair(
    ctx: typer.Context,
    board: BoardOption = None,
    remote: RemoteOption = None,
    overwrite_later: _LaterOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before something is rewritten.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Rewrite what is damaged on a board's flash, and nothing else. The board restarts then.

    Says first what is damaged, what the repair loses and what it keeps. Exits 1 if something stays damaged.
    """
    with _opened(services(ctx), board, remote) as opened:
        role = opened.identity.role
        found = opened.records()
        plan = found.plan(overwrite_later)
        if plan.rewritten:
            err.print(f"{_summary(role, found)}\n{_plan_text(plan)}", markup=False, soft_wrap=True)
            confirm(f"Rewrite {', '.join(plan.rewritten)} on the {role}?", yes, "rewritten")
            plan = described(opened.repair(overwrite_later), found)
    stays = [
        f"{name} ({text})" for name, text, good in found.named() if not good and name not in plan.rewritten
    ]
    if as_json:
        print_json(_as_data(role, found) | {"repair": _plan_data(plan), "still_damaged": bool(stays)})
    else:
        out.print(_result(role, found, plan, stays), soft_wrap=True)
    if stays:
        raise typer.Exit(EXIT_CHECK_FAILED)


@contextmanager
def _opened(found: Services, board: str | None, remote: str | None) -> Iterator[Board]:
    if remote == BENCH:
        raise InputError("An emulated bench has nothing to repair: use a port of `stimbench bench up`.")
    if remote is not None:
        with found.open_remote(remote) as opened_remote:
            yield opened_remote
        return
    with found.open_board(board) as stimulator:
        yield stimulator


def _result(role: str, found: FlashRecords, plan: RepairPlan, stays: list[str]) -> str:
    lines = []
    if plan.rewritten:
        lines.append(f"Rewritten on the {role}: {', '.join(plan.rewritten)}. It restarts now.")
    elif found.sound:
        lines.append(f"The records of the {role} are sound: nothing was rewritten.")
    if stays:
        lines.append(f"Still as it was: {', '.join(stays)}.")
        if found.later:
            lines.append("Install that firmware again to use it, or give it up with --overwrite-later.")
    return "\n".join(lines)


def _options(remote: str | None, found: FlashRecords) -> str:
    words = [f" --remote {remote}"] if remote else []
    if found.later and not found.plan(False).rewritten:
        words.append(" --overwrite-later")
    return "".join(words)


def _summary(role: str, found: FlashRecords) -> str:
    bad = [f"{name} ({text})" for name, text, good in found.named() if not good]
    return f"Not in order on the {role}: {', '.join(bad)}."


def _plan_text(plan: RepairPlan) -> str:
    lines = [f"  rewrites  {', '.join(plan.rewritten)}"]
    lines += [f"  loses     {text}" for text in plan.lost or ("nothing",)]
    lines += [f"  keeps     {text}" for text in plan.kept]
    return "\n".join(lines)


def _plan_data(plan: RepairPlan) -> dict[str, Any]:
    return {"rewrites": list(plan.rewritten), "loses": list(plan.lost), "keeps": list(plan.kept)}


def _as_data(role: str, found: FlashRecords) -> dict[str, Any]:
    return {
        "board": role,
        "sound": found.sound,
        "records": [{"record": name, "state": text, "sound": good} for name, text, good in found.named()],
    }


def _table(role: str, found: FlashRecords) -> Table:
    table = Table(title=f"Records on the flash of the {role}", title_justify="left")
    table.add_column("record", style="bold")
    table.add_column("state")
    for name, text, _ in found.named():
        table.add_row(name, text)
    return table
