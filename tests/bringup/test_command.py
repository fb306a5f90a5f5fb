"""`stimbench bringup` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from stimbench.bringup.emulated import ModelledMeter
from stimbench.bringup.page import FILE as PAGE
from stimbench.bringup.record import FILE
from stimbench.bringup.steps import BLOCKS
from stimbench.cli.common import Services
from stimbench.cli.main import app
from support.bringup import STEPS
from typer.testing import CliRunner


@pytest.fixture
def bringup(tmp_path):
    def run(*words, code=0, folder="record"):
        words = ("bringup", "--record", str(tmp_path / folder), *words)
        done = CliRunner().invoke(
            app, words, obj=Services(open_board=lambda *_: None), env={"COLUMNS": "200"}
        )
        assert done.exit_code == code, done.output
        return done

    run.folder = tmp_path
    return run


def test_a_list_does_nothing(bringup):
    shown = bringup("--list").stdout
    assert all(f"{block.name}: {block.title}" in shown for block in BLOCKS)
    assert all(step.name in shown for _, step in STEPS)
    one = json.loads(bringup("--list", "--only", "radio", "--json").stdout)
    assert [block["block"] for block in one] == ["radio"]
    assert [step["step"] for step in one[0]["steps"]] == ["radio.supply", "radio.bus", "radio.ce"]
    assert not (bringup.folder / "record").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--only", "pumps"), "There is no block 'pumps'; there are: supply, references"),
        (("--plant", "ce-open"), "--plant belongs to the emulated bench"),
        (("--board", "bench", "--plant", "fire"), "There is no assembly error 'fire'; there are: lead-"),
        (("--board", "bench", "--tolerance", "bad"), "There is no tolerance 'bad'"),
        (("--board", "bench", "--resume"), "to go on with"),
        (("--board", "/dev/null"), "A person has to follow this at a terminal. --board bench runs by"),
        (("--seed", "0"), "--seed"),
    ],
)  # fmt: skip
def test_usage(bringup, words, says):
    assert says in bringup(*words, code=2).stderr
    assert not (bringup.folder / "record").exists()


@pytest.mark.emulated
def test_a_block_of_the_emulated_bench(bringup):
    done = bringup("--board", "bench", "--only", "radio")
    assert "passed radio.ce" in done.stderr and "These blocks are done, and others are left" in done.stdout
    kept = json.loads((bringup.folder / "record" / FILE).read_text(encoding="utf-8"))
    assert kept["signed"] is None and kept["bench"] == "emulated, seed 1"
    assert (bringup.folder / "record" / PAGE).is_file()


@pytest.mark.emulated
def test_a_planted_error_exits_with_1_and_names_it(bringup):
    done = bringup("--board", "bench", "--only", "radio", "--plant", "ce-open", code=1)
    told = "ce-open: CE is not joined: the radio answers, and never sends or hears."
    assert f"Stopped at radio.ce: {told}" in done.stdout
    assert told in done.stderr and "Join A_RADIO 3 to A_PICO 19" in done.stderr


@pytest.mark.emulated
def test_json_is_one_document(bringup):
    done = bringup("--board", "bench", "--only", "dac", "--plant", "no-level-shifter", "--json", code=1)
    found = json.loads(done.stdout)
    assert (found["signed"], found["failed"], found["cause"]) == (False, "dac.levels", "no-level-shifter")
    assert found["record"]["attempts"][-1]["remedy"].startswith("Put U_SHIFT")
    assert found["record"]["calibration"] == "not calibrated"
    assert done.stderr == ""


@pytest.mark.emulated
def test_ctrl_c_exits_with_130_and_the_same_command_goes_on(bringup, monkeypatch):
    def interrupted(self, true_v):
        raise KeyboardInterrupt

    monkeypatch.setattr(ModelledMeter, "volts", interrupted)
    done = bringup("--board", "bench", "--only", "radio", code=130)
    assert "The output is off. The same command goes on where this one ended." in done.stderr
    monkeypatch.undo()
    bringup("--board", "bench", "--only", "radio", "--resume")
    kept = json.loads((bringup.folder / "record" / FILE).read_text(encoding="utf-8"))
    assert [attempt["outcome"] for attempt in kept["attempts"]] == ["passed"] * 3


@pytest.mark.emulated
def test_another_board_cannot_go_on_with_a_record(bringup):
    bringup("--board", "bench", "--only", "radio")
    before = (bringup.folder / "record" / FILE).read_bytes()
    done = bringup("--board", "bench", "--only", "radio", "--seed", "2", code=2)
    assert "cannot go on. Begin again in another folder with --record." in " ".join(done.stderr.split())
    assert (bringup.folder / "record" / FILE).read_bytes() == before


@pytest.mark.emulated
def test_a_full_disk_is_one_sentence(bringup, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("stimbench.bringup.record.replace_file", full)
    assert "No space left on device" in bringup("--board", "bench", "--only", "radio", code=2).stderr


@pytest.mark.emulated
@pytest.mark.tools
def test_a_killed_run_goes_on_with_the_same_command(tmp_path):
    """SIGKILL leaves no time for anything: the record is whole as of the last step."""
    words = [
        sys.executable,
        "-m",
        "stimbench",
        "bringup",
        "--board",
        "bench",
        "--record",
        str(tmp_path / "r"),
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        for line in running.stderr:
            if "passed gate.L.rest" in line:
                running.kill()
                break
    kept = json.loads((tmp_path / "r" / FILE).read_text(encoding="utf-8"))
    done = [attempt["step"] for attempt in kept["attempts"]]
    assert "gate.L.rest" in done and kept["signed"] is None
    again = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert "passed gate.L.rest" not in again.stderr and "Signed off" in again.stdout


def test_tools_are_named_on_the_command_line(bringup, monkeypatch):
    made = []

    class Stop(Exception):
        pass

    def person(open_device, typist, say, instruments):
        made.append(instruments)
        raise Stop

    monkeypatch.setattr("stimbench.bringup.typing_in.typist_at_terminal", lambda: object())
    monkeypatch.setattr("stimbench.bringup.at_bench.PersonWorkplace", person)
    words = ("bringup", "--board", "/dev/x", "--meter", "Made-up 1000, 42", "--scope", "Made-up 20, 7")
    with pytest.raises(Stop):
        CliRunner().invoke(app, words, obj=Services(open_board=lambda *_: None), catch_exceptions=False)
    assert made == [{"meter": "Made-up 1000, 42", "oscilloscope": "Made-up 20, 7"}]
