"""Programmes of any values: taken if all is in range and fits together, refused whole otherwise."""

import struct
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from stimfw.therapy import program
from stimfw.therapy.contraction import Contraction
from stimfw.therapy.program import FIELD_NAMES, PACKED_BYTES, Program, range_of, unpack
from stimfw.therapy.ranges import ParameterError

RANGES = [range_of(name) for name in FIELD_NAMES]
near = [
    st.sampled_from([r.low - 1, r.low, r.low + r.step, r.high - r.step, r.high, r.high + 1])
    | st.integers(r.low, r.high)
    | st.sampled_from([0, r.low] if r.or_off else [r.low])
    for r in RANGES
]
within = [st.integers(0, (r.high - r.low) // r.step).map(lambda k, r=r: r.low + k * r.step) for r in RANGES]
anything = st.one_of(st.integers(), st.booleans(), st.none(), st.floats(), st.text(), st.binary())


@given(st.tuples(*near))
def test_a_programme_is_taken_if_and_only_if_all_of_it_is_in_range(values):
    fields_fit = all(
        r.low <= v <= r.high and (v - r.low) % r.step == 0 or (r.or_off and v == 0)
        for r, v in zip(RANGES, values, strict=True)
    )
    slots = 2 * (2 * values[0] + values[1] + 15)
    apart = values[9] != values[10] and values[12] != values[13]
    fits = fields_fit and apart and slots <= program.period_us(values[2]) // 2 * 2
    try:
        taken = Program(values)
    except ParameterError as error:
        assert not fits and error.field in FIELD_NAMES and str(error.value) in str(error)
    else:
        assert fits and taken.values == values


@given(st.tuples(*within))
def test_what_is_packed_comes_back(values):
    try:
        one = Program(values)
    except ParameterError:
        return
    assert unpack(one.pack()).values == values


@given(st.binary(max_size=PACKED_BYTES + 4))
def test_any_bytes_are_a_programme_or_a_parameter_error(body):
    with suppress(ParameterError):
        assert unpack(body).pack() == body


@given(st.sampled_from(FIELD_NAMES), anything)
def test_anything_in_one_field_is_judged_by_its_range(name, value):
    before = program.default().values
    good = type(value) is int and range_of(name).holds(value)
    try:
        program.default().replaced({name: value})
    except ParameterError as error:
        assert not good or error.field.endswith(("anode", "rate_hz"))
    else:
        assert good
    assert program.default().values == before


@given(st.tuples(*within), st.integers(-5, 20_000))
def test_no_amplitude_is_ever_beyond_the_programmes(values, period):
    try:
        one = Program(values)
    except ParameterError:
        return
    contraction = Contraction(one)
    for lead in (0, 1):
        amplitude_ua = contraction.amplitude_ua(lead, max(0, period))
        assert 0 <= amplitude_ua <= one.amplitude_ua[lead]


def test_the_host_shows_the_fields_in_their_order():
    assert list(program.default().as_dict()) == list(FIELD_NAMES)


@given(st.tuples(*within))
def test_the_wire_holds_every_field(values):
    assert struct.unpack("<HHHHHHIHHBBHBBH", struct.pack("<HHHHHHIHHBBHBBH", *values)) == values
