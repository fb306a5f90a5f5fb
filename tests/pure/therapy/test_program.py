"""The programme: refused whole and with the reason, packed and unpacked without loss."""

import struct

from stimfw.therapy import program
from stimfw.therapy.program import FIELD_NAMES, PACKED_BYTES, Program, default, range_of, unpack
from stimfw.therapy.ranges import ParameterError
from support.control import control

DEFAULTS = {
    "width_us": 214,
    "gap_us": 0,
    "rate_hz": 20,
    "ramp_up_ms": 2000,
    "ramp_down_ms": 2000,
    "on_ms": 10000,
    "off_ms": 20000,
    "session_s": 1800,
    "contact_s": 0,
}
GUARD_US = 20  # of a period, beside each of its two pulses (docs/firmware.md)
LEAST_PERIOD_ERROR = 10_000  # 1 part in so many
PACKED = "<HHHHHHIHHBBHBBH"  # the programme on the wire, fields in the order of FIELD_NAMES
LEAST_REFUSED = 15  # of its 28 bytes: 0xFF in one of these is beyond any range
# The nearest packed values below and above each range; None: it cannot be packed.
PACKED_BEYOND = {
    "width_us": (19, 1001),
    "gap_us": (None, 501),
    "rate_hz": (0, 201),
    "ramp_up_ms": (None, 10_001),
    "ramp_down_ms": (None, 10_001),
    "on_ms": (999, 60_001),
    "off_ms": (None, 300_001),
    "session_s": (59, 3601),
    "left.amplitude_ua": (1, 10_025),
    "left.cathode": (None, 4),
    "left.anode": (None, 4),
    "right.amplitude_ua": (1, 10_025),
    "right.cathode": (None, 4),
    "right.anode": (None, 4),
    "contact_s": (19, 3601),
}


def refusal(make):
    try:
        make()
    except ParameterError as error:
        return error
    return None


def changed(**changes):
    return lambda: default().replaced({name.replace("__", "."): value for name, value in changes.items()})


def test_a_new_board_puts_nothing_out():
    assert default().amplitude_ua == (0, 0)
    shown = default().as_dict()
    assert {name: shown[name] for name in DEFAULTS} == DEFAULTS
    assert sorted(shown) == sorted(FIELD_NAMES)


def test_each_field_is_where_it_is_looked_for():
    one = default().replaced({"contact_s": 20, "right.cathode": 0, "left.anode": 3, "session_s": 60})
    assert (one.contact_s, one.cathode, one.anode, one.session_s) == (20, (1, 0), (3, 2), 60)


@control("C-12")
def test_every_field_beyond_its_range_is_refused_by_name():
    before = default()
    for name in FIELD_NAMES:
        one = range_of(name)
        for value in (one.low - 1, one.high + 1, -1 if one.low else one.high + 25, 1 << 40):
            error = refusal(lambda name=name, value=value: before.replaced({name: value}))
            assert error and error.field == name and error.value == value, (name, value)
            assert str(value) in str(error) and name in str(error) and one.text() in str(error)
    assert before.as_dict() == default().as_dict()


def test_every_field_of_a_wrong_type_is_refused_by_name():
    for name in FIELD_NAMES:
        for value in (True, False, None, "20", 20.0, b"\x14"):
            error = refusal(lambda name=name, value=value: default().replaced({name: value}))
            assert error and error.field == name, (name, value)


def test_an_unknown_field_is_refused():
    error = refusal(changed(widht_us=200))
    assert error.field == "widht_us" and "width_us" in error.allowed
    assert refusal(lambda: range_of("left.width")).field == "left.width"


def test_other_amplitudes_make_the_programme_that_a_whole_check_would():
    one = default().replaced({"width_us": 400, "left.cathode": 3, "right.anode": 0, "contact_s": 30})
    for left_ua, right_ua in ((0, 0), (10_000, 25), (2000, 10_000)):
        made = one.with_amplitudes(left_ua, right_ua)
        whole = one.replaced({"left.amplitude_ua": left_ua, "right.amplitude_ua": right_ua})
        assert made.values == whole.values and made.__dict__ == whole.__dict__
        assert one.differs_only_in_amplitude(made) and made.amplitude_ua == (left_ua, right_ua)
    for wanted, field in (((10_025, 0), "left.amplitude_ua"), ((0, 2010), "right.amplitude_ua")):
        error = refusal(lambda wanted=wanted: one.with_amplitudes(*wanted))
        assert error.field == field and error.value == max(wanted)


def test_each_other_field_is_more_than_an_amplitude():
    one = default()
    for index, name in enumerate(FIELD_NAMES):
        values = list(one.values)
        values[index] += 1
        made = object.__new__(Program)
        made.values = tuple(values)
        assert one.differs_only_in_amplitude(made) == name.endswith(".amplitude_ua"), name


def test_a_wrong_number_of_fields_is_refused():
    values = default().values
    for wrong in ((), values[:-1], values + (0,)):
        assert refusal(lambda wrong=wrong: Program(wrong)).field == "programme"


def test_anode_and_cathode_must_differ():
    error = refusal(changed(right__anode=1))
    assert error.field == "right.anode" and error.value == 1
    assert refusal(changed(left__cathode=2)).field == "left.anode"


def test_two_pulses_and_their_guards_must_fit_into_a_period():
    error = refusal(changed(width_us=1000, gap_us=500, rate_hz=200))
    assert error.field == "rate_hz" and error.value == 200 and "198 Hz" in error.allowed
    for rate_hz in range(1, 201):
        for width_us, gap_us in ((1000, 500), (1000, 482), (1000, 481), (1000, 480), (20, 0)):
            fits = 2 * width_us + gap_us + GUARD_US <= program.period_us(rate_hz) // 2
            found = refusal(changed(width_us=width_us, gap_us=gap_us, rate_hz=rate_hz))
            assert (found is None) == fits, (rate_hz, width_us, gap_us)


def test_the_rate_that_a_refusal_offers_is_taken():
    error = refusal(changed(width_us=1000, gap_us=500, rate_hz=200))
    offered = int(error.allowed.split(" Hz")[0].split(" ")[-1])
    assert changed(width_us=1000, gap_us=500, rate_hz=offered)().rate_hz == offered


def test_the_period_is_the_nearest_one():
    for rate_hz in range(1, 201):
        error = abs(program.period_us(rate_hz) * rate_hz - 1_000_000)
        assert error * 2 <= rate_hz and error * LEAST_PERIOD_ERROR <= 1_000_000


def extremes():
    """The default programme with one field after the other at its ends."""
    for name in FIELD_NAMES:
        one = range_of(name)
        for value in (one.low, one.high):
            try:
                yield default().replaced({name: value})
            except ParameterError as error:
                assert error.field.endswith(".anode")


def test_packed_programmes_come_back_as_they_were():
    for one in extremes():
        packed = one.pack()
        assert len(packed) == PACKED_BYTES and unpack(packed).values == one.values


def test_packed_bytes_of_a_wrong_length_are_refused():
    packed = default().pack()
    for wrong in (b"", packed[:-1], packed + b"\0"):
        error = refusal(lambda wrong=wrong: unpack(wrong))
        assert error.field == "programme" and error.value == "%d bytes" % len(wrong)


def test_packed_values_beyond_their_range_are_refused():
    for name, (low, high) in PACKED_BEYOND.items():
        index = FIELD_NAMES.index(name)
        for value in (low, high):
            if value is not None:
                values = list(default().values)
                values[index] = value
                error = refusal(lambda values=values: unpack(struct.pack(PACKED, *values)))
                assert error and (error.field, error.value) == (name, value), (name, value)


@control("C-12")
def test_every_damaged_byte_is_refused_or_taken_as_it_was_sent():
    packed = default().pack()
    refused = 0
    for at in range(PACKED_BYTES):
        damaged = bytearray(packed)
        damaged[at] = 0xFF
        error = refusal(lambda damaged=damaged: unpack(bytes(damaged)))
        refused += error is not None
        assert error is None or error.field in FIELD_NAMES
        assert error or unpack(bytes(damaged)).pack() == bytes(damaged), at
    assert refused >= LEAST_REFUSED


@control("C-14")
def test_moved_electrodes_zero_their_own_lead_only():
    before = changed(left__amplitude_ua=2000, right__amplitude_ua=3000)()
    moved = before.replaced({"left.cathode": 0})
    assert moved.after(before).amplitude_ua == (0, 3000)
    moved = before.replaced({"right.anode": 3, "right.amplitude_ua": 9000})
    assert moved.after(before).amplitude_ua == (2000, 0)
    louder = before.replaced({"left.amplitude_ua": 2025})
    assert louder.after(before) is louder


def test_only_amplitudes_may_differ_while_the_output_is_on():
    one = default()
    for name in FIELD_NAMES:
        low = range_of(name).low
        value = {"anode": 3, "cathode": 0}.get(name.split(".")[-1], low + 25)
        other = one.replaced({name: value})
        assert other.differs_only_in_amplitude(one) == name.endswith("amplitude_ua"), name
    assert one.differs_only_in_amplitude(default())
