"""Judging pulses from edges and currents with their time base, wherever these come from.

An edge list is `[(t_ns, level), ...]` in order of time, the signal being low before its first edge: what the
emulated bench traces, and what a logic analyser exports. A current is a list of straight pieces
`(t0_ns, t1_ns, i0_ua, i1_ua)`, cathodic negative, zero between them.
"""

from stimbench.analysis.current import Current
from stimbench.analysis.edges import Edges, active_after, intervals, overlaps, union
from stimbench.analysis.pulses import PULSE, find_pulses, orphan_phases, split_contractions
from stimbench.analysis.timing import Spread, Timing, spread_of, timing_errors

__all__ = (
    "PULSE",
    "Current",
    "Edges",
    "Spread",
    "Timing",
    "active_after",
    "find_pulses",
    "intervals",
    "orphan_phases",
    "overlaps",
    "split_contractions",
    "spread_of",
    "timing_errors",
    "union",
)
