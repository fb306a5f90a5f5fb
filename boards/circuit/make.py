"""Makes everything that comes from the circuit: `python -m circuit.make`, as `make hardware` does.

build/hardware/ gets ERC reports, KiCad netlists and the SPICE netlist; docs/circuit/ the tables and
pictures that are kept in the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "hardware"
DOCS = ROOT / "docs" / "circuit"
BUILD.mkdir(parents=True, exist_ok=True)
os.chdir(BUILD)  # SKiDL writes beside wherever it is imported

from circuit import bom, both, wiring  # noqa: E402
from circuit.drawings import blocks, waves  # noqa: E402
from circuit.proof import faults, figures  # noqa: E402
from circuit.sheet import SAID, Sheet  # noqa: E402
from circuit.sim import ngspice  # noqa: E402
from circuit.sim.deck import circuit_lines, deck  # noqa: E402
from circuit.snapshot import Snapshot, snapshot  # noqa: E402
from circuit.tables import Row, as_csv, as_markdown, lost  # noqa: E402


def check(sheet: Sheet) -> tuple[int, int]:
    """Runs SKiDL's electrical rules; errors and warnings."""
    from skidl.logger import erc_logger

    before = SAID.tell()
    sheet.circuit.ERC()
    counts = erc_logger.error.count, erc_logger.warning.count
    report = f"errors {counts[0]}\nwarnings {counts[1]}\n{SAID.getvalue()[before:]}"
    (BUILD / f"{sheet.name}.erc").write_text(report, encoding="utf-8")
    return counts


def write_board(sheet: Sheet) -> list[Row]:
    """One board's ERC, netlist, BOM and wiring; the figures that they give."""
    errors, warnings = check(sheet)
    sheet.circuit.generate_netlist(file_=str(BUILD / f"{sheet.name}.net"))
    board = snapshot(sheet)
    rows = bom.lines(board)
    (DOCS / f"bom-{board.name}.csv").write_text(as_csv(bom.COLUMNS, rows), encoding="utf-8")
    wires = as_csv(wiring.COLUMNS, wiring.wires(board))
    (DOCS / f"wiring-{board.name}.csv").write_text(wires, encoding="utf-8")
    pins = wiring.read_pins(ROOT / "boards" / f"STIMBENCH_{board.name.upper()}" / "pins.csv")
    differ = wiring.pin_differences(board.part("A_PICO"), pins)
    lack = bom.incomplete(rows)
    for line in [*differ, *lack]:
        print(f"  {board.name}: {line}", file=sys.stderr)
    name = board.name
    return [
        Row(f"{name}: ERC errors; warnings", "0; 0", f"{errors}; {warnings}", errors + warnings == 0),
        Row(f"{name}: nets that differ from pins.csv", "0", str(len(differ)), not differ),
        Row(
            f"{name}: BOM lines without number, rating or second source", "0", str(len(lack)), not lack
        ),
    ]


def write_spice(board: Snapshot) -> None:
    """The analogue part of the stimulator, both leads, to be simulated by hand."""
    note = ["* sources, loads and matrix settings are for whoever runs it; see boards/circuit/proof/pulse.py"]
    text = deck("stimbench stimulator, analogue part", [*note, *circuit_lines(board)], [])
    (BUILD / "stimulator.cir").write_text(text, encoding="utf-8")


def step(name: str, work: Callable[[], object]) -> object:
    """Says what is done and how long it took."""
    began = time.monotonic()
    result = work()
    print(f"hardware   {name} [{time.monotonic() - began:.0f} s]", flush=True)
    return result


def write_figures(board: Snapshot, rows: list[Row], runs: int) -> list[str]:
    """The page of figures; what the page had reached before, and does not reach now."""
    ngspice.require()
    rows = rows + figures.table(board, runs)
    page = DOCS / "figures.md"
    before = page.read_text(encoding="utf-8") if page.exists() and runs == figures.MONTE_CARLO else ""
    heading = "# Figures of the circuit\n\nWritten by `make hardware`. See [circuit.md](../circuit.md).\n\n"
    page.write_text(heading + as_markdown(rows), encoding="utf-8")
    (BUILD / "figures.json").write_text(json.dumps([vars(row) for row in rows], indent=1), encoding="utf-8")
    gone = lost(before, rows)
    for what in gone:
        print(f"  was reached, and is not any more: {what}", file=sys.stderr)
    return gone


def main() -> int:
    """Makes everything; 1 if ERC, pins or BOM are not clean, or a figure that was reached is not any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=figures.MONTE_CARLO, help="of the Monte Carlo")
    parser.add_argument("--no-spice", action="store_true", help="only what needs no ngspice")
    args = parser.parse_args()
    DOCS.mkdir(parents=True, exist_ok=True)
    stimulator, remote = both.stimulator(), both.remote()
    rows: list[Row] = []
    step("ERC, netlists, BOM, wiring", lambda: rows.extend(write_board(stimulator) + write_board(remote)))
    board = snapshot(stimulator)
    step("drawings", lambda: blocks.write_all(DOCS))
    write_spice(board)
    if not args.no_spice:
        step("waves", lambda: waves.write_all(board, DOCS))
        step("single faults", lambda: (DOCS / "faults.md").write_text(faults.page(board), encoding="utf-8"))
        gone = step("figures", lambda: write_figures(board, rows, args.runs))
        if gone:
            return 1
    return 0 if all(row.reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
