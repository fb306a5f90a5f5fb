"""Sessions as a journal tells them: planned, delivered, why they ended, and what came out of each lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stimfw.protocol import journal_entries as kinds
from stimfw.protocol import messages

from stimbench.audit.timeline import Dated
from stimbench.journal.entries import UNKNOWN_ELAPSED_S

__all__ = ("Delivered", "Session", "sessions")


@dataclass(frozen=True)
class Delivered:
    """What the board measured of a lead in a session.

    Attributes:
        pulses: that were given.
        charge_uc: of their cathodic phases together, in uC.
        contractions: that were begun.
        prescribed_ua, mean_ua: the mean amplitude that was set and that came out, ramps included; None if the
            journal does not say.
        most_ua: the largest pulse; None likewise.
        missed: pulses that were not measured.
    """

    pulses: int = 0
    charge_uc: int = 0
    contractions: int = 0
    prescribed_ua: int | None = None
    mean_ua: int | None = None
    most_ua: int | None = None
    missed: int = 0


@dataclass
class Session:
    """One session.

    Attributes:
        began_s: in seconds since 1970; None: not known.
        version: of the prescription.
        planned_s, elapsed_s: its length as prescribed and as it came; 0 if nobody knows: a restart ended it.
        cause: messages.STOPPED_...; None: the journal does not tell its end, a reset cut it say.
        cycles: of ramp up, hold, ramp down and rest.
        leads: by lead, 0 left and 1 right.
    """

    number: int
    began_s: int | None
    version: int
    planned_s: int
    elapsed_s: int = 0
    cause: int | None = None
    cycles: int = 0
    leads: dict[int, Delivered] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether it ended because its time was over."""
        return self.cause == messages.STOPPED_SESSION_OVER


def sessions(found: Sequence[Dated]) -> list[Session]:
    """The sessions of one device in their order."""
    all_of_them: list[Session] = []
    for each in found:
        entry = each.entry
        values = entry.fields
        last = all_of_them[-1] if all_of_them else None
        if entry.kind == kinds.SESSION_BEGAN:
            all_of_them.append(Session(values["session"], each.at_s, values["version"], values["planned_s"]))
        elif last is None or not values:
            continue
        elif entry.kind == kinds.SESSION_ENDED and values["session"] == last.number and last.cause is None:
            last.cause, last.cycles = values["cause"], values["cycles"]
            last.elapsed_s = 0 if values["elapsed_s"] == UNKNOWN_ELAPSED_S else values["elapsed_s"]
        elif entry.kind in (kinds.DELIVERED, kinds.CURRENT):
            _deliver(last, entry.kind, values)
    return all_of_them


def _deliver(session: Session, kind: int, values: dict[str, int]) -> None:
    old = session.leads.get(values["lead"], Delivered())
    if kind == kinds.DELIVERED:
        new = Delivered(values["pulses"], values["charge_uc"], values["contractions"], old.prescribed_ua,
                        old.mean_ua, old.most_ua, old.missed)  # fmt: skip
    else:
        new = Delivered(old.pulses, old.charge_uc, old.contractions, values["prescribed_ua"],
                        values["mean_ua"], values["most_ua"], values["missed"])  # fmt: skip
    session.leads[values["lead"]] = new
