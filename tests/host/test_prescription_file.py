"""Prescriptions as TOML: every rule that fails is named at once, and text comes back as it was."""

from __future__ import annotations

import pytest
from stimbench.client import prescription_file
from stimbench.client.prescription_file import PrescriptionError, is_prescription, parse, to_toml
from stimbench.client.prescription_rules import judge, utc
from stimbench.errors import InputError
from stimfw.protocol import messages
from stimfw.therapy import prescription, program, rules
from stimfw.therapy.prescription import FIELD_NAMES, Prescription
from stimfw.therapy.rules import Readings
from support.prescriptions import readings, values

NO_BOARD = Readings(is_known=False)
ONE = Prescription(values(activation_s=1_800_000_000, left__least_ua=1000, left__most_ua=4000))


def found(text, board=NO_BOARD):
    return parse(text, "x.toml").findings(board)


def test_text_comes_back():
    text = to_toml(ONE)
    assert parse(text, "x").prescription("x", NO_BOARD).values == ONE.values
    assert "2027-01-15 08:00:00 UTC" in text and all(len(line) <= 120 for line in text.splitlines())


def test_times_and_dates_for_people():
    text = to_toml(ONE)
    for written, seconds in (
        ("2027-01-15T08:00:00Z", 1_800_000_000),
        ("2027-01-15T09:00:00+01:00", 1_800_000_000),
        ("2027-01-15T08:00:00", 1_800_000_000),
        ("2027-01-15", 1_800_000_000 - 8 * 3600),
    ):
        changed = text.replace("activation_s = 1800000000", f"activation_s = {written}")
        assert parse(changed, "x").prescription("x", NO_BOARD).activation_s == seconds
    assert utc(1_800_000_000) == "2027-01-15 08:00:00 UTC"


def test_what_may_be_left_out():
    lines = [line for line in to_toml(ONE).splitlines() if not line.startswith(("activation_s", "contact_s"))]
    one = parse("\n".join(lines), "x").prescription("x", NO_BOARD)
    assert (one.activation_s, one.contact_s) == (0, 0)


def test_everything_that_is_wrong_is_named_at_once():
    text = to_toml(ONE)
    text = text.replace("rate_hz = 20 ", 'rate_hz = "fast"').replace("off_ms = 20000", "off_ms = 1000")
    text = text.replace("session_s = 1800", "").replace("[right]", "colour = 3\n[right]\nshape = 1\n")
    text = text.replace("between_s = 14400", "between_s = 60")
    told = found(text)
    assert {(one.rule, one.field) for one in told} == {
        (0, "session_s"), (0, "left.colour"), (0, "right.shape"), (rules.RANGE, "rate_hz"),
        (rules.DUTY, "off_ms"),
        (rules.BETWEEN, "between_s"),
    }  # fmt: skip
    with pytest.raises(PrescriptionError) as error:
        parse(text, "x").prescription("x.toml", NO_BOARD)
    assert error.value.findings == told and "x.toml fails 6 rules, nothing was sent" in str(error.value)
    assert "off_ms = 1000: allowed is at least 14000 ms" in str(error.value)
    assert "'fast'" in str(error.value) and "session_s is missing" in str(error.value)


def test_a_file_without_tables():
    told = found("sessions_a_day = 2\nleft = 3\n")
    assert {one.rule for one in told} == {0}
    assert {one.field for one in told} == set(FIELD_NAMES) - {"sessions_a_day", "contact_s", "activation_s"}


@pytest.mark.parametrize("text", ["= 3", "a = " + "9" * 5000, "a = " + "[" * 100_000])
def test_what_is_no_toml(text):
    with pytest.raises(InputError):
        parse(text, "x.toml")


def test_each_rule_has_its_sentence():
    wanted = {
        rules.CHARGE: values(left__width_us=1000, left__amplitude_ua=5000),
        rules.SHANNON: values(left__width_us=300, left__amplitude_ua=6500),
        rules.PULSE_DUTY: values(rate_hz=200, left__width_us=300),
        rules.DAY_TOTAL: values(session_s=3600, sessions_a_day=3),
        rules.DAY_LENGTH: values(between_s=82_801),
        rules.ACTIVATION: values(activation_s=1_800_000_000),
        rules.AMPLITUDE: values(left__amplitude_ua=0, right__amplitude_ua=0),
        rules.NET_DC: values(left__width_us=300, left__gap_us=500, on_ms=1000, left__amplitude_ua=6475),
        rules.COMPLIANCE: values(left__least_ua=2500, left__most_ua=5000),
        rules.CONTACT: values(), rules.MEASURED: values(), rules.ELECTRODES: values(left__anode=1),
        rules.PERIOD: values(rate_hz=199, left__width_us=1000, left__gap_us=500),
        rules.WINDOW: values(left__most_ua=2975),
    }  # fmt: skip
    boards = {
        rules.COMPLIANCE: readings(ohm=6000),
        rules.CONTACT: readings(kind=messages.KIND_SHORT),
        rules.MEASURED: Readings(),
        rules.ACTIVATION: readings(earliest_s=1_900_000_000),
    }
    sentences = {}
    for rule, one in wanted.items():
        told = [each for each in judge(one, boards.get(rule, readings())) if each.rule == rule]
        assert told, rule
        sentences[rule] = str(told[0])
    assert sentences[rules.SHANNON] == (
        "rule 9 (Shannon): left.amplitude_ua = 6500: allowed is at most 6475 uA, for k = 1.5 and 12 mm2"
    )
    assert "pair is short" in sentences[rules.CONTACT]
    assert "run `stimbench impedance`" in sentences[rules.MEASURED]
    assert "2030-03-17 17:46:40 UTC or later" in sentences[rules.ACTIVATION]
    assert "at most 1950 uA, for 12 V" in sentences[rules.COMPLIANCE]
    assert "for 25 nA" in sentences[rules.NET_DC] and "3.6 uC" in sentences[rules.CHARGE]


def test_what_is_meant_as_a_prescription(tmp_path):
    from stimbench.client import program_file

    file = tmp_path / "x.toml"
    for text, is_one in (
        (to_toml(ONE), True),
        (program_file.to_toml(program.default()), False),
        ("", False),
        ("between_s = 3", True),
        ("[left]\nwidth_us = 3", True),
        ("left = 3", False),
    ):
        file.write_text(text, "utf-8")
        assert is_prescription(file) is is_one, text


def test_changes():
    written = parse(to_toml(ONE), "x")
    changed = prescription_file.changed(written, {"left.amplitude_ua": 1500})
    assert changed.prescription("x", NO_BOARD).amplitude_ua == (1500, 2500)
    with pytest.raises(InputError, match=r"left\.colour"):
        prescription_file.changed(written, {"left.colour": 3})
    absent = parse(to_toml(ONE).replace("session_s = 1800", ""), "x")
    assert absent.findings(NO_BOARD) and not prescription_file.changed(absent, {"session_s": 60}).findings(
        NO_BOARD
    )


def test_every_field_has_its_range_in_the_text():
    text = to_toml(ONE)
    for name in FIELD_NAMES:
        assert prescription.range_of(name).text().partition(",")[0] in text
