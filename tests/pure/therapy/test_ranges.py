"""Every parameter's range: what is in it, what is not, and what the refusal says."""

from stimfw.therapy import ranges
from stimfw.therapy.ranges import ParameterError, Range
from support.control import control

# What the bench promises (docs/hardware.md): low, high, step.
PROMISED = {
    "amplitude_ua": (0, 10000, 25),
    "width_us": (20, 1000, 1),
    "gap_us": (0, 500, 1),
    "rate_hz": (1, 200, 1),
    "ramp_up_ms": (0, 10000, 1),
    "ramp_down_ms": (0, 10000, 1),
    "on_ms": (1000, 60000, 1),
    "off_ms": (0, 300000, 1),
    "session_s": (60, 3600, 1),
    "contact_s": (20, 3600, 1),
    "cathode": (0, 3, 1),
    "anode": (0, 3, 1),
}
ALL = (
    ranges.AMPLITUDE_UA,
    ranges.WIDTH_US,
    ranges.GAP_US,
    ranges.RATE_HZ,
    ranges.RAMP_UP_MS,
    ranges.RAMP_DOWN_MS,
    ranges.ON_MS,
    ranges.OFF_MS,
    ranges.SESSION_S,
    ranges.CONTACT_S,
    ranges.CATHODE,
    ranges.ANODE,
)


def refusal(one, value, prefix=""):
    """The error for `value`, or None if it is taken."""
    try:
        one.check(value, prefix)
    except ParameterError as error:
        return error
    return None


def test_the_ranges_are_those_that_are_promised():
    assert {one.name: (one.low, one.high, one.step) for one in ALL} == PROMISED


@control("C-12")
def test_the_ends_are_taken_and_what_lies_beyond_is_not():
    for one in ALL:
        assert one.check(one.low) == one.low and one.check(one.high) == one.high
        for value in (
            one.low - 1,
            one.high + 1,
            one.low - one.step,
            one.high + one.step,
            1 << 31,
            -(1 << 31),
        ):
            assert refusal(one, value), (one.name, value)


def test_between_the_steps_is_refused():
    for value in (1, 24, 26, 9999):
        assert refusal(ranges.AMPLITUDE_UA, value)
    assert ranges.AMPLITUDE_UA.check(25) == 25


def test_only_integers_are_taken():
    for one in ALL:
        for value in (True, False, None, "100", b"100", 100.0, (100,), [100]):
            assert refusal(one, value), (one.name, value)


def test_off_is_taken_only_where_it_is_offered():
    for one in ALL:
        assert one.or_off == (one is ranges.CONTACT_S)
        assert one.holds(0) == (one.or_off or one.low == 0), one.name
    for value in (1, 19, -20, False):
        assert refusal(ranges.CONTACT_S, value), value
    assert ranges.CONTACT_S.text() == "0 (off), or 20 to 3600 s"


def test_a_refusal_says_field_value_and_range():
    error = refusal(ranges.AMPLITUDE_UA, 10025, "left.")
    assert error.field == "left.amplitude_ua" and error.value == 10025
    assert str(error) == "left.amplitude_ua = 10025: allowed is 0 to 10000 uA in steps of 25"
    assert error.allowed == ranges.AMPLITUDE_UA.text()


def test_a_range_without_a_unit_reads_well():
    assert Range("cathode", 0, 3).text() == "0 to 3"
