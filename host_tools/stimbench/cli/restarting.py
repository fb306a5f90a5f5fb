"""`--restart`, which every command has that talks to a board on USB."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from stimbench.cli.common import services

__all__ = ("with_restart",)

_RestartOption = Annotated[
    bool,
    typer.Option(
        "--restart",
        help="Restart a board on USB that is at the MicroPython prompt and so does not run its application.",
    ),
]


def with_restart(command: Callable[..., Any]) -> Callable[..., Any]:
    """`command` with the option --restart. With it the command's services restart what is at the prompt."""
    signature = inspect.signature(command, eval_str=True)
    option = inspect.Parameter(
        "restart", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_RestartOption
    )

    @functools.wraps(command)
    def run(ctx: typer.Context, *args: Any, restart: bool = False, **kwargs: Any) -> Any:
        if restart:
            found = services(ctx)
            ctx.obj = replace(
                found,
                open_board=functools.partial(found.open_board, restart=True),
                open_remote=functools.partial(found.open_remote, restart=True),
            )
        return command(ctx, *args, **kwargs)

    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    return run
