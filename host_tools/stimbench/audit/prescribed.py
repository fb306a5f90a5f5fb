"""What was prescribed, and when: the journal says when, the prescriptions that were pulled say what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stimfw.protocol import journal_entries as kinds
from stimfw.therapy import prescription
from stimfw.therapy.contraction import Contraction
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.ranges import ParameterError

from stimbench.audit.timeline import DAY_S, Dated
from stimbench.journal.store import Store

__all__ = ("Change", "changes", "known_prescriptions", "pulses_a_contraction")


@dataclass(frozen=True)
class Change:
    """A prescription comes into force.

    Attributes:
        at_s: when it was set, in seconds since 1970, or the last known time before; None: there is none.
        version: its number.
        starts_s: the first second in which it allows a session; None: not known.
        sender: who set it, in words.
    """

    at_s: int | None
    version: int
    starts_s: int | None
    sender: str


def changes(found: Sequence[Dated]) -> list[Change]:
    """The prescriptions of one device, in the order in which they were set."""
    healed_s: int | None = None
    every: list[Change] = []
    known_s: int | None = None
    for each in found:
        values = each.entry.fields
        known_s = known_s if each.at_s is None else each.at_s
        if each.entry.kind == kinds.IMPLANTED and each.at_s is not None and values:
            healed_s = each.at_s + values["healing_days"] * DAY_S
        elif each.entry.kind == kinds.PRESCRIBED and values:
            own_s = values["activation_s"] or healed_s
            starts_s = own_s if healed_s is None else max(own_s or 0, healed_s)
            every.append(Change(known_s, values["version"], starts_s, each.entry.sender_name))
    return every


def known_prescriptions(store: Store, device_id: str) -> Mapping[int, Prescription]:
    """By version, those that were pulled and that this version of stimbench understands."""
    known = {}
    for version, _, _, payload in store.prescriptions(device_id):
        try:
            known[version] = prescription.unpack(payload)
        except ParameterError:
            continue  # a later firmware's
    return known


def pulses_a_contraction(prescribed: Prescription) -> int:
    """Pulses of one whole contraction, ramps included, by the board's own arithmetic."""
    return Contraction(prescribed).periods  # type: ignore[arg-type]
