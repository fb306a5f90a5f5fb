"""Whoever stands at the bench: asked to do what no program can, when somebody is at the terminal."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from stimbench.errors import RigError

__all__ = ("Person", "TerminalPerson", "person_at_terminal")


class Person(Protocol):
    """Who can be asked."""

    def do(self, what: str) -> None:
        """Ask for something, and return when it is done.

        Args:
            what: a sentence: `Wire the load 1 kohm to both leads.`

        Raises:
            RigError: it could not be done, or nobody answers.
        """


class TerminalPerson:
    """See Person. Asks on standard error, because standard output may be a command's JSON."""

    def __init__(self, answers: TextIO, questions: TextIO) -> None:
        """Args: answers: where lines are typed; questions: where they are asked."""
        self._answers, self._questions = answers, questions

    def do(self, what: str) -> None:
        """See Person.do. An empty line is yes."""
        self._questions.write(f"\n{what}\nPress Enter when it is done; n and Enter if it cannot be done: ")
        self._questions.flush()
        line = self._answers.readline()
        if not line:
            raise RigError(f"Nobody answered: {what}")
        if line.strip().lower() not in ("", "y", "yes"):
            raise RigError(f"It could not be done: {what}")


def person_at_terminal() -> TerminalPerson | None:
    """Whoever sits at the terminal of this process; None if it has none."""
    if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return TerminalPerson(sys.stdin, sys.stderr)
