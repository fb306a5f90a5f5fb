"""What a run leaves behind: JUnit, JSON, CSV and a page, each right about board and rig."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from stimbench.analysis.synthetic import make_capture, make_truth
from stimbench.capture.files import read_capture
from stimbench.checks import page as pages
from stimbench.checks.attach import pack_capture, unpack
from stimbench.checks.compare import compare
from stimbench.checks.flaky import flaky_cases, repetitions
from stimbench.checks.judge import judge_capture
from stimbench.checks.outcome import Attachment, CaseResult, Finding, Measurement, Outcome
from stimbench.checks.pictures import picture_data
from stimbench.checks.plan import load_plan
from stimbench.checks.reports import write_reports
from stimbench.checks.run import Run
from stimbench.checks.work import about_case
from support.captures import LIMITS, judged_by, program_of, recipe

SAME = 1e-3
"""Of any measure: a session holds 32-bit numbers."""

PASS, MARGINAL, FAIL = Outcome.PASS, Outcome.MARGINAL, Outcome.FAIL
ERROR, TIMEOUT, ABORTED = Outcome.ERROR, Outcome.TIMEOUT, Outcome.ABORTED
NASTY = 'a <b> & "c" \x00\x08\x1b[31m \ufffe \N{GREEK CAPITAL LETTER OMEGA} </testcase>'
CLEAN = 'a <b> & "c" [31m  \N{GREEK CAPITAL LETTER OMEGA} </testcase>'


def measurement(name="width_ns", lead="left", value=1.0, high=8.0, outcome=PASS):
    return Measurement(name, lead, value, "ns", None, high, 0.5, outcome, 12, 1_500_000_000, "what it is")


def result(name, outcome, attempt=1, **changes):
    fields = {
        "reason": "" if outcome is PASS else f"why {name}",
        "parameters": {"matrix": name.partition("/")[0]},
        "measurements": (measurement(outcome=outcome),) if outcome in (PASS, MARGINAL, FAIL) else (),
        "findings": (Finding("width", "left", 1_500_000_000, "it is off"),) if outcome is FAIL else (),
        "device": "E66" if outcome in (PASS, MARGINAL, FAIL) else "",
        "instrument": {"instrument": "fx2lafw", "calibration": "C-17", "digital_hz": 24_000_000},
        "firmware": {"stimulator": "1.2 abc"}, "seconds": 1.25, "key": "0" * 32,
    }  # fmt: skip
    return CaseResult(name, outcome=outcome, attempt=attempt, **(fields | changes))


def run_of(folder, *results, **about):
    known = {
        "plan": "mine",
        "description": "A plan.",
        "source": "plan.toml",
        "sha256": "ab" * 32,
        "bench": "emulated",
    }
    return Run(folder, known | about, tuple(results))


ALL = (
    result("a/pass", PASS), result("a/marginal", MARGINAL), result("a/fail", FAIL), result("b/error", ERROR),
    result("b/timeout", TIMEOUT), result("b/aborted", ABORTED), result("a/fail", PASS, attempt=2),
)  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """`written(*results)`: the folder with all reports."""

    def write(*results, **about):
        write_reports(run_of(tmp_path, *results, **about))
        return tmp_path

    return write


# JUnit.


def suite_of(folder):
    root = ElementTree.parse(folder / "junit.xml").getroot()
    assert root.tag == "testsuites" and [each.tag for each in root] == ["testsuite"]
    return root[0]


def test_junit_has_the_structure_of_xunit2(written):
    suite = suite_of(written(*ALL))
    counts = {
        name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "hostname")
    }
    assert counts == {
        "name": "mine", "tests": "7", "failures": "1", "errors": "2", "skipped": "1", "hostname": "emulated"
    }  # fmt: skip
    assert float(suite.get("time")) == pytest.approx(7 * 1.25)
    cases = list(suite)
    assert [case.tag for case in cases] == ["testcase"] * 7
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == 7 and names[0] == ("stimbench.mine.a", "a/pass")
    assert names[-1] == ("stimbench.mine.a", "a/fail (repetition 2)")
    for case in cases:
        assert float(case.get("time")) == 1.25 and set(case.attrib) == {"classname", "name", "time"}
        assert {each.tag for each in case} <= {"properties", "failure", "error", "skipped", "system-out"}
        assert all(set(each.attrib) == {"name", "value"} for each in case.find("properties"))


def test_only_what_the_board_did_wrong_is_a_failure(written):
    cases = {case.get("name"): case for case in suite_of(written(*ALL))}
    kinds = {
        name: [each.tag for each in case if each.tag in ("failure", "error", "skipped")]
        for name, case in cases.items()
    }
    assert kinds == {
        "a/pass": [], "a/marginal": [], "a/fail": ["failure"], "b/error": ["error"], "b/timeout": ["error"],
        "b/aborted": ["skipped"], "a/fail (repetition 2)": [],
    }  # fmt: skip
    failure = cases["a/fail"].find("failure")
    assert (failure.get("type"), failure.get("message")) == ("FAIL", "why a/fail")
    assert "left width_ns: 1 ns, at most 8 ns" in failure.text
    assert "1.500000 s left width: it is off" in failure.text
    assert cases["b/timeout"].find("error").get("type") == "TIMEOUT"
    properties = {each.get("name"): each.get("value") for each in cases["a/pass"].find("properties")}
    assert properties["firmware stimulator"] == "1.2 abc" and properties["instrument calibration"] == "C-17"


def test_no_text_of_a_rig_breaks_the_files(written):
    bad = result("a/bad", ERROR, reason=NASTY)
    worse = result("a/worse", FAIL, reason=NASTY, findings=(Finding("width", "left", 0, NASTY),))
    folder = written(bad, worse, result("a/not", ABORTED, reason=NASTY), description=NASTY)
    cases = {case.get("name"): case for case in suite_of(folder)}
    assert cases["a/bad"].find("error").get("message") == CLEAN
    assert CLEAN in cases["a/worse"].find("failure").text
    assert cases["a/not"].find("skipped").get("message") == CLEAN
    json.loads((folder / "results.json").read_text())
    assert "<b>" not in (folder / "report.html").read_text()


# JSON and CSV.


def test_results_as_json(written):
    folder = written(*ALL)
    data = json.loads((folder / "results.json").read_text())
    assert data["format"] == 1 and data["outcome"] == "FAIL" and data["plan"] == "mine"
    assert data["counts"] == {"PASS": 2, "MARGINAL": 1, "FAIL": 1, "ERROR": 1, "TIMEOUT": 1, "ABORTED": 1}
    assert [case["name"] for case in data["cases"]] == [each.name for each in ALL]
    assert [each["name"] for each in data["flaky"]] == ["a/fail"]
    first = data["cases"][0]["measurements"][0]
    assert first == {
        "name": "width_ns", "lead": "left", "value": 1.0, "unit": "ns", "low": None, "high": 8.0,
        "uncertainty": 0.5, "outcome": "PASS", "count": 12, "at_ns": 1_500_000_000, "note": "what it is",
    }  # fmt: skip


def test_each_device_has_its_own_document(written):
    other = result("a/pass", PASS, device="/dev/tty ../../x")
    folder = written(*ALL, other)
    names = sorted(path.name for path in (folder / "devices").iterdir())
    assert names == ["E66.json", "_dev_tty_.._.._x.json"]
    data = json.loads((folder / "devices/E66.json").read_text())
    assert (data["device"], data["plan_sha256"], data["firmware"]) == (
        "E66",
        "ab" * 32,
        {"stimulator": "1.2 abc"},
    )
    assert len(data["cases"]) == 4
    case = data["cases"][0]
    assert {"measurements", "outcome", "attachments", "instrument", "findings"} <= set(case)
    assert case["instrument"]["calibration"] == "C-17"


def test_every_measurement_is_a_row_of_the_table(written):
    two = result(
        "a/two", PASS, measurements=(measurement(), measurement("jitter_ns", "", math.nan, None, None))
    )
    folder = written(two, result("b/error", ERROR))
    rows = list(csv.DictReader((folder / "results.csv").open(newline="")))
    assert list(rows[0]) == [
        "case", "repetition", "device", "case outcome", "measurement", "lead", "value", "unit", "low", "high",
        "uncertainty", "outcome", "count", "at_s",
    ]  # fmt: skip
    assert [(row["case"], row["measurement"], row["value"], row["outcome"]) for row in rows] == [
        ("a/two", "width_ns", "1", "PASS"), ("a/two", "jitter_ns", "nan", ""), ("b/error", "", "", "")
    ]  # fmt: skip
    assert rows[0]["at_s"] == "1.500000000" and rows[2]["case outcome"] == "ERROR"


# Attachments.


def test_a_capture_travels_in_a_result_and_comes_out_whole(tmp_path):
    (packed,) = pack_capture(make_capture(recipe(seconds=0.3, analog_hz=0)))
    (attached,) = unpack([json.loads(json.dumps(packed))], tmp_path, "case 1")
    data = (tmp_path / attached.path).read_bytes()
    assert attached.path == "attachments/case 1/capture.vcd"
    assert hashlib.sha256(data).hexdigest() == attached.sha256 == packed["sha256"] and b"L_CATH" in data


def test_samples_travel_as_samples_and_are_judged_as_before(tmp_path):
    made = recipe(digital_hz=100_000, analog_hz=100_000)
    coarse = dict.fromkeys(("width_ns", "gap_ns", "period_ns", "jitter_ns", "charge_percent"), 20_000.0)
    limits = LIMITS.model_copy(update=coarse | {"imbalance_percent": 25.0, "balance_percent": 25.0})
    before = judge_capture(make_capture(made), program_of(made), limits)
    (attached,) = unpack(pack_capture(make_capture(made)), tmp_path, "case")
    after = judge_capture(read_capture(tmp_path / attached.path), program_of(made), limits)
    assert attached.path.endswith("capture.sr") and before.outcome.is_good
    assert [(each.title, each.outcome) for each in after.measurements] == [
        (each.title, each.outcome) for each in before.measurements
    ]
    assert [each.value for each in after.measurements] == pytest.approx(
        [each.value for each in before.measurements], abs=SAME, nan_ok=True
    )


def test_rates_that_differ_travel_in_two_files(tmp_path):
    made = make_capture(recipe(seconds=0.3, analog_hz=100_000))
    switches, currents = unpack(pack_capture(made), tmp_path, "case")
    assert read_capture(tmp_path / switches.path).digital == made.digital
    back = read_capture(tmp_path / currents.path).samples("I_LEFT")
    assert back is not None and (back.rate_hz, len(back)) == (100_000, 30_000)


def test_an_attachment_stays_in_its_folder(tmp_path):
    (packed,) = pack_capture(make_capture(recipe(seconds=0.3, analog_hz=0)))
    packed |= {"name": "../../../out.vcd"}
    (attached,) = unpack([packed], tmp_path / "run", "case")
    assert attached.path == "attachments/case/out.vcd" and not (tmp_path / "out.vcd").exists()


def test_attachments_are_named_in_every_report(written):
    attached = Attachment("attachments/a/capture.vcd", "f" * 64, "switches")
    folder = written(result("a/fail", FAIL, attachments=(attached,)))
    (case,) = suite_of(folder)
    assert case.find("system-out").text == "[[ATTACHMENT|attachments/a/capture.vcd]]"
    assert 'href="attachments/a/capture.vcd"' in (folder / "report.html").read_text()
    assert "f" * 64 in (folder / "results.json").read_text()


# Flakiness and comparisons.


def test_only_cases_that_ended_both_ways_are_flaky():
    results = [
        result("good", PASS), result("good", MARGINAL), result("bad", FAIL), result("bad", FAIL),
        result("rig", PASS), result("rig", ERROR), result("both", MARGINAL), result("both", FAIL),
        result("both", FAIL), result("both", TIMEOUT), result("half", PASS), result("half", FAIL),
    ]  # fmt: skip
    assert [(each.name, each.failed, each.judged, each.rig) for each in flaky_cases(results)] == [
        ("both", 2, 3, 1), ("half", 1, 2, 0)
    ]  # fmt: skip
    by_name = {each.name: each for each in repetitions(results)}
    assert by_name["both"].failed_percent == pytest.approx(200 / 3) and by_name["rig"].failed_percent == 0
    assert repetitions([result("x", ERROR)])[0].failed_percent == 0


def test_the_spread_of_a_measurement_over_repetitions():
    values = (3.0, -2.0, math.nan, 7.0)
    results = [result("a", PASS, measurements=(measurement(value=value),)) for value in values]
    assert repetitions(results)[0].spread == {"left width_ns": (-2.0, 7.0)}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PASS, PASS, "same"), (PASS, MARGINAL, "worse"), (MARGINAL, FAIL, "worse"), (PASS, FAIL, "worse"),
        (FAIL, PASS, "better"), (MARGINAL, PASS, "better"), (PASS, ERROR, "unknown"),
        (ABORTED, FAIL, "unknown"), (TIMEOUT, TIMEOUT, "unknown"),
    ],
)  # fmt: skip
def test_a_case_beside_the_same_case(tmp_path, before, after, kind):
    found = compare(run_of(tmp_path, result("a", before)), run_of(tmp_path, result("a", after)))
    told = {"worse": found.worse, "better": found.better, "unknown": found.unknown}
    assert {name for name, changes in told.items() if changes} == ({kind} - {"same"})
    assert found.same == (kind == "same")
    if kind != "same":
        (change,) = told[kind]
        assert (change.case, change.before, change.after) == ("a", before.value, after.value)


def test_of_repetitions_the_worst_counts(tmp_path):
    one = run_of(tmp_path, result("a", PASS), result("a", FAIL, attempt=2))
    other = run_of(tmp_path, result("a", PASS), result("a", PASS, attempt=2))
    assert [each.case for each in compare(one, other).better] == ["a"]
    assert [each.case for each in compare(other, one).worse] == ["a"]


@pytest.mark.parametrize(
    ("value", "moved"), [(1.7, False), (1.9, True), (0.3, False), (0.1, True), (-1.0, True)]
)
def test_what_moves_by_more_than_a_tenth_of_its_limits_is_told(tmp_path, value, moved):
    one, other = (result("a", PASS, measurements=(measurement(value=each),)) for each in (1.0, value))
    found = compare(run_of(tmp_path, one), run_of(tmp_path, other))
    assert bool(found.moved) == moved
    if moved:
        assert (found.moved[0].measurement, found.moved[0].before) == ("left width_ns", "1 ns")


# The page.

LONG = "a/fails-with-a-long-name,rate_hz=198,width_us=1000,load=saline"
UNNAMED = """[...document.querySelectorAll('svg,img')].filter(e => e.checkVisibility() &&
  !e.getAttribute('alt') && !e.closest('[role=img][aria-label]:not([aria-label=""])')).length"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page with pictures: a case that holds, one that fails, one of the rig."""
    folder = tmp_path_factory.mktemp("page")
    made = recipe(seconds=3.0)
    truth = make_truth(made)
    truth.drop("left", 12)
    pictures = [
        picture_data(make_capture(made, each), judged_by(made, each)) for each in (make_truth(made), truth)
    ]
    finding = judged_by(made, truth).findings
    write_reports(
        run_of(
            folder,
            result("a/pass", PASS, picture=pictures[0]),
            result(LONG, FAIL, picture=pictures[1], findings=tuple(finding)),
            result("b/error", ERROR, reason="x" * 300),
        )
    )  # fmt: skip
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [360, 1280])
def test_the_page_can_be_read_anywhere_and_asks_nobody_for_anything(browser, page_file, width_px, scheme):
    page = browser.new_page(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    assert asked == [page_file.as_uri()] and errors == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate(UNNAMED) == 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(each) for each in re.findall(r"\d+", background)[:3]) > 384
    assert light == (scheme == "light")
    page.close()


def test_the_page_tells_what_failed_first_and_what_the_rig_did(page_file):
    text = page_file.read_text()
    assert "1 of 3 cases failed" in text
    assert "1 cases say nothing of the board: the rig failed, or they were not run." in text
    assert (
        text.index("a/fails-with-a-long-name")
        < text.index("b/error")
        < text.index("What one case looks like")
    )
    assert "left missing pulse at 0.62" in text and 'class="verdict fail"' in text


@pytest.mark.parametrize(
    ("results", "verdict", "css"),
    [
        ((result("a", PASS), result("b", MARGINAL)), "All 2 cases hold", "pass"),
        ((result("a", PASS), result("b", ERROR)), "1 of 2 cases hold, none failed", "rig"),
        ((result("a", ABORTED),), "0 of 1 cases hold, none failed", "rig"),
        ((result("a", PASS), result("b", FAIL), result("c", ERROR)), "1 of 3 cases failed", "fail"),
    ],
)
def test_the_verdict_of_a_page(tmp_path, results, verdict, css):
    page = pages.page_of(run_of(tmp_path, *results), [])
    assert (page.verdict, page.verdict_class) == (verdict, css)


def test_at_most_twenty_bad_cases_are_shown_whole(tmp_path):
    page = pages.page_of(run_of(tmp_path, *(result(f"a/{k}", FAIL) for k in range(25))), [])
    assert len(page.failing) == 20 and page.failing_left_out == 5


def test_a_report_says_when_a_case_ran(written):
    began = about_case(load_plan("selftest").cases[0], 1, "emulated").began_utc
    assert abs(datetime.fromisoformat(began) - datetime.now(UTC)) < timedelta(hours=1)
    folder = written(result("a/one", PASS, began_utc=began))
    (case,) = suite_of(folder)
    facts = {each.get("name"): each.get("value") for each in case.find("properties")}
    assert facts["began"] == began
    assert json.loads((folder / "results.json").read_text())["cases"][0]["began_utc"] == began
