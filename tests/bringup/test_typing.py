"""What a person types as a reading."""

from __future__ import annotations

import io
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.bringup.at_bench import span_text, value_text
from stimbench.bringup.model import Reading, Unit
from stimbench.bringup.typing_in import TerminalTypist, parse_reading
from stimbench.errors import RigError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.31", Unit.VOLTS, 3.31), ("-14,9", Unit.VOLTS, -14.9), ("+5", Unit.VOLTS, 5.0),
        ("250 mV", Unit.VOLTS, 0.25), (".5V", Unit.VOLTS, 0.5), ("1.03 k", Unit.OHMS, 1030.0),
        ("10M", Unit.OHMS, 10e6), ("15.2 ohm", Unit.OHMS, 15.2), ("OL", Unit.OHMS, math.inf),
        ("ol", Unit.OHMS, math.inf), ("0.L", Unit.OHMS, None), ("-0.2", Unit.OHMS, 0.0),
        ("120", Unit.MILLISECONDS, 120.0), ("120 ms", Unit.MILLISECONDS, 120.0),
        ("0.12 s", Unit.MILLISECONDS, 120.0), ("1 k", Unit.MILLISECONDS, None), ("OL", Unit.VOLTS, None),
        ("5 ohm", Unit.VOLTS, None), ("3.3.1", Unit.VOLTS, None), ("", Unit.VOLTS, None),
        ("fifteen", Unit.OHMS, None), ("400", Unit.VOLTS, None), ("-5", Unit.OHMS, None),
        ("2e3", Unit.OHMS, None), ("nan", Unit.VOLTS, None), ("1 2", Unit.VOLTS, None),
        ("20 s", Unit.MILLISECONDS, None),
    ],
)  # fmt: skip
def test_readings(text, unit, value):
    if value is None:
        with pytest.raises(ValueError, match=r"is no reading|cannot be|is asked for"):
            parse_reading(text, unit)
    else:
        assert parse_reading(text, unit) == pytest.approx(value)


@given(st.floats(-39, 39), st.sampled_from([("", 1.0), (" mV", 1e-3), ("V", 1.0)]))
def test_any_voltage_comes_through(value, form):
    text, factor = form
    assert parse_reading(f"{value:.4f}{text}", Unit.VOLTS) == pytest.approx(round(value, 4) * factor)


@given(st.text(max_size=12), st.sampled_from([Unit.VOLTS, Unit.OHMS, Unit.MILLISECONDS]))
def test_whatever_is_typed_is_a_plausible_number_or_one_clear_error(text, unit):
    try:
        value = parse_reading(text, unit)
    except ValueError as error:
        assert str(error)
    else:
        assert value == math.inf or -40 <= value <= 1e9


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, Unit.VOLTS, "skipped"), (1.0, Unit.YES, "yes"), (0.0, Unit.YES, "no"),
        (math.inf, Unit.OHMS, "OL"),
        (0.0123, Unit.VOLTS, "12.3 mV"), (14.95, Unit.VOLTS, "14.95 V"), (1037.0, Unit.OHMS, "1.037 kohm"),
        (9.98e6, Unit.OHMS, "9.98 Mohm"), (15.1, Unit.OHMS, "15.1 ohm"), (120.0, Unit.MILLISECONDS, "120 ms"),
    ],
)  # fmt: skip
def test_as_text(value, unit, text):
    assert value_text(value, unit) == text


@pytest.mark.parametrize(
    ("span", "unit", "text"),
    [
        ((1.0, 1.0), Unit.YES, "yes"), ((1e6, math.inf), Unit.OHMS, "1 Mohm or more"),
        ((-0.0002, 0.1007), Unit.VOLTS, "100.7 mV or less"),
        ((-0.3, 0.3), Unit.VOLTS, "-300.0 mV to 300.0 mV"),
    ],
)  # fmt: skip
def test_ranges_as_text(span, unit, text):
    assert span_text(Reading("r", "Q", "U 1", span, "", unit)) == text


@pytest.fixture
def keyboard():
    reader, writer = os.pipe()
    with os.fdopen(reader) as answers:
        yield answers, writer
    os.close(writer)


def test_a_line_comes_in_time_or_it_does_not(keyboard):
    answers, writer = keyboard
    asked = io.StringIO()
    typist = TerminalTypist(answers, asked)
    assert typist.ask("Well?", within_s=0.0) is None
    os.write(writer, b"3.3 \n")
    assert typist.ask("Well?", within_s=5.0) == "3.3"
    assert asked.getvalue() == "Well? \nWell? "


def test_an_end_of_the_input_is_nobody_any_more():
    with pytest.raises(RigError, match="Nobody answers any more"):
        TerminalTypist(io.StringIO(""), io.StringIO()).ask("Well?")
