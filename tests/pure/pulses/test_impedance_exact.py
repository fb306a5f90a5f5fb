"""Single readings, to the unit: the expected values were computed with fractions, outside the firmware.

The sums are those of 40 pulses without noise, of a pair and two switches of 9.5 ohm. Expected: ohm, nF, uA,
mV of the last sample, kind; each is the exact value, cut to a whole number.
"""

from stimfw.protocol import messages
from stimfw.pulses import impedance
from stimfw.pulses.impedance import next_current_ua, read_at_once
from stimfw.pulses.lead_scales import SWITCHES_OHM, LeadScales

PULSES = 40
REST = 81_920  # 40 times code 2048
TIMES_NS = [
    -10_000, -7200, -4400, -600, 3200, 6000, 8800, 11_600, 15_400, 60_200, 120_000, 180_800, 183_600, 187_400,
    190_200, 193_000,
]  # fmt: skip
# 1000 ohm + 2.5 uF, 1 mA, resting at -30 mV.
MIDDLE = [
    81_771, 81_771, 81_771, 81_771, 76_706, 76_700, 76_694, 76_689, 76_681, 74_473, 74_473, 76_353, 76_347,
    76_340, 76_334, 76_329,
]  # fmt: skip
# 9990 ohm + 1 uF, 375 uA.
HIGH = [
    81_920, 81_920, 81_920, 81_920, 63_279, 63_274, 63_269, 63_263, 63_256, 79_127, 79_127, 62_948, 62_943,
    62_936, 62_931, 62_926,
]  # fmt: skip
# 500 ohm + 1 uF, 2 mA, resting at 100 mV.
LOW = [
    82_416, 82_416, 82_416, 82_416, 77_231, 77_203, 77_176, 77_148, 77_110, 67_025, 67_025, 75_468, 75_440,
    75_402, 75_374, 75_347,
]  # fmt: skip


def flat(voltage, current):
    """Sums of a pair without capacitance."""
    return [REST] * 4 + [voltage] * 5 + [current] * 2 + [voltage] * 5


def read(sums, test_ua=2000, pulses=PULSES):
    one = read_at_once(sums, pulses, TIMES_NS, 16 * 2048, test_ua, LeadScales())
    return one.ohm, one.capacitance_nf, one.current_ua, one.last_mv, one.kind


def test_readings_are_exact():
    assert read(MIDDLE, 1000) == (1000, 2501, 999, 1096, messages.KIND_OK)
    assert read(HIGH, 375) == (9989, 1000, 375, 3825, messages.KIND_OK)
    assert read(LOW) == (499, 1000, 2000, 1423, messages.KIND_OK)


def test_the_number_of_pulses_does_not_count():
    doubled = [2 * one for one in MIDDLE]
    assert read(doubled, 1000, 2 * PULSES) == read(MIDDLE, 1000)


def test_less_than_fifty_ohm_is_a_short():
    assert read(flat(81_211, 67_025)) == (52, 0, 2000, 142, messages.KIND_OK)
    kinds = {}
    for voltage in range(81_211, 81_301):
        ohm, _, _, _, kind = read(flat(voltage, 67_025))
        kinds[ohm] = kind
    assert kinds[49] == messages.KIND_SHORT and kinds[50] == messages.KIND_OK


def test_the_two_switches_are_subtracted_and_nothing_is_less_than_zero():
    assert read(flat(REST, 67_025))[0] == 0
    assert read(flat(REST + 200, 67_025))[0] == 0
    assert read(flat(81_717, 67_025))[0] == 1  # 20.44 ohm
    assert SWITCHES_OHM == 19


def test_less_than_half_of_the_test_current_is_an_open_pair():
    """1 mA of 2 mA is 186.18 codes."""
    for current, kind in ((74_472, messages.KIND_OK), (74_473, messages.KIND_OPEN)):
        one = read_at_once(flat(70_000, current), PULSES, TIMES_NS, 16 * 2048, 2000, LeadScales())
        assert one.kind == kind
    assert read_at_once(flat(70_000, 74_473), PULSES, TIMES_NS, 16 * 2048, 2000, LeadScales()).ohm == 65_535
    assert read(flat(70_000, 75_000), 1000)[4] == messages.KIND_OK
    assert read(flat(70_000, 81_000), 250)[4] == messages.KIND_OPEN
    assert read(flat(70_000, 76_893), 1350)[4] == messages.KIND_OK  # 675 uA: exactly half


def test_results_end_at_what_their_record_holds():
    ohm = read(flat(10_000, 81_400), 50)[0]
    assert ohm == 65_535
    nearly_flat = flat(70_000, 67_025)[:-5] + [69_999] * 5
    assert read(nearly_flat)[1] == 65_535


def test_the_next_current_aims_at_3_8_volts():
    """250 uA gave so many mV; rounded down to 25 uA, from 250 to 2000 uA."""
    for probe_mv, wanted_ua in (
        (1, 2000), (475, 2000), (476, 1975), (500, 1900), (950, 1000), (951, 975), (1000, 950), (2000, 475),
        (3454, 275), (3455, 250), (3800, 250), (15_000, 250), (0, 2000), (-1, 2000), (-500, 2000),
    ):  # fmt: skip
        assert next_current_ua(probe_mv, 250) == wanted_ua, probe_mv
    assert next_current_ua(1, 10) == 2000 and next_current_ua(1, 1) == 2000
    assert next_current_ua(3800, 1000) == 1000 and next_current_ua(3801, 1000) == 975


def test_the_test_pulses_are_those_of_the_firmware_document():
    assert (impedance.WIDTH_US, impedance.PERIOD_US) == (200, 1500)
    assert (impedance.FIRST_UA, impedance.MOST_UA, impedance.STEP_UA) == (250, 2000, 25)
    assert (impedance.PROBE_PULSES, impedance.SKIPPED_PULSES, impedance.COUNTED_PULSES) == (4, 4, 40)
    assert impedance.MAX_OHM == 65_535
    assert impedance.KINDS == "BBBBVVVVVIIVVVVV"
    before, inside = impedance.TIMES_US[:4], impedance.TIMES_US[4:]
    assert before == (-10, -7, -4, -1)
    assert inside == (13, 16, 19, 22, 25, 60, 120, 181, 184, 187, 190, 193)
