"""Progress of a campaign on the terminal: a bar with rate and time left, or a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from stimbench.cli.terminal import err

if TYPE_CHECKING:
    from stimbench.campaign.run import Progress as Told

__all__ = ("progress_shown",)

_LINES = 10
"""So many lines for a whole campaign where there is no terminal."""


@contextmanager
def progress_shown(name: str, quiet: bool) -> Iterator[Callable[[Told], None]]:
    """What campaign.run is given to show how far it is; it goes to standard error.

    Args:
        name: of the campaign.
        quiet: show nothing.
    """
    if quiet:
        yield lambda told: None
    elif err.is_terminal:
        name_column, rest_column = TextColumn("{task.description}"), TextColumn("{task.fields[rest]}")
        with Progress(
            name_column, BarColumn(), MofNCompleteColumn(), rest_column, console=err, transient=True
        ) as bar:
            task = bar.add_task(name, total=None, rest="")
            yield lambda told: bar.update(task, total=told.total, completed=told.done, rest=_rest(told))
    else:
        yield _Lines(name).show


class _Lines:
    """A line for each tenth."""

    def __init__(self, name: str) -> None:
        self._name, self._next = name, 0

    def show(self, told: Told) -> None:
        part = told.done * _LINES // told.total if told.total else _LINES
        if part > self._next:
            self._next = part
            err.print(f"{self._name}: {told.done} of {told.total}{', ' if _rest(told) else ''}{_rest(told)}")


def _rest(told: Told) -> str:
    if told.rate_per_s is None or told.left_s is None:
        return ""
    minutes, seconds = divmod(round(told.left_s), 60)
    return f"{told.rate_per_s:.2g} a second, {minutes}:{seconds:02d} left"
