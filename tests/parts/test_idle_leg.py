"""An idle leg that stays open: the spike at a phase's begin. docs/circuit/models.md has it beside ngspice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.parts.idle_leg import IdleLeg
from support.lead_rig import LIMIT_OHM, SWITCHES_OHM, ready
from support.parts_fakes import MS, US


def opened(code, ohm):
    board, parts, lead = ready(code=code)
    lead.load_resistor(ohm)
    parts.bridges["left"].idle.is_open = True
    lead.part_changed()
    board.clock.run_for(1 * MS)
    return board, parts, lead


@pytest.mark.parametrize("signal", ["L_CATH", "L_ANOD"])
@pytest.mark.parametrize(("code", "ohm"), [(100, 500.0), (1600, 500.0), (1600, 2000.0)])
def test_a_phase_begins_with_all_that_15_v_drive_and_goes_on_as_set(signal, code, ohm):
    board, _, lead = opened(code, ohm)
    board.phase(signal, 100 * US)
    first, last = lead.trace.segments[0], lead.trace.segments[-1]
    assert abs(first[2]) == pytest.approx(15e6 / (LIMIT_OHM + ohm + SWITCHES_OHM), rel=1e-3)
    assert abs(last[3]) == pytest.approx(code * 2.5) and last[1] - last[0] > 90 * US


def test_its_charge_is_that_of_ngspice_without_the_wires():
    """4 mA into 500 ohm: 12.3 nC above what is set, 1.3 nC of it in wires that the models do not have."""
    board, _, lead = opened(1600, 500.0)
    board.phase("L_CATH", 10 * US)
    assert -lead.charge_nc() - 40.0 == pytest.approx(11.0, abs=1.0)


def test_a_leg_that_works_begins_without_a_spike():
    board, parts, lead = opened(1600, 500.0)
    parts.bridges["left"].idle.is_open = False
    board.phase("L_CATH", 100 * US)
    assert [round(i0) for _, _, i0, _ in lead.trace.segments] == [-4000]


def test_the_middle_of_a_phase_shows_nothing_and_its_begin_does():
    """Why no sample of a therapy sees it, and what a self-test has to look at."""
    board, _, _ = opened(100, 500.0)
    t0 = board.clock.now_ns
    board.pin("L_CATH").out(True)
    shown_ma = [(board.sources[2](t0 + t * US) - 1.65) / 0.15 for t in (1, 2, 30)]
    assert shown_ma[0] < -4.0 and shown_ma[1] < -0.6
    assert shown_ma[2] == pytest.approx(-0.25, abs=1e-3)


def test_a_short_gap_winds_it_up_by_less():
    """250 uA need 2.7 us to lift the output and 36 us for the op-amp's."""
    charges = []
    for gap_us in (5, 15, 60):
        board, _, lead = opened(100, 500.0)
        board.phase("L_CATH", 50 * US)
        board.clock.run_for(gap_us * US)
        lead.clear_charge()
        board.phase("L_ANOD", 20 * US)
        charges.append(lead.charge_nc())
    assert charges == sorted(charges) and charges[0] < 0.5 * charges[2]


def test_at_code_0_there_is_nothing_to_wind_up():
    board, _, lead = opened(0, 500.0)
    board.phase("L_CATH", 100 * US)
    assert lead.trace.segments == []


def test_a_lead_that_needs_all_there_is_stays_at_its_limit():
    board, _, lead = opened(1600, 5000.0)
    board.phase("L_ANOD", 200 * US)
    assert lead.trace.segments[-1][3] == pytest.approx(15e6 / (LIMIT_OHM + 5000.0 + SWITCHES_OHM), rel=1e-2)


@given(
    want_ua=st.integers(1, 10_000),
    most_ua=st.integers(1, 80_000),
    rests=st.lists(st.integers(0, 100_000), min_size=1, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_a_spike_ends_and_its_current_never_leaves_its_bounds(want_ua, most_ua, rests):
    leg, now = IdleLeg(), 0
    want, most = want_ua * 1e-6, most_ua * 1e-6
    for rest_ns in rests:
        leg.rest(now, want)
        now += rest_ns
        last = most
        for _ in range(2000):
            piece = leg.piece(now, want, most)
            if piece is None:
                break
            flows, span_ns = piece
            assert want < flows <= most + 1e-12 and flows <= last + 1e-12 and span_ns >= 1
            last, now = flows, now + span_ns
        else:
            pytest.fail("no end")


@given(rest_ns=st.integers(1, 60_000), parts=st.integers(2, 30), want_ua=st.integers(50, 5000))
@settings(max_examples=50, deadline=None)
def test_a_rest_in_parts_is_the_same_rest(rest_ns, parts, want_ua):
    want = want_ua * 1e-6
    whole, parted = IdleLeg(), IdleLeg()
    for leg in (whole, parted):
        leg.rest(0, want)
    for k in range(1, parts):
        parted.rest(rest_ns * k // parts, want)
    first, second = (leg.piece(rest_ns, want, 22e-3) for leg in (whole, parted))
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert first[0] == pytest.approx(second[0], rel=1e-6) and abs(first[1] - second[1]) <= 1
