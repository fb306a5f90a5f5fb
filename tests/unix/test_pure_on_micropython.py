"""Every test of the pure logic again, on the MicroPython unix port: one item for each test function."""

import ast
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
PURE = TESTS / "pure"
FIRMWARE = ROOT / "firmware"
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
LIMIT_S = 120
HEAP = "heapsize=8m"


def functions(path):
    """The test functions of a file, in its order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


def imports_pytest(path):
    return re.search(r"^(?:import|from) (?:pytest|hypothesis)\b", path.read_text(encoding="utf-8"), re.M)


PORTABLE = sorted(path for path in PURE.rglob("test_*.py") if not path.stem.endswith("_hypothesis"))
CASES = [pytest.param(path, name, id=f"{path.stem}-{name}") for path in PORTABLE for name in functions(path)]


def with_source(trace):
    """The traceback with the lines that it names."""
    lines = []
    for line in trace.splitlines():
        lines.append(line)
        found = re.match(r'  File "([^"]+)", line (\d+)', line)
        if found and Path(found[1]).is_file():
            text = Path(found[1]).read_text(encoding="utf-8").splitlines()
            lines.append("    " + text[int(found[2]) - 1].strip())
    return "\n".join(lines)


def run(folder, module, *names):
    environment = {**os.environ, "MICROPYPATH": f"{FIRMWARE}:{FIRMWARE / 'modules'}:{TESTS}"}
    words = [MICROPYTHON, "-X", HEAP, TESTS / "unix" / "runner.py", folder, module, *names]
    result = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return result.returncode, result.stdout + result.stderr


@cache
def outcomes(path):
    """What is printed of each function of a file that ended, by its name: all run in one process."""
    _, output = run(path.parent, path.stem, *functions(path))
    parts = re.split(r"^\x01(passed|failed) (test_\w+)$", output, flags=re.M)
    return {name: (outcome, text) for outcome, name, text in zip(*[iter(parts[1:])] * 3, strict=True)}


def outcome_of(path, function):
    """`passed` or `failed`, and what was printed."""
    if function in outcomes(path):
        return outcomes(path)[function]
    _, output = run(path.parent, path.stem, function)  # one before it, or itself, ended the process
    return "passed" if f"\x01passed {function}\n" in output else "failed", output


@pytest.mark.parametrize(("path", "function"), CASES)
def test_on_micropython(path, function):
    outcome, output = outcome_of(path, function)
    if outcome != "passed":
        pytest.fail(f"{path.name}::{function} on MicroPython:\n{with_source(output)}", pytrace=False)


def test_no_file_is_for_cpython_alone():
    assert len(PORTABLE) >= 10
    for path in PORTABLE:
        assert not imports_pytest(path), f"{path.name} cannot run on MicroPython; put it into *_hypothesis.py"


@pytest.mark.parametrize("body", ["assert 1 == 2", "raise ValueError('x')", "undefined"])
def test_the_runner_sees_a_failure(tmp_path, body):
    (tmp_path / "broken.py").write_text(f"def test_it():\n    {body}\n", encoding="utf-8")
    code, output = run(tmp_path, "broken", "test_it")
    assert code != 0 and "line 2" in output and body in with_source(output)


def test_a_file_in_one_process_tells_each_function_apart_and_one_that_ends_it_is_alone(tmp_path):
    path = tmp_path / "several.py"
    path.write_text(
        "import sys\n"
        "def test_good():\n    print('passed test_bad')\n"
        "def test_bad():\n    assert 1 == 2\n"
        "def test_end():\n    sys.exit(0)\n"
        "def test_after():\n    pass\n",
        encoding="utf-8",
    )
    found = outcomes(path)
    assert found["test_good"][0] == "passed" and found["test_bad"][0] == "failed"
    assert "assert 1 == 2" in with_source(found["test_bad"][1])
    assert set(found) == {"test_good", "test_bad"}, "SystemExit is no Exception: the process ended there"
    assert outcome_of(path, "test_end")[0] == "failed" and outcome_of(path, "test_after")[0] == "passed"


def test_the_runner_is_micropython(tmp_path):
    body = "import sys\ndef test_it():\n    assert sys.implementation.name == 'micropython'\n"
    (tmp_path / "port.py").write_text(body, encoding="utf-8")
    assert run(tmp_path, "port", "test_it")[0] == 0
