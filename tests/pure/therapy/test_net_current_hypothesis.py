"""The net direct current of any contraction: the limit is met to a step, and programmes follow it."""

from hypothesis import given
from hypothesis import strategies as st
from stimfw.therapy import ranges
from stimfw.therapy.net_current import most_ua, net_pa
from stimfw.therapy.program import Program, default, period_us
from stimfw.therapy.ranges import ParameterError

LIMIT_PA = 25_000
STEP_UA = 25


def within(one):
    return st.sampled_from([one.low, one.high]) | st.integers(one.low, one.high)


def fits(shape):
    return 2 * ranges.slot_us(shape[0], shape[1]) <= shape[2]


shapes = st.tuples(
    within(ranges.WIDTH_US),
    within(ranges.GAP_US),
    within(ranges.RATE_HZ).map(period_us),
    within(ranges.RAMP_UP_MS),
    within(ranges.ON_MS),
    within(ranges.RAMP_DOWN_MS),
).filter(fits)
amplitudes = st.integers(0, 400).map(lambda steps: steps * STEP_UA)


@given(shapes)
def test_the_highest_amplitude_stays_below_the_limit_and_two_steps_more_do_not(shape):
    most = most_ua(*shape)
    assert most % STEP_UA == 0 and net_pa(most, *shape) <= LIMIT_PA + 2
    if most < ranges.AMPLITUDE_UA.high:
        assert net_pa(most + 2 * STEP_UA, *shape) > LIMIT_PA


@given(shapes, amplitudes)
def test_a_current_grows_with_the_amplitude_and_is_never_negative(shape, amplitude_ua):
    assert 0 <= net_pa(amplitude_ua, *shape) <= net_pa(amplitude_ua + STEP_UA, *shape)


@given(shapes, st.integers(1, 5000))
def test_a_longer_hold_without_ramps_never_allows_less(shape, more_ms):
    width_us, gap_us, period, _, on_ms, _ = shape
    longer = most_ua(width_us, gap_us, period, 0, on_ms + more_ms, 0)
    assert longer >= most_ua(width_us, gap_us, period, 0, on_ms, 0) - STEP_UA


@given(shapes)
def test_a_shorter_gap_never_allows_less(shape):
    assert most_ua(shape[0], 0, *shape[2:]) >= most_ua(*shape)


@given(shapes, st.integers(1, 200), amplitudes, amplitudes)
def test_a_programme_is_taken_if_and_only_if_both_amplitudes_are_allowed(shape, rate_hz, left_ua, right_ua):
    width_us, gap_us, _, up_ms, on_ms, down_ms = shape
    period = period_us(rate_hz)
    if not fits((width_us, gap_us, period)):
        return
    values = list(default().values)
    values[:6] = [width_us, gap_us, rate_hz, up_ms, down_ms, on_ms]
    values[8], values[11] = left_ua, right_ua
    most = most_ua(width_us, gap_us, period, up_ms, on_ms, down_ms)
    try:
        assert Program(tuple(values)).amplitude_ua == (left_ua, right_ua)
    except ParameterError as error:
        assert max(left_ua, right_ua) > most
        assert (error.field, error.value) == (
            ("left.amplitude_ua", left_ua) if left_ua > most else ("right.amplitude_ua", right_ua)
        )
        assert error.allowed.startswith(f"at most {most} uA for 25 nA")
    else:
        assert max(left_ua, right_ua) <= most
