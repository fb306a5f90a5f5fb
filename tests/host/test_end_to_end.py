"""The commands on the built images: the same code that talks to wired boards, on the emulated bench."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.bench.pty_server import served
from stimbench.cli.boards import open_board
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client import connect
from stimbench.client.on_bench import build_bench
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import AtPromptError, WrongBoardError
from stimfw.protocol import messages
from support.scene import SELF_TEST_NS
from typer.testing import CliRunner

IMPEDANCE_TOLERANCE = 0.05
FITTED_OHM = 500
LINE_CYCLES = 56
READY_HEAP_BYTES = 140_000

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("images")]


@pytest.fixture
def bench():
    with build_bench(seed=1) as built:
        yield built


@pytest.fixture
def run_on():
    def runner(bench):
        @contextmanager
        def opened(_board, _radio):
            yield connect(EmulatedLink(bench, "stimulator"), first_number=0)

        def invoke(*args, code=0):
            result = CliRunner().invoke(app, list(args), obj=Services(open_board=opened))
            assert result.exit_code == code, result.output
            return result

        return invoke

    return runner


@pytest.fixture
def run(bench, run_on):
    return run_on(bench)


def test_a_session_from_the_command_line(bench, run):
    assert json.loads(run("status", "--json").stdout)["status"]["state"] == "ready"
    assert "both amplitudes are zero" in run("start", code=3).stderr
    run("program", "set", "--set", "left.amplitude_ua=1000", "--set", "rate_hz=40", "--set", "ramp_up_ms=0")
    assert json.loads(run("program", "show", "--json").stdout)["rate_hz"] == 40
    run("start")
    bench.run_for(SELF_TEST_NS + 500_000_000)
    status = json.loads(run("status", "--json").stdout)
    assert status["status"]["state"] == "hold" and status["status"]["programmed_ua"] == [1000, 0]
    assert status["details"]["left_pulses"] > 5
    refused = run("program", "set", "--set", "rate_hz=30", code=3)
    assert "locked while the output is on" in refused.stderr
    assert json.loads(run("stop", "--json").stdout)["stop_cause"] == "host"
    edges = bench.trace.edges("stimulator", "L_CATH")
    bench.run_for(200_000_000)
    assert bench.trace.edges("stimulator", "L_CATH") == edges, "not a pulse after stop"


def test_a_lead_that_breaks_in_the_hold_shows_in_what_was_measured(bench, run):
    for both in ("amplitude", "2000", "2000"), ("program", "set", "--set", "ramp_up_ms=0"), ("start",):
        run(*both)
    bench.run_for(500_000_000)
    healthy = json.loads(run("status", "--json").stdout)
    assert all(abs(pulse["current_ua"] - 2000) < 60 for pulse in healthy["measured"])
    cathode = json.loads(run("program", "show", "--json").stdout)["left.cathode"]
    bench.board("stimulator").parts.leads["left"].electrodes[cathode].open()
    bench.run_for(200_000_000)
    broken = json.loads(run("status", "--json").stdout)
    assert broken["status"]["programmed_ua"] == [2000, 2000]
    measured = {pulse["lead"]: pulse for pulse in broken["measured"]}
    assert abs(measured["left"]["current_ua"]) < 40 and abs(measured["right"]["current_ua"] - 2000) < 60
    assert "2000 uA are programmed on the left lead" in run("status").stdout
    newest = json.loads(run("pulses", "--json", "--count", "6").stdout)
    assert [pulse["number"] for pulse in newest] == list(range(newest[0]["number"], newest[0]["number"] + 6))
    assert newest[-1]["number"] > broken["measured"][0]["number"]
    assert {pulse["lead"] for pulse in newest if abs(pulse["current_ua"]) < 40} == {"left"}
    # What it measured is what flowed.
    capture = bench.trace.capture()
    start_ns = int(capture.edges("stimulator", "R_CATH").rises_ns[-1])
    flowed_ua = -float(capture.current("I_SENSE").at(start_ns))
    right = [pulse for pulse in newest if pulse["lead"] == "right"][-1]
    assert abs(right["current_ua"] - flowed_ua) < 60


def test_the_flash_cache_counts_and_begins_again(bench, run):
    def counted(option="--xip"):
        return json.loads(run("status", option, "--json").stdout)["flash_cache"]

    board = bench.board("stimulator")
    first = counted("--xip-clear")
    assert board.mcu.xip_ctrl.line_cycles == LINE_CYCLES, "by what the image's bootloader wrote to the SSI"
    assert first["accesses"] > first["hits"] > 0 and not first["saturated"]
    assert first["misses"] == first["accesses"] - first["hits"]
    bench.run_for(500_000_000)
    second = counted()
    assert 0 < second["accesses"] < first["accesses"], "from the clear on, without the start"
    bench.run_for(500_000_000)
    third = counted()
    assert third["accesses"] > second["accesses"] and third["hits"] > second["hits"]
    board.mcu.core.xip_accesses = 0xFFFFFFFF
    assert "have stopped at 2**32 - 1" in " ".join(run("status", "--xip").stdout.split())


def test_a_bench_with_an_ideal_cache_says_that_nothing_was_counted(run_on):
    run = run_on(Bench(BenchConfig(seed=1, xip="ideal")))
    shown = json.loads(run("status", "--xip", "--json").stdout)["flash_cache"]
    assert shown == {"hits": 0, "accesses": 0, "misses": 0, "saturated": False}
    assert "no access counted" in run("status", "--xip").stdout


def test_a_board_that_is_ready_has_heap_left(run):
    assert json.loads(run("status", "--json").stdout)["details"]["heap_free"] >= READY_HEAP_BYTES


@pytest.mark.slow
def test_impedance_finds_the_fitted_value_and_a_broken_electrode(bench, run):
    bench.board("stimulator").parts.leads["right"].electrodes[2].open()
    pairs = json.loads(run("impedance", "--json", code=1).stdout)
    ordered = [(side, c, a) for side in ("left", "right") for c in range(4) for a in range(4) if c != a]
    assert [(pair["lead"], pair["cathode"], pair["anode"]) for pair in pairs] == ordered
    for pair in pairs:
        broken = pair["lead"] == "right" and 2 in (pair["cathode"], pair["anode"])
        assert pair["kind"] == ("open" if broken else "ok"), pair
        if not broken:
            assert pair["ohm"] == pytest.approx(FITTED_OHM, rel=IMPEDANCE_TOLERANCE)


def test_a_magnet_is_told_as_the_reason(bench, run):
    run("program", "set", "--set", "left.amplitude_ua=1000")
    bench.magnet(True)
    bench.run_for(50_000_000)
    assert "a magnet is present" in run("start", code=3).stderr
    assert json.loads(run("status", "--json").stdout)["status"]["magnet"] is True


def test_a_remote_is_recognised(bench):
    with pytest.raises(WrongBoardError, match="is a remote"):
        connect(EmulatedLink(bench, "remote"))


def test_a_board_at_its_prompt_is_recognised(bench):
    connect(EmulatedLink(bench, "stimulator"))
    console = bench.board("stimulator").console
    console.write(b"\x03\x03")
    bench.run_for(300_000_000)
    console.read()
    with pytest.raises(AtPromptError, match="MicroPython prompt"):
        connect(EmulatedLink(bench, "stimulator"))


def test_a_board_in_the_raw_repl_is_recognised(bench):
    connect(EmulatedLink(bench, "stimulator"))
    EmulatedDevice(bench, "stimulator").open().enter_repl().exec("pass")
    with pytest.raises(AtPromptError, match="raw REPL"):
        connect(EmulatedLink(bench, "stimulator"))


def test_an_interrupted_measurement_ends_on_the_board(bench):
    stimulator = connect(EmulatedLink(bench, "stimulator"))

    def interrupted(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stimulator.measure_impedance(interrupted)
    told_ns = bench.now_ns
    status = stimulator.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_HOST)
    bench.run_for(1_000_000_000)
    assert bench.trace.edges("stimulator", "L_CATH"), "it measured"
    assert not bench.trace.edges("stimulator", "L_CATH", told_ns)


@pytest.mark.slow
def test_ctrl_c_at_a_terminal_ends_a_measurement_on_the_board(bench):
    bench.run_for(1_500_000_000)
    program = str(Path(sys.executable).with_name("stimbench"))
    with served(bench, pace=0.5) as ports:
        port = ports["stimulator"]
        terminal = pexpect.spawn(program, ["impedance", "--board", port], timeout=120, encoding="utf-8")
        terminal.expect_exact("Measuring impedance: ")
        terminal.sendintr()
        terminal.expect_exact("Interrupted.")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 130
        with open_board(port) as stimulator:
            status = stimulator.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_HOST)


def test_the_built_in_bench_is_a_board_like_another():
    with open_board("bench") as stimulator:
        assert stimulator.status().state == messages.READY


@pytest.mark.slow
def test_bench_up_serves_a_pty_and_cleans_up(tmp_path):
    program = "from stimbench.__main__ import main; main()"
    up = subprocess.Popen(
        [sys.executable, "-c", program, "bench", "up", "--pace", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    try:
        ports = dict(up.stdout.readline().split() for _ in range(2))
        with open_board(ports["stimulator"]) as stimulator:
            assert stimulator.status().state == messages.READY
        up.send_signal(signal.SIGINT)
        _, told = up.communicate(timeout=60)
    finally:
        up.kill()
    assert up.returncode == 130
    assert "The bench is down." in told and "Traceback" not in told
