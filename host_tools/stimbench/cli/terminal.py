"""Texts of the commands on the terminal, and errors turned into a sentence and an exit code. Loads little."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from stimbench.errors import EXIT_BAD_INPUT, StimbenchError
from stimbench.process import EXIT_INTERRUPTED

__all__ = ("StimbenchGroup", "err", "escaped", "out")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class StimbenchGroup(TyperGroup):
    """Turns the errors that are meant for people into their sentence on stderr and their exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except StimbenchError as error:
            err.print(f"[bold red]Error:[/] {escaped(str(error))}", soft_wrap=True)
            _print_notes(error)
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            err.print(f"[bold red]Error:[/] {escaped(_told(error))}", soft_wrap=True)
            raise typer.Exit(EXIT_BAD_INPUT) from error
        except KeyboardInterrupt as interruption:
            err.print("Interrupted.")
            _print_notes(interruption)
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _told(error: OSError) -> str:
    """The system's own words, and the file's name if there is one: for example of a full disk."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}." if error.filename is not None else f"{reason}."


def _print_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", ()):
        err.print(note, markup=False, soft_wrap=True)


def escaped(text: str) -> str:
    """`text` with Rich's markup escaped: file names and texts of a board may hold brackets."""
    return text.replace("[", "\\[")
