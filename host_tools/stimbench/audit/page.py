"""What the pages of audits consist of, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stimbench.audit.timeline import day_of
from stimbench.report.page import write_page
from stimbench.report.style import Picture

__all__ = (
    "Page",
    "Section",
    "Table",
    "counted",
    "day_text",
    "number_text",
    "percent_text",
    "write_audit_page",
)


_SPACE = "\u00a0"
"""Between a number and its unit, and between thousands: no line ends there."""


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A part of a page: a sentence, pictures, facts (name and value), tables."""

    title: str
    text: str = ""
    pictures: Sequence[Picture] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Page:
    """What the template audit.html.j2 takes. `warnings` are what somebody has to look at."""

    title: str
    summary: str
    verdict: str
    warnings: Sequence[str]
    sections: Sequence[Section]
    caveats: Sequence[str]


def write_audit_page(page: Page, path: Path) -> None:
    """Write it, whole in one file."""
    write_page("audit.html.j2", {"page": page}, path)


def counted(count: int, noun: str) -> str:
    """`1 fault`, `2 faults`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def day_text(at_s: int | None) -> str:
    """A day as a date in UTC; `not known`."""
    return "not known" if at_s is None else day_of(at_s).isoformat()


def percent_text(share: float | None) -> str:
    """A share in percent; `-` where there is none."""
    return "-" if share is None else f"{100 * share:.0f}{_SPACE}%"


def number_text(value: float | None, unit: str = "") -> str:
    """A number with its unit; `not known`."""
    if value is None:
        return "not known"
    return f"{value:,.0f}".replace(",", _SPACE) + (_SPACE + unit if unit else "")
