"""What readings mean: pure, with every step of the procedure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.bringup.judge import judge, lies_in
from stimbench.bringup.model import Cause, Reading, Step
from support.bringup import STEPS, middle, right_values

EACH = pytest.mark.parametrize("step", [step for _, step in STEPS], ids=lambda step: step.name)
CAUSES = [(step, cause) for _, step in STEPS for cause in step.causes]


@EACH
def test_right_readings_pass(step):
    verdict = judge(step, right_values(step))
    assert verdict.passed and not verdict.wrong and verdict.cause is None


@EACH
def test_a_reading_that_is_left_out_does_not_pass_and_is_not_wrong(step):
    for reading in step.readings:
        verdict = judge(step, right_values(step) | {reading.key: None})
        assert not verdict.passed
        assert (verdict.skipped, verdict.wrong, verdict.cause) == ((reading.key,), (), None)


@given(data=st.data())
def test_a_step_passes_exactly_if_each_reading_is_in_its_range(data):
    step = data.draw(st.sampled_from([step for _, step in STEPS]))
    values = {
        reading.key: data.draw(st.floats(-50, 2e6) | st.just(math.inf) | st.floats(*_near(reading)))
        for reading in step.readings
    }
    verdict = judge(step, values)
    inside = {reading.key: lies_in(values[reading.key], reading.span) for reading in step.readings}
    assert verdict.passed == all(inside.values())
    assert set(verdict.wrong) == {key for key, right in inside.items() if not right}
    if verdict.cause is not None:
        assert verdict.wrong
        assert all(lies_in(values[key], span) for key, span in verdict.cause.when.items())
    elif verdict.wrong:
        assert verdict.check == step.check


def _near(reading: Reading):
    low, high = reading.span
    return (low, high) if math.isfinite(high) else (low, low * 10 + 1)


@pytest.mark.parametrize(("step", "cause"), CAUSES, ids=lambda it: getattr(it, "name", ""))
def test_each_cause_is_named_by_its_own_readings(step, cause):
    """Nothing before it in the list takes its place, and it does not describe a board in order."""
    values = right_values(step) | {key: middle(span) for key, span in cause.when.items()}
    verdict = judge(step, values)
    assert verdict.wrong, "these readings would pass"
    assert verdict.cause is not None and verdict.cause.name == cause.name


@pytest.mark.parametrize(("step", "cause"), CAUSES, ids=lambda it: getattr(it, "name", ""))
def test_causes_ask_for_readings_that_there_are(step, cause):
    assert set(cause.when) <= {reading.key for reading in step.readings}
    assert all(low <= high for low, high in cause.when.values())


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_what_is_no_number_is_never_right(value):
    step = Step("a.b", "", "", (Reading("v", "Q", "U 1", (0.0, math.inf), ""),), (), ("look",))
    assert judge(step, {"v": value}).wrong == ("v",)


def test_a_cause_whose_reading_was_left_out_does_not_fit():
    readings = tuple(Reading(key, "Q", "U 1", (0.0, 1.0), "") for key in "ab")
    cause = Cause("both", "", "", {"a": (5.0, 6.0), "b": (0.0, 1.0)})
    step = Step("a.b", "", "", readings, (cause,), ("look",))
    assert judge(step, {"a": 5.5, "b": 0.5}).cause is cause
    verdict = judge(step, {"a": 5.5, "b": None})
    assert verdict.cause is None and verdict.check == ("look",)


def test_a_reading_that_nobody_took_is_a_mistake_of_the_caller():
    step = Step("a.b", "", "", (Reading("v", "Q", "U 1", (0.0, 1.0), ""),), (), ())
    with pytest.raises(KeyError):
        judge(step, {})
