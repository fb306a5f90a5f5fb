"""The row `fuzz`: nothing passes for having done nothing."""

from stimbench.benchmarks.harness.model import Options
from stimbench.benchmarks.tools import fuzz
from stimbench.fuzz.registry import TARGETS
from stimbench.fuzz.runs import GUIDED, MICROPYTHON, Finding, Outcome

OPTIONS = Options(seed=3, quick=True)


def outcomes(executions=10, findings=()):
    return [
        Outcome(case.target, case.how, executions, 5, 300, tuple(findings))
        for case in fuzz.FUZZ.cases(OPTIONS)
    ]


def test_its_cases_are_every_target_on_whatever_it_runs_on():
    cases = fuzz.FUZZ.cases(OPTIONS)
    assert [case.target for case in cases if case.how == GUIDED] == [target.name for target in TARGETS]
    portable = [target.name for target in TARGETS if target.portable]
    assert [case.target for case in cases if case.how == MICROPYTHON] == portable
    for how in (GUIDED, MICROPYTHON):
        assert abs(sum(case.seconds for case in fuzz.FUZZ.cases(Options()) if case.how == how) - 60) < 1e-6


def test_without_findings_both_lines_hold_and_tell_inputs_and_memory():
    lines = fuzz.judge(outcomes(), OPTIONS)
    assert [line.passed for line in lines] == [True, True]
    assert f"{10 * len(TARGETS)} inputs" in lines[0].detail
    assert "300 KB" in lines[0].detail and "seed 3" in lines[0].detail


def test_a_finding_and_a_target_that_ran_nothing_fail():
    found = outcomes()
    found[0] = Outcome(found[0].target, GUIDED, 10, 5, 300, (Finding("KeyError: 1", "a.py:1", "00"),))
    found[-1] = Outcome(found[-1].target, MICROPYTHON, 0, 0, 0, ())
    lines = fuzz.judge(found, OPTIONS)
    assert [line.passed for line in lines] == [False, False]
    assert "KeyError: 1" in lines[0].detail and "did not run" in lines[1].detail


def test_one_case_runs():
    case = fuzz.FuzzCase("pieces", MICROPYTHON, 1, 0.2)
    outcome = fuzz.fuzz_case(case)
    assert outcome.executions > 0 and outcome.findings == ()
