"""What all commands share: options, output, and errors turned into a sentence and an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from stimbench.client.errors import StimbenchError
from stimbench.client.stimulator import Stimulator

__all__ = (
    "BoardOption",
    "JsonOption",
    "Opener",
    "Services",
    "StimbenchGroup",
    "err",
    "out",
    "print_json",
    "services",
)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Opener = Callable[[str | None], AbstractContextManager[Stimulator]]

BoardOption = Annotated[
    str | None,
    typer.Option(
        "--board",
        envvar="STIMBENCH_BOARD",
        metavar="PORT",
        help="Serial port or pty of the stimulator, or `bench`: an emulated bench that is built for this "
        "command and ends with it. Default: the one RP2040 board that is plugged in.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@dataclass(frozen=True)
class Services:
    """What the commands get from outside; tests put fakes here."""

    open_board: Opener


def services(ctx: typer.Context) -> Services:
    """The services that the root command was given."""
    found = ctx.find_object(Services)
    if found is None:
        raise RuntimeError("the root callback did not run")
    return found


def print_json(data: Any) -> None:
    """One JSON document on stdout, readable and in a fixed order."""
    typer.echo(json.dumps(data, indent=2))


class StimbenchGroup(TyperGroup):
    """Turns the errors that are meant for people into their sentence on stderr and their exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except StimbenchError as error:
            err.print(f"[bold red]Error:[/] {_escaped(str(error))}", soft_wrap=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            err.print("Interrupted.")
            raise typer.Exit(130) from None


def _escaped(text: str) -> str:
    """`text` with Rich's markup made inert: file names and board texts may hold brackets."""
    return text.replace("[", "\\[")
