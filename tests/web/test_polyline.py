"""Windows of a line: exact where its points fit, else each pixel's extremes, equal to those of all points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.web.polyline import Bands, Line, Polyline

FEW = st.builds(
    lambda seed, count, most: [
        (int(step), float(np.float32(value)))
        for step, value in zip(
            np.random.default_rng(seed).integers(0, most, count, endpoint=True),
            np.random.default_rng(seed + 1).normal(0, 50, count),
            strict=True,
        )
    ],
    st.integers(0, 1 << 32),
    st.integers(2, 1500),
    st.sampled_from([1, 40]),
)
"""Steps (time since the point before, value): many points, few of them at one time; or often."""
WIDTH = 16


def line_of(steps, parts=1):
    """A line from steps (time since the point before, value), appended in so many parts."""
    times = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps], np.float32)
    line = Polyline()
    for some in np.array_split(np.arange(len(times)), parts):
        line.extend(times[some], values[some])
    return line, times, values


def value_at(times, values, at, after):
    """The line's value at a time; at a jump the one after it, or before it."""
    if after:
        k = int(np.searchsorted(times, at, "right"))
        if k == len(times):
            return values[-1]
        low, high = k - 1, k
    else:
        k = int(np.searchsorted(times, at, "left"))
        if k == 0:
            return values[0]
        low, high = k - 1, k
    span = times[high] - times[low]
    return values[low] + (values[high] - values[low]) * np.float32((at - times[low]) / span)


def plain_extremes(times, values, begin, end):
    """By looking at every point."""
    inside = values[(times >= begin) & (times <= end)]
    bounds = [value_at(times, values, begin, True), value_at(times, values, end, False)]
    every = np.append(inside, bounds)
    return every.min(), every.max()


@given(FEW, st.integers(1, 5), st.data())
def test_columns_have_the_extremes_of_all_points_in_them(steps, parts, data):
    line, times, values = line_of(steps, parts)
    last = int(times[-1])
    if last - int(times[0]) < 2:
        return
    edges = data.draw(
        st.lists(st.integers(int(times[0]), last), min_size=2, max_size=20, unique=True).map(sorted)
    )
    lows, highs = line.extremes(np.array(edges))
    for k in range(len(edges) - 1):
        low, high = plain_extremes(times, values, edges[k], edges[k + 1])
        assert lows[k] == pytest.approx(low, abs=1e-4)
        assert highs[k] == pytest.approx(high, abs=1e-4)


@given(FEW, st.data())
def test_a_window_has_its_points_or_their_extremes(steps, data):
    line, times, values = line_of(steps)
    from_ns = data.draw(st.integers(int(times[0]), int(times[-1])))
    to_ns = data.draw(st.integers(from_ns, int(times[-1])))
    shape = line.window(from_ns, to_ns, WIDTH)
    inside = (times >= from_ns) & (times <= to_ns)
    if isinstance(shape, Line):
        kept = np.isin(shape.times_ns, times[inside])
        assert shape.times_ns[kept].tolist() == times[inside].tolist() or not inside.any()
        assert shape.times_ns[0] == from_ns
        assert shape.times_ns[-1] == to_ns
        low, high = shape.values.min(), shape.values.max()
    else:
        assert isinstance(shape, Bands)
        assert inside.sum() > 4 * WIDTH
        assert len(shape.lows) == WIDTH
        low, high = shape.lows.min(), shape.highs.max()
    plain_low, plain_high = plain_extremes(times, values, from_ns, to_ns)
    assert low == pytest.approx(plain_low, abs=1e-4)
    assert high == pytest.approx(plain_high, abs=1e-4)


@given(FEW, st.integers(0, 1500), st.integers(0, 300))
def test_what_was_added_for_now_can_be_taken_back(steps, kept, count):
    line, times, values = line_of(steps)
    kept = min(kept, len(times))
    others = 1000.0 + np.arange(count, dtype=np.float32)
    line.truncate(kept)
    more = int(times[-1]) + np.arange(1, len(others) + 1)
    line.extend(more, others)
    again = Polyline()
    again.extend(np.append(times[:kept], more), np.append(values[:kept], others))
    if not len(again):
        assert not len(line)
        return
    assert line.times_ns.tolist() == again.times_ns.tolist()
    edges = np.unique(np.linspace(again.times_ns[0], again.times_ns[-1], 9).astype(np.int64))
    if len(edges) > 1:
        for one, other in zip(line.extremes(edges), again.extremes(edges), strict=True):
            assert one.tolist() == other.tolist()


def test_no_pixel_of_a_long_session_costs_more_than_some_points():
    line = Polyline()
    count = 1_000_000
    line.extend(np.arange(count) * 1000, np.sin(np.arange(count)).astype(np.float32))
    shape = line.window(0, count * 1000, 1000)
    assert isinstance(shape, Bands)
    assert len(shape.times_ns) == 1000
    assert line.nbytes < count * 12 * 1.6


def test_points_that_run_backwards_are_refused():
    line = Polyline()
    line.extend(np.array([5, 6]), np.zeros(2))
    with pytest.raises(ValueError, match="do not follow"):
        line.extend(np.array([5]), np.zeros(1))
    assert len(line) == 2


def test_outside_of_what_is_known_there_is_nothing():
    line = Polyline()
    assert len(line.window(0, 100, 10).times_ns) == 0
    line.extend(np.array([10, 20]), np.array([1.0, 2.0]))
    assert line.window(0, 9, 10).times_ns.tolist() == []
    assert line.window(0, 100, 10).times_ns.tolist() == [10, 20]
    assert line.window(12, 15, 10).values.tolist() == pytest.approx([1.2, 1.5])
