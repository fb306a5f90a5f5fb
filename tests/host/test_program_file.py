"""Programmes as TOML: all problems at once, each with field, value and range; nothing half valid."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.client.program_file import changed, from_toml, load, parse_changes, to_toml
from stimbench.errors import InputError, ProgramError
from stimfw.therapy import program
from stimfw.therapy.program import FIELD_NAMES, range_of

DEFAULT = to_toml(program.default())


def problems(text):
    with pytest.raises(ProgramError) as caught:
        from_toml(text, "test.toml")
    return {problem.field: str(problem) for problem in caught.value.problems}


def replaced(field, value):
    lead, _, name = field.rpartition(".")
    head, found, tail = DEFAULT.partition(f"[{lead}]") if lead else ("", "", DEFAULT)
    lines = [f"{name} = {value}" if line.startswith(f"{name} =") else line for line in tail.split("\n")]
    if lead == "left":
        right = lines.index("[right]")
        lines[right:] = tail.split("\n")[right:]
    return head + found + "\n".join(lines)


def test_a_programme_survives_the_round_trip(other_program):
    assert from_toml(to_toml(other_program), "x").values == other_program.values


@given(st.data())
def test_every_field_accepts_its_range_and_nothing_else(data):
    field = data.draw(st.sampled_from(FIELD_NAMES))
    known = range_of(field)
    value = data.draw(st.integers(known.low - 200, known.high + 200))
    text = replaced(field, value)
    try:
        assert from_toml(text, "x").as_dict()[field] == value
        accepted = True
    except ProgramError as error:
        found = {problem.field: problem for problem in error.problems}
        accepted = field not in found
        if not known.holds(value):
            assert found[field].value == value
            assert found[field].allowed == known.text()
    assert not accepted or known.holds(value)


@pytest.mark.parametrize("value", ["214.0", '"214"', "true", "[214]", "2024-01-01"])
def test_only_integers_count(value):
    assert set(problems(replaced("width_us", value))) == {"width_us"}


@pytest.mark.parametrize("value", ["214.0", '"214"', "true", "nan", "2024-01-01"])
def test_what_is_no_whole_number_is_told_so(value):
    (text,) = problems(replaced("width_us", value)).values()
    assert text.endswith(": allowed is 20 to 1000 us, as a whole number")


def test_all_problems_are_told_at_once():
    text = replaced("width_us", 5).replace("rate_hz", "rate").replace("[right]", "[richt]")
    found = problems(text)
    assert set(found) == {"width_us", "rate_hz", "rate", "right", "richt"}
    assert "allowed is 20 to 1000 us" in found["width_us"]
    assert "rate = 20: allowed is one of width_us," in found["rate"]
    assert found["rate_hz"] == "rate_hz is missing: allowed is 1 to 200 Hz"


def test_a_file_of_an_earlier_version_means_off():
    """Without contact_s: a session that goes on however long no remote is heard, as it did then."""
    old = "".join(line for line in DEFAULT.splitlines(keepends=True) if not line.startswith("contact_s"))
    assert from_toml(old, "old.toml").contact_s == 0 and old.count("=") == DEFAULT.count("=") - 1
    assert "contact_s = 60 " in to_toml(from_toml("contact_s = 60\n" + old, "new.toml"))
    assert problems("contact_s = 19\n" + old) == {
        "contact_s": "contact_s = 19: allowed is 0 (off), or 20 to 3600 s"
    }


def test_what_does_not_fit_together_is_told_for_both_leads_and_the_rate():
    text = (
        replaced("width_us", 1000)
        .replace("rate_hz = 20 ", "rate_hz = 200 ")
        .replace("anode = 2", "anode = 1")
    )
    text = text.replace("gap_us = 0 ", "gap_us = 500 ").replace("width_us = 214", "width_us = 1000")
    assert set(problems(text)) == {"left.anode", "right.anode", "rate_hz"}


def test_a_file_that_is_no_toml_or_not_there(tmp_path):
    with pytest.raises(InputError, match="is not TOML"):
        from_toml("width_us = ", "x.toml")
    with pytest.raises(InputError, match="nested too deeply"):
        from_toml("width_us = " + 3000 * "[" + 3000 * "]", "x.toml")
    with pytest.raises(InputError, match=r"x\.toml is not TOML"):
        from_toml("width_us = " + 5000 * "9", "x.toml")
    with pytest.raises(InputError, match="more than 100000 bytes"):
        load(Path("/dev/zero"))
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        load(tmp_path / "latin")


def test_changes_are_parsed_and_bad_ones_all_told():
    assert parse_changes(["left.amplitude_ua=3000", " rate_hz = 40 "]) == {
        "left.amplitude_ua": 3000,
        "rate_hz": 40,
    }
    with pytest.raises(ProgramError) as caught:
        parse_changes(["rate_hz", "width_us=fast", "gap_us=1.5"])
    assert [problem.field for problem in caught.value.problems] == ["rate_hz", "width_us", "gap_us"]


def test_a_field_that_is_changed_twice_is_refused():
    for second in ("rate_hz=20", "rate_hz = 40"):
        with pytest.raises(InputError, match=r"--set rate_hz is given twice: '40' and '\d0'"):
            parse_changes(["rate_hz=40", "width_us=200", second])


def test_changes_leave_the_rest_as_it_is(other_program):
    found = changed(other_program, {"left.amplitude_ua": 1000, "rate_hz": 10})
    assert found.values == other_program.replaced({"left.amplitude_ua": 1000, "rate_hz": 10}).values


def test_unknown_and_refused_changes_are_told_together():
    with pytest.raises(ProgramError) as caught:
        changed(program.default(), {"left.amplitude": 3000, "rate_hz": 500, "middle.anode": 1})
    assert {problem.field for problem in caught.value.problems} == {
        "left.amplitude",
        "rate_hz",
        "middle.anode",
    }


def test_the_example_file_is_the_default_programme(request):
    example = request.config.rootpath / "docs" / "examples" / "default.toml"
    assert load(example).values == program.default().values
