"""`stimbench pulses`: what was measured, newest first for a person, in order for a program."""

from __future__ import annotations

import csv
import json
import os
import sys
from io import StringIO

import pytest
from stimbench.cli.main import app
from stimfw.protocol import messages, requests
from typer.testing import CliRunner

FIRST = 7
COLUMNS = ["number", "lead", "current_ua", "early_mv", "late_mv"]


@pytest.fixture
def run(services):
    def invoke(*args, code=0):
        result = CliRunner().invoke(app, ["pulses", *args], obj=services, env={"COLUMNS": "120"})
        assert result.exit_code == code, result.output
        return result

    return invoke


def sample(number, ua=2000):
    return (number & 1, ua + number, -1000, -1100 - number)


@pytest.fixture
def hundred(board):
    board.samples = [sample(FIRST + n) for n in range(100)]
    board.state = messages.HOLD
    return board


@pytest.fixture
def waits(board, monkeypatch):
    """What happens in each pause of --follow; after the last one comes Ctrl-C."""
    actions = []

    def wait(seconds):
        board.link.time_s += seconds
        if not actions:
            raise KeyboardInterrupt
        actions.pop(0)()

    monkeypatch.setattr(board.link, "wait", wait)
    return actions


def numbers(text):
    return [int(line.split()[0]) for line in text.splitlines() if line.split() and line.split()[0].isdigit()]


def add(board, *values):
    return lambda: board.samples.extend(values)


def test_a_person_sees_the_newest_first_and_what_was_programmed(run, hundred):
    shown = run("--count", "3").stdout
    rows = [line.split("│")[1:-1] for line in shown.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["106", "left", "2106", "-1000", "-1206"],
        ["105", "right", "2105", "-1000", "-1205"],
        ["104", "left", "2104", "-1000", "-1204"],
    ]
    assert "measured uA" in shown and "newest first" in shown
    assert "Programmed now: left 2000 uA, right 1500 uA (state: hold)." in shown


def test_thirty_without_a_count(run, hundred):
    assert len(json.loads(run("--json").stdout)) == 30
    assert json.loads(run("--json", "--count", "0").stdout) == []


def test_json_and_csv_are_in_order_of_the_pulses(run, hundred):
    data = json.loads(run("--json", "--count", "4").stdout)
    assert data[-1] == {
        "number": 106, "lead": "left", "current_ua": 2106, "early_mv": -1000, "late_mv": -1206,
    }  # fmt: skip
    rows = list(csv.reader(StringIO(run("--csv", "--count", "4").stdout)))
    assert rows[0] == COLUMNS == list(data[0])
    assert rows[1:] == [[str(value) for value in pulse.values()] for pulse in data]
    assert [pulse["number"] for pulse in data] == [103, 104, 105, 106]


def test_no_pulse_is_said(run, board):
    board.samples = []
    assert "No pulse was measured" in run().stdout
    assert json.loads(run("--json").stdout) == []
    assert run("--csv").stdout == ",".join(COLUMNS) + "\n"


def test_by_radio_it_is_the_same(run, hundred):
    run("--radio", "/dev/remote", "--count", "1")
    assert (hundred.named, hundred.radio) == (None, "/dev/remote")


def test_follow_prints_each_new_one_once_and_in_order(run, hundred, waits):
    waits += [
        lambda: None,
        add(hundred, *(sample(n) for n in range(107, 120))),
        lambda: None,
        add(hundred, sample(120)),
    ]
    result = run("--follow", code=130)
    assert result.stdout.splitlines()[0].split() == [
        "pulse",
        "lead",
        "measured",
        "uA",
        "early",
        "mV",
        "late",
        "mV",
    ]
    assert numbers(result.stdout) == list(range(107, 121))
    assert "Traceback" not in result.stderr and result.stderr.strip() == "Interrupted."


def test_follow_begins_with_as_many_old_ones_as_were_asked_for(run, hundred, waits):
    waits += [add(hundred, sample(107))]
    assert numbers(run("--follow", "--count", "2", code=130).stdout) == [105, 106, 107]


def test_follow_goes_on_with_the_next_session(run, hundred, waits):
    def restarted():
        hundred.pulses_before, hundred.samples = 0, [sample(0), sample(1)]

    waits += [add(hundred, sample(107)), restarted, add(hundred, sample(2))]
    result = run("--follow", code=130)
    assert numbers(result.stdout) == [107, 0, 1, 2]
    assert result.stderr.count("begins anew") == 1


def test_follow_as_csv_and_as_json_lines(run, hundred, waits):
    waits += [add(hundred, sample(107), sample(108))]
    assert run("--follow", "--csv", code=130).stdout.splitlines() == [
        ",".join(COLUMNS), "107,right,2107,-1000,-1207", "108,left,2108,-1000,-1208",
    ]  # fmt: skip
    waits += [add(hundred, sample(109))]
    lines = run("--follow", "--json", code=130).stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [109]


def test_follow_ends_quietly_when_nobody_reads_any_more(hundred, services, waits, monkeypatch, capfd):
    reader, writer = os.pipe()
    waits += [add(hundred, sample(107)), lambda: os.close(reader), add(hundred, sample(108)), lambda: None]
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as ended:
            app(["pulses", "--follow"], obj=services)
        monkeypatch.undo()
    assert ended.value.code == 0 and len(waits) == 1
    assert capfd.readouterr().err == ""


def test_what_excludes_each_other_is_refused(run, board):
    assert "exclude each other" in run("--csv", "--json", code=2).stderr
    for option in ("--board", "--radio"):
        assert "needs a board that runs on" in run("--follow", option, "bench", code=2).stderr
    assert requests.PULSES not in board.calls
    run("--count", "-1", code=2)
    assert "Usage" in run("--help").stdout
