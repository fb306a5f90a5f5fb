"""The benchmark's results as a table on the terminal, as JSON and as Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from stimbench import __version__
from stimbench.benchmarks.harness.model import Line, Options
from stimbench.benchmarks.harness.runner import RowResult

__all__ = ("as_document", "as_markdown", "as_table", "write_files")

_VERDICT = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: "-"}
_PLAIN = {True: "pass", False: "**FAIL**", None: "-"}


def as_table(results: Sequence[RowResult], title: str) -> Table:
    """All lines so far."""
    table = Table(title=title, title_justify="left", expand=False)
    for heading, style in (("what", "bold"), ("reach", ""), ("measured", ""), ("", ""), ("detail", "dim")):
        table.add_column(heading, style=style, overflow="fold")
    for result in results:
        for line in result.lines:
            cells = [line.what, line.limit, line.measured, _VERDICT[line.passed], line.detail]
            table.add_row(*(cell if cell.startswith("[") else cell.replace("[", "\\[") for cell in cells))
        table.add_section()
    return table


def as_document(results: Sequence[RowResult], options: Options, build: str, wall_s: float) -> dict[str, Any]:
    """Everything as plain data; a number that is not finite becomes None."""
    return {
        "version": __version__,
        "firmware_build": build,
        "seed": options.seed,
        "quick": options.quick,
        "xip": options.xip,
        "wall_s": round(wall_s, 1),
        "passed": bool(results) and all(result.passed for result in results),
        "rows": [
            {
                "name": result.row.name,
                "title": result.row.title,
                "passed": result.passed,
                "error": result.error,
                "lines": [_plain(line) for line in result.lines],
            }
            for result in results
        ],
    }


def _plain(line: Line) -> dict[str, Any]:
    fields = {"what": line.what, "reach": line.limit, "measured": line.measured}
    return fields | {"passed": line.passed, "detail": line.detail, "data": _finite(line.data)}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_markdown(results: Sequence[RowResult], heading: str) -> str:
    """The table for a document."""
    lines = [f"# {heading}", "", "| what | limit | measured | | detail |", "|---|---|---|---|---|"]
    for result in results:
        for line in result.lines:
            cells = (line.what, line.limit, line.measured, _PLAIN[line.passed], line.detail)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def write_files(folder: Path, document: dict[str, Any], markdown: str) -> None:
    """Write figures.json and figures.md into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / "figures.md").write_text(markdown, encoding="utf-8")
