"""`stimbench impedance`."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.table import Table
from stimfw.protocol import messages
from stimfw.therapy.ranges import ELECTRODES_A_LEAD, LEADS

from stimbench.cli.common import BoardOption, JsonOption, RadioOption, err, opened, out, print_json
from stimbench.client.records import PairImpedance
from stimbench.errors import EXIT_CHECK_FAILED


def impedance(
    ctx: typer.Context, board: BoardOption = None, radio: RadioOption = None, as_json: JsonOption = False
) -> None:
    """Measure every electrode pair of both leads. Exits 1 if a pair is open, shorted or was not measured."""
    with opened(ctx, board, radio) as stimulator, err.status("Measuring impedance") as spinner:
        pairs = stimulator.measure_impedance(
            lambda seconds: spinner.update(f"Measuring impedance: {seconds:.1f} s")
        )
    if as_json:
        print_json([asdict(pair) | {"lead": pair.lead_name, "kind": pair.kind_name} for pair in pairs])
    else:
        for lead, name in enumerate(LEADS):
            out.print(_table(name, [pair for pair in pairs if pair.lead == lead]))
    if any(pair.kind != messages.KIND_OK for pair in pairs):
        raise typer.Exit(EXIT_CHECK_FAILED)


def _table(lead: str, pairs: list[PairImpedance]) -> Table:
    """Cathodes down, anodes across, ohm in the cells."""
    table = Table(title=f"{lead.capitalize()} lead, ohm", title_justify="left")
    table.add_column("cathode", style="bold")
    cells = {(pair.cathode, pair.anode): _cell(pair) for pair in pairs}
    for anode in range(ELECTRODES_A_LEAD):
        table.add_column(f"anode {anode}", justify="right", min_width=8)
    for cathode in range(ELECTRODES_A_LEAD):
        table.add_row(str(cathode), *(cells.get((cathode, anode), "-") for anode in range(ELECTRODES_A_LEAD)))
    return table


def _cell(pair: PairImpedance) -> str:
    if pair.kind == messages.KIND_OK:
        return str(pair.ohm)
    shown = f" {pair.ohm}" if pair.kind == messages.KIND_SHORT else ""
    return f"[red]{pair.kind_name}{shown}[/]"
