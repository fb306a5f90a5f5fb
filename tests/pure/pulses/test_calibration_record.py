"""A board's calibration: what a record says of its leads, and which bytes are no record."""

import struct

from stimfw.pulses import calibration_record
from stimfw.pulses.calibration_record import CODES, CalibrationError, CalibrationRecord, LeadCalibration
from stimfw.pulses.lead_scales import LeadScales

IDEAL = tuple([code * 2500 // 200 for code in CODES])


def lead(currents=IDEAL, v_gain=1_000_000, i_gain=1_000_000, switches=19_000):
    return LeadCalibration(v_gain, -1200, i_gain, 3400, switches, currents)


def record(serial="E660583883724A2C", left=None, right=None):
    return CalibrationRecord(serial, 1_796_000_000, 500_000, (left or lead(), right or lead()))


def scaled(one):
    scales = LeadScales()
    one.apply(scales)
    return scales


def refused(call):
    try:
        call()
    except CalibrationError as error:
        return str(error)
    return ""


def test_an_ideal_board_keeps_the_nominal_factors():
    scales, nominal = scaled(lead()), LeadScales()
    for ua in range(0, 10_001, 5):
        assert scales.dac_code(ua) == nominal.dac_code(ua), ua
    for name in ("mv_per_1024", "ua_per_1024", "uv_per_code", "na_per_code", "switches_ohm"):
        assert getattr(scales, name) == getattr(nominal, name), name


def test_a_pump_that_gives_one_percent_more_gets_one_percent_fewer_codes():
    scales = scaled(lead([now * 101 // 100 for now in IDEAL]))
    assert [scales.dac_code(ua) for ua in (0, 1000, 2000, 4000, 10_000)] == [0, 396, 792, 1584, 3960]


def test_an_offset_is_taken_off_every_code_but_that_of_no_current():
    scales = scaled(lead([now + 500 for now in IDEAL]))  # 100 uA, 40 codes
    assert [scales.dac_code(ua) for ua in (0, 25, 100, 125, 4000)] == [0, 0, 0, 10, 1560]
    scales = scaled(lead([now - 500 for now in IDEAL]))
    assert [scales.dac_code(ua) for ua in (0, 25, 100, 9900, 10_000)] == [0, 50, 80, 4000, 4040]


def test_a_weak_pump_stays_at_the_highest_code():
    scales = scaled(lead([now * 96 // 100 for now in IDEAL]))
    assert scales.dac_code(9500) < 4095 and scales.dac_code(10_000) == 4095


def test_a_bent_line_is_followed_to_two_codes():
    bent = [now + 50 * 4 * code * (4096 - code) // 4096**2 * 2 for code, now in zip(CODES, IDEAL)]
    scales = scaled(lead(bent))
    for code, now in list(zip(CODES, bent))[2:-1]:
        assert abs(scales.dac_code(now * 200 // 1000) - code) <= 2


def test_gains_divide_the_factors():
    scales = scaled(lead(v_gain=1_010_000, i_gain=990_000, switches=19_400))
    assert (scales.mv_per_1024, scales.uv_per_code) == (8168, 7977)
    assert (scales.ua_per_1024, scales.na_per_code) == (5556, 5425)
    assert scales.switches_ohm == 19 and scaled(lead(switches=19_500)).switches_ohm == 20
    assert scales.millivolts(1024) == 8168 and scales.microamps(-1024) == -5556


def test_a_record_comes_back_as_it_was():
    one = record(right=lead(switches=6100))
    data = one.pack()
    again = calibration_record.unpack(data)
    assert len(data) == calibration_record.RECORD_BYTES == 133 and again.pack() == data
    assert (again.serial, again.calibrated_s, again.resistor_mohm) == (
        "E660583883724A2C",
        1_796_000_000,
        500_000,
    )
    assert [each.switches_mohm for each in again.leads] == [19_000, 6100]
    assert again.leads[0].currents == IDEAL
    assert (again.leads[0].v_offset_uv, again.leads[0].i_offset_na) == (-1200, 3400)


def test_the_format_is_this_one():
    assert struct.calcsize(calibration_record.HEAD) == calibration_record.HEAD_BYTES == 25
    assert struct.calcsize(calibration_record.LEAD) == calibration_record.LEAD_BYTES == 54
    data = record("no 1").pack()
    assert data[:25] == b"\x01no 1" + bytes(12) + struct.pack("<II", 1_796_000_000, 500_000)


def test_what_no_board_can_have_is_refused():
    assert refused(lambda: lead(v_gain=1_100_001)) == "gain of V of 1100001"
    assert refused(lambda: lead(i_gain=899_999)) == "gain of I of 899999"
    assert refused(lambda: lead(switches=200_001)) == "resistance of switches of 200001"
    assert refused(lambda: lead(switches=-1)) == "resistance of switches of -1"
    assert refused(lambda: lead(IDEAL[:-1])) == "number of currents of 16"
    assert refused(lambda: lead((3000,) + IDEAL[1:])).startswith("current at code 64")
    assert refused(lambda: lead(IDEAL[:5] + (IDEAL[5] + 500,) + IDEAL[6:])).startswith("step to code 1280")
    assert refused(lambda: lead(IDEAL[:5] + (IDEAL[4],) + IDEAL[6:])).startswith("step to code 1280")
    assert not refused(lambda: lead(v_gain=1_100_000, i_gain=900_000, switches=0))


def test_a_serial_number_is_sixteen_plain_characters_at_most():
    assert refused(lambda: record("")) == "serial number of 0"
    assert refused(lambda: record("x" * 17)) == "serial number of 17"
    assert refused(lambda: record("a\x07")) == "serial number of 2"
    assert record("x" * 16).serial == "x" * 16


def test_other_bytes_are_no_record():
    data = record().pack()
    assert refused(lambda: calibration_record.unpack(b"")) == "length of 0"
    assert refused(lambda: calibration_record.unpack(data[:-1])) == "length of 132"
    assert refused(lambda: calibration_record.unpack(b"\x02" + data[1:])) == "version of 2"
    assert refused(lambda: calibration_record.unpack(data[:1] + b"\xff" * 16 + data[17:]))
    assert refused(lambda: calibration_record.unpack(b"\x01" + bytes(132)))
