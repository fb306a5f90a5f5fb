"""The gate's time: how long the output stays allowed after an edge of KEEPALIVE (docs/hardware.md).

The monostable's pulse is 120 ms, give or take 11 %: its RC (a resistor of 1 %, a capacitor of 5 %), and 5 %
for the chip itself. What counts is the shortest one: a gate that has closed must not open again by itself, so
a pause of the loop that may have closed it is a stop.
"""

NOMINAL_MS = 120
TOLERANCE_PERCENT = 11
SHORTEST_MS = NOMINAL_MS * (100 - TOLERANCE_PERCENT) // 100
_MARGIN_MS = 4  # a clock of whole ms may miss 1 ms at each end of a pause; the edge follows within 1 ms

STILL_OPEN_MS = SHORTEST_MS - _MARGIN_MS
"""After a longer pause between two edges the gate may have been closed in between."""

PAUSE_MS = 60
"""The longest pause that the loop plans: 42 ms are left for a collection (8 ms) and a request in between."""

SETTLE_MS = 10
"""From the first edge until the relays have closed: 3 ms at the most, and room for a slower make."""
