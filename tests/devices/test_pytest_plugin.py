"""The pytest plugin, in a pytest of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import served

pytestmark = pytest.mark.emulated

TESTS = """
import re

import pytest
from stimbench.client import Console, Stimulator

def test_console(device):
    assert Stimulator(Console(device.console, timeout_s=20)).identify().role == "stimulator"
    device.enter_repl().exec("kept = 1")

def test_just_reset(device):
    assert Stimulator(Console(device.console, timeout_s=20)).identify().role == "stimulator"
    assert device.enter_repl().eval("'kept' in globals()") is False

def test_text_is_awaited(dut):
    dut.write("\\x03")
    dut.expect_exact("stimulator stopped: output off", timeout=60)
    banner = dut.expect(re.compile(rb"MicroPython v1[^\\r]*"), timeout=60)
    assert banner[0].endswith(b"stimbench stimulator with RP2040")
    dut.expect_exact(">>> ", timeout=60)

def test_the_text_is_of_a_board_just_reset(dut):
    dut.write("\\x03")
    dut.expect_exact(">>> ", timeout=60)
"""
BOTH = """
def test_both(device, dut):
    raise AssertionError("it ran")
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    (tmp_path / "test_them.py").write_text(TESTS)

    def run(*options: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--stimbench-dut", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)

    return run


def test_a_device_is_emulated_if_nothing_else_is_named(run) -> None:
    done = run()
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout


def test_a_device_is_what_the_option_names(run, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(boards=("stimulator",))
    with served(bench, pace=2.0) as paths:
        resets = len(bench.board("stimulator").resets)
        done = run(f"--stimbench-target={paths['stimulator']}")
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout
    assert len(bench.board("stimulator").resets) == resets + 4


def test_a_port_that_does_not_exist_is_a_sentence(run, tmp_path: Path) -> None:
    done = run(f"--stimbench-target={tmp_path}/nothing")
    assert done.returncode == 1 and f"PortError: There is no port {tmp_path}/nothing." in done.stdout


def test_device_and_dut_are_one_port(run, tmp_path: Path) -> None:
    (tmp_path / "test_them.py").write_text(BOTH)
    done = run()
    assert done.returncode == 1 and "1 error" in done.stdout, done.stdout
    assert "`device` and `dut` are the same port: a test asks for one of them." in done.stdout
    assert "it ran" not in done.stdout
