"""The programme as views know it: read from the board, changed on it, remembered for who only looks."""

from __future__ import annotations

from typing import Any

from stimfw.therapy import program
from stimfw.therapy.ranges import ParameterError

from stimbench.bench.actions import ActionError
from stimbench.web.table import Stand

__all__ = ("FieldError", "as_fields", "change", "read", "remembered")

_MEMORY = "program"


class FieldError(ActionError):
    """One field is to blame: `field` is its name."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


def as_fields(one: program.Program) -> dict[str, int]:
    """Field name to value, as in docs/commands.md."""
    return dict(zip(program.FIELD_NAMES, one.values, strict=True))


def read(stand: Stand) -> program.Program:
    """Ask the board for its programme, and remember it."""
    found = stand.stimulator.program()
    stand.memory[_MEMORY] = as_fields(found)
    return found


def change(stand: Stand, fields: dict[str, int]) -> program.Program:
    """Change fields of the board's programme, all or none; the result is what the board made of it.

    Raises:
        FieldError: a value is refused; nothing was changed.
        StimbenchError: the board refuses, or does not answer.
    """
    try:
        wanted = read(stand).replaced(fields)
    except ParameterError as error:
        raise FieldError(f"{error}.", error.field) from error
    stand.stimulator.set_program(wanted)
    return read(stand)


def remembered(stand: Stand) -> dict[str, Any] | None:
    """The programme as it was last read, by field; None: nobody has read it in this run."""
    found: dict[str, Any] | None = stand.memory.get(_MEMORY)
    return found
