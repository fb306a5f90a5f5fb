"""`stimbench bench init` and `stimbench bench show`: the file that describes a wired bench."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stimbench.cli.common import JsonOption, err, out, print_json, services
from stimbench.cli.terminal import escaped
from stimbench.errors import EXIT_NO_BOARD

if TYPE_CHECKING:
    from stimbench.rig.file import BenchFile
    from stimbench.rig.reach import Reached

__all__ = ("init", "show")

_NAME = Path("bench.toml")


def init(
    ctx: typer.Context,
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where it is written.")] = _NAME,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Look for boards, instruments and USB power switches, and write bench.toml. Nothing is switched."""
    from stimbench.rig.file import parse_bench_file
    from stimbench.rig.write import write_bench_file

    with err.status("Looking"):
        found = services(ctx).look()
    text = write_bench_file(found, out_file, force)
    for line in found.unknown:
        err.print(f"Not looked for: {line}", markup=False, soft_wrap=True)
    if 'kind = "wired"' in text:
        told = f"{out_file} is written. Look at its lines with LOOK, then `stimbench bench show {out_file}`."
    else:
        told = f"No stimulator is plugged in: {out_file} describes the emulated bench."
        parse_bench_file(text, str(out_file))
    out.print(told, markup=False, soft_wrap=True)


def show(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="[bench.toml]", help="The file.")] = _NAME,
    as_json: JsonOption = False,
) -> None:
    """Check a bench file, and say what of it can be reached now. Exits 4 if something cannot."""
    from stimbench.rig.reach import reach

    rig = services(ctx).rig(file)
    reached = reach(rig)
    if as_json:
        print_json(_as_data(rig.file) | {"reached": [asdict(each) for each in reached]})
    else:
        _print(rig.file, reached)
    if not all(each.ok for each in reached):
        raise typer.Exit(EXIT_NO_BOARD)


def _as_data(file: BenchFile) -> dict[str, Any]:
    sources = [
        each.entry.model_dump() | {"digital": list(each.digital), "analog": list(each.analog)}
        for each in file.sources
    ]
    return {
        "kind": file.kind,
        "path": file.path,
        "sha256": file.sha256,
        "boards": {name: board.model_dump() for name, board in file.boards.items()},
        "sources": sources,
        "loads": {name: load.model_dump() for name, load in file.loads.items()},
        "power": file.power,
        "has": sorted(file.has),
    }


def _print(file: BenchFile, reached: list[Reached]) -> None:
    from rich.table import Table

    if file.is_emulated:
        out.print("The emulated bench: nothing is wired, and it has all there is.")
        return
    table = Table("what", "reached", "where, or why not", box=None, pad_edge=False)
    for each in reached:
        state = "[green]yes[/]" if each.ok else "[red]no[/]"
        table.add_row(escaped(each.name), state, escaped(each.told))
    out.print(table)
    for source in file.sources:
        told = f"{source.entry.name} records {', '.join(source.signals)}."
        out.print(told, markup=False, soft_wrap=True)
    for name, load in file.loads.items():
        hand = ", wired by hand" if load.by_hand else ""
        out.print(f"Load {name}: {load.resistance_ohm:g} ohm{hand}.", markup=False, soft_wrap=True)
    out.print(f"By hand: {', '.join(sorted(file.has)) or 'nothing'}.", markup=False)
