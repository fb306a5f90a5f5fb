"""`stimbench audit` and `stimbench incident`: reports from stores."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from stimbench.cli.common import JsonOption, err, out, print_json, services
from stimbench.errors import EXIT_CHECK_FAILED, InputError
from stimbench.journal.store import Store

__all__ = ("audit", "incident")

_DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="ID", help="Which one, if the store has several.")
]


def audit(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="STORE|DIR...", help="A store: one device. Folders: a service.")
    ],
    html: Annotated[Path | None, typer.Option("--html", help="Page; default: audit.html.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Table; default: audit.csv.")] = None,
    fhir: Annotated[
        Path | None, typer.Option("--fhir", metavar="FILE", help="Also a FHIR R5 Bundle of the device.")
    ] = None,
    device: _DeviceOption = None,
    service: Annotated[bool, typer.Option("--service", help="One store, as a service.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Report a device from its journal and outcomes, or review a service of many.

    A device: adherence, stimulation delivered, lead integrity, faults, battery, and changes against the
    clinically meaningful ones. A service: how many reached these at 3, 6, 12 months and yearly, with
    intervals, and how many were not seen, beside the published figures. Writes a page and a table. Exits 1 if
    a journal is not whole.
    """
    now_s = int(services(ctx).now_s())
    page, table = html or Path("audit.html"), csv or Path("audit.csv")
    if service or len(paths) > 1 or paths[0].is_dir():
        if device is not None or fhir is not None:
            raise InputError("--device and --fhir are for one device: name its store.")
        whole = _review(paths, now_s, page, table, as_json)
    else:
        whole = _device(paths[0], device, now_s, page, table, fhir, as_json)
    if not whole:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _device(
    path: Path, device: str | None, now_s: int, page: Path, table: Path, fhir: Path | None, as_json: bool
) -> bool:
    from stimbench.audit.device import audit_of, chosen_device
    from stimbench.audit.device_page import write_device_csv, write_device_page

    with Store(path) as store:
        found = audit_of(store, chosen_device(store, device), now_s)
    write_device_page(found, page)
    _write_table(table, lambda file: write_device_csv(found, file))
    files = [page, table]
    if fhir is not None:
        from stimbench.audit.fhir import bundle_of

        fhir.write_text(json.dumps(bundle_of(found, now_s), indent=2) + "\n", encoding="utf-8")
        files.append(fhir)
    kept = found.adherence
    summary = {
        "device": found.device_id, "whole": not found.findings, "prescribed": kept.prescribed,
        "complete": kept.complete, "cut_short": kept.cut_short, "missed": kept.missed,
        "known_days": len(kept.known), "unknown_days": kept.unknown, "faults": len(found.faults),
    }  # fmt: skip
    _say(summary, files, as_json)
    for finding in found.findings:
        err.print(f"[bold red]Not whole:[/] {finding.text}", soft_wrap=True)
    return not found.findings


def _review(paths: list[Path], now_s: int, page: Path, table: Path, as_json: bool) -> bool:
    from stimbench.audit.service import review, stores_of
    from stimbench.audit.service_page import write_service_csv, write_service_page

    found = review(stores_of(paths), now_s)
    write_service_page(found, page)
    _write_table(table, lambda file: write_service_csv(found, file))
    broken = [each.device_id for each in found.devices if each.findings]
    shares = [{"measure": each.measure, "months": each.months, "reached": each.share.reached,
               "seen": each.share.seen, "interval": each.share.interval, "not_seen": each.not_seen,
               "not_yet": each.not_yet} for each in found.reached]  # fmt: skip
    summary: dict[str, Any] = {"devices": len(found.devices), "not_whole": broken, "notes": found.notes}
    _say(summary | ({"reached": shares} if as_json else {}), [page, table], as_json)
    return not broken


def _write_table(path: Path, write: Callable[[Any], None]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write(file)


def _say(summary: dict[str, Any], files: list[Path], as_json: bool) -> None:
    if as_json:
        print_json(summary | {"files": [str(path) for path in files]})
        return
    for name, value in summary.items():
        out.print(f"{name.replace('_', ' '):<14} {_words(value)}", markup=False, soft_wrap=True)
    out.print("Written: " + ", ".join(map(str, files)), markup=False, soft_wrap=True)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{count} ({why})" for why, count in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def incident(
    ctx: typer.Context,
    store: Annotated[Path, typer.Argument(metavar="STORE", help="As `stimbench log pull` makes it.")],
    last: Annotated[
        int | None, typer.Option("--last", min=1, metavar="DAYS", help="Of the last days before the pull.")
    ] = None,
    device: _DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the device part of an incident report, from its journal. Exits 1 if the journal is not whole.

    It names the hash of the journal's chain, so that whoever pulls the journal later can tell that it is the
    same one.
    """
    from stimbench.audit.device import audit_of, chosen_device
    from stimbench.audit.incident import as_text, incident_of

    now_s = int(services(ctx).now_s())
    with Store(store) as opened:
        report = incident_of(audit_of(opened, chosen_device(opened, device), now_s), now_s, last)
    if as_json:
        print_json(report)
    else:
        sys.stdout.write(as_text(report))
    if not report["journal"]["whole"]:
        raise typer.Exit(EXIT_CHECK_FAILED)
