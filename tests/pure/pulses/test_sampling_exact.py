"""The sample plan to the nanosecond."""

from stimfw.pulses import sampling
from stimfw.pulses.sampling import SamplePlan, cs_word, evenly


def error_of(kinds, times_us):
    try:
        SamplePlan(0, kinds, times_us)
    except ValueError as error:
        return str(error)
    return ""


def test_samples_spread_evenly_leave_a_share_before_and_after():
    assert evenly(200, 4) == [40, 80, 120, 160]
    assert evenly(20, 4) == [4, 8, 12, 16]
    assert evenly(1000, 8) == [111, 222, 333, 444, 555, 666, 777, 888]
    assert evenly(90, 2) == [30, 60]


def test_a_plan_keeps_its_grid_of_microseconds_behind_the_flag():
    plan = SamplePlan(0, "IVIV", (4, 8, 12, 16))
    assert plan.times_ns == [4000, 7800, 11_600, 16_400]
    plan = SamplePlan(0, "BV", (-10, 3))
    assert plan.times_ns == [-10_000, 2800]


def test_the_first_sample_may_be_ten_microseconds_early_and_not_eleven():
    assert error_of("BV", (-10, 3)) == ""
    assert error_of("BV", (-11, 3)) == "a sample at -11 us"


def test_two_samples_are_a_conversion_apart():
    """0.8 us and at least two loops of 1 us."""
    assert SamplePlan(0, "IV", (4, 7)).times_ns == [4000, 6800]
    assert error_of("IV", (4, 6)) == "a sample at 6 us"


def test_only_powers_of_two_from_2_to_16_are_planned():
    for count in range(0, 20):
        said = error_of("V" * count, range(5, 5 + 10 * count, 10))
        assert said == ("" if count in (2, 4, 8, 16) else "%d samples" % count), count


def test_a_time_for_each_sample_and_no_more():
    assert error_of("IVIV", (5, 10, 15)) == "4 samples" == error_of("IVIV", (5, 10, 15, 20, 25))


def test_the_converters_inputs_are_left_right_and_current():
    assert sampling.CHANNEL_V == (0, 1) and sampling.CHANNEL_I == 2
    assert [cs_word(0, kind) for kind in "BVI"] == [0x0005, 0x0005, 0x2005]
    assert [cs_word(1, kind) for kind in "BVI"] == [0x1005, 0x1005, 0x2005]


def test_a_cycle_is_200_nanoseconds():
    assert sampling.DIVIDER * 1_000_000_000 == 200 * 125_000_000
