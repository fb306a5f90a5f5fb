"""The bill of materials of a board, one line for each number to order."""

from __future__ import annotations

from circuit.snapshot import Snapshot
from circuit.spec import Spec

COLUMNS = (
    "quantity", "references", "value", "tolerance", "rating", "maker", "number", "second_source",
    "must_match", "package",
)
_NEEDED = ("value", "tolerance", "rating", "maker", "number", "second_source", "must_match", "package")


def lines(board: Snapshot) -> list[dict[str, str]]:
    """The BOM's rows, by prefix and value."""
    found: dict[tuple[str, ...], tuple[Spec, list[str]]] = {}
    for part in board.parts:
        spec = part.spec
        found.setdefault((spec.prefix, spec.value, spec.number, spec.second), (spec, []))[1].append(part.ref)
    rows = [_row(spec, sorted(refs)) for spec, refs in found.values()]
    return sorted(rows, key=lambda row: (row["references"][0], row["number"]))


def _row(spec: Spec, refs: list[str]) -> dict[str, str]:
    return {
        "quantity": str(len(refs)),
        "references": " ".join(refs),
        "value": spec.value,
        "tolerance": spec.tolerance,
        "rating": spec.rating,
        "maker": spec.maker,
        "number": spec.number,
        "second_source": spec.second,
        "must_match": spec.must_match,
        "package": spec.package,
    }


def incomplete(rows: list[dict[str, str]]) -> list[str]:
    """References of lines without a number, a rating, a second source or whatever else an order needs."""
    return [row["references"] for row in rows if not all(row[name].strip() for name in _NEEDED)]

