"""Whoever stands at the bench: asked on one stream, heard on the other."""

from __future__ import annotations

import io

import pytest
from stimbench.errors import RigError
from stimbench.rig.person import TerminalPerson, person_at_terminal

WHAT = "Take the magnet away."


@pytest.mark.parametrize("answer", ["\n", "y\n", " YES \n"])
def test_enter_is_yes(answer):
    asked = io.StringIO()
    TerminalPerson(io.StringIO(answer), asked).do(WHAT)
    assert asked.getvalue() == f"\n{WHAT}\nPress Enter when it is done; n and Enter if it cannot be done: "


@pytest.mark.parametrize(
    ("answer", "says"), [("n\n", f"It could not be done: {WHAT}"), ("", f"Nobody answered: {WHAT}")]
)
def test_what_is_not_done_is_an_error_of_the_rig(answer, says):
    with pytest.raises(RigError) as caught:
        TerminalPerson(io.StringIO(answer), io.StringIO()).do(WHAT)
    assert str(caught.value) == says


def test_without_a_terminal_nobody_is_there(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert person_at_terminal() is None
