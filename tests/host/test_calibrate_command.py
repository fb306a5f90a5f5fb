"""`stimbench calibrate` and what other commands say of a calibration."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
import typer
from stimbench.cli import calibrate as command
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client.calibration import Calibration
from stimbench.errors import EXIT_BAD_INPUT
from support.calibrations import record
from typer.testing import CliRunner

DAY_S = 1_796_000_000


def run(*words: str, typed: str = ""):
    services = Services(open_board=never, now_s=lambda: DAY_S)
    return CliRunner().invoke(app, ["calibrate", *words], obj=services, input=typed)


@contextmanager
def never(*_words: object, **_more: object):
    raise AssertionError("no board is opened")
    yield


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lead", "middle"], "no lead"),
        (["--resistor", "50"], "does not fit"),
        (["--resistor", "1001"], "does not fit"),
        (["--meter", "fluke"], "no meter"),
        (["--meter", "emulated", "--board", "/dev/null"], "belongs to --board bench"),
    ],
)
def test_bad_input_is_one_sentence(words, told) -> None:
    done = run(*words)
    assert done.exit_code == EXIT_BAD_INPUT and told in done.stderr and "Traceback" not in done.output


@pytest.mark.emulated
def test_on_a_bench_of_its_own_as_json() -> None:
    done = run("--board", "bench", "--lead", "left", "--json", "--serial", "desk 7")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["calibration"] == {
        "state": "calibrated", "serial": "desk 7", "date": "2026-11-30", "resistor_ohm": 500.0,
    }  # fmt: skip
    assert found["stored"] and [one["lead"] for one in found["leads"]] == ["left"]
    assert all(abs(c["after_ua"] - c["amplitude_ua"]) <= c["allowed_ua"] for c in found["leads"][0]["checks"])


@pytest.mark.emulated
def test_a_person_who_types_nonsense_and_gives_up_stores_nothing() -> None:
    done = run("--board", "bench", "--meter", "typed", typed="\n0.081\nx\n")
    assert done.exit_code == EXIT_BAD_INPUT
    assert "L_X and L_B" in done.stderr and "'x' is no number" in done.stderr
    assert "nothing was stored" in done.stderr and "Traceback" not in done.output


@pytest.mark.emulated
def test_a_serial_number_that_is_too_long() -> None:
    done = run("--board", "bench", "--serial", "x" * 17)
    assert done.exit_code == EXIT_BAD_INPUT and "serial number of 17" in done.stderr


def test_ctrl_c_at_a_question_is_an_interruption(monkeypatch) -> None:
    def aborted(*_words: object, **_more: object) -> str:
        abort = typer.Abort()
        abort.__context__ = KeyboardInterrupt()
        raise abort

    monkeypatch.setattr(typer, "prompt", aborted)
    with pytest.raises(KeyboardInterrupt):
        command._asked("?")


def test_how_reports_name_it() -> None:
    assert str(Calibration("calibrated", record())) == "desk 7, 2026-11-30"
    assert str(Calibration("none")) == "not calibrated"
    assert str(Calibration("damaged")) == "not calibrated: the record on its flash is damaged"
    assert str(Calibration("calibrated")) == "calibrated"
    assert Calibration("none").as_data() == {"state": "none", "serial": None, "date": None}
