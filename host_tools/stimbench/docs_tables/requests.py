"""The tables of requests and of roles in docs/telemetry.md, made from stimfw.protocol.requests."""

from __future__ import annotations

import re
import textwrap

from stimfw.protocol import requests, roles

__all__ = ("requests_table", "roles_table")

_LETTERS = {"B": "u8", "H": "u16", "I": "u32", "h": "i16", "i": "i32"}
_CONDITIONS = {
    "session_allowed": "may begin or runs",
    "test_allowed": "may begin",
    "impedance_allowed": "may begin",
    "self_test_allowed": "may begin",
    "output_off": "output off",
    "window_closed": "no window",
    "records_usable": "records",
    "random_works": "random",
    "magnet_near": "magnet",
    "idle": "idle",
    "implanted": "implanted",
}
"""In short; docs/telemetry.md says below the table what each means."""
_WIDEST_CELL = 60
_WIDEST_LINE = 116
_NBSP = "\N{NO-BREAK SPACE}"


def requests_table() -> str:
    """Every request, a row each, and below the table the lists of fields that are too long for it."""
    below: dict[str, list[str]] = {}
    names = [row[requests.NAME] for row in requests.TABLE]
    lines = ["| request | number | answered by | body | reply | only if |", "|---|---|---|---|---|---|"]
    for row in sorted(requests.TABLE, key=lambda row: int(row[requests.OPCODE])):
        tail = _fields(row[requests.TAIL], row[requests.TAIL_FIELDS])
        if row[requests.TAIL] not in ("", "s"):
            tail = f"then any number of: {tail}" if row[requests.REPLY] else f"any number of: {tail}"
        reply = [part for part in (_fields(row[requests.REPLY], row[requests.REPLY_FIELDS]), tail) if part]
        name = row[requests.NAME].upper()
        place = name if names.count(row[requests.NAME]) == 1 else f"{name} ({row[requests.BOARDS]})"
        body = " or ".join(_fields(part, row[requests.BODY_FIELDS]) for part in row[requests.BODY].split("|"))
        cells = (
            name,
            f"0x{row[requests.OPCODE]:02X}",
            row[requests.BOARDS],
            _short(body, f"body of {place}", below),
            _short("; ".join(reply), f"reply to {place}", below),
            ", ".join(_CONDITIONS[word] for word in row[requests.CONDITIONS].split()),
        )
        lines.append(("| " + " | ".join(cells) + " |").replace("|  |", "| |").replace("|  |", "| |"))
    lines.append("")
    for fields, places in below.items():
        # A field and its type stay on one line.
        text = f"- {', '.join(places)}: {re.sub(r'(?<=[a-z_]) (?=[uib]?[0-9])', _NBSP, fields)}"
        wrapped = textwrap.fill(text, _WIDEST_LINE, subsequent_indent="  ", break_on_hyphens=False)
        lines.append(wrapped.replace(_NBSP, " "))
    return "\n".join(lines)


def _short(fields: str, place: str, below: dict[str, list[str]]) -> str:
    """The cell's text; `*below*` if it is too long, which is noted in `below` then."""
    if len(fields) <= _WIDEST_CELL:
        return fields
    below.setdefault(fields, []).append(place)
    return "*below*"


def _fields(layout: str, names: str) -> str:
    """`width_us u16, key 32`: as docs/telemetry.md writes fields."""
    if layout == "s":
        return f"{names} (the bytes to the end)"
    values = re.findall(r"(\d*)([a-zA-Z])", layout)
    return ", ".join(
        f"{name} {count if letter == 's' else _LETTERS[letter]}"
        for name, (count, letter) in zip(names.split(), values, strict=True)
    )


def roles_table() -> str:
    """What each role may send."""
    lines = ["| request | patient | clinician | service (USB only) |", "|---|---|---|---|"]
    rows = requests.answered_by("stimulator")
    for lowest in range(roles.PATIENT, roles.SERVICE + 1):
        allowed = ["yes" if role >= lowest else "no" for role in range(roles.PATIENT, roles.SERVICE + 1)]
        for row in rows:
            if row[requests.ROLE] == roles.ROLE_NAMES[lowest]:
                lines.append(f"| {row[requests.NAME].upper()} | {' | '.join(allowed)} |")
    return "\n".join(lines)
