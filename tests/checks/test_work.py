"""What is said of a case that gave no result: by the error that ended it, or by what a pool tells of it."""

from __future__ import annotations

import pytest
from stimbench.capture.nearest import NoChannelError
from stimbench.checks.outcome import Outcome
from stimbench.checks.work import NotJudgedError, outcome_of, split_error
from stimbench.errors import (
    AtPromptError,
    BenchError,
    BoardLostError,
    InputError,
    NoAnswerError,
    PortError,
    ProtocolError,
    RigError,
    StimbenchError,
    WrongBoardError,
)

ERROR, TIMEOUT = Outcome.ERROR, Outcome.TIMEOUT


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (PortError("gone"), ERROR, "board lost: gone"),
        (BoardLostError("gone"), ERROR, "board lost: gone"),
        (NoAnswerError("no answer"), TIMEOUT, "no answer"),
        (AtPromptError("at the prompt"), TIMEOUT, "at the prompt"),
        (RigError("no trigger"), ERROR, "no trigger"),
        (BenchError("no image"), ERROR, "no image"),
        (ProtocolError("makes no sense"), ERROR, "makes no sense"),
        (WrongBoardError("another board"), ERROR, "another board"),
        (InputError("no file"), ERROR, "no file"),
        (NoChannelError("no channel"), ERROR, "no channel"),
        (StimbenchError(""), ERROR, "StimbenchError"),
    ],
)
def test_no_error_of_the_rig_is_the_board_s(error, outcome, reason):
    assert outcome_of(error) == (outcome, reason)


def test_a_bug_says_where_it_is():
    with pytest.raises(KeyError) as caught:
        {}["colour"]
    outcome, reason = outcome_of(caught.value)
    assert outcome is ERROR and reason.startswith("KeyError: 'colour' (test_work.py, line ")


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        # A worker's own words, behind the name of the exception.
        ("NotJudgedError: TIMEOUT: no answer", TIMEOUT, "no answer"),
        ("NotJudgedError: ERROR: board lost: gone\nand more", ERROR, "board lost: gone\nand more"),
        # A worker that was killed, or a result that is no JSON.
        ("Its worker died 3 times.", ERROR, "Its worker died 3 times."),
        ("MemoryError", ERROR, "MemoryError"),
        ("ValueError: Out of range float values are not JSON compliant", ERROR, None),
        ("", ERROR, ""),
        # Nobody can make a failure of the board of it.
        ("NotJudgedError: FAIL: left width", ERROR, None),
    ],
)
def test_a_job_without_a_result_is_never_a_failure(text, outcome, reason):
    assert split_error(text) == (outcome, text if reason is None else reason)


def test_what_could_not_be_judged_comes_back_from_a_worker_as_it_was():
    told = f"NotJudgedError: {NotJudgedError(TIMEOUT, 'ERROR: is in the text')}"
    assert split_error(told) == (TIMEOUT, "ERROR: is in the text")
