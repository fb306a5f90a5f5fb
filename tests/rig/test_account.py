"""What the board says of its session against what an instrument saw: the self-test is no part of it."""

import numpy as np
import pytest
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges
from stimbench.checks.account import Account, contradictions

SELF_TEST = 52
"""Pulses on each lead: measured on the emulated bench."""
ENDS = 20
"""Of the begin and the end of a recording."""
MS = 1_000_000


def told(seen: int, counted: int) -> list[str]:
    starts = np.arange(seen, dtype=np.int64) * 10 * MS
    edges = Edges(np.column_stack([starts, starts + MS]).reshape(-1))
    capture = Capture({"stimulator.L_CATH": edges}, {}, end_ns=(seen + 1) * 10 * MS)
    return list(contradictions(capture, Account(counted, {"left": 0.0, "right": 0.0})))


@pytest.mark.parametrize("counted", [1, 2, 10, 200])
def test_a_session_with_its_self_test_is_that_session(counted):
    assert not told(SELF_TEST + counted, counted)


@pytest.mark.parametrize("counted", [1, 10, 200])
def test_more_than_three_times_as_many_are_another_session(counted):
    most = 3 * counted + SELF_TEST + ENDS
    assert not told(most, counted)
    (reason,) = told(most + 1, counted)
    assert f"saw {most + 1} pulses on stimulator.L_CATH, and the board gave {counted}" in reason


def test_none_at_all_of_many_are_another_session():
    assert told(0, 61) and not told(0, 60)
