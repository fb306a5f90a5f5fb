"""A prescription is whole and right in itself, or there is none."""

import struct

from stimfw.protocol import requests
from stimfw.therapy import prescription
from stimfw.therapy.prescription import FIELD_NAMES, PACKED_BYTES, Prescription, problems, range_of, unpack
from stimfw.therapy.ranges import ParameterError
from support.prescriptions import values


def refused(wanted):
    try:
        Prescription(wanted)
    except ParameterError as error:
        return error
    raise AssertionError("taken")


def test_fields_are_those_of_the_wire():
    row = requests.row_of(requests.SET_PRESCRIPTION)
    assert " ".join(FIELD_NAMES) == row[requests.BODY_FIELDS]
    assert struct.calcsize(row[requests.BODY]) == PACKED_BYTES == 49


def test_attributes():
    one = Prescription(
        (20, 2000, 1500, 9000, 20_000, 1800, 2, 14_400, 1_800_000_000, 300)
        + (1, 2, 3000, 214, 50, 1000, 4000)
        + (3, 0, 2500, 180, 0, 0, 0)
    )
    assert (one.rate_hz, one.ramp_up_ms, one.ramp_down_ms) == (20, 2000, 1500)
    assert (one.on_ms, one.off_ms) == (9000, 20_000)
    assert (one.session_s, one.sessions_a_day, one.between_s) == (1800, 2, 14_400)
    assert (one.activation_s, one.contact_s, one.period_us) == (1_800_000_000, 300, 50_000)
    assert (one.cathode, one.anode) == ((1, 3), (2, 0))
    assert (one.amplitude_ua, one.width_us, one.gap_us) == ((3000, 2500), (214, 180), (50, 0))
    assert (one.least_ua, one.most_ua) == ((1000, 0), (4000, 0))


def test_what_is_packed_comes_back():
    one = Prescription(values(activation_s=4_102_444_800, off_ms=300_000, right__gap_us=500))
    assert unpack(one.pack()).values == one.values
    assert len(one.pack()) == PACKED_BYTES
    for size in (0, PACKED_BYTES - 1, PACKED_BYTES + 1):
        try:
            unpack(bytes(size))
        except ParameterError as error:
            assert error.field == "prescription"
        else:
            raise AssertionError(size)


def test_the_wrong_number_of_fields():
    assert refused(values()[:-1]).field == "prescription"


def test_each_field_at_both_ends_of_its_range():
    base = values(left__most_ua=0, right__most_ua=0)
    for index, name in enumerate(FIELD_NAMES):
        known = range_of(name)
        for value in (known.low - 1, known.high + 1, -1, 1 << 40, None, True, 20.0):
            if value in (0, -1) and known.holds(value):
                continue
            wanted = list(base)
            wanted[index] = value
            if type(value) is int and known.holds(value):
                continue
            assert refused(wanted).field == name, value
            assert [found[1] for found in problems(wanted) if found[0] == prescription.RULE_RANGE] == [index]


def test_gaps_are_none_or_3_us_and_more():
    for gap_us, fits in ((0, True), (1, False), (2, False), (3, True), (500, True), (501, False)):
        assert (not problems(values(right__gap_us=gap_us))) is fits


def test_all_that_is_wrong_is_found_at_once():
    wanted = values(rate_hz=0, session_s=59, left__anode=1, right__amplitude_ua=30)
    assert problems(wanted) == [
        (1, 0, 0, 1),
        (1, 5, 59, 60),
        (1, 19, 30, 10_000),
        (2, 11, 1, 1),
    ]


def test_two_pulses_must_fit_each_leads_own():
    # 2 x 1000 + 480 + 20 = 2500 us, twice, are the period of 200 Hz; with a gap of 500 us it takes 198 Hz.
    assert not problems(values(rate_hz=200, right__width_us=1000, right__gap_us=480))
    assert problems(values(rate_hz=200, right__width_us=1000, right__gap_us=481))
    assert not problems(values(rate_hz=198, right__width_us=1000, right__gap_us=500))
    found = problems(values(rate_hz=199, right__width_us=1000, right__gap_us=500))
    assert found == [(prescription.RULE_PERIOD, 0, 199, 198)]
    assert "198 Hz" in refused(values(rate_hz=199, left__width_us=1000, left__gap_us=500)).allowed


def test_the_window_holds_the_amplitude_or_is_closed():
    for least, most, fits in (
        (0, 0, True), (0, 3000, True), (3000, 3000, True), (3000, 10_000, True),
        (0, 2975, False), (3025, 10_000, False), (4000, 2000, False), (25, 0, False),
    ):  # fmt: skip
        wanted = values(left__least_ua=least, left__most_ua=most)
        assert (not problems(wanted)) is fits, (least, most)
    assert problems(values(left__least_ua=3025, left__most_ua=4000)) == [(4, 12, 3000, 3025)]
    assert problems(values(left__least_ua=25, left__most_ua=2975)) == [(4, 12, 3000, 2975)]
    assert problems(values(left__least_ua=4000, left__most_ua=2000)) == [(4, 15, 4000, 2000)]


def test_what_the_patient_may_choose():
    one = Prescription(values(left__least_ua=1000, left__most_ua=4000))
    told = [one.allows(0, ua) for ua in (0, 975, 1000, 3010, 4000, 4025, 20_000)]
    assert told == [False, False, True, False, True, False, False]
    assert not one.allows(1, 2500) and not one.allows(1, 0), "a closed window"


def test_other_amplitudes_make_the_prescription_that_a_whole_check_would():
    one = Prescription(values(left__least_ua=1000, left__most_ua=4000, right__width_us=400, left__gap_us=30))
    made = one.with_amplitudes(1500, 0)
    whole = one.replaced({"left.amplitude_ua": 1500, "right.amplitude_ua": 0})
    assert made.values == whole.values and made.__dict__ == whole.__dict__
    assert one.amplitude_ua == (3000, 2500) and made.amplitude_ua == (1500, 0)


def test_changes():
    one = Prescription(values())
    assert one.replaced({"left.amplitude_ua": 1000}).amplitude_ua == (1000, 2500)
    assert one.amplitude_ua == (3000, 2500)
    assert one.as_dict()["right.amplitude_ua"] == 2500
    for name, value in (("left.colour", 3), ("rate_hz", 0)):
        try:
            one.replaced({name: value})
        except ParameterError as error:
            assert error.field == name
        else:
            raise AssertionError(name)


def test_a_field_without_a_range():
    try:
        range_of("colour")
    except ParameterError as error:
        assert error.field == "colour" and "rate_hz" in error.allowed
    else:
        raise AssertionError("no error")


def test_texts():
    assert range_of("activation_s").text().startswith("0 (when the healing time is over), or 1000000000")
    assert refused(values(left__anode=1)).allowed == "another electrode than the cathode"
    assert "at least 3025 uA" in refused(values(left__least_ua=3025, left__most_ua=4000)).allowed
    assert "at most 2975 uA" in refused(values(left__most_ua=2975)).allowed


def test_the_default_stimulates_nobody():
    assert prescription.default().amplitude_ua == (0, 0)
