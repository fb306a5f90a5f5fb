"""How tables are written: CSV, and the Markdown page of figures that is kept in the repository."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WORDS = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: was measured; names the row from one making to the next.
        asked, measured: as they are shown.
        reached: None for what is only told.
    """

    what: str
    asked: str
    measured: str
    reached: bool | None = None


def as_csv(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    """The rows as CSV, a heading first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_markdown(rows: Iterable[Row]) -> str:
    """The figures as a Markdown table."""
    lines = ["| what | asked | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.asked} | {row.measured} | {_WORDS[row.reached]} |" for row in rows]
    return "\n".join(lines) + "\n"


def lost(before: str, rows: Iterable[Row]) -> list[str]:
    """What a page of figures had reached, and these rows do not reach any more, or do not have."""
    reached = [cells[0] for line in before.splitlines() if (cells := _cells(line)) and cells[-1] == "yes"]
    now = {row.what for row in rows if row.reached}
    return [what for what in reached if what not in now]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
