"""What a fault did to the output, from the record: when current last flowed in each lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stimbench.web.record import LeadRecord, Record

__all__ = ("LEAST_UA", "RUNNING", "Aftermaths", "last_current_ms")

RUNNING = ("ramp up", "hold", "ramp down", "rest", "measuring impedance", "test train", "interference")
"""States with an output that is on, or goes on by itself."""
LEAST_UA = 25.0
"""Of a pulse with current: the least amplitude. Below it is what leaks while the gate or a lead is open."""


def last_current_ms(lead: LeadRecord, fault_ns: int, until_ns: int) -> float | None:
    """From a fault to the end of the last pulse with current that began before `until_ns`.

    Returns:
        ms; None if no current flowed after the fault.
    """
    pulses = lead.pulses
    first, last = np.searchsorted(pulses["start_ns"], (fault_ns - 5_000_000, until_ns))
    seen = pulses[first:last]
    ends_ns = seen["start_ns"] + seen["cathodic_ns"] + np.maximum(seen["gap_ns"], 0) + seen["anodic_ns"]
    ends_ns = ends_ns[(np.abs(seen["cathodic_ua"]) >= LEAST_UA) & (ends_ns > fault_ns)]
    return None if not len(ends_ns) else round(float(ends_ns[-1] - fault_ns) / 1e6, 3)


class Aftermaths:
    """Follows each fault of a run until the output is off."""

    def __init__(self) -> None:
        """Begin with none."""
        self._closed: dict[int, dict[str, Any]] = {}

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
            the last current's end, or None; `state`, `stop_cause`, `failed_parts` as the board told them.
        """
        return {str(note["number"]): self._one(record, note, told) for note in notes}

    def _one(self, record: Record, note: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
        closed = self._closed.get(note["number"])
        if closed is not None:
            return closed
        answers = bool(told.get("answers"))
        off = bool(note["running"]) and answers and told["state"] not in RUNNING
        found: dict[str, Any] = {
            name: last_current_ms(lead, note["t_ns"], record.end_ns) for name, lead in record.leads.items()
        }
        found |= {
            "off": off,
            "state": told["state"] if answers else "no answer",
            "stop_cause": told["stop_cause"] if answers else "",
            "failed_parts": told["failed_parts"] if answers else [],
        }
        if off:
            self._closed[note["number"]] = found
        return found
