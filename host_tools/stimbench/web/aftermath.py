"""What a fault did to the output, from the record: when current last crossed tissue on each lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stimbench.web.muscles import charges_nc
from stimbench.web.record import LeadRecord, Record

__all__ = ("LEAST_UA", "RUNNING", "Aftermaths")

RUNNING = ("ramp up", "hold", "ramp down", "rest", "measuring impedance", "test train", "interference")
"""States with an output that is on, or goes on by itself."""
LEAST_UA = 25.0
"""Of a pulse with current: the least amplitude. Below it is what leaks while the gate or a lead is open."""
_LONGEST_PULSE_NS = 5_000_000


class _Current:
    """When current last crossed tissue on one lead after a fault."""

    def __init__(self, lead: LeadRecord, fault_ns: int) -> None:
        self._fault_ns = fault_ns
        self._next = int(np.searchsorted(lead.pulses["start_ns"], fault_ns - _LONGEST_PULSE_NS))
        self.ended_ms: float | None = None
        """From the fault to the end of the last pulse with current; None: none flowed after the fault."""

    def follow(self, lead: LeadRecord) -> None:
        """Look at the pulses that are new."""
        new = lead.pulses[self._next :]
        self._next += len(new)
        flowed = (charges_nc(lead, new) > 0) & (np.abs(new["cathodic_ua"]) >= LEAST_UA)
        ends_ns = new["start_ns"] + new["cathodic_ns"] + np.maximum(new["gap_ns"], 0) + new["anodic_ns"]
        ends_ns = ends_ns[flowed & (ends_ns > self._fault_ns)]
        if len(ends_ns):
            self.ended_ms = round(float(ends_ns[-1] - self._fault_ns) / 1e6, 3)


class Aftermaths:
    """Follows each fault of a run until the output is off."""

    def __init__(self) -> None:
        """Begin with none."""
        self._closed: dict[int, dict[str, Any]] = {}
        self._currents: dict[int, dict[str, _Current]] = {}

    def follow(
        self, record: Record, notes: Iterable[Mapping[str, Any]], told: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """What became of each fault.

        Args:
            record: the run's.
            notes: of the view: `number`, `t_ns`, and whether the output was `running`.
            told: what the stimulator last said of itself.

        Returns:
            By the fault's number: `off`, whether the output went off since then; `left` and `right`, ms until
            the end of the last current through tissue, or None; `state`, `stop_cause`, `failed_parts` as the
            board told them.
        """
        return {str(note["number"]): self._one(record, note, told) for note in notes}

    def _one(self, record: Record, note: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
        closed = self._closed.get(note["number"])
        if closed is not None:
            return closed
        answers = bool(told.get("answers"))
        off = bool(note["running"]) and answers and told["state"] not in RUNNING
        currents = self._currents.get(note["number"])
        if currents is None:
            currents = {name: _Current(lead, note["t_ns"]) for name, lead in record.leads.items()}
            self._currents[note["number"]] = currents
        for name, lead in record.leads.items():
            currents[name].follow(lead)
        found: dict[str, Any] = {name: one.ended_ms for name, one in currents.items()}
        found |= {
            "off": off,
            "state": told["state"] if answers else "no answer",
            "stop_cause": told["stop_cause"] if answers else "",
            "failed_parts": told["failed_parts"] if answers else [],
        }
        if off:
            self._closed[note["number"]] = found
        return found
