"""Runs of pytest in other people's projects: what they get from the plugin, and what goes wrong in one."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import served
from stimbench.pytest_plugin import outcomes

pytestmark = [pytest.mark.emulated, pytest.mark.tools]

PACE = 4.0
EMULATED = """
import pytest

def test_pulses(bench, stimulator, capture):
    stimulator.amplitude(2000, 2000)
    stimulator.start()
    bench.run_for(1_000_000_000)
    assert capture().edges("stimulator", "L_CATH").times_ns.size > 10

def test_remote(remote):
    assert remote.identity.role == "remote"

@pytest.mark.stimbench(seed=7)
def test_seed(bench):
    assert bench.config.seed == 7 and set(bench.boards) == {"stimulator", "remote"}

@pytest.mark.stimbench(needs="saline")
def test_saline(stimulator):
    raise AssertionError("it ran")

@pytest.mark.stimbench(toaster=1)
def test_typing_error(stimulator):
    raise AssertionError("it ran")

def test_fails(bench):
    bench.run_for(400_000_000)
    assert bench.now_ns == 0
"""
WIRED = """
import os, pytest

def test_one(stimulator):
    assert stimulator.status().state_name == "ready"

def test_needs_traces(bench, stimulator):
    raise AssertionError("it ran")

@pytest.mark.stimbench(needs=("500-ohm", "saline"))
def test_needs_a_load(stimulator):
    raise AssertionError("it ran")

def test_pulled(stimulator, device):
    os.unlink(device.name)
    assert stimulator.status().state_name == "sulking"

def test_after_it(stimulator, device, record_property):
    record_property("port", device.name)
    assert stimulator.status().state_name == "ready"

def test_fails(stimulator):
    assert stimulator.status().state_name == "sulking"

def test_pulled_too(stimulator, device):
    os.unlink(device.name)
    stimulator.stop()
    raise AssertionError("and the test failed")

def test_after_both(stimulator):
    raise AssertionError("it ran")
"""
LOAD = """
import os, sys
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # of other plugins: they import libraries of ours
import pytest
before = set(sys.modules)
pytest.main(["-q", "-p", "stimbench.pytest_plugin", "test_nothing.py"])
print(*sorted(set(sys.modules) - before), sep="\\n", file=sys.stderr)
"""
XUNIT1 = ("-o", "junit_family=xunit1")
"""In which a test may have properties."""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(tests: str, *options: str, processes: int = 0) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "test_them.py").write_text(tests)
        plugins = ("-p", "no:pytest_embedded", "-p", "no:random_order", "-p", "no:cacheprovider")
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(processes), *plugins, *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)

    return run


def results(folder: Path) -> dict[str, tuple[str, str]]:
    """Result and reason by the test's function."""
    rows = json.loads((folder / "_results.json").read_text())["results"]
    return {name.split("::")[1]: (result, reason) for name, result, reason in rows}


def test_an_emulated_bench_for_each_test(run: Run, tmp_path: Path) -> None:
    done = run(EMULATED, "--stimbench-results=res", "--stimbench-artefacts=kept")
    assert "1 failed, 3 passed, 1 skipped, 1 error" in done.stdout, done.stdout
    assert "@pytest.mark.stimbench has no toaster. It has: needs, seed, boards," in done.stdout
    assert re.search(
        r"= stimbench =+\n1 not run: the emulated bench has no saline:\n  \S+::test_saline", done.stdout
    )
    folder = tmp_path / "kept" / "test_them.py-test_fails"
    assert "L_CATH" in (folder / "bench.vcd").read_text()
    assert "stimulator: reset at 0 ns: power on" in (folder / "bench.txt").read_text()
    assert f"kept/{folder.name}/bench.vcd" in done.stdout
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [folder.name]
    found = results(tmp_path / "res")
    assert found["test_pulses"] == ("pass", "")
    assert found["test_saline"] == ("skip", "stimbench: the emulated bench has no saline")
    assert found["test_fails"] == ("fail", "assert 400000000 == 0")
    assert found["test_typing_error"][0] == "error"
    failed = json.loads((tmp_path / "res" / "_results.json").read_text())["failed_tests"]
    assert failed == ["test_them.py::test_typing_error", "test_them.py::test_fails"]


@pytest.fixture
def desks(make_bench: Callable[..., Bench], tmp_path: Path) -> Iterator[Path]:
    """A file of two targets: links to the ptys of two benches. To remove a link is to pull a cable."""
    rows = []
    with ExitStack() as stack:
        for index, load in ((1, ["500-ohm"]), (2, [])):
            bench = make_bench(boards=("stimulator",), seed=index)
            link = tmp_path / f"desk-{index}"
            link.symlink_to(stack.enter_context(served(bench, PACE))["stimulator"])
            rows.append(
                f'[[target]]\nname = "desk-{index}"\nstimulator = "{link}"\nhas = {json.dumps(load)}\n'
            )
        path = tmp_path / "targets.toml"
        path.write_text("".join(rows))
        yield path


def wired(desks: Path, names: str) -> tuple[str, ...]:
    return (f"--stimbench-target={names}", f"--stimbench-targets-file={desks}", "--stimbench-results=res")


def test_a_lost_board_is_an_error_and_its_place_is_taken(
    run: Run, desks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")  # of another run, which this one is no worker of
    done = run(WIRED, *wired(desks, "all"), "--junit-xml=junit.xml", *XUNIT1)
    assert "1 failed, 2 passed, 2 skipped, 3 errors" in done.stdout, done.stdout
    lost = rf"Board lost: desk-1 \({tmp_path}/desk-1\) went away in test_pulled and did not come back\."
    assert re.search(rf"= stimbench =+\n{lost}\n", done.stdout), done.stdout
    assert "1 not run: desk-2 has no 500-ohm and saline:" not in done.stdout
    assert "1 not run: desk-1 has no saline:" in done.stdout
    assert "1 not run: desk-1 has no faults and traces:" in done.stdout
    found = results(tmp_path / "res")
    assert found["test_pulled"][0] == "error" and re.fullmatch(lost, found["test_pulled"][1])
    assert found["test_after_it"] == ("pass", "") and found["test_fails"][0] == "fail"
    result, reason = found["test_after_both"]
    assert result == "error" and "No board is left. Board lost: desk-1" in reason
    assert "Board lost: desk-2" in reason
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    assert [part.tag for part in cases["test_pulled"]] == ["error"]
    assert [part.tag for part in cases["test_fails"]] == ["failure"]
    (port,) = cases["test_after_it"].iter("property")
    assert port.get("value") == str(tmp_path / "desk-2")


def test_each_process_has_a_board_of_its_own(run: Run, desks: Path, tmp_path: Path) -> None:
    tests = ""  # of four tests each of two processes is given two, however fast it is
    for number in range(4):
        tests += f"def test_at_{number}(device, record_property):\n    record_property('port', device.name)\n"
    done = run(tests, *wired(desks, "all"), "--junit-xml=junit.xml", *XUNIT1, processes=2)
    assert "4 passed" in done.stdout, done.stdout
    ports = {one.get("value") for one in ElementTree.parse(tmp_path / "junit.xml").iter("property")}
    assert ports == {str(tmp_path / "desk-1"), str(tmp_path / "desk-2")}
    assert set(results(tmp_path / "res")) == {f"test_at_{number}" for number in range(4)}


@pytest.mark.parametrize(
    ("target", "processes", "told"),
    [
        ("all", 3, "3 processes share 2 boards: give -n 2. No test was run."),
        ("desk-1", 2, "2 processes share one board: give -n 1. No test was run."),
        ("desk-3", 0, "--stimbench-target: There is no target desk-3: it is no port, .* (desk-1, desk-2)"),
    ],
)
def test_what_cannot_be_is_refused_before_any_test(
    target: str, processes: int, told: str, run: Run, tmp_path: Path
) -> None:
    rows = [f'[[target]]\nname = "desk-{index}"\nstimulator = "/dev/no-{index}"\n' for index in (1, 2)]
    (tmp_path / "targets.toml").write_text("".join(rows))
    done = run(WIRED, *wired(tmp_path / "targets.toml", target), processes=processes)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert re.search(told.replace("(desk", r"\(desk").replace("2)", r"2\)"), done.stderr), done.stderr
    assert not (tmp_path / "res").exists() or "pass" not in (tmp_path / "res" / "_results.json").read_text()


def test_a_project_without_boards_does_not_pay_for_them(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert "1 passed" in done.stdout, done.stdout
    loaded = set(done.stderr.split())
    assert "stimbench.pytest_plugin.fixtures" in loaded
    ours = {name for name in loaded if name.startswith("stimbench.")}
    assert all(name.startswith("stimbench.pytest_plugin") for name in ours), ours
    assert not {"numpy", "serial", "pydantic", "filelock", "rp2040py", "cryptography"} & loaded


def test_another_projects_fixtures_of_these_names_are_left_alone(run: Run) -> None:
    tests = """
import pytest

@pytest.fixture
def bench():
    return "an oak one"

@pytest.fixture
def device():
    return "a lathe"

def test_its_own(bench, device):
    assert (bench, device) == ("an oak one", "a lathe")
"""
    done = run(tests, "--stimbench-target=/dev/no-such-port")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_a_run_that_dies_is_not_read_as_a_pass(run: Run, tmp_path: Path) -> None:
    tests = "import os\n\ndef test_dies():\n    os._exit(0)\n\ndef test_next():\n    pass\n"
    assert "passed" not in run(tests, "--stimbench-results=res").stdout
    never = ("fail", "test never finished")
    assert results(tmp_path / "res") == {"test_dies": never, "test_next": never}


def test_a_board_that_comes_back_was_restarted_and_is_not_lost(tmp_path: Path, monkeypatch) -> None:
    port = tmp_path / "port"
    monkeypatch.setattr(outcomes.time, "sleep", lambda _seconds: port.touch())
    assert outcomes.still_gone([str(port)]) == []
    monkeypatch.setattr(outcomes.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(outcomes.time, "monotonic", iter(range(1000)).__next__)
    assert outcomes.still_gone([str(port), str(tmp_path / "other")]) == [str(tmp_path / "other")]
