"""`stimbench bench figures`: the figures of the documentation, measured again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live

from stimbench import __version__
from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import StimbenchError

if TYPE_CHECKING:
    from stimbench.benchmarks.harness.runner import Progress, RowResult
    from stimbench.emulator.chip import XipConfig

__all__ = ("figures",)

_SAY_EVERY_S = 30
_MOST_CYCLES = 10_000


def figures(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this row; may be repeated.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer samples, for a quick check.")] = False,
    as_json: JsonOption = False,
    folder: Annotated[Path, typer.Option("--out", help="Where figures.json and figures.md go.")] = Path(
        "build/bench"
    ),
    jobs: Annotated[int, typer.Option(min=1, help="Processes; default: one per core.")] = os.cpu_count() or 1,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 1,
    xip: Annotated[
        str,
        typer.Option(
            metavar="CYCLES",
            help="CPU cycles that a miss of the flash cache costs; `ideal`: none; `cache`: as many as the "
            "firmware's set-up of the flash makes them.",
        ),
    ] = "cache",
) -> None:
    """Measure the project's figures on the emulated bench and print them as a table."""
    from stimbench.benchmarks import registry
    from stimbench.benchmarks.harness.model import Options
    from stimbench.benchmarks.harness.runner import run_rows
    from stimbench.benchmarks.harness.table import as_document, as_markdown, as_table, write_files

    options = Options(seed, quick, _xip(xip))
    try:
        rows = registry.chosen(only or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    images = _pin_images(folder)
    build = _firmware_build(images)
    title = f"Figures of stimbench {__version__}, firmware {build}, seed {seed}{', QUICK' if quick else ''}"
    title += "" if xip == "cache" else f", xip={xip}"
    order = {row.name: index for index, row in enumerate(rows)}
    results: list[RowResult] = []
    begin = time.monotonic()
    tell = _Teller(begin)
    with tell.live:
        for result in run_rows(rows, options, jobs, tell.progress, images):
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


def _xip(text: str) -> XipConfig:
    if text == "cache":
        return "cache"
    if text == "ideal":
        return "ideal"
    if text.isdecimal() and int(text) <= _MOST_CYCLES:
        return int(text)
    raise typer.BadParameter(f"{text!r} is not `cache`, `ideal` or 0 to {_MOST_CYCLES} cycles")


def _pin_images(folder: Path) -> Path:
    """Copy the images, so that a build meanwhile cannot change what is measured. Returns their folder.

    Raises:
        StimbenchError: there are none.
    """
    from stimbench.bench import BenchConfig
    from stimbench.benchmarks.harness.rig import BOARDS
    from stimbench.errors import BenchError

    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        try:
            shutil.copyfile(BenchConfig().firmware_path(board), images / f"{board}.uf2")
        except BenchError as error:
            raise StimbenchError(f"{error}.") from error
    return images


def _firmware_build(images: Path) -> str:
    """What the stimulator's image says it was built from."""
    from stimbench.benchmarks.harness.rig import Rig, use_images

    use_images(images)
    with Rig(1) as rig:
        return rig.connect().identity.build


class _Teller:
    """Says how far the run is: in place on a terminal, else a line every 30 s."""

    def __init__(self, begin_s: float) -> None:
        self._begin_s = self._said_s = begin_s
        self.live = Live(console=err, refresh_per_second=4, transient=True)

    def progress(self, progress: Progress) -> None:
        """Show it, on a pipe at most every 30 s."""
        now_s = time.monotonic()
        rows = ", ".join(f"{name} {left}" for name, left in progress.open_rows.items())
        text = f"{now_s - self._begin_s:4.0f} s  {progress.done}/{progress.total} cases; to do: {rows}"
        if err.is_terminal:
            self.live.update(text)
        elif now_s - self._said_s >= _SAY_EVERY_S:
            self._said_s = now_s
            err.print(text, soft_wrap=True)


def _print_row(result: RowResult) -> None:
    for line in result.lines:
        verdict = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: "[dim]  - [/]"}[line.passed]
        limit = f" ({line.limit})" if line.limit else ""
        out.print(f"{verdict} {line.what}: [bold]{line.measured}[/]{limit}", soft_wrap=True)


def _tell_errors(results: Sequence[RowResult]) -> None:
    for result in results:
        if result.error:
            err.print(f"{result.row.name}:\n{result.error}", markup=False)
