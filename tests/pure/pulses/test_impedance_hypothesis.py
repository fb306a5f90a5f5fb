"""Impedance over the whole promised area, between the points of test_impedance."""

from hypothesis import given
from hypothesis import strategies as st
from stimfw.pulses import impedance
from stimfw.pulses.impedance import KINDS, next_current_ua, read_at_once
from stimfw.pulses.lead_scales import SWITCHES_OHM, LeadScales
from stimfw.pulses.sampling import SamplePlan

INNER_PERCENT = 2
OUTER_PERCENT = 5
PULSES = impedance.COUNTED_PULSES
PLAN = SamplePlan(0, KINDS, impedance.TIMES_US)
BASE = 16 * 2048


def reading(ohm, electrode_uf, test_ua, rest_mv):
    sums = []
    for at_ns, kind in zip(PLAN.times_ns, KINDS, strict=True):
        drop_mv = test_ua * ((ohm + SWITCHES_OHM) / 1000 + at_ns / (electrode_uf / 2) / 1e6) * (at_ns >= 0)
        sense_mv = -test_ua * 0.15 if kind == "I" else (rest_mv - min(drop_mv, 15000)) / 10
        sums.append(round((2048 + sense_mv * 4096 / 3300) * PULSES))
    return read_at_once(sums, PULSES, PLAN.times_ns, BASE, test_ua, LeadScales())


@given(st.floats(200, 10_000), st.floats(1, 20), st.floats(-200, 200))
def test_resistance_within_its_promise(ohm, electrode_uf, rest_mv):
    probe = reading(ohm, electrode_uf, impedance.FIRST_UA, rest_mv)
    test_ua = next_current_ua(probe.last_mv, impedance.FIRST_UA)
    found = reading(ohm, electrode_uf, test_ua, rest_mv)
    percent = INNER_PERCENT if 500 <= ohm <= 5000 else OUTER_PERCENT
    assert abs(found.ohm - ohm) <= ohm * percent / 100


@given(
    st.lists(st.integers(0, 4095 * PULSES), min_size=len(KINDS), max_size=len(KINDS)), st.integers(250, 2000)
)
def test_any_samples_give_a_record_that_can_be_sent(sums, test_ua):
    found = read_at_once(sums, PULSES, PLAN.times_ns, BASE, test_ua, LeadScales())
    assert 0 <= found.ohm <= 65535 and 0 <= found.capacitance_nf <= 65535 and 0 <= found.kind <= 3
    assert 250 <= next_current_ua(found.last_mv, 250) <= 2000
