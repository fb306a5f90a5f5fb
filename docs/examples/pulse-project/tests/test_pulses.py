"""Every pulse of a second, measured in what was recorded at the pins and leads."""

import pytest
from stimbench.analysis import current_of, pulses_of, spread_of, timing_errors

WIDTH_NS, GAP_NS, PERIOD_NS, REST_NS = 214_000, 50_000, 50_000_000, 1_000_000_000
"""214 us, 50 us, 20 Hz; a second of rest between contractions."""
TIMING_NS = 8
"""One cycle of the system clock."""
AMPLITUDE_UA, AMPLITUDE_SHARE = 2000, 0.01
IMBALANCE_SHARE = 0.01


@pytest.fixture
def pulsing(bench, stimulator):
    """A bench in the middle of a hold, both leads at 2 mA; a self-test of 0.5 s comes before any session."""
    stimulator.set_program(stimulator.program().replaced({"ramp_up_ms": 100, "gap_us": GAP_NS // 1000}))
    stimulator.amplitude(AMPLITUDE_UA, AMPLITUDE_UA)
    stimulator.start()
    bench.run_for(700_000_000)
    return bench


@pytest.mark.parametrize("lead", ["left", "right"])
def test_width_gap_and_period(pulsing, capture, lead):
    begun_ns = pulsing.now_ns
    pulsing.run_for(1_000_000_000)
    pulses = pulses_of(capture(), lead)
    starts_ns = pulses["start_ns"]  # whole pulses only, wherever in a pulse this test begins and ends
    pulses = pulses[(starts_ns >= begun_ns) & (starts_ns < pulsing.now_ns - PERIOD_NS)]
    errors = timing_errors(pulses, width_ns=WIDTH_NS, gap_ns=GAP_NS, period_ns=PERIOD_NS, rest_ns=REST_NS)
    assert len(pulses) >= 19
    for spread in map(spread_of, (errors.width, errors.gap, errors.period)):
        assert spread.worst <= TIMING_NS


@pytest.mark.stimbench(seed=7)  # other tolerances of the parts
def test_amplitude_and_balance(pulsing, capture):
    pulsing.run_for(500_000_000)
    recorded = capture().between(pulsing.now_ns - 400_000_000, pulsing.now_ns)
    pulses = pulses_of(recorded, "left")
    current = current_of(recorded, "left")
    cathodic, anodic = current.cathodic_ua(pulses), current.anodic_ua(pulses)
    assert len(pulses) >= 7
    assert abs(cathodic - AMPLITUDE_UA).max() <= AMPLITUDE_SHARE * AMPLITUDE_UA
    assert abs(cathodic - anodic).max() <= IMBALANCE_SHARE * AMPLITUDE_UA
