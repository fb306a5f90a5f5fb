"""`stimbench doctor`: what this machine lacks, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from stimbench.cli.common import JsonOption, out, print_json, services
from stimbench.cli.terminal import escaped
from stimbench.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from stimbench.flashing.doctor import Finding


def doctor(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Say what this machine lacks, with the command that mends it. Exits 1 if something needed is missing.

    It changes nothing, and interrupts no board: it asks those that are plugged in which firmware they run.
    """
    from stimbench.flashing.doctor import State, needed_is_missing
    from stimbench.flashing.examination import examine

    findings = examine(services(ctx).machine())
    bad = needed_is_missing(findings)
    if as_json:
        print_json({"ok": not bad, "findings": [_as_data(one) for one in findings]})
    else:
        out.print(_table(findings))
        for one in findings:
            if one.mend and one.state is not State.OK:
                out.print(f"[bold]{one.name}[/]: ", end="")
                out.print(one.mend, markup=False, soft_wrap=True)
        out.print("Something needed is missing." if bad else "Nothing needed is missing.")
    if bad:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _as_data(finding: Finding) -> dict[str, object]:
    return asdict(finding) | {"state": finding.state.value}


def _table(findings: list[Finding]) -> object:
    from rich.table import Table

    from stimbench.flashing.doctor import State

    colours = {State.OK: "green", State.MISSING: "red", State.CANNOT_TELL: "yellow"}
    table = Table(box=None, show_header=False)
    for name in ("what", "state", "told"):
        table.add_column(name, style="bold" if name == "what" else None)
    for one in findings:
        state = "needed" if one.needed and one.state is State.MISSING else one.state.value
        table.add_row(one.name, f"[{colours[one.state]}]{state}[/]", escaped(one.told))
    return table
