"""When entries happened, as far as that can be told, and which times nothing is known of.

A board without a clock notes seconds since its start. If the clock was set later in the same run, these are
dated from there. What cannot be dated is not guessed: the time between the known entries is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from stimfw.protocol import journal_entries as kinds

from stimbench.journal.entries import FIRST_UNIX_S, Entry

__all__ = ("DAY_S", "Dated", "Unknown", "dated", "day_of", "unknown_times")

DAY_S = 86_400
CLOCK, THINNED, LOST, BROKEN = "clock unknown", "journal thinned", "entries lost", "journal broken"
WRONG = "clock was wrong"
_JUMP_S = 3600
"""A clock that is set by more than this was wrong before, nobody knows since when; a crystal is not."""


@dataclass(frozen=True)
class Dated:
    """An entry and when it happened: seconds since 1970, or None.

    Attributes:
        exact: False if only the day is known.
    """

    entry: Entry
    at_s: int | None
    exact: bool = True


@dataclass(frozen=True)
class Unknown:
    """A time of which the journal tells nothing, or not all: seconds since 1970, and why."""

    from_s: int
    to_s: int
    why: str


def day_of(at_s: int) -> date:
    """The day in UTC, as the board counts its days."""
    return datetime.fromtimestamp(at_s, UTC).date()


def dated(entries: Sequence[Entry]) -> list[Dated]:
    """The entries of one device in their order, dated."""
    found: list[Dated] = []
    for run in _runs(entries):
        offset = _offset(run)
        for entry in run:
            at_s = entry.time_s if entry.has_time else None if offset is None else entry.time_s + offset
            found.append(Dated(entry, at_s if entry.readable else None))
    return _dated_by_day(found)


def _runs(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Pieces within which the uptime goes on. A marker may stand for a start, too."""
    run: list[Entry] = []
    for entry in entries:
        if run and (entry.kind in (kinds.BOOT, kinds.THINNED) or entry.journal != run[-1].journal):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _offset(run: Sequence[Entry]) -> int | None:
    """What to add to an uptime of this run; None if the clock was not set in it."""
    for entry in run:
        if entry.kind == kinds.CLOCK_SET and entry.readable:
            before_s, time_s = entry.fields["before_s"], entry.fields["time_s"]
            if before_s < FIRST_UNIX_S <= time_s:
                return int(time_s - before_s)
    return None


def _dated_by_day(found: list[Dated]) -> list[Dated]:
    """What lies between two known times of one day belongs to that day."""
    times = [each.at_s for each in found]
    for index, each in enumerate(found):
        if each.at_s is not None or not each.entry.readable:
            continue
        before = next((at for at in reversed(times[:index]) if at is not None), None)
        after = next((at for at in times[index + 1 :] if at is not None), None)
        if before is not None and after is not None and day_of(before) == day_of(after):
            found[index] = Dated(each.entry, before, exact=False)
    return found


def unknown_times(found: Sequence[Dated], end_s: int) -> list[Unknown]:
    """The times of which the journal cannot tell everything.

    Args:
        found: of one device, in order.
        end_s: until when the device was asked, in seconds since 1970.
    """
    unknown = _wrong_times(found)
    known_s: int | None = None
    why = ""
    before: Entry | None = None
    for each in found:
        why = _reason(each, before) or why
        before = each.entry
        if each.at_s is None:
            continue
        if why and known_s is not None:
            unknown.append(Unknown(known_s, max(known_s, each.at_s), why))
        known_s, why = each.at_s, ""
    if why and known_s is not None:
        unknown.append(Unknown(known_s, max(known_s, end_s), why))
    return unknown


def _wrong_times(found: Sequence[Dated]) -> list[Unknown]:
    """From one setting of the clock to the next, where the next one moves it more than a crystal's error."""
    wrong: list[Unknown] = []
    since_s: int | None = None
    for each in found:
        values = each.entry.fields
        if each.entry.kind == kinds.IMPLANTED and each.at_s is not None:
            since_s = each.at_s
        if each.entry.kind != kinds.CLOCK_SET or not values:
            continue
        before_s, time_s = values["before_s"], values["time_s"]
        if before_s >= FIRST_UNIX_S and abs(time_s - before_s) > _JUMP_S:
            # Set back: what an earlier, wrong setting put into the future is over at this time.
            wrong = [Unknown(one.from_s, min(one.to_s, max(one.from_s, time_s)), one.why) for one in wrong]
            wrong.append(Unknown(min(time_s, before_s if since_s is None else since_s), time_s, WRONG))
        since_s = time_s if before_s < FIRST_UNIX_S else min(before_s, time_s)
    return wrong


def _reason(each: Dated, before: Entry | None) -> str:
    """Why what happened up to this entry is not known; empty if it is."""
    entry = each.entry
    if not entry.readable:
        return BROKEN
    if entry.kind == kinds.THINNED and entry.fields["clinical"]:
        return THINNED
    first = entry.number - entry.fields["entries"] + 1 if entry.kind == kinds.THINNED else entry.number
    if before is not None and (first > before.number + 1 or entry.journal != before.journal):
        return BROKEN
    if entry.kind == kinds.LOST and entry.fields["what"] in (kinds.LOST_JOURNAL, kinds.LOST_QUEUE):
        return LOST
    return CLOCK if each.at_s is None else ""
