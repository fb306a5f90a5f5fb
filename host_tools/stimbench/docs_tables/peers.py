"""The peers' tests of docs/peers.md, made from the plans that run them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from stimbench.checks.limits import EVERY_TEXT
from stimbench.checks.peers import allowed
from stimbench.checks.plan import Plan, load_plan

__all__ = ("criteria", "overview")

_WIDEST_LINE = 116
_WORDS = {"width": "the width", "period": "the period", "amplitude": "the amplitude"}


def overview(name: str) -> Callable[[], str]:
    """What makes the table of a built-in plan: a row a test, and which of its criteria run here."""
    return lambda: _overview(load_plan(name))


def criteria(name: str) -> Callable[[], str]:
    """What makes the list of a built-in plan: each criterion, and ours beside it."""
    return lambda: "\n".join(_entry(load_plan(name), entry) for entry in load_plan(name).peers)


def _overview(plan: Plan) -> str:
    tests: dict[str, dict[str, Any]] = {}
    for entry in plan.peers:
        test, _, letters = entry["id"].partition(" ")
        row = tests.setdefault(test, {"title": entry["title"], "here": [], "not": [], "cases": set()})
        row["not" if entry["not_applicable"] else "here"].append(letters or "all")
        row["cases"] |= {case.name for case in plan.cases if case.matrix in entry["matrix"]}
    lines = ["| test | title | criteria that run here | cases | criteria that cannot |"]
    lines.append("|---|---|---|---|---|")
    for test, row in tests.items():
        here, lacking = (", ".join(row[key]) for key in ("here", "not"))
        cells = (test, row["title"], here or "none", str(len(row["cases"]) or ""), lacking)
        lines.append(("| " + " | ".join(cells) + " |").replace("|  |", "| |").replace("|  |", "| |"))
    return "\n".join(lines)


def _entry(plan: Plan, entry: Mapping[str, Any]) -> str:
    head = f"- **{entry['id']}** {entry['title']}. Theirs ({entry['source']}): {entry['criterion']}"
    paragraphs = [head]
    if entry["not_applicable"]:
        paragraphs.append(f"  Not here: {entry['not_applicable']}")
    else:
        matrices = ", ".join(f"`{name}`" for name in entry["matrix"])
        paragraphs.append(f"  Ours: {entry['ours']}")
        limits = ", ".join(_limit(plan, entry, name) for name in entry["measures"])
        paragraphs.append(f"  Held in {matrices}: {limits}.")
    if entry["number"]:
        number = entry["number"]
        unit = f"% of {_WORDS[number['of']]}" if number["of"] else EVERY_TEXT[number["measure"]].unit
        paragraphs.append(f"  Theirs as a number: `{number['measure']}` at most {number['limit']:g} {unit}.")
    return "  \n".join(
        textwrap.fill(text, _WIDEST_LINE, subsequent_indent="  ", break_on_hyphens=False)
        for text in paragraphs
    )


def _limit(plan: Plan, entry: Mapping[str, Any], name: str) -> str:
    found = {allowed(case, name) for case in plan.cases if case.matrix in entry["matrix"]}
    values = " or ".join(f"{value:g}" for value in sorted(value for value in found if value is not None))
    return f"`{name}` at most {values} {EVERY_TEXT[name].unit}".rstrip()
