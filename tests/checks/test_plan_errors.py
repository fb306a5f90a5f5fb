"""A plan that cannot be used: every reason at once, each with its line, and nothing is run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.checks import plan as plans
from stimbench.checks.cases import Case
from stimbench.checks.faults import FAULTS, parse_fault
from stimbench.checks.limits import Limits
from stimbench.checks.plan import PlanError, load_plan, parse_plan
from stimbench.errors import EXIT_BAD_INPUT, InputError

HEAD = 'name = "a-plan"\n'
MATRIX = '[[matrix]]\nname = "one"\n'


def problems(text):
    with pytest.raises(PlanError) as caught:
        parse_plan(text, "plan.toml")
    assert caught.value.exit_code == EXIT_BAD_INPUT
    lines = str(caught.value).splitlines()
    assert lines[0] == "plan.toml is not a valid plan, nothing was run:"
    assert lines[1:] == [f"  line {line}: {told}" for line, told in caught.value.problems]
    return caught.value.problems


def cases(text):
    return parse_plan(HEAD + text, "plan.toml").cases


TOO_LONG = "width_us = 1000\ngap_us = 500\n"
"""Of these, no two fit into a period of 5 ms."""
ALL_WRONG = """name = "Not A Name"
colour = "red"
[program]
width_us = 5
left.amplitude_ua = 2001
left.colour = 1
rate = 20
[limits]
width_ns = -1
gap_ns = "small"
speed = 3
period_ns = nan
[loads.soft]
resistance_ohm = 0
[loads.hard]
double_layer_uf = 1
weight_kg = 3
[[matrix]]
name = "one"
load = ["soft", "none"]
rate_hz = [20, 500]
fault = "earthquake"
pair = ["1-1", "0-1", 5]
amplitud_ua = 5
[[matrix]]
name = "one"
cycles = 0
width_us = [1000]
rate_hz = [20, 198]
[matrix.limits]
width_ns = true
seed = 1
[[matrix]]
seed = []
impedance = "yes"
[[peer]]
id = "x"
"""


def test_every_error_is_told_at_once_with_its_line():
    assert problems(ALL_WRONG) == sorted(problems(ALL_WRONG))
    found = {line: text for line, text in problems(ALL_WRONG)}
    for line, told in {
        1: "name = 'Not A Name': allowed are lower-case letters, digits and hyphens",
        2: "unknown key 'colour'",
        4: "width_us = 5: allowed is 20 to 1000 us",
        5: "left.amplitude_ua = 2001: allowed is 0 to 10000 uA in steps of 25",
        6: "left.colour = 1: allowed is one of width_us",
        7: "rate = 20: allowed is one of width_us",
        9: "width_ns = -1: allowed is a number from 0 on, or false",
        10: "gap_ns = 'small'",
        11: "unknown limit 'speed'; there are width_ns",
        12: "period_ns = nan",
        14: "resistance_ohm = 0: allowed is greater than 0",
        15: "resistance_ohm is missing",
        17: "unknown key 'weight_kg'",
        20: "load = 'none': there is no such load",
        21: "rate_hz = 500: allowed is 1 to 200 Hz",
        22: "no fault 'earthquake'; there are none, open",
        23: "pair = 5: allowed is cathode-anode",
        24: "unknown key 'amplitud_ua'; there are name",
        27: "cycles = 0: allowed is greater than or equal to 1",
        31: "width_ns = True",
        32: "unknown limit 'seed'",
        33: "name is missing",
        34: "seed has no value",
        35: "impedance = 'yes'",
    }.items():
        assert told in found[line], (line, found.get(line))
    assert [text for line, text in problems(ALL_WRONG) if line == 36] != []


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "there is no [[matrix]], so there is nothing to check"),
        ("matrix = []\n", 1, "there is no [[matrix]]"),
        ("matrix = 5\n", 2, "matrix is written [[matrix]]"),
        ("[matrix]\nname = 'one'\n", 2, "matrix is written [[matrix]]"),
        ("program = 5\n" + MATRIX, 2, "program is a table"),
        ("limits = 5\n" + MATRIX, 2, "limits is a table"),
        ("loads = 5\n" + MATRIX, 2, "loads are tables"),
        ("loads.x = 5\n" + MATRIX, 2, "valid dictionary"),
        ("peer = 5\n" + MATRIX, 2, "peer is written [[peer]]"),
        ('[loads."a\\nb"]\nresistance_ohm = 5\n' + MATRIX, 2, "characters that cannot be printed"),
        (MATRIX + "width_us = [20, 20]\n", 4, "width_us has a value twice"),
        (MATRIX + "width_us = 20.0\n", 4, "width_us = 20.0: allowed is 20 to 1000"),
        (MATRIX + "width_us = true\n", 4, "width_us = True: allowed is 20 to 1000"),
        (MATRIX + "width_us = {a = 1}\n", 4, "allowed is 20 to 1000"),
        (MATRIX + "width_us = 2026-11-29\n", 4, "allowed is 20 to 1000"),
        (MATRIX + "seed = -1\n", 4, "seed = -1: allowed is 0 to 1000000"),
        (MATRIX + "fault_at_ms = 0\n", 4, "fault_at_ms = 0: allowed is 1 to 3600000"),
        (MATRIX + "load = 'saline'\n", 4, "there are none yet: write [loads.NAME] with resistance_ohm"),
        (MATRIX + "fault = 3\n", 4, "fault = 3: a fault is a text"),
        (MATRIX + "pair = '1-4'\n", 4, "pair = '1-4': allowed is cathode-anode of two electrodes"),
        (MATRIX + "width_us = 1000\ngap_us = 500\nrate_hz = [20, 200]\n", 6,
         "an impossible programme, width_us=1000, gap_us=500, rate_hz=200: rate_hz = 200: allowed"),
        (f"[program]\n{TOO_LONG}{MATRIX}rate_hz = 200\n", 7, "an impossible programme, rate_hz=200"),
        (f"[program]\n{TOO_LONG}rate_hz = 200\n{MATRIX}", 5, "rate_hz = 200: allowed is at most"),
        ("[program]\nleft.cathode = 2\n" + MATRIX, 3, "left.anode = 2: allowed is another electrode"),
        (MATRIX + "[matrix.limits]\n" + "".join(f"{name} = false\n" for name in Limits.model_fields), 2,
         "one: all limits are false, so nothing would be judged"),
        (MATRIX + f"seed = {list(range(1000))}\nfault_at_ms = {list(range(1, 200))}\n", 2,
         "one has 199000 cases; at most 100000 are allowed"),
    ],
)  # fmt: skip
def test_one_error(text, line, told):
    found = problems(HEAD + text)
    assert len(found) == 1 and found[0][0] == line and told in found[0][1], found


def test_many_matrices_may_not_have_too_many_cases_together(monkeypatch):
    monkeypatch.setattr(plans, "_MOST_CASES", 10)
    seeds = "seed = [1, 2, 3, 4, 5, 6]\n"
    text = HEAD + MATRIX + seeds + MATRIX.replace("one", "two") + seeds
    assert problems(text) == [(5, "the plan has more than 10 cases")]


def test_thousands_of_impossible_combinations_are_not_all_told():
    seeds = list(range(2000))
    found = problems(f"{HEAD}{MATRIX}{TOO_LONG}seed = {seeds}\nrate_hz = [199, 200]\n")
    assert len(found) == 21 and {line for line, _ in found} == {7}
    assert "and 3980 more of this kind" in [text for _, text in found]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "plan.toml is not TOML: Invalid value (at end of document)"),
        ('name = "a"\nname = "b"\n', "at line 2, column"),
        ("x = " + "[" * 5000, "is not TOML"),
    ],
)
def test_what_is_no_toml_says_where(text, told):
    with pytest.raises(InputError) as caught:
        parse_plan(text, "plan.toml")
    assert told in str(caught.value) and caught.value.exit_code == EXIT_BAD_INPUT


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"name = '\xff'", "cannot be read: it is not UTF-8 text. Plans of stimbench itself: iec60601-2-10"),
        (b"#" * 1_000_001, "is not a plan: it has more than 1000000 bytes"),
    ],
)
def test_files_that_are_no_plan(tmp_path, data, told):
    path = tmp_path / "a plan \N{GREEK CAPITAL LETTER OMEGA}.toml"
    path.write_bytes(data)
    with pytest.raises(InputError, match="a plan \N{GREEK CAPITAL LETTER OMEGA}") as caught:
        load_plan(str(path))
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["nothing.toml", "", ".", "standard.toml/x"])
def test_a_plan_that_is_not_there(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read: .*Plans of stimbench itself: .*standard"):
        load_plan(name)


def test_a_file_comes_before_a_built_in_plan_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iec60601-2-10").mkdir()
    assert load_plan("standard").name == "standard" and load_plan("standard").source == "standard"
    assert load_plan("iec60601-2-10").name == "iec60601-2-10"  # a folder is no plan
    (tmp_path / "standard").write_text(HEAD + MATRIX)
    mine = load_plan("standard")
    assert (mine.name, mine.source, len(mine.cases)) == ("a-plan", "standard", 1)


def test_a_plan_on_a_path_with_spaces(tmp_path):
    path = tmp_path / "my plans" / "plan one.toml"
    path.parent.mkdir()
    path.write_text(HEAD + MATRIX + 'fault = ["none", "stop"]\n')
    assert [case.name for case in load_plan(str(path)).cases] == ["one/fault=none", "one/fault=stop"]


# What a valid plan becomes.


def test_every_combination_is_one_case_and_names_tell_what_differs():
    found = cases(MATRIX + 'rate_hz = [20, 50]\nwidth_us = [100, 200]\npair = "0-3"\n')
    assert [case.name for case in found] == [
        f"one/rate_hz={rate},width_us={width}" for rate in (20, 50) for width in (100, 200)
    ]
    assert [(case.program.rate_hz, case.program.width_us) for case in found] == [
        (20, 100), (20, 200), (50, 100), (50, 200)
    ]  # fmt: skip
    assert {(case.program.cathode, case.program.anode) for case in found} == {((0, 0), (3, 3))}


def test_a_matrix_without_axes_is_one_case():
    assert [case.name for case in cases(MATRIX)] == ["one"]


@pytest.mark.parametrize("order", [("amplitude_ua = 1000", "left_amplitude_ua = 500"),
                                   ("left_amplitude_ua = 500", "amplitude_ua = 1000")])  # fmt: skip
def test_one_lead_s_amplitude_counts_more_than_that_of_both_in_any_order(order):
    (case,) = cases(MATRIX + "\n".join(order) + "\n")
    assert case.program.amplitude_ua == (500, 1000)


def test_limits_of_a_matrix_are_those_of_the_plan_but_for_its_own():
    text = (
        "[limits]\nwidth_ns = 5\ngap_ns = false\n" + MATRIX + "[matrix.limits]\nwidth_ns = false\nextra = 2\n"
    )
    (case,) = cases(text)
    wanted = Limits().model_copy(update={"width_ns": False, "gap_ns": False, "extra": 2.0})
    assert case.limits == wanted
    assert (case.limits.of("width_ns"), case.limits.of("extra"), case.limits.of("period_ns")) == (
        None,
        2.0,
        8.0,
    )


def test_a_peer_s_id_twice_and_a_name_twice_are_told():
    peer = '[[peer]]\nid = "a"\nsource = "s"\ntitle = "t"\ncriterion = "c"\nnot_applicable = "n"\n'
    assert problems(HEAD + MATRIX + MATRIX + peer + peer) == [
        (5, "the name 'one' is there twice"), (13, "the id 'a' is there twice")
    ]  # fmt: skip


@pytest.mark.parametrize("text", [case for case in FAULTS if not FAULTS[case].words])
def test_faults_without_words(text):
    assert parse_fault(text).text == text and parse_fault(text).lead == ""


@pytest.mark.parametrize(
    ("text", "lead", "electrodes"),
    [
        ("open left.1", "left", (1,)),
        ("short right.0 right.3", "right", (0, 3)),
        ("resistance left.2 3000", "left", (2,)),
    ],
)
def test_faults_of_electrodes(text, lead, electrodes):
    fault = parse_fault(text)
    assert (fault.text, fault.lead, fault.electrodes) == (text, lead, electrodes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("open", "it is written 'open left.1'"),
        ("open left.1 left.2", "it is written 'open left.1'"),
        ("open left.4", "no electrode 'left.4'; there are left.0 to left.3 and right.0 to right.3"),
        ("open middle.1", "no electrode 'middle.1'"),
        ("short left.1 right.2", "left.1 and right.2 cannot touch: two electrodes of one lead can"),
        ("short left.1 left.1", "left.1 and left.1 cannot touch"),
        ("resistance left.1 0", "'0' is no resistance: 1 to 1000000 ohm"),
        ("resistance left.1 -5", "'-5' is no resistance"),
        ("resistance left.1 1000001", "is no resistance"),
        ("resistance left.1 \N{SUPERSCRIPT TWO}", "is no resistance"),
        ("magnet now", "it is written 'magnet'"),
        ("opening left.1", "no fault 'opening left.1'"),
        ("power", "no fault 'power'; there are none, open, short, resistance, magnet, hang, power off"),
        ("", "no fault ''"),
    ],
)
def test_faults_that_are_written_wrong(text, told):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_fault(text)
    assert told in str(caught.value)


def some(values):
    return st.lists(values, min_size=1, max_size=3, unique=True)


axes = st.fixed_dictionaries(
    {},
    optional={
        "rate_hz": some(st.integers(1, 60)),
        "width_us": some(st.integers(20, 1000)),
        "amplitude_ua": some(st.integers(0, 400).map(lambda n: 25 * n)),
        "seed": some(st.integers(0, 99)),
        "fault": some(st.sampled_from(("none", "stop", "open left.2"))),
    },
)


@settings(max_examples=25)
@given(axes)
def test_a_case_is_the_same_in_another_process_and_every_name_is_its_own(chosen):
    text = MATRIX + "".join(f"{name} = {values}\n" for name, values in chosen.items())
    found = cases(text)
    count = 1
    for values in chosen.values():
        count *= len(values)
    assert len(found) == count == len({case.name for case in found})
    for case in found:
        again = Case.from_payload(json.loads(json.dumps(case.as_payload())))
        assert again.as_payload() == case.as_payload()
        assert again.program.values == case.program.values
        assert replace(again, program=case.program) == case
