"""Commands whose modules are imported when they run: `stimbench --help` would otherwise load all of them.

Light on purpose: this module, cli.terminal and cli.main are all that `--help` of the root loads beside Typer.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand

from stimbench.cli.terminal import StimbenchGroup
from stimbench.process import ended_at_once

__all__ = ("Entry", "LazyGroup")


@dataclass(frozen=True)
class Entry:
    """A row of a table of commands.

    Attributes:
        target: `module:name` of a function, or of a Typer application for a group of commands.
        help: the first paragraph of its help, as the list of commands shows it without an import.
        restart: it gets the option --restart; see stimbench.cli.restarting.
    """

    target: str
    help: str
    restart: bool = False

    def load(self, name: str) -> Any:
        """Import the command; its Click object, called `name`."""
        with ended_at_once():
            module, attribute = self.target.split(":")
            found = getattr(importlib.import_module(module), attribute)
            if self.restart:
                from stimbench.cli.restarting import with_restart

                found = with_restart(found)
        parent = typer.Typer(add_completion=False)
        parent.callback()(_nothing)
        if isinstance(found, typer.Typer):
            parent.add_typer(found, name=name)
        else:
            parent.command(name)(found)
        return typer.main.get_group(parent).commands[name]


class LazyGroup(StimbenchGroup):
    """A group whose commands come from `table`. Subclasses set it; nothing else differs from other groups."""

    table: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **fields: Any) -> None:
        """As of TyperGroup; commands that were added in the usual way come after those of the table."""
        super().__init__(**fields)
        self.commands = _Loaded(self.table, self.commands)

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the table's order."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        super(LazyGroup, self._listing()).format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Names and options that begin with `incomplete`."""
        ctx.command = self._listing()  # Click takes the names from there
        return super(LazyGroup, ctx.command).shell_complete(ctx, incomplete)

    def _listing(self) -> LazyGroup:
        """This group as a list of names and help texts: what is not loaded is not loaded for it."""
        listing = copy.copy(self)
        listing.commands = {
            name: TyperCommand(name, help=entry.help, rich_markup_mode=self.rich_markup_mode)
            for name, entry in self.table.items()
        }
        for name in self.commands:
            if name not in listing.commands:
                listing.commands[name] = self.commands[name]
        return listing


class _Loaded(MutableMapping[str, Any]):
    """Commands by name; one of the table is imported when it is asked for."""

    def __init__(self, table: Mapping[str, Entry], others: Mapping[str, Any]) -> None:
        self._table = table
        self._commands: dict[str, Any] = dict(others)

    def __getitem__(self, name: str) -> Any:
        if name not in self._commands:
            self._commands[name] = self._table[name].load(name)
        return self._commands[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._table, *(name for name in self._commands if name not in self._table)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return name in self._table or name in self._commands


def _nothing() -> None:
    """A Typer application with a callback is a group, even with one command."""
