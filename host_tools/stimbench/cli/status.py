"""`stimbench status`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from stimbench.cli.common import BoardOption, JsonOption, RadioOption, as_words, opened, out, print_json
from stimbench.client.errors import EXIT_CHECK_FAILED
from stimbench.client.records import Details, Identity, Status

SelfTestOption = Annotated[
    bool,
    typer.Option("--self-test", help="Test DAC and switches first; the current crosses no electrode pair."),
]


def status(
    ctx: typer.Context,
    board: BoardOption = None,
    radio: RadioOption = None,
    self_test: SelfTestOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the stimulator is, does and has counted. Exits 1 if its self-test failed."""
    with opened(ctx, board, radio) as stimulator:
        if self_test:
            stimulator.self_test()
        identity, state = stimulator.identity, stimulator.status()
        details, counters = stimulator.details(), stimulator.counters()
    if as_json:
        print_json(
            {
                "identity": asdict(identity),
                "status": as_words(state),
                "details": asdict(details),
                "counters": counters,
            }
        )
    else:
        out.print(_table(identity, state, details))
        out.print(_counter_line(counters))
    if state.failed_parts:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _table(identity: Identity, state: Status, details: Details) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    rows = (
        ("Board", f"{identity.role}, firmware {identity.version} ({identity.build[:12]})"),
        ("State", state.state_name),
        ("Self-test", "failed: " + ", ".join(state.failed_parts) if state.failed_parts else "passed"),
        ("Magnet", "present" if state.magnet else "none"),
        ("Pairing window", "open" if state.pairing_window else "closed"),
        ("Last stop", state.stop_name),
        ("Output now", f"left {state.amplitude_ua[0]} uA, right {state.amplitude_ua[1]} uA"),
        ("Session", f"{state.session_s} s so far"),
        ("Pulses", f"left {details.left_pulses}, right {details.right_pulses}; {details.cycles} cycles"),
        ("Supply", f"{state.supply_mv / 1000:.2f} V, {details.temperature_dc / 10:.1f} degrees C"),
        ("Up for", f"{details.uptime_ms / 1000:.1f} s, ready after {details.boot_us / 1000:.0f} ms"),
        ("Free memory", f"{details.heap_free} bytes"),
    )
    for row in rows:
        table.add_row(*row)
    return table


def _counter_line(counters: dict[str, int]) -> str:
    counted = [f"{name.replace('_', ' ')} {value}" for name, value in counters.items() if value]
    return "[bold]Counted[/]      " + (", ".join(counted) if counted else "nothing")
