"""Adherence: sessions that were prescribed, day by day, and those that were delivered.

Counted are whole days (UTC, as the board counts them) from the first one on which sessions are allowed all
day, to the day before the last pull or the explantation. A day of which the journal cannot tell everything is
unknown: it counts neither as kept nor as missed, and so do days of a prescription that was never pulled. Days
in MRI or storage mode count as prescribed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stimfw.protocol import journal_entries as kinds
from stimfw.therapy.prescription import Prescription

from stimbench.audit.prescribed import Change
from stimbench.audit.sessions import Session
from stimbench.audit.timeline import DAY_S, Dated, Unknown, day_of

__all__ = ("Adherence", "Day", "adherence")

NEVER_PULLED = "prescription never pulled"


@dataclass(frozen=True)
class Day:
    """A day of the therapy.

    Attributes:
        prescribed: sessions; None if unknown.
        complete, cut_short: sessions that began on it, by how they ended.
        prescribed_s, elapsed_s: seconds of session, as prescribed and as they came.
        unknown: why nothing can be said; empty if it can.
    """

    on: date
    prescribed: int | None
    complete: int
    cut_short: int
    prescribed_s: int
    elapsed_s: int
    unknown: str


@dataclass(frozen=True)
class Adherence:
    """All days, and their sums. The shares are None where nothing was prescribed on a known day."""

    days: Sequence[Day]
    other_sessions: int
    """Sessions outside the counted days: of the first and the last day, and those without a date."""

    @property
    def known(self) -> list[Day]:
        """The days of which everything is known."""
        return [day for day in self.days if not day.unknown]

    @property
    def unknown(self) -> dict[str, int]:
        """How many days are unknown, by reason."""
        counts: dict[str, int] = {}
        for day in self.days:
            if day.unknown:
                counts[day.unknown] = counts.get(day.unknown, 0) + 1
        return counts

    @property
    def prescribed(self) -> int:
        """Sessions that were prescribed on the known days."""
        return sum(day.prescribed or 0 for day in self.known)

    @property
    def complete(self) -> int:
        """Sessions of the known days that ended because their time was over."""
        return sum(day.complete for day in self.known)

    @property
    def cut_short(self) -> int:
        """Sessions of the known days that ended otherwise."""
        return sum(day.cut_short for day in self.known)

    @property
    def missed(self) -> int:
        """Sessions of the known days that never began."""
        return sum(max(0, (day.prescribed or 0) - day.complete - day.cut_short) for day in self.known)

    @property
    def share(self) -> float | None:
        """Complete sessions to prescribed ones."""
        return self.complete / self.prescribed if self.prescribed else None

    @property
    def time_share(self) -> float | None:
        """Seconds in session to prescribed ones."""
        prescribed_s = sum(day.prescribed_s for day in self.known)
        return sum(day.elapsed_s for day in self.known) / prescribed_s if prescribed_s else None


def adherence(
    found: Sequence[Dated],
    held: Sequence[Session],
    set_: Sequence[Change],
    known: Mapping[int, Prescription],
    unknown: Sequence[Unknown],
    end_s: int,
) -> Adherence:
    """Count.

    Args:
        found: the entries of one device.
        held: its sessions.
        set_: its prescriptions, when they were set.
        known: prescriptions by version.
        unknown: the times that nothing is known of.
        end_s: when the device was last asked, in seconds since 1970.
    """
    explanted = [each.at_s for each in found if each.entry.kind == kinds.EXPLANTED and each.at_s]
    end_s = min([end_s, *explanted])
    starts = [change.starts_s for change in set_ if change.starts_s is not None]
    by_day: dict[int, list[Session]] = {}
    for session in held:
        by_day.setdefault(-1 if session.began_s is None else session.began_s // DAY_S, []).append(session)
    first = -(-min(starts) // DAY_S) if starts else 0
    days = [
        _day(number, by_day.get(number, []), _in_force(set_, number), known, unknown)
        for number in (range(first, end_s // DAY_S) if starts else ())
    ]
    counted = sum(day.complete + day.cut_short for day in days)
    return Adherence(days, len(held) - counted)


def _in_force(set_: Sequence[Change], day: int) -> Change | None:
    """The prescription with which a day begins."""
    before = [change for change in set_ if change.at_s is not None and change.at_s <= day * DAY_S]
    return before[-1] if before else None


def _day(
    number: int, held: Sequence[Session], change: Change | None, known: Mapping[int, Prescription],
    unknown: Sequence[Unknown],
) -> Day:  # fmt: skip
    begin_s = number * DAY_S
    whys = [each.why for each in unknown if each.from_s // DAY_S <= number <= each.to_s // DAY_S]
    why = whys[0] if whys else ""
    prescribed: int | None = 0
    prescribed_s = 0
    if change is not None and change.starts_s is not None and change.starts_s <= begin_s:
        holds = known.get(change.version)
        if holds is None:
            why = why or NEVER_PULLED
        else:
            prescribed, prescribed_s = holds.sessions_a_day, holds.sessions_a_day * holds.session_s
    complete = sum(session.is_complete for session in held)
    return Day(day_of(begin_s), None if why else prescribed, complete, len(held) - complete, prescribed_s,
               sum(session.elapsed_s for session in held), why)  # fmt: skip
