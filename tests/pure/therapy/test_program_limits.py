"""Where a programme's rules have their edges, and what the refusals say word for word."""

from stimfw.therapy import ranges
from stimfw.therapy.program import FIELD_NAMES, Program, default, unpack
from stimfw.therapy.ranges import ParameterError

GUARD_US = 20


def refusal(make):
    try:
        make()
    except ParameterError as error:
        return error
    return None


def test_either_electrode_may_have_the_higher_number():
    for lead in ("left", "right"):
        for cathode in range(4):
            for anode in range(4):
                wanted = {lead + ".cathode": cathode, lead + ".anode": anode}
                error = refusal(lambda wanted=wanted: default().replaced(wanted))
                assert (error is None) == (cathode != anode), wanted


def test_a_pulse_takes_both_phases_the_gap_and_a_guard():
    assert ranges.slot_us(214, 0) == 448
    assert ranges.slot_us(1000, 500) == 2 * 1000 + 500 + GUARD_US
    assert ranges.slot_us(20, 7) == 2 * 20 + 7 + GUARD_US


def test_a_pulse_that_fills_half_a_period_exactly_is_taken():
    """200 Hz: 2500 us for each lead, of which 20 are guard."""
    wide = default().replaced({"width_us": 1000, "rate_hz": 100})
    assert wide.replaced({"rate_hz": 200, "gap_us": 480}).gap_us == 480
    assert refusal(lambda: wide.replaced({"rate_hz": 200, "gap_us": 481})).field == "rate_hz"


def test_the_offered_rate_is_rounded_down():
    """Two slots of 2520 us are a period of 5040 us: 198.4 Hz."""
    error = refusal(lambda: default().replaced({"rate_hz": 200, "width_us": 1000, "gap_us": 500}))
    assert error.allowed == "at most 198 Hz with these widths and gap (two pulses must fit into a period)"


def test_a_wrong_size_is_told_in_words():
    error = refusal(lambda: Program((1, 2, 3)))
    assert error.value == "3 fields" and error.allowed == "15 fields" and len(FIELD_NAMES) == 15
    error = refusal(lambda: unpack(b"12345"))
    assert error.value == "5 bytes" and error.allowed == "28 bytes" and len(default().pack()) == 28


def test_steps_count_from_the_lowest_value():
    odd = ranges.Range("odd", 10, 100, "", 7)
    assert [value for value in range(0, 110) if odd.holds(value)] == list(range(10, 101, 7))
    assert refusal(lambda: odd.check(14)) and odd.check(17) == 17


def test_a_range_of_single_steps_names_none():
    assert ranges.Range("one", 1, 2).text() == "1 to 2"
    assert ranges.Range("two", 2, 8, "V", 2).text() == "2 to 8 V in steps of 2"
