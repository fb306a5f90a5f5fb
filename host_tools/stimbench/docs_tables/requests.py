"""The tables of requests and of roles in docs/telemetry.md, made from stimfw.protocol.requests."""

from __future__ import annotations

import re

from stimfw.protocol import requests, roles

__all__ = ("requests_table", "roles_table")

_LETTERS = {"B": "u8", "H": "u16", "I": "u32", "h": "i16", "i": "i32"}
_CONDITIONS = {
    "session_allowed": "a session may begin, or runs",
    "test_allowed": "a session may begin, and none runs",
    "impedance_allowed": "a measurement may begin",
    "self_test_allowed": "a self-test may begin",
    "output_off": "the output is off",
    "window_closed": "no pairing window is open",
    "records_usable": "the records on flash can be used",
    "magnet_near": "a magnet is held at the stimulator",
    "idle": "no button's request is under way",
}


def requests_table() -> str:
    """Every request, a row each."""
    lines = ["| request | number | answered by | body | reply | only if |", "|---|---|---|---|---|---|"]
    for row in sorted(requests.TABLE, key=lambda row: int(row[requests.OPCODE])):
        tail = _fields(row[requests.TAIL], row[requests.TAIL_FIELDS])
        if row[requests.TAIL] not in ("", "s"):
            tail = f"then any number of: {tail}" if row[requests.REPLY] else f"any number of: {tail}"
        reply = [part for part in (_fields(row[requests.REPLY], row[requests.REPLY_FIELDS]), tail) if part]
        cells = (
            row[requests.NAME].upper(),
            f"0x{row[requests.OPCODE]:02X}",
            row[requests.BOARDS],
            " or ".join(_fields(body, row[requests.BODY_FIELDS]) for body in row[requests.BODY].split("|")),
            "; ".join(reply),
            ", ".join(_CONDITIONS[word] for word in row[requests.CONDITIONS].split()),
        )
        lines.append(("| " + " | ".join(cells) + " |").replace("|  |", "| |").replace("|  |", "| |"))
    return "\n".join(lines)


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
        own = [row for row in rows if row[requests.ROLE] == roles.ROLE_NAMES[lowest]]
        names = ", ".join(row[requests.NAME].upper() for row in own)
        allowed = ["yes" if role >= lowest else "no" for role in range(roles.PATIENT, roles.SERVICE + 1)]
        lines.append(f"| {names} | {' | '.join(allowed)} |")
    return "\n".join(lines)
