"""What codes stand for: against the circuit's formulas (docs/hardware.md), and to the unit."""

from stimfw.pulses import calibration
from stimfw.pulses.calibration import supply_mv, temperature_dc
from stimfw.pulses.lead_scales import LeadScales

CONVERTER_MV = 3300
CODES = 4096
DIVIDER = 10
SENSE_MV_PER_UA = 0.15
NOMINAL = LeadScales()
dac_code, millivolts, microamps = NOMINAL.dac_code, NOMINAL.millivolts, NOMINAL.microamps


def test_a_step_of_the_dac_is_2_5_microamperes():
    for amplitude_ua in range(0, 10_001, 25):
        assert dac_code(amplitude_ua) * 5 == amplitude_ua * 2
    assert [dac_code(ua) for ua in (0, 1, 2, 3, 4, 5, 6, 7, 8)] == [0, 0, 1, 1, 2, 2, 2, 3, 3]
    assert dac_code(4000) == 1600, "the figure that docs/hardware.md measures the pump at"


def test_codes_become_volts_and_amperes():
    for codes in (-2000, -1, 0, 1, 100, 2000):
        assert abs(millivolts(codes) - codes * 3300 * 10 / 4096) <= 1 + abs(codes) / 2000
        assert abs(microamps(codes) - codes * 3300 / 0.15 / 4096) <= 1 + abs(codes) * 5.4 / 2000


def test_a_code_is_8_057_millivolts_and_5_371_microamperes():
    assert [millivolts(codes) for codes in (1, 128, 2000, -1, -2000)] == [8, 1031, 16_113, -9, -16_114]
    assert [microamps(codes) for codes in (1, 256, 2000, -1, -2000)] == [5, 1375, 10_742, -6, -10_743]
    assert microamps(1024) == 5500 and millivolts(1024) == 8250


def test_the_fine_factors_are_the_nearest_whole_ones():
    assert abs(calibration.UV_PER_CODE - 1000 * CONVERTER_MV * DIVIDER / CODES) <= 0.5
    assert abs(calibration.NA_PER_CODE - 1000 * CONVERTER_MV / SENSE_MV_PER_UA / CODES) <= 0.5


def test_the_supply_is_three_times_what_the_converter_sees():
    assert [supply_mv(code) for code in (0, 1, 7, 33_100, 65_535)] == [0, 0, 1, 5000, 9899]
    assert [supply_mv(code * 65_536) for code in (1, 3)] == [9900, 29_700], "far beyond the range: exact"
    for volts in (1.8, 3.3, 5.0, 5.5):
        code16 = int(volts / 3 / 3.3 * 65_536)
        assert 0 <= volts * 1000 - supply_mv(code16) <= 1.2


def test_the_die_is_27_degrees_at_706_millivolts_and_colder_above():
    at_27 = 14_021  # 0.70602 V
    assert temperature_dc(at_27) == 270
    for degrees in (-20, 0, 27, 60, 85):
        volts = 0.706 - (degrees - 27) * 0.001721
        assert abs(temperature_dc(int(volts / 3.3 * 65_536)) - degrees * 10) <= 1
    assert [temperature_dc(code) for code in (0, 65_535)] == [4373, -14_802]
    assert [temperature_dc(code) for code in (13_262, 13_033)] == [492, 560], "a microvolt from the next"
    exact_at = 1721 * 65_536  # far beyond the range, where a unit of each constant shows
    assert temperature_dc(exact_at) == 270 - (1721 * 3_300_000 - 706_000) * 10 // 1721
