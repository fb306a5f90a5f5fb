"""Scores and events in a store: entered, listed, corrected.

Nothing is overwritten: a correction names the entry that it takes the place of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from stimbench.audit.fields import CAUSES, EVENTS, INDICATION, SCORES, SEVERITIES, EventCode, ScoreField
from stimbench.errors import InputError
from stimbench.journal.store import Store

__all__ = (
    "Event",
    "Score",
    "add_event",
    "add_scores",
    "correct_event",
    "correct_score",
    "device_id_of",
    "events",
    "outside_indication",
    "parse_date",
    "parse_scores",
    "scores",
)

_DEVICE_ID = re.compile(r"[0-9a-f]{16}")
FIRST_DATE = date(2000, 1, 1)
"""Nothing of this therapy is older: an earlier date is a typing error."""


@dataclass(frozen=True)
class Score:
    """A score that counts, or one that was corrected."""

    id: int
    device_id: str
    name: str
    value: float
    on: date
    baseline: bool
    supersedes: int | None
    withdrawn: bool
    entered_s: int
    current: bool

    @property
    def field(self) -> ScoreField:
        """What it is a value of."""
        return SCORES[self.name]

    @property
    def text(self) -> str:
        """The value in words."""
        return self.field.text(self.value)


@dataclass(frozen=True)
class Event:
    """An event that counts, or one that was corrected."""

    id: int
    device_id: str
    code: str
    on: date
    severity: str
    cause: str
    supersedes: int | None
    withdrawn: bool
    entered_s: int
    current: bool

    @property
    def field(self) -> EventCode:
        """What kind of event it is."""
        return EVENTS[self.code]


def device_id_of(text: str) -> str:
    """A pseudonymous device id: 16 hexadecimal digits, in small letters.

    Raises:
        InputError: it is none. Names and numbers of patients do not belong here.
    """
    found = text.strip().lower()
    if not _DEVICE_ID.fullmatch(found):
        raise InputError(
            "That is no device id: 16 hexadecimal digits, as `stimbench log pull` shows them. "
            "Names of patients have no place here."
        )
    return found


def parse_date(text: str, now_s: float) -> date:
    """A date as YYYY-MM-DD.

    Raises:
        InputError: it is none, lies in the future, or before this therapy.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no date: write YYYY-MM-DD.") from None
    today = datetime.fromtimestamp(now_s, UTC).date()
    if found > today:
        raise InputError(f"{found} is in the future: today is {today} (UTC).")
    if found < FIRST_DATE:
        raise InputError(f"{found} is before {FIRST_DATE}: a typing error?")
    return found


def parse_scores(texts: Sequence[str]) -> dict[str, float]:
    """Scores from `nrs=7`, `satisfaction=very-satisfied`, ...

    Raises:
        InputError: one is unknown, twice there, or out of its range; the text names it.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().lower()
        if not equals or name not in SCORES:
            raise InputError(f"There is no score {name!r}: write NAME=VALUE with one of {', '.join(SCORES)}.")
        if name in found:
            raise InputError(f"{name} is given twice.")
        found[name] = _value(SCORES[name], value.strip().lower())
    if not found:
        raise InputError(f"No score is given: --score NAME=VALUE with one of {', '.join(SCORES)}.")
    return found


def _value(field: ScoreField, text: str) -> float:
    if text in field.words:
        return field.low + field.words.index(text)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    # A number that is none compares as false.
    if not field.low <= value <= field.high or value != round(value, field.decimals) or field.words:
        raise InputError(f"{field.name} = {text!r}: allowed is {field.allowed}.")
    return value


def outside_indication(found: Mapping[str, float]) -> list[str]:
    """What of baseline scores is outside the indication, a sentence each. It is said, and never refused."""
    return [
        f"The baseline {name} {SCORES[name].text(found[name])} is out of the indication: at least {least:g}."
        for name, least in INDICATION.items()
        if name in found and found[name] < least
    ]


def add_scores(
    store: Store, device_id: str, found: Mapping[str, float], on: date, baseline: bool, now_s: int
) -> list[int]:
    """Enter scores of one day, all or none; their ids.

    Raises:
        InputError: one is there already: it is to be corrected, not entered again.
    """
    there = [each for each in scores(store, device_id) if each.current and each.name in found]
    for each in there:
        if each.baseline and baseline:
            raise InputError(f"{each.name} has a baseline already (number {each.id}): correct that one.")
        if each.on == on and each.baseline == baseline:
            raise InputError(f"{each.name} of {on} is there already (number {each.id}): correct that one.")
    on_day = on.isoformat()
    rows = [(device_id, name, value, on_day, int(baseline), None, 0, now_s) for name, value in found.items()]
    return _insert(store, "scores", rows)


def _insert(store: Store, table: str, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    columns = {
        "scores": "device_id, name, value, on_date, baseline, supersedes, withdrawn, entered_s",
        "events": "device_id, code, on_date, severity, cause, supersedes, withdrawn, entered_s",
    }[table]
    sql = f"INSERT INTO {table} ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    with store.writing() as db:
        return [int(db.execute(sql, row).lastrowid or 0) for row in rows]


def add_event(
    store: Store, device_id: str, code: str, on: date, severity: str | None, cause: str | None, now_s: int
) -> int:
    """Enter an event; its id.

    Severity and cause are one of SEVERITIES and CAUSES, or None where the event is no safety outcome.

    Raises:
        InputError: a code is unknown, a safety outcome lacks severity or cause, or it is there already.
    """
    known = _checked_event(code, severity, cause)
    for each in events(store, device_id):
        if each.current and (each.code, each.on) == (code, on):
            raise InputError(f"{code} of {on} is there already (number {each.id}): correct that one.")
    return _insert(store, "events", [(device_id, code, on.isoformat(), *known, None, 0, now_s)])[0]


def _checked_event(code: str, severity: str | None, cause: str | None) -> tuple[str, str]:
    if code not in EVENTS:
        raise InputError(f"There is no event {code!r}. Events: {', '.join(EVENTS)}.")
    for name, value, allowed in (("severity", severity, SEVERITIES), ("cause", cause, CAUSES)):
        if value is not None and value not in allowed:
            raise InputError(f"There is no {name} {value!r}: one of {', '.join(allowed)}.")
    if EVENTS[code].safety and (severity in (None, "none") or cause is None):
        raise InputError(f"{code} is a safety outcome: it needs --severity (not none) and --cause.")
    return severity or "none", cause or "unknown"


def scores(store: Store, device_id: str | None = None) -> list[Score]:
    """All scores that were ever entered, of a device or of all, as they were entered."""
    found = []
    superseded = {row[0] for row in store.rows("SELECT supersedes FROM scores WHERE supersedes IS NOT NULL")}
    for row in store.rows("SELECT * FROM scores ORDER BY score"):
        number, device, name, value, on, baseline, supersedes, withdrawn, entered_s = row
        if name in SCORES and device_id in (None, device):
            current = number not in superseded and not withdrawn
            day = date.fromisoformat(on)
            found.append(Score(number, device, name, value, day, bool(baseline), supersedes, bool(withdrawn),
                               entered_s, current))  # fmt: skip
    return found


def events(store: Store, device_id: str | None = None) -> list[Event]:
    """All events that were ever entered, of a device or of all, as they were entered."""
    found = []
    superseded = {row[0] for row in store.rows("SELECT supersedes FROM events WHERE supersedes IS NOT NULL")}
    for row in store.rows("SELECT * FROM events ORDER BY event"):
        number, device, code, on, severity, cause, supersedes, withdrawn, entered_s = row
        if code in EVENTS and device_id in (None, device):
            current = number not in superseded and not withdrawn
            found.append(Event(number, device, code, date.fromisoformat(on), severity, cause, supersedes,
                               bool(withdrawn), entered_s, current))  # fmt: skip
    return found


def correct_score(
    store: Store, number: int, found: Mapping[str, float] | None, on: date | None, withdraw: bool, now_s: int
) -> int:
    """Put another value or date in the place of a score, or withdraw it; the id of the correction.

    Raises:
        InputError: there is no such score, it was corrected already, or nothing is to be changed.
    """
    old = _current(scores(store), number, "score")
    if found and list(found) != [old.name]:
        raise InputError(f"Number {number} is {old.name}, not {', '.join(found)}.")
    if not (found or on or withdraw):
        raise InputError("Nothing to correct: give --score, --date or --withdraw.")
    value = found[old.name] if found else old.value
    on_day = (on or old.on).isoformat()
    row = (old.device_id, old.name, value, on_day, int(old.baseline), number, int(withdraw), now_s)
    return _insert(store, "scores", [row])[0]


def correct_event(
    store: Store,
    number: int,
    on: date | None,
    severity: str | None,
    cause: str | None,
    withdraw: bool,
    now_s: int,
) -> int:
    """Put other data in the place of an event, or withdraw it; the id of the correction. Errors as above."""
    old = _current(events(store), number, "event")
    if not (on or severity or cause or withdraw):
        raise InputError("Nothing to correct: give --date, --severity, --cause or --withdraw.")
    known = _checked_event(old.code, severity or old.severity, cause or old.cause)
    row = (old.device_id, old.code, (on or old.on).isoformat(), *known, number, int(withdraw), now_s)
    return _insert(store, "events", [row])[0]


def _current(found: Sequence[Any], number: int, what: str) -> Any:
    for each in found:
        if each.id == number and each.current:
            return each
    if any(each.id == number for each in found):
        raise InputError(f"The {what} number {number} was corrected or withdrawn already.")
    raise InputError(f"There is no {what} number {number}.")
