"""The device part of an incident report: what the journal tells of a time, and whether it is whole."""

from __future__ import annotations

from typing import Any

from stimfw.protocol import journal_entries as kinds

from stimbench.audit.device import DeviceAudit
from stimbench.audit.timeline import DAY_S, Dated, day_of
from stimbench.journal.entries import unix_text

__all__ = ("as_text", "incident_of")

FORMAT = 1
_ALWAYS = (kinds.IMPLANTED, kinds.EXPLANTED, kinds.PRESCRIBED)
"""Told whatever their time: they say what the device is and was set to."""
_TOLD = (
    kinds.BOOT, kinds.CLOCK_SET, kinds.PRESCRIPTION_CLAMPED, kinds.FAULT, kinds.FAULT_FIGURES,
    kinds.FAULT_CLEARED, kinds.WARNING, kinds.BATTERY, kinds.PART_FAILED, kinds.PART_MENDED, kinds.LOST,
    kinds.INTERFERENCE, kinds.MODE, kinds.MAGNET, kinds.SESSION_BEGAN, kinds.SESSION_ENDED, kinds.THINNED,
)  # fmt: skip


def incident_of(audit: DeviceAudit, now_s: int, last_days: int | None) -> dict[str, Any]:
    """The report as data.

    Args:
        audit: of the device.
        now_s: seconds since 1970.
        last_days: how far back from the last pull; None: everything. What has no known time is told always.
    """
    end_s = audit.pulled_s or now_s
    from_s = None if last_days is None else end_s - last_days * DAY_S
    told = [
        each for each in audit.found
        if each.entry.kind in _ALWAYS
        or (each.entry.kind in _TOLD and (from_s is None or each.at_s is None or each.at_s >= from_s))
    ]  # fmt: skip
    return {
        "format": FORMAT,
        "device": audit.device_id,
        "firmware": audit.firmware or None,
        "made": unix_text(now_s),
        "pulled": _text(audit.pulled_s),
        "from": _text(from_s),
        "implanted": _text(audit.implanted_s),
        "explanted": _text(audit.explanted_s),
        "journal": _journal(audit),
        "faults": sum(each.entry.kind == kinds.FAULT for each in told),
        "unknown_times": [
            {"from": unix_text(each.from_s), "to": unix_text(each.to_s), "why": each.why}
            for each in audit.unknown
            if from_s is None or each.to_s >= from_s
        ],
        "events": [
            {"event": each.field.title, "date": str(each.on), "severity": each.severity, "cause": each.cause}
            for each in audit.events
            if from_s is None or each.on >= day_of(from_s)
        ],
        "entries": [_entry(each) for each in told],
    }


def _text(at_s: int | None) -> str | None:
    return None if at_s is None else unix_text(at_s)


def _journal(audit: DeviceAudit) -> dict[str, Any]:
    first, last = audit.numbers or (None, None)
    return {
        "whole": not audit.findings,
        "chain": audit.chain,
        "first": first,
        "last": last,
        "dropped_by_the_board": audit.thinned,
        "findings": [each.text for each in audit.findings],
    }


def _entry(each: Dated) -> dict[str, Any]:
    return {
        "number": each.entry.number,
        "time": _text(each.at_s),
        "entry": each.entry.name,
        "sender": each.entry.sender_name,
        "fields": each.entry.words,
    }


def as_text(report: dict[str, Any]) -> str:
    """The report for a person, who copies it into a form."""
    journal = report["journal"]
    verdict = "whole" if journal["whole"] else "NOT WHOLE"
    lines = [
        f"Device part of an incident report, made {report['made']}",
        f"Device                {report['device']}",
        f"Firmware              {report['firmware'] or 'not known'}",
        f"Implanted             {report['implanted'] or 'not known'}",
        f"Explanted             {report['explanted'] or 'no'}",
        f"Journal pulled        {report['pulled'] or 'never to its end'}",
        f"Journal               entries {journal['first']} to {journal['last']}, {verdict}",
        f"Chain                 {journal['chain']}",
        f"Time covered          {report['from'] or 'the beginning'} until the pull",
        f"Faults                {report['faults']}",
    ]
    lines += [f"  not whole: {text}" for text in journal["findings"]]
    lines += ["", "Entered by clinicians:"]
    lines += [f"  {each['date']}  {each['event']}, {each['severity']}, cause {each['cause']}"
              for each in report["events"]] or ["  nothing"]  # fmt: skip
    lines += ["", "Nothing, or not all, is known of:"]
    lines += [f"  {each['from']} to {each['to']}: {each['why']}"
              for each in report["unknown_times"]] or ["  no time"]  # fmt: skip
    lines += ["", "From the journal:"]
    lines += [_line(each) for each in report["entries"]] or ["  nothing"]
    return "\n".join(lines) + "\n"


def _line(each: dict[str, Any]) -> str:
    fields = ", ".join(f"{name} {value}" for name, value in each["fields"].items())
    by = f" by {each['sender']}" if each["sender"] else ""
    return f"  {each['number']:>6}  {each['time'] or 'time not known':<20}  {each['entry']}{by}: {fields}"
