"""Whole runs of the firmware: our core and rp2040py's come to the same, edge for edge and byte for byte."""

import pytest
from stimbench.emulator.chip import Core
from support.core_runs import RUNS

pytestmark = pytest.mark.emulated

MOVED = {  # what must have happened in a run for it to show anything
    "boot_and_idle": ("stimulator: edges of RADIO_CSN", "remote: edges of RADIO_CSN"),
    "radio": ("remote: edges of BUZZER", "stimulator: edges of RADIO_IRQ"),
    "searching": ("remote: edges of RADIO_CE",),
    "pulsing": ("stimulator: edges of L_CATH", "stimulator: edges of R_ANOD", "current I_LEFT"),
    "busy": ("stimulator: edges of LED",),
}


@pytest.mark.parametrize("name", RUNS)
def test_equal_on_both_cores(name):
    reference, ours = (list(RUNS[name](core)) for core in (Core.REFERENCE, Core.NATIVE_AS_REFERENCE))
    assert len(reference) == len(ours) >= 4
    for one, other in zip(reference, ours, strict=True):
        different = {what: (one[what], other[what]) for what in one if one[what] != other[what]}
        assert not different, f"at {one['now']} ns"
    for what in MOVED[name]:
        assert ours[-1][what][0] > 1, what


MISS_NS = 448
"""A run ends behind an instruction, which may wait for a line of flash: 56 cycles (docs/decisions/0018)."""


def test_the_busy_run_never_sleeps():
    states = list(RUNS["busy"](Core.NATIVE))
    awake = [state["stimulator: awake"] for state in states]
    passed = [state["now"] for state in states]
    for index in range(1, len(states)):
        spent = awake[index] - awake[index - 1]
        assert spent == pytest.approx(passed[index] - passed[index - 1], abs=MISS_NS)
