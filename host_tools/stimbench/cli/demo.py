"""`stimbench demo`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status
from rich.table import Table

from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import EXIT_CHECK_FAILED
from stimbench.report.metrics import Metric, all_passed, as_data


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("build/demo"),
    seed: Annotated[int, typer.Option(help="Seed of everything that is random on the bench.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Run the main job on the emulated bench and judge it. Exits 1 if a figure does not hold."""
    # Imported here: emulator and plotting are slow to load, and no other command needs them.
    from stimbench.demo.run import run_demo

    with _Terminal() as terminal:
        result = run_demo(folder, seed, terminal)
    if as_json:
        print_json([as_data(figure) for figure in result.report.figures])
    else:
        out.print(_table(result.report.figures))
    if not all_passed(result.report.figures):
        raise typer.Exit(EXIT_CHECK_FAILED)


class _Terminal:
    """A line for each finished step, and a spinner for the one that runs; all on stderr."""

    def __init__(self) -> None:
        self._step = ""
        self._status = Status("", console=err)

    def __enter__(self) -> _Terminal:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step = step
        self._status.update(step)

    def tell(self, text: str) -> None:
        """What happens now inside the step."""
        self._status.update(f"{self._step}: {text}")

    def done(self, text: str) -> None:
        """The step is over."""
        err.print(f"[green]✓[/] [bold]{self._step}[/]: {text}", soft_wrap=True)


def _table(figures: Sequence[Metric]) -> Table:
    held = sum(figure.passed for figure in figures)
    table = Table(title=f"{held} of {len(figures)} figures hold", title_justify="left")
    table.add_column("figure")
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for figure in figures:
        verdict = "[green]✓ holds[/]" if figure.passed else "[bold red]✗ fails[/]"
        table.add_row(figure.name, figure.value_text, figure.limit_text, verdict)
    return table
