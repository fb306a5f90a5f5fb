"""A journal as CSV: one row an entry, the body's fields as one column of words."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from stimbench.journal.entries import Entry, unix_text

__all__ = ("write_csv",)

COLUMNS = ("device", "number", "time_s", "time", "kind", "group", "sender", "fields", "chain", "readable")


def write_csv(entries: Iterable[Entry], file: TextIO) -> None:
    """Write the entries to an open file; `time` is empty where the board did not know it."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        time = unix_text(entry.time_s) if entry.has_time else ""
        writer.writerow((
            entry.device_id, entry.number, entry.time_s, time, entry.name, entry.group, entry.sender_name,
            entry.text, entry.chain.hex(), "yes" if entry.readable else "no",
        ))  # fmt: skip
