"""The muscle of the view "leads": what any such model has to do, whatever its numbers are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.web.muscle import GRID_NS, Muscle, MuscleModel, recruited

CHARGES = st.floats(0, 5000)
S = 1_000_000_000
COARSE = MuscleModel(units=4)


def train(rate_hz, seconds, charge_nc=600.0, from_s=0.0):
    starts = (from_s * S + np.arange(round(rate_hz * seconds)) * S / rate_hz).astype(np.int64)
    return starts, np.full(len(starts), charge_nc)


def forces(rate_hz, seconds, charge_nc=600.0, model=None):
    return np.array(Muscle(model).advance(*train(rate_hz, seconds, charge_nc), round(seconds * S)))


def ripple(rate_hz):
    """Of the third second: a constant force has 0."""
    steady = forces(rate_hz, 3)[-S // GRID_NS :]
    return float((steady.max() - steady.min()) / steady.mean())


@given(CHARGES, CHARGES)
def test_more_charge_recruits_no_fewer_units(one_nc, other_nc):
    low, high = sorted((one_nc, other_nc))
    shares = [recruited(MuscleModel(), charge) for charge in (low, high)]
    assert 0 <= shares[0] <= shares[1] <= 1


@given(CHARGES, CHARGES, st.sampled_from([1, 7, 20, 50, 200]))
@settings(max_examples=40, deadline=None)
def test_force_never_falls_with_charge_and_stays_a_share(one_nc, other_nc, rate_hz):
    low, high = (forces(rate_hz, 1, charge) for charge in sorted((one_nc, other_nc)))
    assert (low <= high + 1e-12).all()
    assert (low >= 0).all() and (high <= 1).all()


def test_no_charge_no_force_and_half_the_units_at_the_median():
    model = MuscleModel()
    assert recruited(model, 0) == 0
    assert recruited(model, 5000) == 1
    assert recruited(model, model.median_nc) == 0.5


def test_a_twitch_peaks_at_its_contraction_time():
    model = MuscleModel(units=8)
    found = np.array(Muscle(model).advance(np.array([10]), np.array([5000.0]), S))
    peak = int(found.argmax())
    assert (peak + 1) * GRID_NS == pytest.approx(model.contraction_s * S, abs=GRID_NS)
    assert found[peak] == pytest.approx(model.twitch, rel=0.01)
    assert found[-1] < 0.01


def test_twitches_fuse_as_the_rate_rises():
    found = [ripple(rate) for rate in (3, 5, 10, 20, 30)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 1  # single twitches
    assert ripple(20) < 0.1  # nearly fused
    assert ripple(30) < 0.03  # fused


@given(st.integers(1, 99), st.integers(2, 100))
@settings(max_examples=20, deadline=None)
def test_a_higher_rate_gives_no_less_force(one_hz, other_hz):
    low, high = sorted((one_hz, other_hz))
    last = slice(-S // GRID_NS, None)
    assert forces(low, 2)[last].mean() <= forces(high, 2)[last].mean() + 0.01


def test_fatigue_lowers_force_and_rest_brings_it_back():
    muscle = Muscle(COARSE)
    first = muscle.advance(*train(20, 60), 60 * S)
    assert muscle.able < 0.9
    assert first[-1] < 0.9 * max(first)
    tired = muscle.able
    muscle.advance(np.empty(0, np.int64), np.empty(0), 660 * S)
    assert tired < muscle.able > 0.99
    again = muscle.advance(*train(20, 2, from_s=660), 662 * S)
    assert again[-1] > 0.98 * first[round(2 * S / GRID_NS) - 1]


def test_units_that_do_not_answer_do_not_tire():
    few, all_of_them = Muscle(COARSE), Muscle(COARSE)
    few.advance(*train(20, 30, 300.0), 30 * S)
    all_of_them.advance(*train(20, 30, 5000.0), 30 * S)
    assert all_of_them.able < few.able < 1


@given(st.lists(st.integers(0, 200), max_size=8))
@settings(max_examples=20, deadline=None)
def test_it_makes_no_difference_when_somebody_asks(cuts):
    starts, charges = train(20, 2)
    whole = Muscle().advance(starts, charges, 2 * S)
    muscle, found = Muscle(), []
    for until_ns in [*sorted(cut * 10_000_000 for cut in cuts), 2 * S]:
        due = starts >= muscle.now_ns
        found += muscle.advance(starts[due], charges[due], until_ns)
    assert found == whole


def test_a_session_of_the_default_programme_costs_about_a_fifth():
    # 10 s of every 34 s, 20 Hz: 2 s up, 10 s, 2 s down, 20 s of rest.
    muscle = Muscle(COARSE)
    for cycle in range(52):
        muscle.advance(*train(20, 12, 5000.0, from_s=cycle * 34), (cycle + 1) * 34 * S)
    assert 0.7 < muscle.able < 0.88
