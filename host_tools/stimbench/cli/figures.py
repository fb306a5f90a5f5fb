"""`stimbench bench figures`: the figures of the documentation, measured anew."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from stimbench import __version__
from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.client.errors import StimbenchError

__all__ = ("figures", "register")


def figures(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this row; may be repeated.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer samples: a look, not the record.")] = False,
    as_json: JsonOption = False,
    folder: Annotated[Path, typer.Option("--out", help="Where figures.json and figures.md go.")] = Path(
        "build/bench"
    ),
    jobs: Annotated[int, typer.Option(min=1, help="Processes; default: one a core.")] = os.cpu_count() or 1,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 1,
) -> None:
    """Measure the project's figures on the emulated bench and print them as a table."""
    from stimbench.figures import registry
    from stimbench.figures.model import Options
    from stimbench.figures.runner import RowResult, run_rows
    from stimbench.figures.table import as_document, as_markdown, as_table, write_files

    options = Options(seed, quick)
    try:
        rows = registry.chosen(only or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    build = _firmware_build(seed)
    title = f"Figures of stimbench {__version__}, firmware {build}, seed {seed}{', QUICK' if quick else ''}"
    order = {row.name: index for index, row in enumerate(rows)}
    results: list[RowResult] = []
    begin = time.monotonic()
    live = Live(console=err, refresh_per_second=4, transient=True)
    with live:
        for result in run_rows(
            rows, options, jobs, lambda progress: live.update(_progress(progress, time.monotonic() - begin))
        ):
            results.append(result)
            if not as_json:
                _print_row(result)
    results.sort(key=lambda result: order[result.row.name])
    wall_s = time.monotonic() - begin
    document = as_document(results, options, build, wall_s)
    write_files(folder, document, as_markdown(results, title))
    if as_json:
        print_json(document)
    else:
        out.print(as_table(results, title))
        out.print(f"{wall_s:.0f} s on {jobs} processes; {folder}/figures.json, {folder}/figures.md")
    _tell_errors(results)
    if not document["passed"]:
        raise typer.Exit(1)


def _firmware_build(seed: int) -> str:
    """What the stimulator's image says it was built from.

    Raises:
        StimbenchError: there is no image, or it does not come up.
    """
    from stimbench.client.bench_link import open_bench

    with open_bench(seed) as stimulator:
        return stimulator.identity.build


def _progress(progress: object, elapsed_s: float) -> str:
    from stimbench.figures.runner import Progress

    if not isinstance(progress, Progress):
        raise StimbenchError("no progress")
    rows = ", ".join(f"{name} {left}" for name, left in progress.open_rows.items())
    return f"{elapsed_s:4.0f} s  {progress.done}/{progress.total} pieces; to do: {rows}"


def _print_row(result: object) -> None:
    from stimbench.figures.runner import RowResult

    if isinstance(result, RowResult):
        for line in result.lines:
            verdict = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: "[dim]  - [/]"}[line.passed]
            reach = f" ({line.reach})" if line.reach else ""
            out.print(f"{verdict} {line.what}: [bold]{line.measured}[/]{reach}", soft_wrap=True)


def _tell_errors(results: Sequence[object]) -> None:
    from stimbench.figures.runner import RowResult

    for result in results:
        if isinstance(result, RowResult) and result.error:
            err.print(f"{result.row.name}:\n{result.error}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the command to `stimbench bench`."""
    app.command("figures")(figures)
