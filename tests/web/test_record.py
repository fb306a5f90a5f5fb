"""What the bench's process tells becomes the record: the same pulses that the bench's own capture has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.analysis import current_of, pulses_of
from stimbench.client.on_bench import ready_bench
from stimbench.web.feed import Feed
from stimbench.web.news import packed, unpacked
from stimbench.web.pieces import Piecewise, as_pieces, straightened
from stimbench.web.polyline import Line
from stimbench.web.record import Record

PIECES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 9), st.floats(-9, 9, width=32), st.floats(-9, 9, width=32)),
    max_size=30,
)


def segments_of(steps):
    at, found = 0, []
    for gap, span, begin, end in steps:
        found.append((at + gap, at + gap + span, begin, end))
        at += gap + span
    return found


def value_of(segments, at):
    return next((v0 + (v1 - v0) * (at - t0) / (t1 - t0) for t0, t1, v0, v1 in segments if t0 < at < t1), 0.0)


@given(PIECES, st.integers(1, 4))
def test_the_points_of_pieces_are_the_pieces(steps, parts):
    segments = segments_of(steps)
    maker, times, values = Piecewise(), [], []
    for some in np.array_split(np.arange(len(segments)), parts):
        more_times, more_values = maker.points(as_pieces([segments[k] for k in some]))
        times += more_times.tolist()
        values += more_values.tolist()
    ahead_times, ahead_values = maker.ahead(as_pieces([]), 1000)
    times += ahead_times.tolist()
    values += ahead_values.tolist()
    assert times == sorted(times)
    for middle in np.arange(0.5, times[-1] if times else 0, 1.0)[:300]:
        assert np.interp(middle, times, values) == pytest.approx(value_of(segments, middle), abs=1e-4)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(1, 9), st.sampled_from([0.0, 1.0, 2.0]), st.booleans()),
        max_size=40,
    ),
)
def test_a_straightened_line_goes_where_it_went(steps):
    """Slopes of one unit a ns and steps between them; nothing moves, jumps and gaps stay."""
    at, value, segments = 0, 0.0, []
    for gap, span, slope, jump in steps:
        at, value = at + gap, value + (5.0 if jump else 0.0)
        segments.append((at, at + span, value, value + slope * span))
        at, value = at + span, value + slope * span
    fewer = [tuple(row) for row in straightened(as_pieces(segments), 1e-9).tolist()]
    assert len(fewer) <= len(segments)
    for middle in np.arange(0.5, at, 1.0):
        assert value_of(fewer, middle) == pytest.approx(value_of(segments, middle), abs=1e-6)


def test_a_straight_slope_of_many_pieces_becomes_one():
    segments = [(k, k + 1, k * 0.01, (k + 1) * 0.01) for k in range(16)]
    assert straightened(as_pieces(segments), 1e-5).tolist() == [[0, 16, 0.0, 0.16]]
    bent = [(0, 1, 0.0, 0.01), (1, 2, 0.01, 0.03)]
    assert straightened(as_pieces(bent), 1e-5).tolist() == [list(one) for one in bent]


@pytest.mark.emulated
def test_the_record_has_the_pulses_of_the_bench():
    """Told in uneven steps, on one bench; captured on an equal one."""

    def run(told):
        with ready_bench(ramp_up_ms=0) as (bench, stimulator):
            feed = Feed(bench) if told else None
            record = Record()
            stimulator.start()
            for step_ns in (3, 1_700_003, 80_000_000, 11, 900_000_000, 450_000):
                bench.run_for(step_ns)
                if feed is not None:
                    record.add(*unpacked(packed(*feed.news())))
            return record, bench.trace.capture()

    record, _ = run(told=True)
    _, capture = run(told=False)
    for name, lead in record.leads.items():
        expected = pulses_of(capture, name)
        found = lead.pulses
        assert len(found) > 10
        expected = expected[: len(found)]
        for field in ("start_ns", "cathodic_ns", "gap_ns", "anodic_ns", "period_ns"):
            assert found[field].tolist() == expected[field].tolist()
        current = current_of(capture, name)
        assert found["cathodic_ua"] == pytest.approx(current.cathodic_ua(expected), rel=1e-5)
        ends = expected["start_ns"] + expected["cathodic_ns"]
        assert found["cathodic_nc"] == pytest.approx(-current.charge_nc(expected["start_ns"], ends), rel=1e-5)
        # The lines themselves, within and between pulses.
        voltage = capture.voltage(f"V_{name.upper()}")
        line = lead.lines["voltage"]
        at = int(expected["start_ns"][3]) + np.array(
            [-2_000_000, 50_000, 100_000, 250_000, 600_000, 9_000_000]
        )
        assert np.interp(at, line.times_ns, line.values) == pytest.approx(voltage.at(at), abs=2e-3)
        at = int(expected["start_ns"][3]) + np.array([-50_000, 50_000, 100_000, 250_000, 500_000])
        shape = lead.window("current", int(at[0]), int(at[-1]), 800)
        assert isinstance(shape, Line)
        assert np.interp(at, shape.times_ns, shape.values) == pytest.approx(current.at(at), abs=0.01)


@pytest.mark.emulated
def test_what_was_told_is_forgotten_by_the_parts():
    with ready_bench() as (bench, stimulator):
        feed = Feed(bench)
        stimulator.start()
        bench.run_for(600_000_000)
        first, end_ns = feed.news()
        assert end_ns == bench.now_ns
        assert sum(len(one.voltage) for one in first.values()) > 0
        again, _ = feed.news()
        for one in again.values():
            assert len(one.current) == len(one.voltage) == len(one.switches[0]) == 0
        assert not bench.board("stimulator").parts.leads["left"].trace.segments
