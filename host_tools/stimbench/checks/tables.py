"""A run as data: one JSON document a device, and one table of all measurements."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stimbench.checks.flaky import flaky_cases
from stimbench.checks.outcome import CaseResult
from stimbench.checks.peers import PeerRow, peer_rows
from stimbench.checks.run import Run

__all__ = ("run_data", "write_csv_table", "write_device_files", "write_json_files")

FORMAT = 1
_COLUMNS = (
    "case", "repetition", "device", "case outcome", "measurement", "lead", "value", "unit", "low", "high",
    "uncertainty", "outcome", "count", "at_s",
)  # fmt: skip


def run_data(run: Run) -> dict[str, Any]:
    """The run without what its cases' own files hold: for `--json` and `results.json`."""
    return {
        "format": FORMAT,
        **run.about,
        "outcome": run.outcome.value,
        "counts": {outcome.value: count for outcome, count in run.counts.items()},
        "peers": [_peer(row) for row in peer_rows(run)],
        "flaky": [each.as_data() for each in flaky_cases(run.results)],
        "cases": [_brief(result) for result in run.results],
    }


def _peer(row: PeerRow) -> dict[str, Any]:
    theirs, ours = (each.value if each else None for each in (row.theirs, row.outcome))
    return asdict(row) | {"theirs": theirs, "outcome": ours}


def _brief(result: CaseResult) -> dict[str, Any]:
    data = result.as_data()
    for name in ("picture", "format"):
        del data[name]
    return data


def write_json_files(run: Run, folder: Path) -> list[str]:
    """`results.json`, and a document a device; the names of the files."""
    (folder / "results.json").write_text(json.dumps(run_data(run), indent=1) + "\n", encoding="utf-8")
    return ["results.json", *write_device_files(run, folder)]


def write_device_files(run: Run, folder: Path) -> list[str]:
    """`devices/<serial number>.json`: what was measured of one device, by whom and with what."""
    by_device: dict[str, list[CaseResult]] = {}
    for result in run.results:
        by_device.setdefault(result.device or "none", []).append(result)
    names = []
    for device, results in by_device.items():
        if device == "none":
            continue  # cases that never came to a board
        (folder / "devices").mkdir(exist_ok=True)
        name = f"devices/{''.join(c if c.isalnum() or c in '-_.' else '_' for c in device)}.json"
        document = {
            "format": FORMAT,
            "device": device,
            "plan": run.about.get("plan"),
            "plan_sha256": run.about.get("sha256"),
            "firmware": next((each.firmware for each in results if each.firmware), {}),
            "cases": [_brief(each) for each in results],
        }
        (folder / name).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        names.append(name)
    return names


def write_csv_table(run: Run, path: Path) -> None:
    """Every measurement in a row; a case without any has one row all the same."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(_COLUMNS)
        for result in run.results:
            head = [result.name, result.attempt, result.device, result.outcome.value]
            for each in result.measurements:
                at_s = "" if each.at_ns is None else f"{each.at_ns / 1e9:.9f}"
                numbers = [_number(value) for value in (each.low, each.high, each.uncertainty)]
                outcome = each.outcome.value if each.outcome else ""
                known = [each.name, each.lead, _number(each.value), each.unit, *numbers, outcome]
                table.writerow([*head, *known, each.count, at_s])
            if not result.measurements:
                table.writerow([*head, *[""] * (len(_COLUMNS) - len(head))])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"
