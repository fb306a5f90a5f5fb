"""`python -m stimbench.docs_tables`: writes every table again."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from stimbench.docs_tables import numbers, peers, requests, states, watch
from stimbench.docs_tables.markers import filled
from stimbench.project import find_project_root

TABLES: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("docs/firmware.md", "states", states.table),
    ("docs/peers.md", "opennerve", peers.overview("opennerve")),
    ("docs/peers.md", "opennerve's criteria", peers.criteria("opennerve")),
    ("docs/peers.md", "iec60601-2-10", peers.overview("iec60601-2-10")),
    ("docs/peers.md", "iec60601-2-10's criteria", peers.criteria("iec60601-2-10")),
    ("docs/telemetry.md", "numbers", numbers.table),
    ("docs/telemetry.md", "requests", requests.requests_table),
    ("docs/telemetry.md", "roles", requests.roles_table),
    ("docs/watch.md", "watch", watch.table),
)
"""File, marker, and what makes the text between its comments."""


def main(words: list[str] | None = None) -> None:
    """Write the files that change. words: none are taken, but --help."""
    argparse.ArgumentParser(prog="stimbench.docs_tables", description=__doc__).parse_args(words)
    root = find_project_root()
    for name, marker, make in TABLES:
        path = root / name
        before = path.read_text()
        after = filled(before, marker, make())
        if after != before:
            path.write_text(after)
            print(f"{name}: {marker} written again")
