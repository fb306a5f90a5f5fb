"""From readings to a calibration: what was put in comes out, and what no board can have is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.calibrate.readings import Check, LeadReadings, Point, evaluated, interpolated_ua, scales_of
from stimfw.pulses.calibration_record import CODES, CalibrationError

OHM = 499.7
MV_PER_CODE, UA_PER_CODE = 8250 / 1024, 5500 / 1024


def readings(
    pump: float = 1.0,
    offset_ua: float = 0.0,
    v_gain: float = 1.0,
    i_gain: float = 1.0,
    switches: float = 19.0,
) -> LeadReadings:
    """Of a lead without noise; the converter's wide code beyond 480 codes adds nine."""

    def ua(code: int) -> float:
        return code * 2.5 * pump + offset_ua

    def read(codes: float) -> float:
        return codes + (9.0 if codes > 480 else 0.0)

    points = tuple(
        Point(
            code, ua(code) * OHM * 1e-6,
            read(ua(code) * OHM / 1000 / MV_PER_CODE * v_gain), read(ua(code) / UA_PER_CODE * i_gain),
        )
        for code in CODES
    )  # fmt: skip
    return LeadReadings(points, 2050.5, 2046.0, 2000, ua(2000) * switches / 1000 / MV_PER_CODE * v_gain)


@given(
    st.floats(0.97, 1.03), st.floats(-100.0, 100.0), st.floats(0.97, 1.03), st.floats(0.97, 1.03),
    st.floats(5.0, 40.0),
)  # fmt: skip
def test_what_a_lead_is_comes_out(pump, offset_ua, v_gain, i_gain, switches) -> None:
    found = evaluated(readings(pump, offset_ua, v_gain, i_gain, switches), OHM)
    assert found.v_gain_ppm == pytest.approx(v_gain * 1e6, abs=2)
    assert found.i_gain_ppm == pytest.approx(i_gain * 1e6, abs=2)
    assert found.switches_mohm == pytest.approx(switches * 1000, rel=1e-3)
    assert found.v_offset_uv == round(2.5 * MV_PER_CODE * 1000)
    assert found.i_offset_na == round(-2 * UA_PER_CODE * 1000)
    code = scales_of(found).dac_code(4000)
    assert abs(code * 2.5 * pump + offset_ua - 4000) <= 2.0


def test_readings_beyond_the_wide_code_do_not_bend_the_gains() -> None:
    assert evaluated(readings(), OHM).i_gain_ppm == 1_000_000


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"v_gain": 1.2}, "gain of V"),
        ({"i_gain": 0.8}, "gain of I"),
        ({"switches": 300.0}, "resistance of switches"),
        ({"pump": 1.4}, "step to code"),
    ],
)
def test_what_no_board_has_is_refused(changed, named) -> None:
    with pytest.raises(CalibrationError, match=named):
        evaluated(readings(**changed), OHM)


def test_a_lead_that_moves_nothing_is_refused() -> None:
    points = tuple(Point(code, code * 2.5 * OHM * 1e-6, 0.0, 0.0) for code in CODES)
    with pytest.raises(CalibrationError, match="gain of V"):
        evaluated(LeadReadings(points, 2048.0, 2048.0, 2000, 10.0), OHM)


def test_a_point_is_missing() -> None:
    whole = readings()
    with pytest.raises(ValueError, match="one point for each"):
        evaluated(LeadReadings(whole.points[1:], 2048.0, 2048.0, 2000, 10.0), OHM)


def test_between_two_codes_the_current_is_on_the_line() -> None:
    assert interpolated_ua(readings().points, OHM, 1000) == pytest.approx(2500.0)


@pytest.mark.parametrize(
    ("amplitude", "after", "good"),
    [(500, 510.0, True), (500, 489.9, False), (8000, 8040.0, True), (8000, 7959.0, False)],
)
def test_what_is_allowed(amplitude, after, good) -> None:
    assert Check(amplitude, 0.0, after).good is good
