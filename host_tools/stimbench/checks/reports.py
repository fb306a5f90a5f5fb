"""All reports of a run, into its folder."""

from __future__ import annotations

from pathlib import Path

from stimbench.checks.junit import write_junit
from stimbench.checks.page import Table, write_html_page
from stimbench.checks.peers import HEAD, peer_rows
from stimbench.checks.run import Run
from stimbench.checks.tables import write_csv_table, write_json_files

__all__ = ("write_reports",)


def write_reports(run: Run) -> list[Path]:
    """Write page, JUnit, JSON and CSV; the files, the page first."""
    folder = run.folder
    names = [("junit.xml", "JUnit, for a CI server"), ("results.csv", "every measurement in a row")]
    write_junit(run, folder / "junit.xml")
    write_csv_table(run, folder / "results.csv")
    about = {"results.json": "all of it as data, without the pictures"}
    names += [(name, about.get(name, "one device's results")) for name in write_json_files(run, folder)]
    write_html_page(run, folder / "report.html", names, _peers(run))
    return [folder / "report.html", *(folder / name for name, _ in names)]


def _peers(run: Run) -> list[Table]:
    """Somebody else's tests, if the plan stands for such."""
    rows = peer_rows(run)
    if not rows:
        return []
    told = "Each criterion in its owner's words, ours beside it, what was measured. Sources: docs/peers.md."
    return [Table("Peers' tests", told, HEAD, [row.cells for row in rows])]
