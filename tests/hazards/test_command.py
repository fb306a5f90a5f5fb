"""`stimbench hazards`: a project of three controls, checked and written."""

import json

import pytest
from stimbench.cli import hazards as command
from stimbench.cli.main import app
from stimbench.hazards.marks import files_of
from stimbench.hazards.page import RUN_HEADING, markdown
from stimbench.hazards.register import HAZARDS_FILE, load
from stimbench.project import find_project_root
from typer.testing import CliRunner

REGISTER = """
[[hazard]]
id = "H-01"
title = "Loud"
harm = "pain"
cause = "much current"
severity = "serious"
controls = ["C-01", "C-02"]

[[control]]
id = "C-01"
kind = "design"
does = "less"

[[control]]
id = "C-02"
kind = "protection"
does = "none"
status = "planned"
"""
JUNIT = (
    '<testsuites><testsuite timestamp="2026-11-30T01:00:00"><testcase classname="t" name="test_a">'
    '<properties><property name="control" value="C-01"/></properties>%s</testcase></testsuite></testsuites>'
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / HAZARDS_FILE).write_text(REGISTER)
    (tmp_path / "tests" / "test_a.py").write_text('@control("C-01")\ndef test_a(): pass\n')
    (tmp_path / "good.xml").write_text(JUNIT % "")
    (tmp_path / "bad.xml").write_text(JUNIT % "<skipped/>")
    monkeypatch.setattr(command, "find_project_root", lambda: tmp_path)
    return tmp_path


def run(*words, code=0):
    result = CliRunner().invoke(app, ["hazards", *map(str, words)], env={"COLUMNS": "120"})
    assert result.exit_code == code, result.output
    return result


def test_without_a_word_it_lists_them(project):
    assert "H-01 Loud  serious   C-01 C-02" in run().stdout
    told = json.loads(run("--json").stdout)
    assert [one["id"] for one in told["hazards"]] == ["H-01"]
    assert [(one["id"], one["files"], one["planned"]) for one in told["controls"]] == [
        ("C-01", ["test_a.py"], False),
        ("C-02", [], True),
    ]


def test_a_check_that_passes_says_what_is_planned(project):
    told = run("check", project / "good.xml").stdout
    assert told == "hazards    1 hazards; each of 1 controls is shown by a test; planned: C-02\n"
    assert json.loads(run("check", project / "good.xml", "--json").stdout) == {
        "hazards": 1, "shown": 1, "planned": ["C-02"], "problems": [],
    }  # fmt: skip


def test_a_check_that_fails_exits_1_and_names_each_problem(project):
    result = run("check", project / "bad.xml", code=1)
    assert result.stderr == "C-01: t.test_a skipped\n" and "1 problems" in result.stdout


def test_bad_input_is_2(project):
    run("check", project / "none.xml", code=2)
    run("check", code=2)
    (project / HAZARDS_FILE).write_text("[[hazard]]\n")
    run("check", project / "good.xml", code=2)


def test_the_page_is_written(project):
    run("page")
    page = project / "docs" / "hazards.md"
    assert "without a run's JUnit file" in page.read_text()
    run("page", project / "good.xml")
    assert "- 2026-11-30T01:00:00: 1 tests" in page.read_text()


def test_the_projects_page_is_up_to_date():
    """All but what was run: that is of another day."""
    root = find_project_root()
    made = markdown(load(root / HAZARDS_FILE), files_of(root / "tests"), None)
    written = (root / "docs" / "hazards.md").read_text(encoding="utf-8")
    assert written.split(RUN_HEADING)[0] == made.split(RUN_HEADING)[0], "run: stimbench hazards page"


def test_the_line_of_make_test_does_not_look_like_pytests_own(project):
    """.ci/run takes the last line of the form `12 passed in 3.45s` for pytest's."""
    for name, code in (("good.xml", 0), ("bad.xml", 1)):
        result = run("check", project / name, code=code)
        assert " passed in " not in result.stdout + result.stderr
