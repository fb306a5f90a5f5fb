"""The gate's time, derived once more: docs/hardware.md."""

from stimfw.therapy import gate
from support.control import control


@control("C-06")
def test_the_shortest_pulse_is_that_of_the_tolerance():
    assert (gate.NOMINAL_MS, gate.TOLERANCE_PERCENT, gate.SHORTEST_MS) == (120, 11, 106)


def test_a_pause_that_may_close_the_gate_is_told_from_one_that_cannot():
    assert gate.STILL_OPEN_MS == 102, "with the clock's 1 ms at both ends and 1 ms to the edge: below 106"
    assert gate.PAUSE_MS == 60 and gate.PAUSE_MS + 15 < gate.STILL_OPEN_MS
    assert gate.SETTLE_MS == 10
