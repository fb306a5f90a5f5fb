"""`stimbench check --import`: a capture from a file, judged alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest
from stimbench.analysis.synthetic import make_capture, make_truth
from stimbench.capture.capture import Capture
from stimbench.capture.csv_table import write_csv
from stimbench.capture.sigrok import write_sr
from stimbench.capture.vcd import write_vcd
from stimbench.errors import EXIT_BAD_INPUT
from support.captures import exact_capture, recipe
from support.check_runs import leave_charts_out

OUTCOMES = {"PASS", "MARGINAL", "FAIL", "ERROR", "TIMEOUT", "ABORTED"}
FIELDS = ("ramp_up_ms=400", "ramp_down_ms=400", "on_ms=1000", "off_ms=400", "left.amplitude_ua=4000",
          "right.amplitude_ua=4000")  # fmt: skip
PROGRAM = [text for field in FIELDS for text in ("--set", field)]
COARSE = ["--timing-ns", "3000", "--limit", "rise_ns=off", "--limit", "overshoot_percent=off"]
WRITERS = {".vcd": write_vcd, ".sr": write_sr, ".csv": write_csv}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Captures of 2 s in files, each made once."""
    folder, made = tmp_path_factory.mktemp("captures"), {}

    def write(suffix, drop, rename, select):
        key = (suffix, drop, tuple(rename), tuple(select))
        if key not in made:
            made[key] = folder / f"{len(made)}{suffix}"
            WRITERS[suffix](_a_capture(suffix, drop, rename, select), made[key])
        return made[key]

    return write


def _a_capture(suffix, drop, rename, select):
    made = recipe(seconds=2.0, analog_hz=1_000_000, digital_hz=1_000_000)
    truth = make_truth(made)
    if drop is not None:
        truth.drop("left", drop)
    capture = make_capture(made, truth) if suffix == ".sr" else exact_capture(made, truth)
    if not select:
        return capture
    digital = {rename.get(name, name): capture.edges(name) for name in select}
    return Capture(digital, {}, end_ns=capture.end_ns, origin=capture.origin)


@pytest.fixture
def capture_file(written, tmp_path):
    """`capture_file(".sr", drop=12)`: a capture of 2 s, in a file of the test's own."""

    def copied(suffix, drop=None, rename={}, select=()):  # noqa: B006 - never changed
        path = tmp_path / f"my capture{suffix}"
        shutil.copy(written(suffix, drop, rename, select), path)
        return path

    return copied


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_capture_from_a_file_holds(run, capture_file, suffix):
    result = run("check", "--import", str(capture_file(suffix)), *PROGRAM, *COARSE)
    assert result.stdout.rstrip().endswith("PASS") or "MARGINAL: " in result.stdout


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_missing_pulse_in_a_file_is_told_with_its_time(run, monkeypatch, capture_file, tmp_path, suffix):
    leave_charts_out(monkeypatch)
    path = capture_file(suffix, drop=12)
    result = run("check", "--import", str(path), *PROGRAM, *COARSE, "--out", str(tmp_path / "out"), code=1)
    assert re.search(r"0\.62500\d s, left missing pulse: missing pulse at 0\.62500\d s", result.stdout)
    assert result.stdout.rstrip().splitlines()[-1].startswith("FAIL: left missing pulse: 1")
    for name in ("report.html", "junit.xml", "results.csv", "results.json"):
        assert (tmp_path / "out" / name).is_file()
    data = json.loads((tmp_path / "out/results.json").read_text())
    assert data["cases"][0]["instrument"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_import_as_json(run, capture_file):
    path = capture_file(".sr", drop=12)
    data = json.loads(run("check", "--import", str(path), *PROGRAM, *COARSE, "--json", code=1).stdout)
    assert data["outcome"] == "FAIL" and data["findings"][0]["kind"] == "missing pulse"
    assert {each["outcome"] for each in data["measurements"]} <= OUTCOMES | {None}


def test_a_session_that_was_stopped_in_a_capture_holds(run, tmp_path):
    """Somebody pressed STOP: a file does not say so, and the last contraction may be short."""
    made = recipe(seconds=2.0)
    truth = make_truth(made)
    for lead in truth.pulses:
        truth.pulses[lead], truth.amplitudes_ua[lead] = (
            truth.pulses[lead][:18],
            truth.amplitudes_ua[lead][:18],
        )
        truth.pulses[lead]["start_ns"] += 100_000_000  # the capture has the begin of the contraction, too
    write_vcd(exact_capture(made, truth), tmp_path / "stopped.vcd")
    result = run("check", "--import", str(tmp_path / "stopped.vcd"), *PROGRAM, *COARSE)
    assert result.stdout.rstrip().endswith("PASS")


def test_names_of_one_s_own_are_mapped(run, capture_file):
    names = [f"stimulator.{name}" for name in ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD")]
    path = capture_file(".vcd", rename={name: f"D{k}" for k, name in enumerate(names)}, select=names)
    args = ["check", "--import", str(path), *PROGRAM, "--timing-only"]
    maps = [text for k, name in enumerate(names) for text in ("--map", f"D{k}={name}")]
    assert "PASS" in run(*args, *maps).stdout
    result = run(*args, code=EXIT_BAD_INPUT)
    assert "The capture cannot be judged:" in result.stderr and "lacks the digital channels" in result.stderr
    swapped = [
        text.replace("L_CATH", "X").replace("L_ANOD", "L_CATH").replace("X", "L_ANOD") for text in maps
    ]
    assert "left gap" in run(*args, *swapped, code=1).stdout
    assert "D9" in run(*args, "--map", "D9=stimulator.L_CATH", code=EXIT_BAD_INPUT).stderr
    assert "does not say which channel" in run(*args, "--map", "D9", code=EXIT_BAD_INPUT).stderr


REFUSALS = [
    (["--limit", "width_ns=100"], "cannot judge width to 100 ns: at 1000000 samples a second"),
    (["--start", "2"], "--start 2: the capture goes from 0 s to 2 s."),
    (["--start", "-1"], "--start -1: the capture goes from 0 s to 2 s."),
    (["--start", "nan"], "--start nan: the capture goes"),
    (["--start", "inf"], "--start inf: the capture goes"),
    (["--limit", "width_ns=inf"], "--limit width_ns=inf: allowed is a number from 0 on, or off."),
    (["--limit", "width_ns=nan"], "--limit width_ns=nan: allowed is a number from 0 on, or off."),
    (["--limit", "width_ns=-1"], "allowed is a number from 0 on, or off."),
    (["--limit", "width_ns"], "--limit width_ns: it is NAME=VALUE; names are width_ns, gap_ns"),
    (["--limit", "speed=5"], "--limit speed=5: it is NAME=VALUE"),
    (["--set", "width_us=5"], "width_us = 5: allowed is 20 to 1000 us"),
    (["--set", "colour=5"], "colour"),
    (["--program", "nothing.toml"], "nothing.toml"),
]


@pytest.mark.parametrize(("args", "told"), REFUSALS)
def test_what_cannot_be_judged_is_refused_before_any_verdict(run, capture_file, tmp_path, args, told):
    path = capture_file(".sr", drop=12)
    result = run("check", "--import", str(path), *PROGRAM, *COARSE, *args, "--out", str(tmp_path / "out"),
                 code=EXIT_BAD_INPUT)  # fmt: skip
    assert told in result.stderr.replace("\n", " ") and result.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_a_time_that_is_no_number_is_refused(run, capture_file, value):
    run("check", "--import", str(capture_file(".sr")), "--timing-ns", value, code=EXIT_BAD_INPUT)


def test_all_limits_off_is_refused(run, capture_file):
    from stimbench.checks.limits import Limits

    off = [text for name in Limits.model_fields for text in ("--limit", f"{name}=off")]
    result = run("check", "--import", str(capture_file(".sr")), *off, code=EXIT_BAD_INPUT)
    assert "All limits are off: nothing would be judged." in result.stderr


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_file_that_was_cut_is_refused(run, capture_file, suffix):
    path = capture_file(suffix)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    result = run("check", "--import", str(path), *PROGRAM, *COARSE, code=EXIT_BAD_INPUT)
    assert result.stdout == "" and "my capture" in result.stderr


def test_a_capture_of_one_lead_is_refused(run, capture_file):
    names = ["stimulator.L_CATH", "stimulator.L_ANOD"]
    path = capture_file(".vcd", select=names)
    args = ["check", "--import", str(path), *PROGRAM, "--timing-only"]
    result = run(*args, code=EXIT_BAD_INPUT)
    assert "lacks the digital channels stimulator.R_CATH, stimulator.R_ANOD" in result.stderr
    args = [text.replace("right.amplitude_ua=4000", "right.amplitude_ua=0") for text in args]
    assert "PASS" in run(*args).stdout
    assert "lacks the analog channels I_LEFT" in run(*args[:-1], code=EXIT_BAD_INPUT).stderr


def test_an_empty_capture_is_no_pass(run, tmp_path):
    from stimbench.capture.channels import Edges

    names = ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD")
    capture = Capture({f"stimulator.{name}": Edges.of([]) for name in names}, end_ns=2_000_000_000)
    write_vcd(capture, tmp_path / "empty.vcd")
    args = ["check", "--import", str(tmp_path / "empty.vcd"), *PROGRAM, "--timing-only"]
    assert run(*args, code=1).stdout.rstrip().endswith("FAIL: no pulse in the capture")
    only = [text for name in ("width_ns", "gap_ns", "period_ns", "jitter_ns", "overlap_ns", "extra", "on_ms",
                              "off_ms") for text in ("--limit", f"{name}=off")]  # fmt: skip
    run(*args, *only, code=1)


def test_where_the_therapy_begins_can_be_told(run, capture_file):
    path = capture_file(".sr")
    result = run("check", "--import", str(path), *PROGRAM, *COARSE, "--start", "0.62", "--json")
    data = json.loads(result.stdout)
    assert [each["count"] for each in data["measurements"] if each["name"] == "width_ns"] == [48, 48]


@pytest.mark.parametrize("name", ["notes.txt", "empty.sr", "nothing.vcd"])
def test_what_is_no_capture_is_refused(run, tmp_path, name):
    if not name.startswith("nothing"):
        (tmp_path / name).write_text("" if name.startswith("empty") else "some notes")
    result = run("check", "--import", str(tmp_path / name), code=EXIT_BAD_INPUT)
    assert name in result.stderr
