"""A value against its limits with a guard band; what stands for many; results there and back as JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.checks.outcome import Attachment, CaseResult, Finding, Measurement, Outcome, judged, worst

PASS, MARGINAL, FAIL = Outcome.PASS, Outcome.MARGINAL, Outcome.FAIL
NAN, INF = math.nan, math.inf
finite = st.floats(-1e6, 1e6)
some = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("value", "low", "high", "uncertainty", "outcome"),
    [
        # An exact value: at the limit is within it.
        (7.9, None, 8, 0, PASS), (8, None, 8, 0, PASS), (8.1, None, 8, 0, FAIL),
        (1, 1, None, 0, PASS), (0.9, 1, None, 0, FAIL), (1, 1, 1, 0, PASS),
        (0, None, 0, 0, PASS), (1e-9, None, 0, 0, FAIL),
        # With an uncertainty of 1: PASS and FAIL only where the value cannot be on the other side.
        (6.9, None, 8, 1, PASS), (7, None, 8, 1, PASS), (7.1, None, 8, 1, MARGINAL),
        (8, None, 8, 1, MARGINAL), (8.9, None, 8, 1, MARGINAL), (9, None, 8, 1, MARGINAL),
        (9.1, None, 8, 1, FAIL),
        (2, 1, None, 1, PASS), (1.9, 1, None, 1, MARGINAL), (0, 1, None, 1, MARGINAL),
        (-0.1, 1, None, 1, FAIL),
        # Both limits: the nearer one decides.
        (5, 1, 9, 3, PASS), (5, 1, 9, 4, PASS), (5, 1, 9, 4.1, MARGINAL),
        (12, 1, 9, 1, FAIL), (-2, 1, 9, 1, FAIL),
        # What could not be measured, or is beyond all bounds, is no PASS.
        (NAN, None, 8, 0, FAIL), (NAN, 1, None, 5, FAIL), (INF, None, 8, 5, FAIL), (-INF, 1, None, 5, FAIL),
        # Without a limit nothing is said.
        (5, None, None, 0, None), (NAN, None, None, 0, None),
    ],
)  # fmt: skip
def test_a_value_against_its_limits(value, low, high, uncertainty, outcome):
    assert judged(value, low, high, uncertainty) is outcome


@pytest.mark.parametrize("limits", [(None, 8.0), (1.0, None), (1.0, 8.0)])
def test_an_uncertainty_that_nobody_knows_is_no_verdict_for_either_side(limits):
    assert judged(4.0, *limits, NAN) is MARGINAL


@given(value=finite, high=finite, uncertainty=some, off=st.floats(-1, 1))
def test_wherever_the_true_value_is_no_verdict_is_wrong(value, high, uncertainty, off):
    outcome = judged(value, None, high, uncertainty)
    true = value + off * uncertainty * 0.999
    assert not (outcome is PASS and true > high + 1e-6)
    assert not (outcome is FAIL and true < high - 1e-6)


@given(low=finite, width=some, uncertainty=some, value=finite)
def test_above_and_below_are_alike(low, width, uncertainty, value):
    high = low + width
    assert judged(value, low, high, uncertainty) is judged(-value, -high, -low, uncertainty)


def test_a_failure_of_the_board_counts_most_and_the_rig_s_is_not_hidden():
    order = [PASS, MARGINAL, Outcome.ABORTED, Outcome.TIMEOUT, Outcome.ERROR, FAIL]
    for index, outcome in enumerate(order):
        assert worst(order[: index + 1]) is outcome and worst(reversed(order[: index + 1])) is outcome
    assert worst([]) is PASS
    assert [each for each in Outcome if each.is_good] == [PASS, MARGINAL]


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (None, 8.0, "ns", "at most 8 ns"), (1.0, 3.0, "", "1 to 3"), (5.0, 5.0, "ms", "exactly 5 ms"),
        (2.5, None, "%", "at least 2.5 %"), (None, None, "ns", "-"), (None, 0.0, "", "at most 0"),
    ],
)  # fmt: skip
def test_limits_in_words(low, high, unit, text):
    assert Measurement("a", "", 0.0, unit, low, high).limits_text == text


def a_result(**changes):
    fields = {
        "name": "a/b=1", "key": "0" * 32, "outcome": FAIL, "reason": "left width: 1",
        "parameters": {"seed": 1},
        "measurements": (
            Measurement("width_ns", "left", 9.5, "ns", None, 8.0, 0.5, FAIL, 12, 5, "width"),
            Measurement("jitter_ns", "", NAN, "ns", None, None, 0.0, None, 0),
            Measurement("rise_ns", "", INF, "ns", None, 1.0, 0.0, FAIL),
        ),
        "findings": (Finding("width", "left", 5, "off"), Finding("gap", "", 6, "near", MARGINAL)),
        "attachments": (Attachment("attachments/a/capture.vcd", "f" * 64, "it"),),
    }  # fmt: skip
    return CaseResult(**(fields | changes))


def test_a_result_comes_back_from_json_as_it_was():
    text = json.dumps(a_result().as_data(), allow_nan=False)
    back = CaseResult.from_data(json.loads(text))
    assert back.as_data() == a_result().as_data()
    assert back.outcome is FAIL and back.findings == a_result().findings
    assert back.measurements[0] == a_result().measurements[0]
    assert math.isnan(back.measurements[1].value) and back.measurements[1].outcome is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": 2}, "of format 2"),
        ({"outcome": "GOOD"}, "GOOD"),
        ({"measurements": [{"name": "x"}]}, "lacks something"),
        ({"colour": "red"}, "lacks something"),
        ({"findings": None}, "lacks something"),
    ],
)
def test_a_result_that_cannot_be_read_is_refused(change, error):
    with pytest.raises(ValueError, match=error):
        CaseResult.from_data(a_result().as_data() | change)


def test_a_result_that_lacks_a_field_is_refused():
    data = a_result().as_data()
    del data["name"]
    with pytest.raises(ValueError, match="lacks something"):
        CaseResult.from_data(data)
