"""`stimbench check` as a person types it: what it prints, what it leaves behind, and how it ends."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from xml.etree import ElementTree

import pytest
from stimbench.checks import run as runs
from stimbench.checks import work
from stimbench.errors import EXIT_BAD_INPUT, EXIT_CHECK_FAILED, EXIT_NO_BOARD
from stimbench.process import EXIT_INTERRUPTED
from support.check_runs import (
    BENCH,
    BUG,
    BY_TURNS,
    CLEAN,
    CTRL_C,
    LOST,
    MISSING,
    MOVED,
    MUTE,
    REFUSED,
    RIG,
    Bench,
    leave_charts_out,
    plan_file,
)

pytestmark = pytest.mark.usefixtures("images")


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """No case needs a bench: see support.check_runs."""
    made = Bench()
    monkeypatch.setattr(work, "record", made.record)
    monkeypatch.chdir(tmp_path)
    leave_charts_out(monkeypatch)
    return made


@pytest.fixture
def check(run, bench, tmp_path):
    """`check(CLEAN, MISSING, code=1)` runs a plan of cases with these seeds into the folder `out`."""

    def checked(*seeds, code=0, out="out", more=(), name="plan.toml"):
        path = plan_file(tmp_path, *seeds, name=name)
        return run("check", str(path), "--out", str(tmp_path / out), *more, code=code)

    return checked


def outcomes(folder):
    data = json.loads((folder / "results.json").read_text())
    return {case["name"]: case["outcome"] for case in data["cases"]}


def test_a_run_that_holds(check, tmp_path):
    result = check(CLEAN, MOVED)
    assert "2 cases: 2 PASS." in result.stdout and "Report: " in result.stdout
    assert outcomes(tmp_path / "out") == {"some/seed=1": "PASS", "some/seed=11": "PASS"}


def test_a_case_that_fails(check, tmp_path):
    result = check(CLEAN, MISSING, code=EXIT_CHECK_FAILED)
    assert "2 cases: 1 PASS, 1 FAIL." in result.stdout
    assert re.search(r"some/seed=2 +FAIL +left missing pulse: 1", result.stdout)
    (case,) = [each for each in json.loads((tmp_path / "out/results.json").read_text())["cases"]
               if each["outcome"] == "FAIL"]  # fmt: skip
    (finding,) = case["findings"]
    assert (finding["kind"], finding["lead"]) == ("missing pulse", "left")
    assert case["firmware"] == {"stimulator": "1.0 abc"} and case["device"] == "emulated"
    (attached,) = case["attachments"]
    data = (tmp_path / "out" / attached["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == attached["sha256"] and b"$enddefinitions" in data


# What the rig did wrong.


@pytest.mark.parametrize(
    ("seed", "outcome", "reason"),
    [
        (LOST, "ERROR", "board lost: /dev/ttyACM0 went away."),
        (MUTE, "TIMEOUT", "The stimulator did not answer within 2 s."),
        (RIG, "ERROR", "sigrok-cli ended"),
        (BENCH, "ERROR", "no image"),
        (BUG, "ERROR", "ZeroDivisionError: division by zero (check_runs.py, line"),
    ],
)
def test_what_the_rig_did_wrong_is_no_failure_of_the_board(check, tmp_path, seed, outcome, reason):
    result = check(CLEAN, seed, CLEAN + 20, code=EXIT_NO_BOARD)
    assert f"3 cases: 2 PASS, 1 {outcome}." in result.stdout
    folder = tmp_path / "out"
    assert outcomes(folder) == {"some/seed=1": "PASS", f"some/seed={seed}": outcome, "some/seed=21": "PASS"}
    data = json.loads((folder / "results.json").read_text())
    assert reason in data["cases"][1]["reason"] and data["outcome"] == outcome
    suite = ElementTree.parse(folder / "junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "1", "0")
    rows = list(csv.DictReader((folder / "results.csv").open(newline="")))
    assert {row["case outcome"] for row in rows if row["case"] == f"some/seed={seed}"} == {outcome}
    page = (folder / "report.html").read_text()
    assert "2 of 3 cases hold, none failed" in page
    assert "1 cases say nothing of the board: the rig failed, or they were not run." in page


def test_an_error_in_the_judge_is_no_failure_of_the_board(check, monkeypatch, tmp_path):
    monkeypatch.setattr(work, "judge_recorded", lambda case, recorded: [][1])
    check(CLEAN, code=EXIT_NO_BOARD)
    data = json.loads((tmp_path / "out/results.json").read_text())
    assert data["cases"][0]["outcome"] == "ERROR" and "IndexError" in data["cases"][0]["reason"]


def test_an_error_in_the_pictures_is_no_failure_of_the_board(check, monkeypatch, tmp_path):
    monkeypatch.setattr(work, "picture_data", lambda capture, verdict: {}["no"])
    check(CLEAN, code=EXIT_NO_BOARD)
    assert outcomes(tmp_path / "out") == {"some": "ERROR"}


def test_a_lead_that_nobody_recorded_is_the_rig_s_error(check, bench, monkeypatch, tmp_path):
    def without_right(case, firmware):
        recorded = bench.record(case, firmware)
        whole = recorded.capture
        capture = whole.select([name for name in whole.digital if ".L_" in name], ["I_LEFT"])
        return recorded.__class__(capture)

    monkeypatch.setattr(work, "record", without_right)
    check(CLEAN, code=EXIT_NO_BOARD)
    data = json.loads((tmp_path / "out/results.json").read_text())
    assert data["cases"][0]["reason"] == "nothing was recorded of the right lead"


def test_a_board_that_refuses_to_start_fails(check, tmp_path):
    result = check(REFUSED, code=EXIT_CHECK_FAILED)
    assert "The stimulator refused: not ready: a fault is latched" in " ".join(result.stdout.split())


def test_a_failure_counts_more_than_the_rig_s_errors(check):
    result = check(LOST, MISSING, MUTE, code=EXIT_CHECK_FAILED)
    assert "3 cases: 1 FAIL, 1 ERROR, 1 TIMEOUT." in result.stdout


def test_errors_are_tried_again_and_results_are_not(check, bench, tmp_path):
    check(CLEAN, LOST, MISSING, code=EXIT_CHECK_FAILED)
    bench.mended = True
    check(CLEAN, LOST, MISSING, code=EXIT_CHECK_FAILED)
    assert bench.asked == [CLEAN, LOST, MISSING, LOST]
    assert outcomes(tmp_path / "out") == {
        "some/seed=1": "PASS", "some/seed=3": "PASS", "some/seed=2": "FAIL"
    }  # fmt: skip


# Interrupted.


def test_ctrl_c_leaves_what_was_done_and_the_same_command_goes_on(check, bench, tmp_path):
    result = check(CLEAN, MOVED, CTRL_C, CLEAN + 20, code=EXIT_INTERRUPTED)
    assert "4 cases: 2 PASS, 2 ABORTED." in result.stdout
    assert "The same command with --out" in result.stderr and "goes on from here." in result.stderr
    folder = tmp_path / "out"
    suite = ElementTree.parse(folder / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures")) == ("4", "2", "0")
    bench.mended = True
    result = check(CLEAN, MOVED, CTRL_C, CLEAN + 20)
    assert "4 cases: 4 PASS." in result.stdout
    assert bench.asked == [CLEAN, MOVED, CTRL_C, CTRL_C, CLEAN + 20]


def test_json_is_one_document_even_if_it_is_interrupted(check):
    result = check(CLEAN, CTRL_C, code=EXIT_INTERRUPTED, more=["--json"])
    data = json.loads(result.stdout)
    assert data["counts"] == {"PASS": 1, "ABORTED": 1} and data["outcome"] == "ABORTED"


def test_a_result_that_cannot_be_read_is_done_again(check, bench, tmp_path):
    check(CLEAN, MOVED)
    path = sorted((tmp_path / "out/cases").glob("*.json"))[0]
    path.write_text(path.read_text()[:200])
    check(CLEAN, MOVED)
    assert len(bench.asked) == 3


def test_a_result_of_another_format_is_an_error(check, tmp_path):
    check(CLEAN)
    (path,) = (tmp_path / "out/cases").glob("*.json")
    data = json.loads(path.read_text())
    data["result"]["format"] = 99
    path.write_text(json.dumps(data))
    result = check(CLEAN, code=EXIT_NO_BOARD)
    assert "its result cannot be read: a result of format 99" in " ".join(result.stdout.split())


# Folders.


def test_without_out_each_run_has_a_folder_of_its_own(run, bench, tmp_path):
    path = plan_file(tmp_path, CLEAN)
    for _ in range(3):
        run("check", str(path))
    names = sorted(each.name for each in (tmp_path / "stimbench-results").iterdir())
    assert names == ["mine-20270115-080000", "mine-20270115-080000-2", "mine-20270115-080000-3"]


def test_a_folder_with_other_things_is_refused(check, bench, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    result = check(CLEAN, code=EXIT_BAD_INPUT)
    assert "holds other files, thesis.txt say: name a folder of its own" in result.stderr
    assert bench.asked == [] and sorted(os.listdir(tmp_path / "out")) == ["thesis.txt"]


@pytest.mark.parametrize("seeds", [(CLEAN, MOVED), (MOVED,)])
def test_a_folder_of_another_run_is_refused(check, bench, seeds):
    check(CLEAN)
    result = check(*seeds, code=EXIT_BAD_INPUT)
    assert "holds another campaign" in result.stderr and bench.asked == [CLEAN]


def test_two_runs_at_once_in_one_folder_are_refused(check, bench, monkeypatch, run, tmp_path):
    inner = []

    def record(case, firmware):
        if not inner:
            inner.append(None)
            inner[0] = run("check", str(tmp_path / "plan.toml"), "--out", str(tmp_path / "out"), code=2)
        return bench.record(case, firmware)

    monkeypatch.setattr(work, "record", record)
    check(CLEAN)
    assert "is in use by process" in inner[0].stderr


def test_a_full_disk_is_told_and_what_was_done_stays(check, bench, monkeypatch, tmp_path):
    def full(run, path):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("stimbench.checks.reports.write_csv_table", full)
        result = check(CLEAN, code=EXIT_BAD_INPUT)
    assert "results.csv: No space left on device." in result.stderr
    check(CLEAN)
    assert bench.asked == [CLEAN]


def test_results_and_plans_may_have_any_name(check, tmp_path):
    check(CLEAN, out="r\N{LATIN SMALL LETTER E WITH ACUTE}sultats 1", name="ein Plan.toml")
    assert (tmp_path / "r\N{LATIN SMALL LETTER E WITH ACUTE}sultats 1/report.html").is_file()


def test_half_of_an_attachment_is_made_whole_again(check, tmp_path):
    check(MISSING, code=EXIT_CHECK_FAILED)
    (path,) = (tmp_path / "out/attachments").glob("*/capture.vcd")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    check(MISSING, code=EXIT_CHECK_FAILED)
    assert path.read_bytes() == whole


def test_an_attachment_whose_bytes_are_others_is_told(check, tmp_path):
    check(MISSING, code=EXIT_CHECK_FAILED)
    (path,) = (tmp_path / "out/cases").glob("*.json")
    data = json.loads(path.read_text())
    data["result"]["packed"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(data))
    result = check(MISSING, code=EXIT_NO_BOARD)
    assert "its bytes are not those of its hash" in " ".join(result.stdout.split())


def test_cases_whose_names_look_alike_in_a_path_have_their_own_attachments(run, bench, tmp_path, monkeypatch):
    text = plan_file(tmp_path, MISSING).read_text() + 'load = ["\u00e4", "\u00f6", "a b", "a_b"]\n'
    loads = "".join(f'[loads."{name}"]\nresistance_ohm = {300 + k}\n' for k, name in enumerate(
        ("\u00e4", "\u00f6", "a b", "a_b")))  # fmt: skip
    (tmp_path / "plan.toml").write_text(text + loads)
    run("check", str(tmp_path / "plan.toml"), "--out", str(tmp_path / "out"), code=EXIT_CHECK_FAILED)
    data = json.loads((tmp_path / "out/results.json").read_text())
    paths = [each["path"] for case in data["cases"] for each in case["attachments"]]
    assert len(paths) == len(set(paths)) == 4
    assert all((tmp_path / "out" / path).is_file() for path in paths)


# --count, --compare, --only, --list.


def test_repetitions_tell_which_case_is_flaky(check, bench, tmp_path):
    result = check(CLEAN, BY_TURNS, LOST, code=EXIT_CHECK_FAILED, more=["--count", "4"])
    assert "Flaky: some/seed=10: 2 of 4 failed." in result.stdout
    assert "12 cases: 6 PASS, 2 FAIL, 4 ERROR." in result.stdout
    data = json.loads((tmp_path / "out/results.json").read_text())
    (flaky,) = data["flaky"]
    assert (flaky["name"], flaky["good"], flaky["failed"], flaky["rig"]) == ("some/seed=10", 2, 2, 0)
    assert flaky["failed_percent"] == 50 and flaky["spread"]["left missing"] == [0, 1]
    page = (tmp_path / "out/report.html").read_text()
    assert "Repetitions" in page and "2 of 4" in page
    names = [case.get("name") for case in ElementTree.parse(tmp_path / "out/junit.xml").getroot()[0]]
    assert len(names) == len(set(names)) == 12


def test_two_runs_beside_each_other(check, bench, tmp_path):
    check(CLEAN, BY_TURNS, LOST, MOVED, code=EXIT_CHECK_FAILED, out="before")
    bench.mended = True
    result = check(CLEAN, BY_TURNS, LOST, MOVED, out="after", more=["--compare", str(tmp_path / "before")])
    assert "Better: some/seed=10: FAIL, now PASS." in result.stdout
    assert "Cannot be told: some/seed=3: ERROR, now PASS." in result.stdout
    assert re.search(r"Moved: some/seed=11, left amplitude_percent: .*e?-?\d+ %, now 0\.5 %\.", result.stdout)
    assert "2 cases end as before, 0 are worse, 1 better." in result.stdout
    result = check(CLEAN, BY_TURNS, LOST, MOVED, code=EXIT_CHECK_FAILED, out="before",
                   more=["--compare", str(tmp_path / "after"), "--json"])  # fmt: skip
    told = json.loads(result.stdout)["comparison"]
    assert [each["case"] for each in told["worse"]] == ["some/seed=10"] and told["better"] == []


def test_cases_that_only_one_run_has_are_told(check, tmp_path):
    check(CLEAN, MOVED, out="before")
    result = check(CLEAN, CLEAN + 20, out="after", more=["--compare", str(tmp_path / "before")])
    assert "Only in the other run: some/seed=11." in result.stdout
    assert "Only in this run: some/seed=21." in result.stdout


def test_a_run_to_compare_with_that_is_not_there_is_told_before_anything_runs(check, bench, tmp_path):
    result = check(CLEAN, code=EXIT_BAD_INPUT, more=["--compare", str(tmp_path / "nothing")])
    assert "nothing" in result.stderr and bench.asked == [] and not (tmp_path / "out").exists()


def test_some_cases_by_name(check, bench):
    check(CLEAN, MOVED, CLEAN + 20, more=["--only", "*seed=1", "--only", "*=21"])
    assert bench.asked == [CLEAN, CLEAN + 20]


def test_a_pattern_that_no_case_has_is_told(check, bench):
    result = check(CLEAN, code=EXIT_BAD_INPUT, more=["--only", "nothing*"])
    assert "No case of" in result.stderr and "has a name like nothing*: see --list." in result.stderr
    assert bench.asked == []


def test_a_list_runs_nothing(check, bench, tmp_path):
    assert check(CLEAN, MISSING, more=["--list"]).stdout.splitlines() == ["some/seed=1", "some/seed=2"]
    listed = json.loads(check(CLEAN, MISSING, more=["--list", "--json"]).stdout)
    assert [(each["name"], each["seed"]) for each in listed] == [("some/seed=1", 1), ("some/seed=2", 2)]
    assert bench.asked == [] and not (tmp_path / "out").exists()


def test_a_plan_that_is_wrong_runs_nothing(run, bench, tmp_path):
    (tmp_path / "plan.toml").write_text('name = "x"\n[[matrix]]\nname = "y"\nwidth = 5\nseed = [-1]\n')
    result = run("check", "plan.toml", code=EXIT_BAD_INPUT)
    assert "plan.toml is not a valid plan, nothing was run:" in result.stderr
    assert "line 4: unknown key 'width'" in result.stderr and "line 5: seed = -1" in result.stderr
    assert bench.asked == [] and sorted(os.listdir(tmp_path)) == ["plan.toml"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "Name a plan: a file, or `standard`. Or a capture with --import."),
        (["nothing.toml"], "nothing.toml cannot be read: No such file or directory."),
        (["standard", "--set", "width_us=5"], "belong to --import"),
        (["standard", "--start", "0"], "belong to --import"),
        (["standard", "--timing-ns", "0"], "belong to --import"),
        (["standard", "--timing-only"], "belong to --import"),
        (["standard", "--import", "x.sr"], "it takes no plan"),
        (["--import", "x.sr", "--only", "a"], "it takes no plan"),
        (["--import", "x.sr", "--count", "2"], "belong to a plan, not to --import"),
        (["--import", "x.sr", "--compare", "y"], "belong to a plan, not to --import"),
    ],
)
def test_what_cannot_be_meant_is_refused(run, bench, args, told):
    assert told in run("check", *args, code=EXIT_BAD_INPUT).stderr


def test_a_run_of_nothing_is_no_pass(tmp_path):
    assert runs.Run(tmp_path, {}, ()).outcome.value == "ABORTED"
