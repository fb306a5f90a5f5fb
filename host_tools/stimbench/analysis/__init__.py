"""Judging pulses in a capture, wherever it comes from.

`pulses_of(capture, "left")` and `current_of(capture, "left")` take a whole capture. The other functions take
single channels of one, or what was found in them. A cathodic current is negative.
"""

from stimbench.analysis.current import Current
from stimbench.analysis.edges import active_after, intervals, overlaps, union
from stimbench.analysis.leads import LEAD_SIGNALS, Switches, current_of, pulses_of, switches_of
from stimbench.analysis.pulses import PULSE, find_pulses, orphan_phases, split_contractions
from stimbench.analysis.timing import Spread, Timing, spread_of, timing_errors

__all__ = (
    "LEAD_SIGNALS",
    "PULSE",
    "Current",
    "Spread",
    "Switches",
    "Timing",
    "active_after",
    "current_of",
    "find_pulses",
    "intervals",
    "orphan_phases",
    "overlaps",
    "pulses_of",
    "split_contractions",
    "spread_of",
    "switches_of",
    "timing_errors",
    "union",
)
