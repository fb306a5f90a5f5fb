"""Reports as files: one JSON document, and one HTML page that needs no other file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from stimbench.report.metrics import Metric, all_passed, as_data
from stimbench.report.style import COLORS, Picture

__all__ = ("Report", "page_text", "write_html", "write_json", "write_page")

FORMAT = 1
"""Of report.json; grows when a reader of the old one would misunderstand the new one."""


@dataclass(frozen=True)
class Report:
    """Everything that a report says.

    Attributes:
        title, summary: what was run, in a line and in a few sentences.
        facts: what a person needs to run it again: name and value, in order.
        figures: the results.
        pictures: for the page only. The first two come before the figures, the others after them.
        files: what lies beside the report: file name, and what it is.
        caveats: what the results do not mean.
        extra: further data for the JSON document.
    """

    title: str
    summary: str
    facts: Sequence[tuple[str, str]]
    figures: Sequence[Metric]
    pictures: Sequence[Picture]
    files: Sequence[tuple[str, str]]
    caveats: Sequence[str]
    extra: dict[str, Any]

    @property
    def failed(self) -> list[Metric]:
        """The figures that do not hold."""
        return [figure for figure in self.figures if not figure.passed]

    @property
    def failed_first(self) -> list[Metric]:
        """The figures: those that do not hold, then the others."""
        return sorted(self.figures, key=lambda figure: figure.passed)

    @property
    def passed(self) -> bool:
        """Whether there are figures and all hold."""
        return all_passed(self.figures)


def write_json(report: Report, path: Path) -> None:
    """Write the data; equal runs write equal files."""
    document = {
        "format": FORMAT,
        "title": report.title,
        "passed": report.passed,
        "facts": dict(report.facts),
        "figures": [as_data(figure) for figure in report.figures],
        **report.extra,
    }
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_html(report: Report, path: Path) -> None:
    """Write the page; pictures are inside it. It suits telephones, wide screens, dark ones, and paper."""
    write_page("report.html.j2", {"report": report}, path)


def write_page(template: str, values: dict[str, Any], path: Path) -> None:
    """Write a page of this project's looks from one of its templates."""
    path.write_text(page_text(template, values), encoding="utf-8")


def page_text(template: str, values: dict[str, Any]) -> str:
    """The page that `write_page` writes."""
    environment = Environment(
        loader=PackageLoader("stimbench.report"),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(colors=COLORS, **values)
