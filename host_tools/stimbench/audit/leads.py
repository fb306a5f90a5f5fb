"""What a journal tells of the leads: what came out beside what was prescribed, impedances, and faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stimfw.protocol import journal_entries as kinds
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.ranges import LEADS

from stimbench.audit.prescribed import pulses_a_contraction
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
        planned_pulses: of the contractions that were completed; None if a prescription was never pulled.
        planned_charge_uc: what was set for the pulses that came, amplitude times width; None likewise.
        prescribed_ua, mean_ua: what was set and what came out, the mean over all pulses, ramps included; None
            if the journal does not say.
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
    prescribed_ua: float | None
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
    plans = [_planned(session.version, got, lead, known) for session, got in given]
    whole = [plan for plan in plans if plan is not None]
    return LeadTotal(
        lead=LEADS[lead],
        sessions=len(given),
        pulses=sum(got.pulses for _, got in given),
        planned_pulses=sum(plan[0] for plan in whole) if len(whole) == len(plans) else None,
        charge_uc=sum(got.charge_uc for _, got in given),
        planned_charge_uc=sum(plan[1] for plan in whole) if len(whole) == len(plans) else None,
        contractions=sum(got.contractions for _, got in given),
        prescribed_ua=_mean((got.prescribed_ua, got.pulses) for _, got in given),
        mean_ua=_mean((got.mean_ua, got.pulses) for _, got in given),
        most_ua=max((got.most_ua for _, got in given if got.most_ua is not None), default=None),
        missed=sum(got.missed for _, got in given),
    )


def _mean(found: Iterable[tuple[int | None, int]]) -> float | None:
    """Over all pulses; None if there is no pulse whose session says it."""
    told = [(value, count) for value, count in found if value is not None and count]
    return sum(value * count for value, count in told) / sum(count for _, count in told) if told else None


def _planned(
    version: int, got: Delivered, lead: int, known: Mapping[int, Prescription]
) -> tuple[int, float] | None:
    """Pulses that a session's whole contractions have, and the charge that was set; None if not known."""
    if version not in known or got.prescribed_ua is None:
        return None
    pulses = got.contractions * pulses_a_contraction(known[version])
    return pulses, got.pulses * got.prescribed_ua * known[version].width_us[lead] / 1e6


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
