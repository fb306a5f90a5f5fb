"""What a journal tells of the leads: what came out beside what was prescribed, impedances, and faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stimfw.protocol import journal_entries as kinds
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.ranges import LEADS

from stimbench.audit.prescribed import contraction_of
from stimbench.audit.sessions import Delivered, Session
from stimbench.audit.timeline import Dated
from stimbench.journal.entries import fault_name

__all__ = ("Fault", "Impedance", "LeadTotal", "faults", "impedances", "lead_totals")


@dataclass(frozen=True)
class LeadTotal:
    """A lead over all sessions.

    Attributes:
        lead: `left` or `right`.
        sessions: with measurements of it.
        pulses, charge_uc, contractions: as the board measured them; the charge is of the cathodic phases.
        planned_pulses, planned_charge_uc: of the same number of whole contractions as prescribed; None where
            a prescription was never pulled.
        prescribed_ua: of the newest session.
        mean_ua: over all pulses; None if the journal does not say.
        most_ua: the largest pulse.
        missed: pulses that were not measured.
    """

    lead: str
    sessions: int
    pulses: int
    planned_pulses: int | None
    charge_uc: int
    planned_charge_uc: float | None
    contractions: int
    prescribed_ua: int | None
    mean_ua: float | None
    most_ua: int | None
    missed: int


@dataclass(frozen=True)
class Impedance:
    """A measurement of an electrode pair. `kind` is of messages.KIND_NAMES, `at_s` None if not known."""

    at_s: int | None
    lead: int
    pair: str
    kind: str
    ohm: int
    capacitance_nf: int
    why: str


@dataclass(frozen=True)
class Fault:
    """A fault that the watch found, with its figures in words if the journal has them."""

    at_s: int | None
    number: int
    name: str
    lead: str
    action: str
    pulse: int
    figures: str


def lead_totals(held: Sequence[Session], known: Mapping[int, Prescription]) -> list[LeadTotal]:
    """Of the left and the right lead."""
    return [_total(lead, held, known) for lead in range(len(LEADS))]


def _total(lead: int, held: Sequence[Session], known: Mapping[int, Prescription]) -> LeadTotal:
    given = [(session, session.leads[lead]) for session in held if lead in session.leads]
    contractions = {version: contraction_of(each, lead) for version, each in known.items()}
    plans = [_planned(session, got, lead, contractions, known) for session, got in given]
    whole = [plan for plan in plans if plan is not None]
    weighed = [(got.mean_ua, got.pulses) for _, got in given if got.mean_ua is not None and got.pulses]
    pulses = sum(count for _, count in weighed)
    prescribed = [got.prescribed_ua for _, got in given if got.prescribed_ua is not None]
    return LeadTotal(
        lead=LEADS[lead],
        sessions=len(given),
        pulses=sum(got.pulses for _, got in given),
        planned_pulses=sum(plan[0] for plan in whole) if len(whole) == len(plans) else None,
        charge_uc=sum(got.charge_uc for _, got in given),
        planned_charge_uc=sum(plan[1] for plan in whole) if len(whole) == len(plans) else None,
        contractions=sum(got.contractions for _, got in given),
        prescribed_ua=prescribed[-1] if prescribed else None,
        mean_ua=sum(mean * count for mean, count in weighed) / pulses if pulses else None,
        most_ua=max((got.most_ua for _, got in given if got.most_ua is not None), default=None),
        missed=sum(got.missed for _, got in given),
    )


def _planned(
    session: Session, got: Delivered, lead: int, contractions: Mapping[int, tuple[int, float]],
    known: Mapping[int, Prescription],
) -> tuple[int, float] | None:  # fmt: skip
    """Pulses and charge that a session's contractions ought to have; None if that is not known."""
    if session.version not in known:
        return None
    pulses, charge_uc = contractions[session.version]
    own_ua = known[session.version].amplitude_ua[lead]
    scale = 1.0 if got.prescribed_ua is None or not own_ua else got.prescribed_ua / own_ua
    return got.contractions * pulses, got.contractions * charge_uc * scale


def impedances(found: Sequence[Dated]) -> list[Impedance]:
    """All that were measured, in order."""
    return [
        Impedance(each.at_s, each.entry.fields["lead"], words["pair"], words["kind"], words["ohm"],
                  words["capacitance_nf"], words["why"])
        for each in found
        if each.entry.kind == kinds.IMPEDANCE and (words := each.entry.words)
    ]  # fmt: skip


def faults(found: Sequence[Dated]) -> list[Fault]:
    """All that the watch found, in order."""
    every: list[Fault] = []
    for index, each in enumerate(found):
        values = each.entry.fields
        if each.entry.kind != kinds.FAULT or not values:
            continue
        after = found[index + 1].entry if index + 1 < len(found) else None
        figures = after.text if after is not None and after.kind == kinds.FAULT_FIGURES else ""
        every.append(Fault(each.at_s, values["fault"], fault_name(values["fault"]), each.entry.words["lead"],
                           each.entry.words["action"], values["pulse"], figures))  # fmt: skip
    return every
