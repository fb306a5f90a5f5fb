"""From edges to pulses: one record each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.edges import intervals
from stimbench.capture.channels import Edges

__all__ = ("PULSE", "Pulses", "find_pulses", "orphan_phases", "orphans_ns", "split_contractions")

PULSE = np.dtype(
    [
        ("start_ns", np.int64),
        ("cathodic_ns", np.int64),
        ("gap_ns", np.int64),
        ("anodic_ns", np.int64),
        ("recharge_ns", np.int64),
        ("period_ns", np.int64),
        ("complete", np.bool_),
    ]
)
"""One pulse. All times in ns:

- `start_ns`: rising edge of the cathodic phase;
- `gap_ns`: end of the cathodic to start of the anodic phase, negative if they overlap;
- `recharge_ns`: start of the pulse to start of the passive recharge, 0 if there was none;
- `period_ns`: since the start of the pulse before, 0 for the first one;
- `complete`: both phases were seen; without the anodic one `gap_ns` and `anodic_ns` are 0.
"""

Pulses = NDArray[Any]
"""Shape (n,), dtype PULSE."""


def find_pulses(cathodic: Edges, anodic: Edges, recharge: Edges) -> Pulses:
    """The pulses of one lead.

    Args:
        cathodic: of the cathodic switch.
        anodic: of the anodic switch.
        recharge: of the passive recharge.

    Returns:
        Shape (n,), dtype PULSE: one record for each time that the cathodic switch was on.
    """
    cath, anod = intervals(cathodic), intervals(anodic)
    short_starts = recharge.rises_ns
    pulses = np.zeros(len(cath), dtype=PULSE)
    if not len(cath):
        return pulses
    starts = cath[:, 0]
    pulses["start_ns"] = starts
    pulses["cathodic_ns"] = cath[:, 1] - starts
    pulses["period_ns"][1:] = np.diff(starts)
    owner, which = _first_in_each(starts, anod[:, 0])
    pulses["complete"][owner] = True
    pulses["gap_ns"][owner] = anod[which, 0] - cath[owner, 1]
    pulses["anodic_ns"][owner] = anod[which, 1] - anod[which, 0]
    owner, which = _first_in_each(starts, short_starts)
    pulses["recharge_ns"][owner] = short_starts[which] - starts[owner]
    return pulses


def orphans_ns(cathodic: Edges, anodic: Edges) -> NDArray[np.int64]:
    """When anodic phases began that belong to no cathodic one, in ns.

    There are two kinds: one before the first cathodic phase, and a second one in a pulse.
    """
    cath, anod = intervals(cathodic), intervals(anodic)
    _, which = _first_in_each(cath[:, 0], anod[:, 0])
    return np.delete(anod[:, 0], which)


def orphan_phases(cathodic: Edges, anodic: Edges) -> int:
    """How many anodic phases belong to no cathodic one; see orphans_ns."""
    return len(orphans_ns(cathodic, anodic))


def split_contractions(pulses: Pulses, rest_ns: int) -> list[Pulses]:
    """Cut a pulse train wherever a pulse comes at least `rest_ns` after the one before."""
    return np.split(pulses, np.flatnonzero(pulses["period_ns"] >= rest_ns)) if len(pulses) else []


def _first_in_each(
    starts: NDArray[np.int64], times: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For every slot `starts[i]..starts[i + 1]` that holds any of `times`: i, and the index of its first."""
    slots = np.searchsorted(starts, times, side="right") - 1
    owner, which = np.unique(slots, return_index=True)
    inside = owner >= 0
    return owner[inside].astype(np.int64), which[inside].astype(np.int64)
