"""What a person types: readings, confirmations, a name. At a terminal, or in a test from a list."""

from __future__ import annotations

import math
import os
import re
import select
import signal
import sys
from typing import Protocol, TextIO

from stimbench.bringup.model import Unit
from stimbench.errors import RigError

__all__ = ("HELP", "TerminalTypist", "Typist", "parse_reading", "typist_at_terminal")

HELP = (
    "Type what the meter shows: 3.31, -14.9, 250 mV, 1.03 k, 10 M. OL is a meter's open circuit. skip "
    "leaves the "
    "reading out, and then nobody can sign. Ctrl-C leaves; the same command goes on later."
)
_VALUE = re.compile(
    r"(?P<number>[+-]?\d+(?:[.,]\d*)?|[+-]?[.,]\d+)\s*(?P<prefix>[mkM]?)\s*(?P<unit>V|ohm|s|ms)?"
)
_PREFIXES = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6}
_PLAUSIBLE = {
    Unit.VOLTS: (-40.0, 40.0, "a stimulator has nothing beyond 40 V"),
    Unit.OHMS: (-1.0, 1e9, "a meter shows OL beyond 1 Gohm"),
    Unit.MILLISECONDS: (0.0, 10_000.0, "no time here is longer than 10 s"),
}
_OPEN = ("ol", "o.l", "0l", "inf", "1.", "open")
_LETTERS = {Unit.VOLTS: ("V",), Unit.OHMS: ("ohm",), Unit.MILLISECONDS: ("s", "ms")}


class Typist(Protocol):
    """Whoever types."""

    def ask(self, question: str, within_s: float | None = None) -> str | None:
        """A line without its end, or None if none came in time.

        Args:
            question: what is asked, without a newline at its end.
            within_s: how long to wait; None: for ever.

        Raises:
            RigError: nobody is there any more.
        """


class TerminalTypist:
    """See Typist: lines from one stream, questions on another."""

    def __init__(self, answers: TextIO, questions: TextIO) -> None:
        """Args: answers: a terminal, or another stream with a file behind it; questions: where to ask."""
        self._answers, self._questions = answers, questions

    def ask(self, question: str, within_s: float | None = None) -> str | None:
        """See Typist.ask."""
        self._questions.write(f"{question} ")
        self._questions.flush()
        if within_s is not None and not _readable(self._answers, within_s):
            self._questions.write("\n")
            return None
        line = self._answers.readline()
        if not line:
            raise RigError("Nobody answers any more: the output is off.")
        return line.strip()


def typist_at_terminal() -> TerminalTypist | None:
    """Whoever sits at the terminal of this process; None if it has none."""
    if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return TerminalTypist(sys.stdin, sys.stderr)


def parse_reading(text: str, unit: Unit) -> float:
    """A typed reading in its unit.

    Args:
        text: a number, perhaps with a prefix (m, k, M) and a unit; `OL` for ohm.
        unit: what it is counted in; of milliseconds a plain number is ms.

    Raises:
        ValueError: it is none, or not plausible; the text says what was expected.
    """
    if unit is Unit.OHMS and text.lower() in _OPEN:
        return math.inf
    found = _VALUE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no reading in {unit.value}")
    number = float(found["number"].replace(",", "."))
    prefix, letters = found["prefix"], found["unit"]
    if letters is not None and letters not in _LETTERS[unit]:
        raise ValueError(f"{text!r} is in {prefix}{letters}, and {unit.value} is asked for")
    if unit is Unit.MILLISECONDS:
        seconds = letters == "s"
        value = (
            number * _PREFIXES[prefix] * 1e3
            if seconds
            else number * (1.0 if prefix in ("", "m") else math.nan)
        )
    else:
        value = number * _PREFIXES[prefix]
    low, high, why = _PLAUSIBLE[unit]
    if not low <= value <= high:
        raise ValueError(f"{text!r} cannot be: {why}")
    return max(0.0, value) if unit is Unit.OHMS else value


def _readable(stream: TextIO, within_s: float) -> bool:
    """Whether a line comes in time. Ctrl-C ends the wait at once: the system's handler writes to a pipe."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        ready, _, _ = select.select([stream.fileno(), woken], [], [], within_s)
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wake)
    return stream.fileno() in ready
