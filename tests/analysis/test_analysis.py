"""Pulses from edges and current: each judgement is right on good data and notices bad data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.analysis import (
    Current,
    active_after,
    find_pulses,
    intervals,
    orphan_phases,
    overlaps,
    split_contractions,
    spread_of,
    timing_errors,
    union,
)
from stimbench.capture.channels import Edges, Segments

WIDTH, GAP, PERIOD, REST = 214_000, 50_000, 50_000_000, 1_000_000_000
CHARGE_TOLERANCE_NC = 1e-6


def pulses_in(*changes):
    return find_pulses(*(Edges.of(each) for each in changes))


def orphans_in(*changes):
    return orphan_phases(*(Edges.of(each) for each in changes))


def high_in(changes, end_ns=None):
    return intervals(Edges.of(changes), end_ns)


def current_in(pieces):
    return Current(Segments.of(pieces))


def edges(spans):
    return [edge for start, end in spans for edge in ((start, True), (end, False))]


def train(starts, width=WIDTH, gap=GAP):
    """Edges of cath, anod and short, recharge from 4 us after to 12 us before a pulse."""
    cath = [(t, t + width) for t in starts]
    anod = [(t + width + gap, t + 2 * width + gap) for t in starts]
    recharge = [
        (a[1] + 4000, b - 12_000) for a, b in zip(anod, [*list(starts)[1:], starts[-1] + PERIOD], strict=True)
    ]
    return edges(cath), edges(anod), edges(recharge)


def test_a_clean_train_is_found_as_it_was_made():
    starts = [1000 + n * PERIOD for n in range(20)]
    pulses = pulses_in(*train(starts))
    assert list(pulses["start_ns"]) == starts
    assert set(pulses["cathodic_ns"]) == set(pulses["anodic_ns"]) == {WIDTH}
    assert set(pulses["gap_ns"]) == {GAP}
    assert set(pulses["recharge_ns"]) == {2 * WIDTH + GAP + 4000}
    assert list(pulses["period_ns"]) == [0] + [PERIOD] * 19
    assert pulses["complete"].all()


def test_no_edges_are_no_pulses():
    assert len(pulses_in([], [], [])) == 0
    assert split_contractions(pulses_in([], [], []), REST) == []


def test_a_pulse_without_anodic_phase_is_incomplete():
    cath, anod, short = train([0, PERIOD])
    pulses = pulses_in(cath, anod[:2], short)
    assert list(pulses["complete"]) == [True, False]
    assert pulses["anodic_ns"][1] == 0


def test_overlapping_phases_show_as_a_negative_gap():
    pulses = pulses_in(edges([(0, 100)]), edges([(60, 160)]), [])
    assert pulses["gap_ns"][0] == -40


def test_phases_that_begin_together_belong_to_each_other():
    pulses = pulses_in(edges([(0, 100), (500, 600)]), edges([(500, 600)]), [])
    assert pulses["complete"].tolist() == [False, True]
    assert pulses["gap_ns"][1] == -100


@pytest.mark.parametrize(
    ("anodic", "count"),
    [([(200, 300)], 0), ([(200, 300), (400, 500)], 1), ([(-80, -10), (200, 300)], 1)],
)
def test_anodic_phases_of_no_pulse_are_counted(anodic, count):
    assert orphans_in(edges([(0, 100)]), edges(anodic)) == count


def test_contractions_are_split_at_rests_only():
    starts = [n * PERIOD for n in range(5)] + [3_000_000_000 + n * PERIOD for n in range(7)]
    assert [len(part) for part in split_contractions(pulses_in(*train(starts)), REST)] == [5, 7]


def test_a_missing_pulse_is_a_period_error_not_a_rest():
    starts = [0, PERIOD, 3 * PERIOD]
    errors = timing_errors(pulses_in(*train(starts)), WIDTH, GAP, PERIOD, REST)
    assert spread_of(errors.period).worst == PERIOD


def test_a_rest_that_is_no_longer_than_a_period_is_refused():
    with pytest.raises(ValueError, match="cannot be told"):
        timing_errors(pulses_in(*train([0])), WIDTH, GAP, PERIOD, PERIOD)


def test_nothing_measured_passes_no_limit():
    assert spread_of(np.empty(0, dtype=np.int64)).worst == float("inf")


@given(
    pulse=st.integers(0, 9),
    what=st.sampled_from(["cath", "anod", "gap", "period"]),
    error=st.integers(-10_000, 10_000).filter(bool),
)
def test_one_wrong_time_in_one_pulse_is_found_with_its_size(pulse, what, error):
    starts = [n * PERIOD for n in range(10)]
    if what == "period":
        starts = [t + error * (n >= pulse) for n, t in enumerate(starts)]
    cath, anod, short = train(starts)
    cath_shift = error if what == "cath" else 0
    anod_shift = {"cath": error, "gap": error, "anod": 0, "period": 0}[what]
    cath[2 * pulse + 1] = (cath[2 * pulse + 1][0] + cath_shift, False)
    anod[2 * pulse] = (anod[2 * pulse][0] + anod_shift, True)
    anod[2 * pulse + 1] = (anod[2 * pulse + 1][0] + anod_shift + (error if what == "anod" else 0), False)
    found = timing_errors(pulses_in(cath, anod, short), WIDTH, GAP, PERIOD, REST)
    wanted = {
        "width": error if what in ("cath", "anod") else 0,
        "gap": error if what == "gap" else 0,
        "period": error if what == "period" and pulse else 0,
    }
    for name, value in wanted.items():
        spread = spread_of(getattr(found, name))
        assert (spread.minimum, spread.maximum) == (min(value, 0), max(value, 0)), name


spans = st.lists(st.integers(0, 10_000), min_size=0, max_size=20, unique=True).map(
    lambda cuts: [(a, b) for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False)]
)


@given(spans, spans)
def test_overlaps_and_union_agree_with_counting_each_nanosecond(one, other):
    first, second = high_in(edges(one)), high_in(edges(other))
    high = [np.zeros(10_001, dtype=bool) for _ in range(4)]
    for line, found in zip(high, (first, second, overlaps(first, second), union(first, second)), strict=True):
        for start, end in found:
            line[start:end] = True
    assert (high[2] == (high[0] & high[1])).all()
    assert (high[3] == (high[0] | high[1])).all()


def test_touching_is_no_overlap_and_one_interval():
    one, other = high_in(edges([(0, 10)])), high_in(edges([(10, 20)]))
    assert overlaps(one, other).tolist() == []
    assert union(one, other).tolist() == [[0, 20]]


def test_what_is_high_at_the_end_is_cut_there():
    assert high_in([(10, True)]).tolist() == []
    assert high_in([(10, True)], end_ns=25).tolist() == [[10, 25]]
    assert high_in([(10, True), (40, False)], end_ns=25).tolist() == [[10, 25]]


def test_edges_that_run_backwards_are_refused():
    with pytest.raises(ValueError, match="follows"):
        high_in([(10, True), (5, False)])


def test_active_after_is_the_last_end_or_nothing():
    one, other = high_in(edges([(0, 10), (50, 60)])), high_in(edges([(20, 75)]))
    assert active_after(55, one, other) == 20
    assert active_after(80, one, other) == 0
    assert active_after(80, high_in([])) == 0


def pulse_current(start, width=WIDTH, gap=GAP, cathodic=2000.0, anodic=2000.0):
    middle = start + width + gap
    return [(start, start + width, -cathodic, -cathodic), (middle, middle + width, anodic, anodic)]


def test_amplitude_and_balance_of_each_pulse():
    current = current_in(pulse_current(0) + pulse_current(PERIOD, anodic=1900.0))
    pulses = pulses_in(*train([0, PERIOD]))
    assert current.cathodic_ua(pulses) == pytest.approx([2000.0, 2000.0])
    assert current.anodic_ua(pulses) == pytest.approx([2000.0, 1900.0])
    assert current.imbalance_nc(pulses) == pytest.approx([0.0, -100e-6 * WIDTH], abs=CHARGE_TOLERANCE_NC)


def test_net_dc_is_charge_over_time():
    current = current_in([(0, 1000, 50.0, 50.0)])  # 50 uA for 1 us are 0.05 nC
    assert current.net_dc_na(0, 1_000_000_000) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="empty"):
        current.net_dc_na(5, 5)


def test_a_decay_is_integrated_as_a_triangle_and_read_on_its_line():
    current = current_in([(0, 1000, 100.0, 0.0)])
    assert float(current.charge_nc(0, 1000)) == pytest.approx(0.05)
    assert float(current.charge_nc(0, 500)) == pytest.approx(0.0375)
    assert list(current.at([-1, 0, 250, 1000, 5000])) == [0.0, 100.0, 75.0, 0.0, 0.0]


def test_no_current_is_no_charge():
    current = current_in([])
    assert float(current.charge_nc(0, 10)) == 0.0
    assert list(current.at([0, 1])) == [0.0, 0.0]


def test_pieces_that_overlap_are_refused():
    with pytest.raises(ValueError, match="follow"):
        current_in([(0, 10, 1.0, 1.0), (5, 15, 1.0, 1.0)])


@given(
    st.lists(
        st.tuples(st.integers(1, 1000), st.integers(0, 1000), st.integers(-500, 500), st.integers(-500, 500)),
        min_size=1,
        max_size=8,
    ),
    st.integers(-10, 9000),
    st.integers(-10, 9000),
)
def test_charge_is_additive(pieces, middle, end):
    at, segments = 0, []
    for duration, pause, i0, i1 in pieces:
        segments.append((at, at + duration, i0, i1))
        at += duration + pause
    current = current_in(segments)
    whole = current.charge_nc(-20, end)
    parts = current.charge_nc(-20, middle) + current.charge_nc(middle, end)
    assert whole == pytest.approx(parts, abs=CHARGE_TOLERANCE_NC)
    total = sum((i0 + i1) / 2 * (t1 - t0) for t0, t1, i0, i1 in segments) * 1e-6
    assert float(current.charge_nc(-20, at + 1)) == pytest.approx(total, abs=CHARGE_TOLERANCE_NC)
