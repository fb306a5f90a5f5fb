"""The code's light: its times, and how many codes a person takes for the right one."""

from stimfw.pairing import blink_code
from stimfw.pairing.blink_code import lit, shown_whole, wait_ms

BITS = 20
CODES = 1 << BITS
UNIT_MS = 80
UNITS = 50
"""Of a pass: every change of the light is at a multiple of 80 ms."""
ONE_IN_AT_LEAST = 10_000
MARKER = (3, 4)
"""First unit and length of the marker's light."""


def units(code):
    """The light in the middle of each unit of a pass."""
    return [lit(code, unit * UNIT_MS + UNIT_MS // 2) for unit in range(UNITS)]


def lights(code):
    """Each light of a pass that is neither dark nor goes on from the unit before: first unit, length."""
    shown = units(code)
    assert not shown[0] and not shown[-1]
    found = []
    for unit in range(1, UNITS):
        if shown[unit] and not shown[unit - 1]:
            length = 1
            while shown[unit + length]:
                length += 1
            found.append((unit, length))
    return found


def test_a_pass_is_four_seconds():
    assert (blink_code.BITS, blink_code.MARKER_MS, blink_code.BIT_MS) == (BITS, 800, 160)
    assert blink_code.BLINK_MS == UNIT_MS and blink_code.PASS_MS == UNITS * UNIT_MS == 4000


def test_the_marker_then_a_blink_for_each_bit_that_is_one():
    code = 0b1010_0000_0000_0000_0011
    changes = [(ms, lit(code, ms)) for ms in range(4001) if ms == 0 or lit(code, ms) != lit(code, ms - 1)]
    assert changes == [
        (0, 0), (240, 1), (560, 0), (800, 1), (880, 0), (1120, 1), (1200, 0),
        (3680, 1), (3760, 0), (3840, 1), (3920, 0),
    ]  # fmt: skip
    assert lit(code, 4000 + 300) == 1 and lit(code, 4000 + 800) == 1, "again and again"


def test_it_is_whole_after_a_pass():
    assert [shown_whole(ms) for ms in (0, 35, 800, 3999, 4000, 9000)] == [False] * 4 + [True] * 2


def test_the_next_change_of_the_light():
    for code in (0, 1, 2, 0x80000, 0xFFFFF, 0xFFFFE, 0x0F0F0, 0x55555, 0xA0003):
        for since_ms in (
            0,
            1,
            239,
            240,
            559,
            560,
            799,
            800,
            801,
            879,
            880,
            1234,
            3840,
            3919,
            3920,
            3999,
            4711,
        ):
            ahead_ms = wait_ms(code, since_ms)
            now = lit(code, since_ms)
            assert lit(code, since_ms + ahead_ms) != now, (code, since_ms)
            assert all([lit(code, ms) == now for ms in range(since_ms, since_ms + ahead_ms)])


def test_each_bit_is_a_blink_of_its_own():
    """So the lights of any code are the marker's and those of its bits: what follows counts so."""
    assert lights(0) == [MARKER]
    for bit in range(BITS):
        assert lights(1 << bit) == [MARKER, (10 + 2 * (BITS - 1 - bit), 1)]
    assert lights(CODES - 1) == [MARKER] + [(10 + 2 * bit, 1) for bit in range(BITS)]
    for code in (0x12345, 0xFFFFF, 0xA5A5A, 0x00001, 0x80000):
        of_bits = [lights(1 << bit)[1] for bit in range(BITS) if code >> bit & 1]
        assert lights(code) == [MARKER] + sorted(of_bits)


def test_one_code_in_a_million_is_alike_and_one_in_49_932_if_a_blink_is_overlooked():
    """For any code: another one's lights differ in one blink where their bits differ in one."""
    alike = overlooked = 0
    for differing in range(CODES):
        if differing & (differing - 1) == 0:  # no bit or one bit
            overlooked += 1
            alike += differing == 0
    assert (alike, overlooked) == (1, 21)
    assert CODES // alike == 1_048_576 and CODES // overlooked == 49_932
    assert CODES // overlooked >= ONE_IN_AT_LEAST


def test_shifted_codes_are_never_alike():
    """A man in the middle chooses when each light begins. Only where the markers coincide can two be alike.

    Elsewhere both markers' lights lie where the other code has blinks or nothing: two lights differ in length
    at least, whatever the codes are, and one is all that may be overlooked.
    """
    longest = max([length for unit, length in lights(CODES - 1) if (unit, length) != MARKER])
    assert longest == 1
    for shift in range(1, UNITS):
        moved = (MARKER[0] + shift) % UNITS
        assert moved != MARKER[0]
        here = [one for one in lights(CODES - 1) if one == (moved, MARKER[1])]
        back = [one for one in lights(CODES - 1) if one == ((MARKER[0] - shift) % UNITS, MARKER[1])]
        assert not here and not back, shift
