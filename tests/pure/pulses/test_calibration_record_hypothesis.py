"""A calibrated lead's codes: the inverse of what was measured, whatever a bench of these parts may be."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from stimfw.pulses import calibration_record
from stimfw.pulses.calibration_record import CODES, CURRENT_NA, CalibrationError, LeadCalibration
from stimfw.pulses.lead_scales import LeadScales

LSB_UA = 2.5


@st.composite
def pumps(draw):
    """Current by code: gain and offset of DAC and pump, and an integral error of 12 steps at the most."""
    gain = draw(st.floats(0.98, 1.02))
    offset_ua = draw(st.floats(-102.0, 102.0))
    bow, wave = draw(st.floats(-8.0, 8.0)), draw(st.floats(-2.0, 2.0))
    phase = draw(st.floats(0.0, 2 * math.pi))

    def current_ua(code):
        x = code / 4096
        error = 4 * bow * x * (1 - x) + wave * (math.sin(8 * math.pi * x + phase) - math.sin(phase))
        return max(25.0, (code + error) * LSB_UA * gain + offset_ua)

    return current_ua


def calibrated(current_ua):
    scales = LeadScales()
    measured = [round(current_ua(code) * 1000 / CURRENT_NA) for code in CODES]
    LeadCalibration(1_000_000, 0, 1_000_000, 0, 5000, measured).apply(scales)
    return scales


@given(pumps())
def test_the_current_of_a_code_is_the_amplitude_to_ten_microamperes(current_ua):
    scales = calibrated(current_ua)
    least, most = current_ua(0) + 5, current_ua(4095) - 5
    for amplitude_ua in range(25, 10_001, 75):
        if least <= amplitude_ua <= most:
            off = current_ua(scales.dac_code(amplitude_ua)) - amplitude_ua
            assert abs(off) <= max(5.0, amplitude_ua / 400), amplitude_ua


@given(pumps())
def test_more_amplitude_is_never_a_lower_code_and_none_is_beyond_full_scale(current_ua):
    codes = [calibrated(current_ua).dac_code(ua) for ua in range(0, 10_001, 5)]
    assert np.all(np.diff(codes) >= 0) and codes[0] == 0 and codes[-1] <= 4095


@given(st.binary(min_size=133, max_size=133))
def test_any_bytes_are_a_record_that_packs_alike_or_none(data):
    try:
        found = calibration_record.unpack(b"\x01" + data[1:])
    except CalibrationError:
        return
    assert calibration_record.unpack(found.pack()).pack() == found.pack()
