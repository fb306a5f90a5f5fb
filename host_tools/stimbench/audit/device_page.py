"""The page and the table of one device."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from stimfw.protocol import journal_entries as kinds

from stimbench.audit.charts import adherence_chart, impedance_chart, score_chart
from stimbench.audit.device import DeviceAudit, ScoreChange
from stimbench.audit.fields import INDICATION
from stimbench.audit.leads import LeadTotal
from stimbench.audit.page import (
    Page,
    Section,
    Table,
    counted,
    day_text,
    number_text,
    percent_text,
    write_audit_page,
)
from stimbench.journal.entries import unix_text
from stimbench.report.style import Chart, Picture, picture_of

__all__ = ("device_page", "warnings_of", "write_device_csv", "write_device_page")

_MOST_ROWS = 200
_COLUMNS = ("device", "date", "prescribed", "complete", "cut_short", "prescribed_s", "elapsed_s", "unknown")
_DELIVERED = (
    "sessions", "contractions", "pulses", "charge, cathodic phases", "mean amplitude",
    "largest pulse", "pulses without a measurement",
)  # fmt: skip
CAVEATS = (
    "A bench for resistors and saline made this journal, or a made-up one: no person was treated.",
    "Currents and charges are what the board itself measured; docs/figures.md states how well it does.",
    "Prescribed pulses are those of the contractions that were completed: one that was cut short adds some.",
    "Prescribed charge and amplitude are what was set for the pulses that came, as the board notes it.",
    "A marker of the journal for entries that the board dropped cannot be recomputed: it is taken as it is.",
)


def write_device_page(audit: DeviceAudit, path: Path) -> None:
    """Write the page, whole in one file."""
    write_audit_page(device_page(audit), path)


def device_page(audit: DeviceAudit) -> Page:
    """What the page says."""
    warnings = list(warnings_of(audit))
    kept = audit.adherence
    return Page(
        title=f"Audit of device {audit.device_id}",
        summary=f"Implanted {day_text(audit.implanted_s)}, therapy from {day_text(audit.activated_s)}, "
        f"journal pulled {day_text(audit.pulled_s)}. {kept.complete} of {kept.prescribed} prescribed "
        f"sessions complete on the {len(kept.known)} days that are known.",
        verdict=f"{counted(len(warnings), 'thing')} to look at" if warnings else "Nothing to look at",
        warnings=warnings,
        sections=[_adherence(audit), _delivered(audit), _leads(audit), _faults(audit), _supply(audit),
                  _scores(audit), _events(audit), _journal(audit)],
        caveats=CAVEATS,
    )  # fmt: skip


def warnings_of(audit: DeviceAudit) -> Iterator[str]:
    """What somebody has to look at, a sentence each."""
    for finding in audit.findings:
        yield f"The journal is not whole. {finding.text}"
    if audit.faults:
        yield f"The watch found {counted(len(audit.faults), 'fault')}."
    warned = [each.entry.words.get("warning") for each in audit.of_kind(kinds.WARNING)]
    for name, count in Counter(warned).items():
        yield f"The watch warned {counted(count, 'time')}: {name}."
    for each in audit.of_kind(kinds.BATTERY):
        yield f"Battery: {each.entry.words.get('after')}, {_when(each.at_s)}."
    for each in audit.of_kind(kinds.LOST):
        yield f"The board lost something: {each.entry.text}, {_when(each.at_s)}."
    for score in audit.baselines:
        if score.value < INDICATION.get(score.name, score.value):
            yield f"The baseline {score.name} {score.text} is out of the indication: at least " \
                  f"{INDICATION[score.name]:g}."  # fmt: skip
    for event in audit.events:
        if event.field.safety:
            yield f"{event.field.title}, {event.on}: {event.severity}, cause {event.cause}."


def _pictures(*charts: Chart | None) -> list[Picture]:
    return [picture_of(chart) for chart in charts if chart is not None]


def _when(at_s: int | None) -> str:
    return "at a time that is not known" if at_s is None else unix_text(at_s)


def _adherence(audit: DeviceAudit) -> Section:
    kept = audit.adherence
    unknown = ", ".join(f"{count} ({why})" for why, count in kept.unknown.items()) or "0"
    return Section(
        "Adherence",
        "Whole days (UTC) since sessions are allowed. Days that nothing is known of count neither as kept "
        "nor as missed.",
        _pictures(adherence_chart(kept)),
        [
            ("days known", str(len(kept.known))),
            ("days unknown", unknown),
            ("sessions prescribed", str(kept.prescribed)),
            ("complete", f"{kept.complete} ({percent_text(kept.share)})"),
            ("cut short", str(kept.cut_short)),
            ("never begun", str(kept.missed)),
            ("time in session", f"{percent_text(kept.time_share)} of what was prescribed"),
            ("sessions on other days", str(kept.other_sessions)),
        ],
    )


def _delivered(audit: DeviceAudit) -> Section:
    caption = "As the board measured it, beside what was prescribed: amplitude times width, ramps included."
    head = ("", *(f"{total.lead}, {what}" for total in audit.leads for what in ("prescribed", "measured")))
    columns = [column for total in audit.leads for column in _lead_columns(total)]
    rows = [[name, *cells] for name, *cells in zip(_DELIVERED, *columns, strict=True)]
    return Section("Stimulation delivered", tables=[Table(caption, head, rows)])


def _lead_columns(total: LeadTotal) -> tuple[list[str], list[str]]:
    """What was prescribed and what was measured, in the order of _DELIVERED."""
    prescribed = ["", "", number_text(total.planned_pulses), number_text(total.planned_charge_uc, "uC"),
                  number_text(total.prescribed_ua, "uA"), "", ""]  # fmt: skip
    measured = [
        str(total.sessions), number_text(total.contractions), number_text(total.pulses),
        number_text(total.charge_uc, "uC"), number_text(total.mean_ua, "uA"),
        number_text(total.most_ua, "uA"), number_text(total.missed),
    ]  # fmt: skip
    return prescribed, measured


def _leads(audit: DeviceAudit) -> Section:
    measured = audit.impedances
    bad = [each for each in measured if each.kind != "ok"]
    undated = sum(each.at_s is None for each in measured)
    return Section(
        "Lead integrity",
        f"{len(measured)} impedances were measured, {len(bad)} of them not ok; {undated} have no date and "
        "are not in the picture.",
        _pictures(impedance_chart(measured, audit.faults)),
    )


def _faults(audit: DeviceAudit) -> Section:
    rows = [[_when(each.at_s), each.name, each.lead, each.action, str(each.pulse), each.figures]
            for each in audit.faults]  # fmt: skip
    parts = audit.of_kind(kinds.WARNING, kinds.PART_FAILED, kinds.PART_MENDED, kinds.INTERFERENCE,
                          kinds.FAULT_CLEARED)  # fmt: skip
    tables = []
    if rows:
        head = ("time", "fault", "lead", "action", "pulse", "figures")
        tables.append(Table(_newest("What the watch found.", rows), head, rows[-_MOST_ROWS:]))
    others = [[_when(each.at_s), each.entry.name, each.entry.text] for each in parts]
    if others:
        caption = _newest("Warnings, parts, interference, faults that were cleared.", others)
        tables.append(Table(caption, ("time", "what", "details"), others[-_MOST_ROWS:]))
    return Section("Faults", "" if tables else "The journal tells of no fault.", tables=tables)


def _newest(caption: str, rows: list[list[str]]) -> str:
    return caption if len(rows) <= _MOST_ROWS else f"{caption} The newest {_MOST_ROWS} of {len(rows)}."


def _supply(audit: DeviceAudit) -> Section:
    checks = audit.of_kind(kinds.DAILY_CHECK)
    readings = [each.entry.fields["supply_mv"] for each in checks if each.entry.fields]
    rows = [[_when(each.at_s), *map(str, each.entry.words.values())] for each in audit.of_kind(kinds.BATTERY)]
    text = "No daily reading is kept."
    if readings:
        between = f"{min(readings)} to {max(readings)} mV"
        text = f"{len(readings)} daily readings: {between}, the newest {readings[-1]} mV."
    tables = [Table("Changes of its state.", ("time", "before", "after", "supply, mV"), rows)] if rows else []
    return Section("Battery", text, tables=tables)


def _scores(audit: DeviceAudit) -> Section:
    rows = [[score.name, str(score.on), score.text, "baseline", "", ""] for score in audit.baselines]
    rows += [_change_row(change) for change in audit.changes]
    every = [*audit.baselines, *(change.score for change in audit.changes)]
    relief = [change.meaningful for change in audit.changes if change.score.name == "nrs"]
    text = "Clinically meaningful: NRS less by 2 or more, ODI by 10 or more. " + (
        f"Pain relief was meaningful at {sum(map(bool, relief))} of {len(relief)} times that it was asked."
        if relief else "Pain after the baseline was not entered."
    )  # fmt: skip
    head = ("score", "date", "value", "months", "change", "clinically meaningful")
    table = Table("As they were entered.", head, rows)
    return Section("Outcomes", text, _pictures(score_chart(every)), tables=[table] if rows else [])


def _change_row(change: ScoreChange) -> list[str]:
    field = change.score.field
    moved = "no baseline" if change.baseline is None else "" if change.change is None else \
        f"{change.change:+.{field.decimals}f}"  # fmt: skip
    verdict = {None: "", True: "yes", False: "no"}[change.meaningful]
    months = "" if change.months is None else f"{change.months:.1f}"
    return [change.score.name, str(change.score.on), change.score.text, months, moved, verdict]


def _events(audit: DeviceAudit) -> Section:
    rows = [[str(each.on), each.field.title, each.severity, each.cause] for each in
            sorted(audit.events, key=lambda each: (each.on, each.id))]  # fmt: skip
    table = Table("As they were entered.", ("date", "event", "severity", "thought the cause"), rows)
    return Section("Events", "" if rows else "None were entered.", tables=[table] if rows else [])


def _journal(audit: DeviceAudit) -> Section:
    numbers = "none" if audit.numbers is None else f"{audit.numbers[0]} to {audit.numbers[1]}"
    verdict = f"not whole: {counted(len(audit.findings), 'finding')}" if audit.findings else "whole"
    return Section("Journal", facts=[
        ("device", audit.device_id),
        ("firmware at the last pull", audit.firmware or "not known"),
        ("entries", f"{len(audit.found)}, numbers {numbers}"),
        ("dropped by the board itself", str(audit.thinned)),
        ("chain of the newest entry", audit.chain or "none"),
        ("verified", verdict),
        ("starts", str(len(audit.of_kind(kinds.BOOT)))),
        ("explanted", day_text(audit.explanted_s) if audit.explanted_s else "no"),
    ])  # fmt: skip


def write_device_csv(audit: DeviceAudit, file: TextIO) -> None:
    """One row a day: what was prescribed and delivered."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for day in audit.adherence.days:
        prescribed = "" if day.prescribed is None else day.prescribed
        writer.writerow((audit.device_id, day.on, prescribed, day.complete, day.cut_short, day.prescribed_s,
                         day.elapsed_s, day.unknown))  # fmt: skip
