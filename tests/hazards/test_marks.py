"""Marks on both kinds of tests are found in their source, and pytest writes them into JUnit XML."""

import subprocess
import sys
from pathlib import Path

import pytest
from stimbench.hazards.junit import FAILED, PASSED, SKIPPED, read
from stimbench.hazards.marks import files_of, marks_of
from support import control as control_module
from support.control import control

ROOT = Path(__file__).resolve().parents[2]

MARKED = """
import pytest

pytestmark = [pytest.mark.emulated, pytest.mark.control("C-01")]

@pytest.mark.control("C-02", "C-03")
@pytest.mark.parametrize("n", [1, 2])
def test_a(n):
    assert n

class TestB:
    @control("C-04")
    def test_b(self):
        pass

@pytest.mark.other("C-05")
def test_c():
    control("C-06")
"""


def test_marks_are_found_wherever_they_may_stand():
    assert marks_of(MARKED) == {"C-01", "C-02", "C-03", "C-04"}
    assert marks_of('pytestmark = pytest.mark.control("C-09")\n') == {"C-09"}
    assert marks_of("x = pytest.mark.control('C-09')\n") == set()


def test_files_are_told_by_control(tmp_path):
    (tmp_path / "pure").mkdir()
    (tmp_path / "pure" / "test_one.py").write_text('@control("C-02")\ndef test_a(): pass\n')
    (tmp_path / "test_two.py").write_text('@control("C-02", "C-01")\ndef test_a(): pass\n')
    (tmp_path / "helper.py").write_text('@control("C-03")\ndef test_a(): pass\n')
    assert files_of(tmp_path) == {"C-01": ["test_two.py"], "C-02": ["pure/test_one.py", "test_two.py"]}


def test_the_mark_of_pure_tests_is_pytests_here_and_nothing_on_micropython(monkeypatch):
    @control("C-01", "C-02")
    def test_it():
        """Nothing."""

    assert [mark.args for mark in test_it.pytestmark] == [("C-01", "C-02")]
    monkeypatch.setattr(control_module, "pytest", None)

    def bare():
        """Nothing."""

    assert control("C-01")(bare) is bare and not hasattr(bare, "pytestmark")


@pytest.mark.parametrize("processes", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_pytest_writes_the_marks_into_junit_xml(tmp_path, processes):
    """With this project's own conftest, in a process of its own."""
    path = tmp_path / "test_marked.py"
    path.write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.control('C-02')\n"
        "@pytest.mark.control('C-01')\ndef test_good(): pass\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.skip\ndef test_left_out(): pass\n"
        "@pytest.fixture\ndef broken(): raise ValueError\n"
        "def test_broken(broken): pass\n",
        encoding="utf-8",
    )
    words = ["-q", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml", f"--rootdir={ROOT}"]
    words += ["--confcutdir", ROOT, "-p", "conftest", f"--junitxml={tmp_path / 'out.xml'}", *processes, path]
    command = [sys.executable, "-m", "pytest", *map(str, words)]
    environment = {"PYTHONPATH": str(ROOT / "tests"), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False)
    run = read([tmp_path / "out.xml"])
    found = {test.name.rsplit("test_", 1)[1]: (test.outcome, test.controls) for test in run.tests}
    assert found == {
        "good": (PASSED, ("C-01", "C-02")),
        "bad": (FAILED, ("C-02",)),
        "left_out": (SKIPPED, ("C-02",)),
        "broken": (FAILED, ("C-02",)),
    }
