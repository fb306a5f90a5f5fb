"""What can go wrong between the host and a board: one clear sentence each, and an exit code.

The codes are part of the command line's contract (docs/commands.md).
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_CHECK_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_REFUSED = 3
EXIT_NO_BOARD = 4


class BenchError(Exception):
    """An emulated bench cannot be built, or cannot do what was asked of it."""


class BenchWarning(UserWarning):
    """What was done to an emulated bench can have no effect; the text says why."""


class StimbenchError(Exception):
    """An error whose text is meant for the person at the terminal, without a traceback.

    Attributes:
        exit_code: what the process returns.
    """

    exit_code = EXIT_CHECK_FAILED


class CoreMissingError(StimbenchError):
    """The emulator's CPU core is not compiled for this Python."""

    exit_code = EXIT_BAD_INPUT


class PortError(StimbenchError):
    """There is no such port, it cannot be opened, or it went away."""

    exit_code = EXIT_NO_BOARD


class BoardLostError(PortError):
    """A board under test was there and is gone. It says nothing about the firmware."""


class NoAnswerError(StimbenchError):
    """The board did not answer in time."""

    exit_code = EXIT_NO_BOARD


class AtPromptError(NoAnswerError):
    """The board sits at the MicroPython prompt: its application does not run."""


class WrongBoardError(StimbenchError):
    """Another board answered than the one that belongs there."""

    exit_code = EXIT_NO_BOARD


class ProtocolError(StimbenchError):
    """The board's reply makes no sense: most likely its firmware is of another version."""

    exit_code = EXIT_NO_BOARD


class RigError(StimbenchError):
    """The rig failed: an instrument, its program, its cable. It is never counted as the board's failure."""

    exit_code = EXIT_NO_BOARD


class RefusedError(StimbenchError):
    """The board understood the request and refused it.

    Attributes:
        code: the reply code of stimfw.protocol.messages.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class ForbiddenError(RefusedError):
    """Refused because the role of the key that asked may not: stimfw.protocol.roles."""


class WrongStateError(RefusedError):
    """Refused because of the board's state.

    Attributes:
        state: index in messages.STATE_NAMES.
        reason: index in messages.REASON_TEXTS.
    """

    def __init__(self, message: str, code: int, state: int, reason: int) -> None:
        super().__init__(message, code)
        self.state = state
        self.reason = reason


class OutOfRangeError(RefusedError):
    """Refused because a field of the programme is out of its range.

    Attributes:
        field: the name in program.FIELD_NAMES.
        value: what was sent.
        allowed: the range in words.
    """

    def __init__(self, message: str, code: int, field: str, value: int, allowed: str) -> None:
        super().__init__(message, code)
        self.field = field
        self.value = value
        self.allowed = allowed


MISSING = "missing"
"""The value of a field that is not there."""


@dataclass(frozen=True)
class Problem:
    """One refused value of a programme: where it is, what it is and what would be right."""

    field: str
    value: object
    allowed: str

    def __str__(self) -> str:
        given = "is missing" if self.value == MISSING else f"= {self.value!r}"
        return f"{self.field} {given}: allowed is {self.allowed}"


class ProgramError(StimbenchError):
    """A programme was refused on the host; nothing was sent.

    Attributes:
        problems: all of them, in the order of the programme's fields.
    """

    exit_code = EXIT_BAD_INPUT

    def __init__(self, source: str, problems: list[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{source} is not a valid programme, nothing was sent:\n{lines}")
        self.problems = problems


class InputError(StimbenchError):
    """What was typed, or a file that was named, cannot be used."""

    exit_code = EXIT_BAD_INPUT
