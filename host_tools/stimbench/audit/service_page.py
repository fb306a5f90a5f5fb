"""The page and the table of a service's review."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from stimbench.audit.device import DeviceAudit
from stimbench.audit.fields import CAUSES, EVENTS, SCORES
from stimbench.audit.outcomes import Score
from stimbench.audit.page import Page, Section, Table, counted, percent_text, write_audit_page
from stimbench.audit.published import PUBLISHED
from stimbench.audit.service import Reached, Review, Share, window_days

__all__ = ("newest_shares", "service_page", "write_service_csv", "write_service_page")

_TITLES = {"nrs": "NRS less by 2 or more", "odi": "ODI less by 10 or more", "both": "both"}
_COLUMNS = (
    "measure", "months", "window_days", "reached", "seen", "share", "low", "high", "not_seen", "explanted",
    "not_yet", "published_percent", "published_source",
)  # fmt: skip
_CAVEATS = (
    "Journals of a bench, or made-up ones: no person was treated.",
    "Shares are of the devices that were seen; one column counts those that were not seen as not reached.",
    "The published figures come from trials with chosen participants, and count in their own ways: they are "
    "no target.",
    "Intervals are Wilson's, 95 %. With few devices they are wide, and say so.",
)


def write_service_page(found: Review, path: Path) -> None:
    """Write the page, whole in one file."""
    write_audit_page(service_page(found), path)


def service_page(found: Review) -> Page:
    """What the page says."""
    warnings = list(found.notes)
    warnings += [f"Device {each.device_id}: its journal is not whole."
                 for each in found.devices if each.findings]  # fmt: skip
    warnings += [f"Device {each.device_id}: the watch found {counted(len(each.faults), 'fault')}."
                 for each in found.devices if each.faults]  # fmt: skip
    if found.undated:
        warnings.append(f"{found.undated} devices have no known beginning, and are in no share.")
    return Page(
        title="Review of a service",
        summary=f"{counted(len(found.devices), 'device')}, reviewed on {found.on}.",
        verdict=f"{counted(len(warnings), 'thing')} to look at" if warnings else "Nothing to look at",
        warnings=warnings,
        sections=[_reached(found), _newest(found), _events(found), _devices(found), _published()],
        caveats=_CAVEATS,
    )


def _interval(share: Share) -> str:
    between = share.interval
    return "-" if between is None else f"{100 * between[0]:.0f} to {percent_text(between[1])}"


def _reached(found: Review) -> Section:
    windows = ", ".join(
        f"{months} months +-{window_days(months)} days" for months in dict.fromkeys(
            each.months for each in found.reached)
    )  # fmt: skip
    head = ("change", "months", "reached", "share", "95 %", "not seen", "of these explanted",
            "share, not seen as not reached", "not yet", "published")  # fmt: skip
    return Section(
        "Clinically meaningful change",
        f"Windows: {windows}; the nearest score counts. Months are counted from activation.",
        tables=[Table("Of the devices that were seen.", head, [_row(each) for each in found.reached])],
    )


def _row(each: Reached) -> list[str]:
    published = "-" if each.published is None else f"{each.published.percent:g} %"
    return [
        _TITLES[each.measure], str(each.months), f"{each.share.reached} of {each.share.seen}",
        percent_text(each.share.share), _interval(each.share), str(each.not_seen), str(each.explanted),
        percent_text(each.least.share), str(each.not_yet), published,
    ]  # fmt: skip


def newest_shares(devices: Sequence[DeviceAudit]) -> list[tuple[str, Share]]:
    """Sustained pain relief, and shares of the newest answers: satisfaction, impression, opioids stopped."""
    def word(name: str, *wanted: str) -> Callable[[DeviceAudit], bool | None]:
        def answer(device: DeviceAudit) -> bool | None:
            score = _last(device, name)
            return None if score is None else score.text in wanted

        return answer

    def stopped(device: DeviceAudit) -> bool | None:
        before = next((each for each in device.baselines if each.name == "opioids" and each.value > 0), None)
        score = _last(device, "opioids")
        return None if before is None or score is None else score.value == 0

    def sustained(device: DeviceAudit) -> bool | None:
        asked = [each.meaningful for each in device.changes if each.score.name == "nrs" and each.baseline]
        return all(asked) if len(asked) > 1 else None

    return [
        ("pain relief meaningful every time, of those asked twice or more", _share(devices, sustained)),
        ("satisfied or very satisfied", _share(devices, word("satisfaction", "satisfied", "very-satisfied"))),
        ("very satisfied", _share(devices, word("satisfaction", "very-satisfied"))),
        ("clinician's impression much better", _share(devices, word("cgi", "much-better"))),
        ("of those on opioids at the baseline, stopped", _share(devices, stopped)),
    ]


def _last(device: DeviceAudit, name: str) -> Score | None:
    found = [each.score for each in device.changes if each.score.name == name]
    return found[-1] if found else None


def _share(devices: Iterable[DeviceAudit], answer: Callable[[DeviceAudit], bool | None]) -> Share:
    given = [each for each in map(answer, devices) if each is not None]
    return Share(sum(given), len(given))


def _newest(found: Review) -> Section:
    rows = [[title, f"{share.reached} of {share.seen}", percent_text(share.share), _interval(share)]
            for title, share in newest_shares(found.devices)]  # fmt: skip
    text = "At each device's newest answer after the baseline, but for the first row."
    return Section("Sustained relief, satisfaction, impression, opioids", text, tables=[
        Table("Of the devices with an answer.", ("what", "reached", "share", "95 %"), rows)
    ])  # fmt: skip


def _events(found: Review) -> Section:
    every = [event for device in found.devices for event in device.events]
    rows = []
    for code, field in EVENTS.items():
        of_code = [event for event in every if event.code == code]
        if of_code:
            share = Share(len({event.device_id for event in of_code}), len(found.devices))
            causes = [str(sum(event.cause == cause for event in of_code)) for cause in CAUSES]
            causes = causes if field.safety else [""] * len(CAUSES)
            rows.append([field.title, str(len(of_code)), f"{share.reached} of {share.seen}", _interval(share),
                         *causes])  # fmt: skip
    head = ("event", "events", "devices", "95 %", *(f"cause {cause}" for cause in CAUSES))
    none = f"None of the {len(EVENTS)} kinds of events was entered."
    return Section("Events", "" if rows else none, tables=[Table("As entered.", head, rows)] if rows else [])


def _devices(found: Review) -> Section:
    head = ("device", "began", "sessions kept", "unknown days", "NRS", "ODI", "faults", "journal")
    rows = [[
        each.device_id, str(each.began or "not known"), percent_text(each.adherence.share),
        str(sum(each.adherence.unknown.values())), _course(each, "nrs"), _course(each, "odi"),
        str(len(each.faults)), "whole" if not each.findings else "not whole",
    ] for each in found.devices]  # fmt: skip
    return Section("Devices", tables=[Table("Each once, from baseline to the newest score.", head, rows)])


def _course(device: DeviceAudit, name: str) -> str:
    before = next((each.text for each in device.baselines if each.name == name), "?")
    last = _last(device, name)
    return f"{before} to {'?' if last is None else SCORES[name].text(last.value)}"


def _published() -> Section:
    rows = [[_TITLES.get(each.measure, each.measure), "-" if each.months is None else str(each.months),
             f"{each.percent:g} %", each.source] for each in PUBLISHED]  # fmt: skip
    return Section("Published figures", tables=[
        Table("Each with its source.", ("what", "months", "share", "source"), rows)
    ])  # fmt: skip


def write_service_csv(found: Review, file: TextIO) -> None:
    """One row a measure and time."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in found.reached:
        of, other = each.share, each.published
        share = ("", "", "") if of.interval is None else (of.share, *of.interval)
        published = ("", "") if other is None else (other.percent, other.source)
        writer.writerow((each.measure, each.months, window_days(each.months), of.reached, of.seen, *share,
                         each.not_seen, each.explanted, each.not_yet, *published))  # fmt: skip
