"""Everything that a store tells of one device, as data: what a page, a table or a bundle is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from stimfw.protocol import journal_entries as kinds

from stimbench.audit.adherence import Adherence, adherence
from stimbench.audit.leads import Fault, Impedance, LeadTotal, faults, impedances, lead_totals
from stimbench.audit.outcomes import Event, Score, events, scores
from stimbench.audit.prescribed import Change, changes, known_prescriptions
from stimbench.audit.sessions import Session, sessions
from stimbench.audit.timeline import Dated, Unknown, dated, day_of, unknown_times
from stimbench.errors import InputError
from stimbench.journal.chain import Finding, verify
from stimbench.journal.store import Store

__all__ = ("DeviceAudit", "ScoreChange", "audit_of", "chosen_device", "score_changes")

_MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class ScoreChange:
    """A score after the baseline.

    Attributes:
        score: itself.
        baseline: its baseline; None: none was entered.
        change: score minus baseline.
        meaningful: whether the change is clinically meaningful; None: not stated, or without a baseline.
        months: since the therapy began; None if that is not known.
    """

    score: Score
    baseline: Score | None
    change: float | None
    meaningful: bool | None
    months: float | None


@dataclass(frozen=True)
class DeviceAudit:
    """One device.

    Attributes:
        device_id: its pseudonym.
        firmware: at the last pull; empty if it was never pulled to the end.
        pulled_s, implanted_s, activated_s, explanted_s: seconds since 1970; None: not known, or never.
        chain: hash of its journal's newest entry.
        numbers: of its first and its last entry; None without any.
        thinned: entries that the board dropped itself.
        findings: what is wrong with its journals.
        found: its entries, dated.
    """

    device_id: str
    firmware: str
    pulled_s: int | None
    implanted_s: int | None
    activated_s: int | None
    explanted_s: int | None
    chain: str
    numbers: tuple[int, int] | None
    thinned: int
    findings: Sequence[Finding]
    found: Sequence[Dated]
    unknown: Sequence[Unknown]
    sessions: Sequence[Session]
    prescribed: Sequence[Change]
    adherence: Adherence
    leads: Sequence[LeadTotal]
    impedances: Sequence[Impedance]
    faults: Sequence[Fault]
    changes: Sequence[ScoreChange]
    baselines: Sequence[Score]
    events: Sequence[Event]

    @property
    def began(self) -> date | None:
        """The day from which months are counted: that of activation, or else of implantation."""
        at_s = self.activated_s or self.implanted_s
        return None if at_s is None else day_of(at_s)

    def of_kind(self, *wanted: int) -> list[Dated]:
        """Its entries of these kinds."""
        return [each for each in self.found if each.entry.kind in wanted]


def chosen_device(store: Store, device_id: str | None) -> str:
    """The device that is meant.

    Raises:
        InputError: the store has none, not this one, or several and none was named.
    """
    known = store.devices()
    if device_id is not None:
        if device_id not in known:
            raise InputError(f"{store.path} knows no device {device_id}.")
        return device_id
    if not known:
        raise InputError(f"{store.path} holds nothing of any device.")
    if len(known) > 1:
        names = ", ".join(known)
        raise InputError(f"{store.path} holds {len(known)} devices, name one with --device: {names}.")
    return known[0]


def audit_of(store: Store, device_id: str, now_s: int) -> DeviceAudit:
    """Read all that a store has of a device of `store.devices()`; `now_s`: seconds since 1970."""
    found = dated(store.entries(device_id))
    pulled = store.last_pull(device_id)
    times = [each.at_s for each in found if each.at_s is not None]
    end_s = pulled[0] if pulled else min(now_s, max(times, default=0))
    prescribed = changes(found)
    known = known_prescriptions(store, device_id)
    held, unknown = sessions(found), unknown_times(found, end_s)
    starts = [change.starts_s for change in prescribed if change.starts_s is not None]
    began_s = min(starts) if starts else _first(found, kinds.IMPLANTED)
    all_scores = [score for score in scores(store, device_id) if score.current]
    chain, thinned, findings = _verified(store, device_id)
    return DeviceAudit(
        device_id=device_id,
        firmware=pulled[1] if pulled else "",
        pulled_s=pulled[0] if pulled else None,
        implanted_s=_first(found, kinds.IMPLANTED),
        activated_s=min(starts) if starts else None,
        explanted_s=_first(found, kinds.EXPLANTED),
        chain=chain,
        numbers=(found[0].entry.number, found[-1].entry.number) if found else None,
        thinned=thinned,
        findings=findings,
        found=found,
        unknown=unknown,
        sessions=held,
        prescribed=prescribed,
        adherence=adherence(found, held, prescribed, known, unknown, end_s),
        leads=lead_totals(held, known),
        impedances=impedances(found),
        faults=faults(found),
        changes=score_changes(all_scores, None if began_s is None else day_of(began_s)),
        baselines=[score for score in all_scores if score.baseline],
        events=[event for event in events(store, device_id) if event.current],
    )


def _first(found: Sequence[Dated], kind: int) -> int | None:
    return next((each.at_s for each in found if each.entry.kind == kind and each.at_s is not None), None)


def _verified(store: Store, device_id: str) -> tuple[str, int, list[Finding]]:
    """The chain's head, what the board dropped, and all that is wrong, of the journals of a device."""
    chain, thinned, every = "", 0, []
    for journal in store.journals(device_id):
        walked = verify(store.slots(journal))
        chain, thinned = walked.head.hex(), thinned + walked.thinned
        known = {(each.number, each.what) for each in walked.findings}
        every += walked.findings
        every += [each for each in store.findings(journal) if (each.number, each.what) not in known]
    return chain, thinned, every


def score_changes(found: Sequence[Score], began: date | None) -> list[ScoreChange]:
    """The scores after the baseline, by date, each beside its baseline."""
    baselines = {score.name: score for score in found if score.baseline}
    every = []
    for score in sorted((each for each in found if not each.baseline), key=lambda each: (each.on, each.id)):
        baseline, field = baselines.get(score.name), score.field
        change = meaningful = None
        if baseline is not None and not field.words:
            change = round(score.value - baseline.value, field.decimals)
        if change is not None and field.meaningful is not None:
            meaningful = change * field.better >= field.meaningful
        months = None if began is None else (score.on - began).days / _MONTH_DAYS
        every.append(ScoreChange(score, baseline, change, meaningful, months))
    return every
