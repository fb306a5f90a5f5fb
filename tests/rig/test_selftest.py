"""`stimbench selftest`: one command for the whole bench, and who is at fault when something is."""

from __future__ import annotations

import json

import pytest
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client.records import PairImpedance
from stimbench.client.stimulator import Stimulator
from stimfw.protocol import messages
from support.wired_rig import CHANNELS, CURRENTS, bench_toml, source_toml
from typer.testing import CliRunner

pytestmark = pytest.mark.emulated

STEPS = [
    "machine", "stimulator answers", "parts of the stimulator", "impedance of the loads", "instruments",
    "pulses", "output off",
]  # fmt: skip


def pairs(ohm: int = 500, kind: int = messages.KIND_OK) -> list[PairImpedance]:
    return [PairImpedance(lead, 0, anode, kind, ohm, 1000, 500) for lead in (0, 1) for anode in (1, 2, 3)]


@pytest.fixture
def quick(monkeypatch):
    """The measurement takes four seconds; one test lets the board do it."""
    monkeypatch.setattr(Stimulator, "measure_impedance", lambda self: pairs())


@pytest.fixture
def selftest():
    def run(rig=None, code: int = 0):
        more = {} if rig is None else {"rig": lambda path: rig.rig}
        services = Services(open_board=lambda *_: None, **more)
        result = CliRunner().invoke(app, ["selftest", "--json"], obj=services)
        assert result.exit_code == code, result.output
        data = json.loads(result.stdout)
        assert data["ok"] == (code == 0)
        return {step["name"]: (step["outcome"], step["told"]) for step in data["steps"]}

    return run


def test_the_emulated_bench_is_in_order(selftest):
    steps = selftest()
    assert list(steps) == [*STEPS[:2], "remote answers", *STEPS[2:]]
    assert {outcome for outcome, _ in steps.values()} == {"PASS"}
    assert "24 pairs" in steps["impedance of the loads"][1]


def test_a_wired_bench_is_in_order(wired, selftest, quick):
    steps = selftest(wired())
    assert list(steps) == STEPS
    assert {outcome for outcome, _ in steps.values()} == {"PASS"}
    assert steps["instruments"][1] == "fx2lafw: 6 digital, 2 analog channels"
    assert steps["output off"][1] == "for 300 ms no switch and no KEEPALIVE moved"


def test_a_wire_that_is_off_is_the_rigs_fault(wired, selftest, quick):
    rig = wired()
    rig.analyser.dead = ("stimulator.R_ANOD",)
    steps = selftest(rig, code=4)
    told = "fx2lafw saw no edge of stimulator.R_ANOD in a session: is it wired?"
    assert steps["instruments"] == ("ERROR", told)
    assert steps["pulses"][0] == "ABORTED"
    assert steps["output off"] == ("PASS", "the stimulator says that it is off")


def test_an_instrument_that_is_not_there_is_the_rigs_fault(wired, selftest, quick):
    rig = wired()
    rig.analyser.fails = "arm"
    assert selftest(rig, code=4)["instruments"] == ("ERROR", "The analyser is not there.")


def test_a_load_that_is_not_what_the_file_says_is_the_rigs_fault(wired, selftest, monkeypatch):
    monkeypatch.setattr(Stimulator, "measure_impedance", lambda self: pairs(560))
    outcome, told = selftest(wired(), code=4)["impedance of the loads"]
    assert outcome == "ERROR"
    assert "left 0-1 has 560 ohm, not 500" in told and "Is the load wired as the bench file says?" in told


def test_a_part_that_fails_its_own_test_is_the_boards_fault(wired, selftest, quick, monkeypatch):
    monkeypatch.setattr(Stimulator, "self_test", lambda self: ("DAC",))
    steps = selftest(wired(), code=1)
    assert steps["parts of the stimulator"] == ("FAIL", "the stimulator's own test failed: DAC")


def test_pulses_beyond_their_limits_are_the_boards_fault(wired, selftest, quick):
    rig = wired()
    rig.plug.do(lambda: rig.plug.hands.do("break", {"part": "right.1", "fault": "open"}))
    outcome, told = selftest(rig, code=1)["pulses"]
    assert outcome == "FAIL"
    assert "right amplitude" in told and "left amplitude" not in told


def test_a_board_that_pulses_after_stop_fails(wired, selftest, quick, monkeypatch):
    rig = wired()
    record = rig.analyser.recording

    def recording(duration_ms):
        if rig.analyser.recorded == 1:  # the session is over
            rig.analyser.driven = ("stimulator.L_CATH",)
        return record(duration_ms)

    monkeypatch.setattr(rig.analyser, "recording", recording)
    told = "after STOP fx2lafw saw edges of stimulator.L_CATH"
    assert selftest(rig, code=1)["output off"] == ("FAIL", told)


def test_a_board_that_is_not_plugged_in(wired, selftest):
    rig = wired()
    rig.plug.pull()
    steps = selftest(rig, code=4)
    assert steps["stimulator answers"][0] == "ERROR"
    assert steps["stimulator answers"][1].endswith("is not plugged in.")
    assert {steps[name][0] for name in STEPS[2:]} == {"ABORTED"}


def test_other_firmware_is_told_with_what_puts_the_right_one_there(wired, selftest):
    outcome, told = selftest(wired(bench_toml(firmware="0123456789ab")), code=4)["stimulator answers"]
    assert outcome == "ERROR"
    assert "0123456789ab belongs there: `stimbench flash` puts it there." in told


def test_a_bench_without_an_instrument_says_what_it_did_not_test(wired, selftest, quick):
    steps = selftest(wired(bench_toml('[[source]]\nkind = "none"\n')))
    assert steps["instruments"] == ("ABORTED", "not run: the rig has no instrument")
    assert steps["pulses"][0] == "ABORTED"


def test_as_a_table(wired, quick):
    rig = wired(bench_toml(source_toml(CHANNELS | CURRENTS, 1_000_000)))
    result = CliRunner().invoke(
        app, ["selftest"], obj=Services(open_board=lambda *_: None, rig=lambda path: rig.rig),
        env={"COLUMNS": "200"},
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    assert "not run" in told and "It takes 3381578 samples a second" in told
    assert "The bench is in order. 2 of 7 steps were not run." in told
