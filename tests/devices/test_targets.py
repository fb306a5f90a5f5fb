"""`pytest --target`: a device test runs on the board that was named, or not at all."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import served
from stimbench.client import connect
from stimbench.devices.serial_device import SerialDevice

pytestmark = pytest.mark.emulated

PACE = 2.0
"""Emulated seconds a second at the most, so that the time-outs of mpremote mean something."""
SEED = 1
"""Of the order. `.ci/run` shuffles all device tests once more."""
FILES = ("test_identity", "test_text", "test_starts", "test_heap_check", "test_remote_console")
"""Of every kind: a request, the REPL, text that is awaited, restarts; the remote."""
REMOTES = "tests/device/test_remote_console.py"
TESTS = [f"tests/device/{name}.py" for name in FILES]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(root: Path) -> Run:
    def run(*options: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=400)

    return run


@pytest.fixture
def ports(make_bench: Callable[..., Bench]) -> Iterator[dict[str, str]]:
    bench = make_bench()
    bench.run_for(1_500_000_000)
    with served(bench, PACE) as paths:
        yield paths


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence of a run in which no test ran."""
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert not re.search("passed|failed|error", done.stdout), done.stdout
    (line,) = done.stderr.strip().splitlines()
    return line


def test_a_port_that_is_not_there_is_one_sentence(run: Run, tmp_path: Path) -> None:
    port = f"{tmp_path}/ttyACM0"
    said = refused(run("-n", "0", f"--target={port}", "tests/device"))
    assert said == f"ERROR: --target={port}: There is no port {port}. No test was run."
    said = refused(run("-n", "0", f"--remote-target={port}", "tests/device"))
    assert said == f"ERROR: --remote-target={port}: There is no port {port}. No test was run."


def test_another_board_than_the_named_one_is_one_sentence(run: Run, ports: dict[str, str]) -> None:
    port = ports["remote"]
    said = refused(run("-n", "0", f"--target={port}", "tests/device"))
    assert said.endswith(f"The board on {port} is a remote, not a stimulator. No test was run.")


def test_a_port_serves_one_process_and_one_board(run: Run, tmp_path: Path) -> None:
    said = refused(run("-n", "2", f"--target={tmp_path}/ttyACM0", "tests/device"))
    assert said == "ERROR: A wired board is tested by one process: add -n 0. No test was run."
    both = (f"--target={tmp_path}/ttyACM0", f"--remote-target={tmp_path}/ttyACM0")
    said = refused(run("-n", "0", *both, "tests/device"))
    assert said == "ERROR: --target and --remote-target name the same port. No test was run."


def test_what_the_named_board_cannot_show_is_not_run_and_told(run: Run, ports: dict[str, str]) -> None:
    named = (f"--target={ports['stimulator']}", "-n", "0")
    remotes = ("tests/device/test_remote.py", "tests/device/test_remote_console.py")
    done = run(*named, *remotes, "tests/pure/clock")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
    for sentence in (
        r"\d+ tests deselected: they need faults or traces, which only --target=emulator has:",
        r"5 tests deselected: they need a remote \(--remote-target\), which was not named:",
        r"\d+ tests deselected: they ask for no board:",
    ):
        assert re.search(sentence, done.stdout), (sentence, done.stdout)


def test_many_boards_are_shared_out_and_what_is_not_run_is_told(
    run: Run, make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        benches = [make_bench(boards=("stimulator",), seed=seed) for seed in (1, 2)]
        ptys = [stack.enter_context(served(bench, PACE))["stimulator"] for bench in benches]
        named = (f"--target={','.join(ptys)}", f"--stimbench-results={tmp_path}")
        done = run("-n", "auto", *named, "tests/device/test_identity.py", REMOTES)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout
    assert "2 workers" in done.stdout
    assert re.search(
        r"5 tests deselected: they need a remote \(--remote-target\), which was not named:", done.stdout
    )
    written = json.loads((tmp_path / "_results.json").read_text())
    assert [result for _, result, _ in written["results"]] == ["pass"] * 4


@pytest.mark.slow
def test_on_a_pty_they_hold_in_any_order_and_leave_the_application_running(
    run: Run, ports: dict[str, str]
) -> None:
    with SerialDevice(ports["stimulator"]) as device:
        device.enter_repl()  # where a run that was killed leaves it
    order = ("--random-order-bucket=global", f"--random-order-seed={SEED}")
    named = (f"--target={ports['stimulator']}", f"--remote-target={ports['remote']}")
    done = run("-n", "0", *named, *order, *TESTS)
    assert done.returncode == 0 and "15 passed" in done.stdout, done.stdout
    with SerialDevice(ports["stimulator"]) as device:
        assert connect(device.console).identity.role == "stimulator"
