"""Writes the tables of the documentation that come from code: `python -m stimbench.docs`, or `make docs`.

A table stands between two comments, `<!-- NAME: generated -->` and `<!-- NAME: end -->`. A test says whether
it is up to date.
"""

from __future__ import annotations

import re
from pathlib import Path

from stimfw.protocol import requests, roles

from stimbench.project import find_project_root

__all__ = ("PAGE", "rewritten")

PAGE = find_project_root() / "docs" / "telemetry.md"
_LETTERS = {"B": "u8", "H": "u16", "I": "u32", "h": "i16", "i": "i32"}
_CONDITIONS = {
    "output_off": "the output is off",
    "window_closed": "no pairing window is open",
    "records_usable": "the records on flash can be used",
    "magnet_near": "a magnet is held at the stimulator",
    "idle": "no button's request is under way",
}


def rewritten(page: str) -> str:
    """`page` with its generated tables as they have to be.

    Raises:
        ValueError: a pair of comments is missing.
    """
    for name, lines in (("requests", _requests()), ("roles", _roles())):
        first, last = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
        if first not in page or last not in page:
            raise ValueError(f"no place for the table {name}")
        before, rest = page.split(first)
        page = before + first + "".join(f"{line}\n" for line in lines) + last + rest.split(last)[1]
    return page


def _requests() -> list[str]:
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
    return lines


def _fields(layout: str, names: str) -> str:
    """`width_us u16, key 32`: as docs/telemetry.md writes fields."""
    if layout == "s":
        return f"{names} (the bytes to the end)"
    values = re.findall(r"(\d*)([a-zA-Z])", layout)
    return ", ".join(
        f"{name} {count if letter == 's' else _LETTERS[letter]}"
        for name, (count, letter) in zip(names.split(), values, strict=True)
    )


def _roles() -> list[str]:
    lines = ["| request | patient | clinician | service (USB only) |", "|---|---|---|---|"]
    rows = requests.answered_by("stimulator")
    for lowest in range(roles.PATIENT, roles.SERVICE + 1):
        own = [row for row in rows if row[requests.ROLE] == roles.ROLE_NAMES[lowest]]
        names = ", ".join(row[requests.NAME].upper() for row in own)
        allowed = ["yes" if role >= lowest else "no" for role in range(roles.PATIENT, roles.SERVICE + 1)]
        lines.append(f"| {names} | {' | '.join(allowed)} |")
    return lines


def main(page: Path = PAGE) -> None:
    """Rewrite the page."""
    page.write_text(rewritten(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
