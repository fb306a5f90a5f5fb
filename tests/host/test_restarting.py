"""A board that is at MicroPython's prompt: named, and restarted with --restart, whatever the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from stimbench.bench.pty_server import served
from stimbench.cli.main import app
from stimbench.devices.serial_device import SerialDevice
from support.bench_fixtures import make_bench  # noqa: F401
from typer.main import get_command
from typer.testing import CliRunner

pytestmark = pytest.mark.emulated

PACE = 2.0
"""Emulated seconds a second at the most, so that the commands' time-outs mean something."""
TIMEOUT_S = 120  # wall time, for a busy machine; nothing is measured by it
PLACES = {"friendly": "at the MicroPython prompt", "raw": "in MicroPython's raw REPL"}


@pytest.fixture
def ports(make_bench, images):  # noqa: F811
    bench = make_bench()
    bench.run_for(1_500_000_000)
    with served(bench, PACE) as paths:
        yield paths


def leave_at(port, place):
    """As a person does who ends mpremote, or loses it."""
    with SerialDevice(port) as device:
        device.enter_repl().exec("kept = 3")
        if place == "friendly":
            device.leave_repl()


def run(*words, code=0):
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "120"})
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("place", list(PLACES))
def test_a_stimulator_is_named_and_restarted_when_it_is_asked_for(ports, place):
    port = ports["stimulator"]
    leave_at(port, place)
    said = run("status", "--board", port, code=4).stderr
    assert f"The board on {port} is {PLACES[place]} and does not run its application." in said
    assert "--restart" in said
    with SerialDevice(port) as device:
        assert device.enter_repl().eval("kept") == 3, "nothing was done to it"
    leave_at(port, place)
    result = run("status", "--board", port, "--restart")
    assert result.stderr == f"Restarting the board on {port}.\n" and "ready" in result.stdout
    assert run("status", "--board", port, "--restart").stderr == "", "it runs: nothing to restart"


@pytest.mark.parametrize("place", list(PLACES))
def test_a_remote_is_named_and_restarted_too(ports, place):
    port = ports["remote"]
    leave_at(port, place)
    assert f"is {PLACES[place]}" in run("status", "--remote", port, code=4).stderr
    assert "ready" in run("status", "--remote", port, "--restart").stdout


def test_both_boards_are_restarted_for_one_command(ports, tmp_path):
    for port in ports.values():
        leave_at(port, "raw")
    said = run("pair", "--board", ports["stimulator"], "--remote", ports["remote"], "--restart").stderr
    assert said.count("Restarting the board") == 2


def test_other_code_that_runs_there_is_ended_only_when_it_is_asked_for(ports):
    port = ports["stimulator"]
    with SerialDevice(port) as device:
        device.enter_repl().exec_raw_no_follow("while True: pass")
    assert f"No answer from {port}" in run("stop", "--board", port, code=4).stderr
    assert "Stopped" in run("stop", "--board", port, "--restart").stdout


def test_an_mpremote_that_was_killed_with_its_folder_mounted_holds_nothing_up(ports, tmp_path):
    port = ports["stimulator"]
    script = "import time; print('it runs'); time.sleep(600)"
    command = [sys.executable, "-m", "mpremote", "connect", port, "mount", str(tmp_path), "exec", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mpremote:
        while "it runs" not in mpremote.stdout.readline():
            assert mpremote.poll() is None
        mpremote.kill()
    assert "No answer" in run("status", "--board", port, code=4).stderr
    assert "ready" in run("status", "--board", port, "--restart").stdout


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 4)])
def test_at_a_terminal_it_is_asked(ports, answer, code):
    port = ports["stimulator"]
    leave_at(port, "raw")
    program = str(Path(sys.executable).with_name("stimbench"))
    terminal = pexpect.spawn(program, ["status", "--board", port], timeout=TIMEOUT_S, encoding="utf-8")
    terminal.expect_exact("raw REPL")
    terminal.expect_exact("Restart it now? [y/N]:")
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == code
    assert ("ready" in terminal.before) == (answer == "y")


def commands(group, path=()):
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))
    if not getattr(group, "commands", None) or (group.invoke_without_command and path):
        yield " ".join(path), {option for param in group.params for option in param.opts}


def test_every_command_that_takes_a_board_on_usb_has_the_option():
    taking = {name: options for name, options in commands(get_command(app)) if "--radio" in options}
    assert {"status", "impedance", "program set", "start", "stop", "test", "log"} <= taking.keys()
    usb_only = {"pair", "records", "repair"}
    every = dict(commands(get_command(app)))
    missing = [name for name in {*taking, *usb_only} if "--restart" not in every[name]]
    assert not missing
