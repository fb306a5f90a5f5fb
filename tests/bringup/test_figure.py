"""The row `bringup` of the figures: what counts as found. No bench runs here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stimbench.benchmarks.harness.model import Options
from stimbench.benchmarks.tools import bringup as row
from stimbench.parts.assembly import ERRORS
from support.bringup import STEPS

FULL, QUICK = Options(seed=4), Options(seed=4, quick=True)


def found_by(options):
    """As it should be."""
    return [
        row._Found(case, row.FIRST_STEP.get(case.planted, ""), case.planted, not case.planted, 46, 9.5)
        for case in row._cases(options)
    ]


def test_each_error_is_planted_on_a_typical_board_and_on_one_in_worst_tolerance():
    cases = row._cases(FULL)
    for tolerance in ("typical", "worst"):
        planted = [case.planted for case in cases if case.planted and case.tolerance == tolerance]
        assert planted == list(ERRORS)
    healthy = [(case.seed, case.tolerance) for case in cases if not case.planted]
    assert len(set(healthy)) == len(healthy) == 20
    assert len(row._cases(QUICK)) == 12


def test_the_first_steps_are_steps_that_know_the_error():
    causes = {step.name: {cause.name for cause in step.causes} for _, step in STEPS}
    assert set(row.FIRST_STEP) == set(ERRORS)
    assert all(error in causes[step] for error, step in row.FIRST_STEP.items())


@pytest.mark.parametrize("options", [FULL, QUICK])
def test_all_as_it_should_be_passes(options):
    lines = row._judge(found_by(options), options)
    assert [line.passed for line in lines] == [*[True] * (len(lines) - 1), None]
    assert "10" in lines[0].measured


@pytest.mark.parametrize(
    "wrong", [{"cause": "relay-reversed"}, {"step": "radio.ce"}, {"step": "", "cause": ""}]
)
def test_a_wrong_name_a_wrong_step_or_none_is_not_found(wrong):
    found = found_by(FULL)
    found[0] = replace(found[0], **wrong)
    line = row._judge(found, FULL)[0]
    assert line.passed is False and line.measured == "9" and "lead-swapped" in line.detail


def test_a_board_in_order_that_stops_is_counted_and_named():
    found = found_by(FULL)
    found[-1] = replace(found[-1], signed=False, step="pump.L.current", cause="pump-dead")
    line = row._judge(found, FULL)[2]
    assert line.passed is False and line.measured == "1"
    assert "seed 18 worst: pump.L.current pump-dead" in line.detail
