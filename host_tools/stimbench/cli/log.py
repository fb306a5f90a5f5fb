"""`stimbench log`: what happened on the stimulator since its start, and the journal of an implanted one."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    StimbenchGroup,
    err,
    opened,
    out,
    print_json,
    services,
)
from stimbench.cli.restarting import with_restart
from stimbench.client.access_records import LogEvent
from stimbench.errors import EXIT_CHECK_FAILED, InputError
from stimbench.journal.chain import Finding, Verification, verify
from stimbench.journal.entries import Entry
from stimbench.journal.export import write_csv
from stimbench.journal.pull import pull as pull_journal
from stimbench.journal.store import Store, default_path

app = typer.Typer(cls=StimbenchGroup, no_args_is_help=False)

_LAST_S = 0xFFFFFFFF
_FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE.sqlite", help="A store, as `stimbench log pull` makes it.")
]
_DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="ID", help="Of this device only: 16 hexadecimal digits.")
]


@app.callback(invoke_without_command=True)
@with_restart
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
    without a key caused is apart, since the start only: --strangers. An implanted stimulator keeps a journal
    beside it, for good: the commands below pull, show, verify and export that.
    """
    if ctx.invoked_subcommand is not None:
        return
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


@app.command("pull")
@with_restart
def pull(
    ctx: typer.Context,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", metavar="FILE.sqlite",
            help="Where to; made if it is not there. Default: STIMBENCH_STORE, or a file of this user's.",
        ),
    ] = None,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Pull the journal into a store: what it does not have yet. Exits 1 if the journal is not whole.

    Every entry is stored once, page by page. After an interruption the same command goes on. The chain of
    the entries is verified, against what was pulled earlier too.
    """
    path = store or default_path()
    if path.exists():
        Store(path).close()  # what cannot be used is told before a board is asked
    with opened(ctx, board, radio) as stimulator:
        if not path.exists() and not stimulator.journal(0).slots:
            raise InputError("The stimulator's journal is empty: it was never implanted. No store was made.")
        with Store(path, create=True) as opened_store:
            done = pull_journal(stimulator, opened_store, services(ctx).now_s, _progress)
    if as_json:
        print_json({
            "store": str(path), "device": done.device_id, "journal": done.journal, "new": done.new,
            "total": done.total, "oldest": done.oldest, "next": done.next, "sound": done.is_sound,
            "findings": _findings_data(done.findings),
        })  # fmt: skip
    else:
        out.print(f"Device {done.device_id or 'unknown'}: {done.new} new entries, {done.total} in {path}.",
                  markup=False, soft_wrap=True)  # fmt: skip
        _say_findings(done.findings)
    if not done.is_sound:
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command("verify")
def verify_(file: _FileArgument, as_json: JsonOption = False) -> None:
    """Verify every journal of a store, entry by entry. Exits 1 if one is not whole."""
    with Store(file) as store:
        checked = [
            (journal, store.owner(journal), verify(store.slots(journal)), store.findings(journal))
            for journal in store.journals()
        ]
    sound = all(walked.is_sound and not earlier for _, _, walked, earlier in checked)
    if as_json:
        print_json({"sound": sound, "journals": [_verified_data(*each) for each in checked]})
    else:
        for journal, device_id, walked, earlier in checked:
            _say_verified(journal, device_id, walked, earlier)
        out.print("Nothing is stored." if not checked else "All is whole." if sound else "Not whole.")
    if not sound:
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command("show")
def show(
    file: _FileArgument,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="NAME", help="Of this kind or group: `fault`, `safety`.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="From this day on (UTC), where times are known."),
    ] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="The newest N of them only.")] = None,
    device: _DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show entries of a store."""
    found = _chosen(file, device, kind, since, last)
    if as_json:
        print_json([entry.as_data() for entry in found])
    elif found:
        out.print(_entries_table(found))
    else:
        out.print("No entries.")


@app.command("export")
def export(
    file: _FileArgument,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: JsonOption = False,
    device: _DeviceOption = None,
) -> None:
    """Print all entries of a store as CSV or JSON."""
    if csv == as_json:
        raise InputError("Export as what? Give --csv or --json.")
    found = _chosen(file, device, None, None, None)
    if as_json:
        print_json([entry.as_data() for entry in found])
    else:
        write_csv(found, sys.stdout)


def _chosen(
    file: Path, device: str | None, kind: str | None, since: datetime | None, last: int | None
) -> list[Entry]:
    with Store(file) as store:
        if device is not None and device not in store.devices():
            raise InputError(f"{file} knows no device {device}.")
        found = store.entries(device)
    if kind is not None:
        wanted = [entry for entry in found if kind in (entry.name, entry.group)]
        if not wanted and kind not in _kinds():
            raise InputError(f"There is no kind {kind!r}. Kinds: {', '.join(_kinds())}.")
        found = wanted
    if since is not None:
        since_s = since.replace(tzinfo=UTC).timestamp()
        found = [entry for entry in found if entry.has_time and entry.time_s >= since_s]
    return found if last is None else found[-last:]


def _kinds() -> list[str]:
    from stimfw.protocol import journal_entries

    names = [row[journal_entries.NAME] for row in journal_entries.TABLE]
    return [*names, journal_entries.SAFETY, journal_entries.CLINICAL, journal_entries.ROUTINE]


def _progress(done: int, end: int) -> None:
    """One line that counts at a terminal; elsewhere the last line only."""
    if done >= end or err.is_terminal:
        typer.echo(f"\r{done} of {end} entries", nl=done >= end, err=True)


def _say_findings(findings: tuple[Finding, ...] | list[Finding]) -> None:
    for finding in findings:
        out.print(f"[bold red]Not whole:[/] {finding.text}", soft_wrap=True)


def _findings_data(findings: tuple[Finding, ...] | list[Finding]) -> list[dict[str, object]]:
    return [{"number": each.number, "what": each.what, "text": each.text} for each in findings]


def _say_verified(journal: int, device_id: str, walked: Verification, earlier: list[Finding]) -> None:
    out.print(
        f"Journal {journal}, device {device_id or 'unknown'}: {walked.entries} entries, "
        f"{walked.first} to {walked.last}, chain {walked.head.hex()}. "
        f"The board itself dropped {walked.thinned} entries, in {walked.markers} places.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    _say_findings(_all(walked, earlier))


def _all(walked: Verification, earlier: list[Finding]) -> list[Finding]:
    known = {(each.number, each.what) for each in walked.findings}
    return [*walked.findings, *(each for each in earlier if (each.number, each.what) not in known)]


def _verified_data(
    journal: int, device_id: str, walked: Verification, earlier: list[Finding]
) -> dict[str, object]:
    return {
        "journal": journal, "device": device_id, "entries": walked.entries, "first": walked.first,
        "last": walked.last, "chain": walked.head.hex(), "thinned": walked.thinned,
        "sound": walked.is_sound and not earlier, "findings": _findings_data(_all(walked, earlier)),
    }  # fmt: skip


def _entries_table(entries: list[Entry]) -> Table:
    table = Table(title="Journal", title_justify="left")
    table.add_column("number", justify="right")
    table.add_column("time")
    table.add_column("entry", style="bold")
    table.add_column("by")
    table.add_column("what")
    for entry in entries:
        table.add_row(str(entry.number), entry.time_text, entry.name, entry.sender_name, entry.text)
    return table


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
