"""Both leads' muscles, driven by the pulses of the record. See web.muscle for the model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.web.growing import Growing
from stimbench.web.muscle import GRID_NS, Muscle, recruited
from stimbench.web.record import LeadRecord, Record

__all__ = ("LEAST_TISSUE_OHM", "Muscles", "charges_nc")

LEAST_TISSUE_OHM = 60.0
"""Below it a pulse crossed no tissue: it went through a short, or through one electrode's two switches, as in
the self-test. The threshold is that of the watch (docs/watch.md)."""
_KNOWN_BEHIND_NS = 10_000_000
"""Of a pulse that began earlier than so long ago all is known: its recharge has begun."""
_SHOWN = 8_000_000_000 // GRID_NS
_BEFORE_END_NS = 1_000


def charges_nc(lead: LeadRecord, pulses: NDArray[Any]) -> NDArray[np.float64]:
    """The cathodic charge that each pulse drove through tissue.

    Args:
        lead: whose voltages there are.
        pulses: shape (n,), dtype MEASURED.

    Returns:
        Shape (n,), nC, positive; 0 where none crossed tissue.
    """
    found = np.abs(pulses["cathodic_nc"].astype(np.float64))
    if not len(pulses):
        return found
    line = lead.lines["voltage"]
    ends_ns = pulses["start_ns"] + np.maximum(pulses["cathodic_ns"] - _BEFORE_END_NS, 0)
    first = max(0, int(np.searchsorted(line.times_ns, ends_ns[0], "left")) - 1)
    times, values = line.times_ns[first:], line.values[first:]
    volts = np.interp(ends_ns, times, values) if len(times) else np.zeros(len(pulses))
    amps = np.abs(pulses["cathodic_ua"].astype(np.float64)) * 1e-6
    return np.where(np.abs(volts) >= LEAST_TISSUE_OHM * amps, found, 0.0)


class _Side:
    def __init__(self) -> None:
        self.muscle = Muscle()
        self.forces = Growing(np.uint16)
        self.forces.extend(np.zeros(1, np.uint16))
        self.taken = 0
        self.charge_nc = 0.0
        self.pulse_ns = 0


class Muscles:
    """The muscles of one record: they follow it, and are never ahead of what is known."""

    def __init__(self) -> None:
        """Begin rested."""
        self._sides: dict[str, _Side] = {}

    def follow(self, record: Record) -> dict[str, Any]:
        """Let the muscles do what the record has by now.

        Returns:
            `to_ns`, `step_ns`: when the last force of a list is, how far they lie apart; by lead `force`
            (the last 8 s, per mille), `able`, `charge_nc` and `recruited` of its last pulse, `pulse_ns`.
        """
        until_ns = record.end_ns - _KNOWN_BEHIND_NS
        told = {name: self._follow(name, lead, until_ns) for name, lead in record.leads.items()}
        to_ns = min((side.muscle.now_ns for side in self._sides.values()), default=0)
        return {"to_ns": to_ns, "step_ns": GRID_NS, "sides": told}

    def series(self, name: str) -> NDArray[np.uint16]:
        """The force of a lead's muscle at each multiple of GRID_NS, per mille: shape (n,), a view."""
        return self._sides.setdefault(name, _Side()).forces.view

    def _follow(self, name: str, lead: LeadRecord, until_ns: int) -> dict[str, Any]:
        side = self._sides.setdefault(name, _Side())
        last_ns = until_ns // GRID_NS * GRID_NS
        if last_ns > side.muscle.now_ns:
            new = lead.pulses[side.taken :]
            new = new[new["start_ns"] < last_ns]
            charges = charges_nc(lead, new)
            forces = side.muscle.advance(new["start_ns"], charges, last_ns)
            side.forces.extend(np.array([round(1000 * force) for force in forces], np.uint16))
            side.taken += len(new)
            if len(new):
                side.charge_nc, side.pulse_ns = float(charges[-1]), int(new["start_ns"][-1])
        return {
            "force": side.forces.view[-_SHOWN:].tolist(),
            "able": round(side.muscle.able, 4),
            "charge_nc": round(side.charge_nc, 2),
            "recruited": recruited(side.muscle.model, side.charge_nc),
            "pulse_ns": side.pulse_ns,
        }
