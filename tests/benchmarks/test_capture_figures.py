"""The figures of the analysis: small runs of each row, and that each judge notices what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stimbench.benchmarks.captures import accuracy, analysis, planted
from stimbench.benchmarks.captures.accuracy import ACCURACY, Errors, errors_of
from stimbench.benchmarks.captures.analysis import ANALYSIS
from stimbench.benchmarks.captures.planted import FAULTS, PLANTED, Found, look
from stimbench.benchmarks.harness.model import Options
from stimbench.benchmarks.registry import ROWS
from stimbench.checks.contractions import Contractions
from support.captures import recipe

QUICK, FULL = Options(quick=True), Options()
SESSION_S = 62
"""Just longer than one contraction of 60 s."""


def test_the_rows_are_in_the_table_of_all_figures():
    assert {row.name for row in (ACCURACY, ANALYSIS, PLANTED)} <= {row.name for row in ROWS}


# Faults.


@pytest.mark.parametrize("name", FAULTS)
def test_each_planted_fault_is_found_and_nothing_else(name):
    found = look(name, SESSION_S * 2, seed=3)
    assert found.hit and found.others == 0, found.text


@pytest.mark.parametrize("seed", [4, 5])
def test_nothing_is_found_in_a_clean_capture(seed):
    found = look("clean", SESSION_S, seed)
    assert (found.hit, found.others, found.pulses > 2000) == (False, 0, True)


def a_found(name, hit=True, others=0):
    return Found(name, 72_000, hit and name != "clean", others, "1.5 s: a finding")


ALL_FOUND = [a_found(name) for name in FAULTS] + [a_found("clean")] * 20


def test_the_row_holds_if_all_are_found_and_none_is_invented():
    lines = PLANTED.judge(ALL_FOUND, FULL)
    assert [line.passed for line in lines] == [True, True]
    assert lines[0].measured == str(len(FAULTS)) and "72000 pulses" in lines[0].detail


@pytest.mark.parametrize("index", range(len(FAULTS)))
def test_the_row_fails_if_one_is_not_found(index):
    found = [replace(each, hit=False) if k == index else each for k, each in enumerate(ALL_FOUND)]
    assert [line.passed for line in PLANTED.judge(found, FULL)] == [False, True]


def test_the_row_fails_if_one_is_invented():
    found = [*ALL_FOUND[:-1], replace(ALL_FOUND[-1], others=1)]
    assert [line.passed for line in PLANTED.judge(found, FULL)] == [True, False]


def test_the_full_row_has_one_in_36_000_and_20_clean_captures():
    cases = PLANTED.cases(FULL)
    assert len([case for case in cases if case[0] == "clean"]) == 20
    assert {case[0] for case in cases} == {*FAULTS, "clean"} and len({case[2] for case in cases}) == 21
    assert all(seconds * 20 >= 36_000 for _, seconds, _ in cases)
    assert len(PLANTED.cases(QUICK)) < len(cases)


def test_a_judge_that_sees_no_missing_pulse_would_be_noticed(monkeypatch):
    """Planted: the place of every pulse, but none of those that lack."""
    from stimbench.checks import judge

    def blind(*args):
        placed = real(*args)
        return Contractions(**(vars(placed) | {"missing_ns": np.empty(0, np.int64)}))

    real = judge.place
    monkeypatch.setattr(judge, "place", blind)
    assert not look("one missing pulse", SESSION_S * 2, seed=3).hit


# Accuracy.


def test_measures_are_within_a_sample_and_half_a_percent():
    made = recipe(seconds=4.0, ramp_ms=0, on_ms=0, off_ms=0, jitter_ns=500.0, drift_ppm=50.0, noise_db=40.0,
                  digital_hz=24_000_000, analog_hz=1_000_000)  # fmt: skip
    found = errors_of(made)
    assert found.width <= 1 and found.period <= 1 and 0 < found.charge_percent <= 0.5
    assert found.mean_percent < found.charge_percent and found.pulses in (159, 160)


def test_a_pulse_that_is_not_found_is_an_infinite_error(monkeypatch):
    class _Few:
        def __init__(self, train):
            self.pulses, self.shapes, self.resolution_ns = train.pulses[1:], train.shapes, train.resolution_ns

    real = accuracy.measure_train
    monkeypatch.setattr(accuracy, "measure_train", lambda *args: _Few(real(*args)))
    assert errors_of(recipe(seconds=1.0)).width == np.inf


def accuracy_lines(**changes):
    found = [(name, made, Errors(0.9, 0.8, 0.4, 0.01, 4800)) for name, made in ACCURACY.cases(FULL)]
    wanted = changes.pop("case", "24000 kS/s")
    found = [(name, made, replace(each, **changes) if name == wanted else each) for name, made, each in found]
    return [line.passed for line in ACCURACY.judge(found, FULL)]


def test_the_row_of_accuracy_judges_by_the_worst_capture():
    assert accuracy_lines()[:2] == [True, True]
    assert accuracy_lines(width=1.01)[:2] == [False, True]
    assert accuracy_lines(period=1.01, case="interphase gap")[:2] == [False, True]
    assert accuracy_lines(charge_percent=0.51)[:2] == [True, False]
    # At 1 MS/s an edge alone is half a percent, and at 100 kS/s the noise is.
    assert accuracy_lines(charge_percent=0.51, case="1000 kS/s")[:2] == [True, True]
    assert accuracy_lines(charge_percent=0.51, case="slow current")[:2] == [True, True]


# Speed.


def test_a_session_is_read_and_judged_in_a_process_of_its_own(capsys):
    wall, memory, pulses, size = analysis._work((6.0, 2))
    assert wall > 0 and 0.02 < memory < 1 and pulses in (239, 240) and size > 0


@pytest.mark.parametrize(
    ("wall", "memory", "passed"),
    [(10.0, 1.0, [True, True]), (10.1, 1.0, [False, True]), (10.0, 1.01, [True, False])],
)
def test_the_row_of_speed_has_both_limits(wall, memory, passed):
    assert [line.passed for line in ANALYSIS.judge([(wall, memory, 72_000, 0.4)], FULL)] == passed


def test_a_part_is_scaled_up_to_the_whole_session():
    (_, seconds), *_ = [(None, case[0]) for case in ANALYSIS.cases(QUICK)]
    wall_s = 10.0 * seconds / 1835
    assert ANALYSIS.judge([(wall_s * 0.99, 0.1, 1, 0.1)], QUICK)[0].passed
    assert not ANALYSIS.judge([(wall_s * 1.01, 0.1, 1, 0.1)], QUICK)[0].passed
    assert "scaled up" in ANALYSIS.judge([(wall_s, 0.1, 1, 0.1)], QUICK)[0].detail


def test_a_file_that_cannot_be_judged_is_an_error_and_no_figure(monkeypatch):
    monkeypatch.setattr(analysis, "write_sr", lambda capture, path, *args, **how: path.write_bytes(b"none"))
    with pytest.raises(RuntimeError, match="InputError"):
        analysis._work((1.0, 1))


def test_a_stopped_trigger_is_told_before_any_verdict():
    found = look("a stopped trigger", SESSION_S, seed=9)
    assert found.hit and "ended before its time" in found.text and planted.FAULTS
