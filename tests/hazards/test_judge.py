"""What keeps a register from being shown by a run, and the page that is made of both."""

import pytest
from stimbench.errors import InputError
from stimbench.hazards.judge import problems
from stimbench.hazards.junit import FAILED, PASSED, SKIPPED, Case, Run, read
from stimbench.hazards.page import RUN_HEADING, markdown
from stimbench.hazards.register import Control, Hazard, Register

FIRST = Control("C-01", "design", "does the first")
SECOND = Control("C-02", "protection", "does the second")
LATER = Control("C-03", "protection", "will do", planned=True)
BOTH = Register((Hazard("H-01", "Loud", "pain", "current", "serious", ("C-01", "C-02")),), (FIRST, SECOND))
WITH_PLANNED = Register((Hazard("H-01", "Loud", "pain", "c", "serious", ("C-01", "C-03")),), (FIRST, LATER))

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" timestamp="2026-11-30T00:10:00.5+00:00" tests="4">
<testcase classname="tests.a.test_a" name="test_good[1]" time="0.1">
  <properties><property name="control" value="C-01"/><property name="other" value="C-09"/></properties>
</testcase>
<testcase classname="tests.a.test_a" name="test_bad"><failure message="no"/>
  <properties><property name="control" value="C-01"/></properties></testcase>
<testcase classname="tests.a.test_a" name="test_broken"><error message="no"/></testcase>
<testcase classname="tests.a.test_a" name="test_left_out"><skipped/></testcase>
</testsuite></testsuites>
"""


def with_controls(*pairs):
    """A run of such tests: outcome, and the controls whose marks they carry."""
    return Run([], [Case(f"t.{n}", outcome, tuple(ids)) for n, (outcome, ids) in enumerate(pairs)])


def test_junit_is_read(tmp_path):
    (tmp_path / "one.xml").write_text(JUNIT)
    run = read([tmp_path / "one.xml", tmp_path / "one.xml"])
    assert run.began == [("2026-11-30T00:10:00.5+00:00", 4)] * 2 and len(run.tests) == 8
    assert run.tests[0] == Case("tests.a.test_a.test_good[1]", PASSED, ("C-01",))
    assert [test.outcome for test in run.tests[1:4]] == [FAILED, FAILED, SKIPPED]
    assert [test.outcome for test in run.of("C-01")] == [PASSED, FAILED] * 2


@pytest.mark.parametrize(
    ("text", "told"), [(None, "No such file"), ("<testsuites>", "is no JUnit XML"), ("<a/>", "holds no test")]
)
def test_what_is_no_junit_is_told(tmp_path, text, told):
    if text:
        (tmp_path / "one.xml").write_text(text)
    with pytest.raises(InputError, match=told):
        read([tmp_path / "one.xml"])


def test_a_register_that_is_shown_has_no_problem():
    run = with_controls((PASSED, ["C-01"]), (PASSED, ["C-02"]), (FAILED, []), (SKIPPED, []))
    assert problems(BOTH, run, {}) == []


def test_one_test_may_show_two_controls():
    assert problems(BOTH, with_controls((PASSED, ["C-01", "C-02"])), {}) == []


@pytest.mark.parametrize(
    ("tests", "marked", "told"),
    [
        ([(PASSED, ["C-01"])], {}, ["C-02: no test that passed, and none is marked"]),
        (
            [(PASSED, ["C-01"])],
            {"C-02": ["a", "b", "c", "d"]},
            ["C-02: no test that passed; marked in a, b, c and 1 more, which this run did not reach"],
        ),
        ([(PASSED, ["C-01", "C-02"]), (SKIPPED, ["C-02"])], {}, ["C-02: t.1 skipped"]),
        ([(PASSED, ["C-01"]), (SKIPPED, ["C-02"])], {}, ["C-02: t.1 skipped"]),
        ([(PASSED, ["C-01", "C-02"]), (FAILED, ["C-02"])], {}, ["C-02: t.1 failed"]),
        (
            [(PASSED, ["C-01", "C-02", "C-77"])],
            {},
            ["C-77: no such control, and t.0 carries its mark"],
        ),
        (
            [(PASSED, ["C-01", "C-02"])],
            {"C-78": ["a.py"]},
            ["C-78: no such control, and a.py carries its mark"],
        ),
    ],
    ids=["untested", "not reached", "skipped", "only skipped", "failed", "unknown", "unknown and not run"],
)
def test_what_is_not_shown_is_told(tests, marked, told):
    assert problems(BOTH, with_controls(*tests), marked) == told


def test_what_is_wrong_with_the_register_itself_is_told_too():
    orphan = Register(BOTH.hazards, (FIRST, SECOND, Control("C-09", "design", "nothing")))
    found = problems(orphan, with_controls((PASSED, ["C-01", "C-02", "C-09"])), {})
    assert found == ["C-09: no hazard needs this control"]


def test_a_planned_control_needs_no_test_and_must_not_have_one():
    shown = with_controls((PASSED, ["C-01"]))
    assert problems(WITH_PLANNED, shown, {}) == []
    found = problems(WITH_PLANNED, with_controls((PASSED, ["C-01", "C-03"])), {})
    assert found == ["C-03: it is planned, and has tests that passed: take its status away"]
    found = problems(WITH_PLANNED, with_controls((PASSED, ["C-01"]), (FAILED, ["C-03"])), {})
    assert found == ["C-03: t.1 failed"]


def test_the_page_says_what_it_knows_and_what_not():
    page = markdown(WITH_PLANNED, {"C-01": ["a/test_a.py"]}, None)
    assert "1 hazards, 2 controls, 1 of these planned." in page
    assert "- *harm*: pain (serious)" in page and "- *controls*: C-01, C-03 (planned)" in page
    assert "- **C-01** (design; H-01): does the first. Tests: `tests/a/test_a.py`" in page
    planned = page[page.index("## Controls that are planned") :]
    assert "**C-03**" in planned and "**C-01**" not in planned
    assert page.endswith("made without a run's JUnit file: it does not say what passed when.\n")
    run = Run([("2026-11-30T00:10:00", 3)], with_controls((PASSED, ["C-01"]), (PASSED, ["C-01"])).tests)
    told = markdown(WITH_PLANNED, {}, run)
    assert told[told.index(RUN_HEADING) :] == (
        f"{RUN_HEADING}\n\n- 2026-11-30T00:10:00: 3 tests\n\n"
        "| control | tests that passed |\n|---|---|\n| C-01 | 2 |\n"
    )
