"""What all commands share: options, output, and errors turned into a sentence and an exit code."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol, TypeVar

import typer
from rich.console import Console
from typer.core import TyperGroup

from stimbench.client.keyring import Keyring, default_path
from stimbench.client.records import Status
from stimbench.client.remote import Remote, connect_remote
from stimbench.client.stimulator import Stimulator
from stimbench.devices.device import Device
from stimbench.devices.link import Link
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import find_remote_port
from stimbench.errors import AtPromptError, InputError, NoAnswerError, StimbenchError

__all__ = (
    "BoardOption",
    "JsonOption",
    "Opener",
    "RadioOption",
    "Services",
    "StimbenchGroup",
    "as_words",
    "confirm",
    "connected",
    "err",
    "open_remote",
    "opened",
    "out",
    "print_json",
    "services",
)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
_Board = TypeVar("_Board")
_BOOT_S = 15.0
"""A board is ready after a second; one of `bench up` on a busy machine needs longer."""


class Opener(Protocol):
    """Opens the stimulator that --board and --radio name; see cli.boards.open_board."""

    def __call__(
        self, board: str | None, radio: str | None = None, /, restart: bool = ...
    ) -> AbstractContextManager[Stimulator]:
        """The stimulator, connected and identified."""


class RemoteOpener(Protocol):
    """Opens the remote on a port; see open_remote."""

    def __call__(self, port: str | None, /, restart: bool = ...) -> AbstractContextManager[Remote]:
        """The remote, connected and identified."""


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
RadioOption = Annotated[
    str | None,
    typer.Option(
        "--radio",
        metavar="REMOTE_PORT",
        help="Reach the stimulator by radio: through the remote on this port, with the clinician's key that "
        "`stimbench pair --clinician` gave this host. `auto`: the one remote that is plugged in. `bench`: an "
        "emulated bench of both boards, paired for this command.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def connected(device: Device, connect: Callable[[Link], _Board], restart: bool) -> _Board:
    """`connect(device.console)`, after a restart of the board if its application does not run.

    Args:
        device: open.
        connect: client.connect or client.connect_remote.
        restart: it was asked for. Otherwise a person at a terminal is asked, and nobody else.

    Raises:
        AtPromptError: it is at the prompt, and nobody wants it restarted.
        StimbenchError: as of `connect`; or it could not be restarted.
    """
    try:
        return connect(device.console)
    except AtPromptError as error:
        if not (restart or _agreed(error)):
            raise
    except NoAnswerError:  # other code may run there
        if not restart:
            raise
    err.print(f"Restarting the board on {device.name}.", markup=False)
    device.reset()
    end_s = device.console.now_s() + _BOOT_S
    while True:
        try:
            return connect(device.console)
        except AtPromptError:
            raise
        except NoAnswerError:
            if device.console.now_s() >= end_s:
                raise


def _agreed(error: AtPromptError) -> bool:
    """Ask at a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    err.print(str(error), markup=False, soft_wrap=True)
    try:
        return typer.confirm("Restart it now?", err=True)
    except typer.Abort:
        return False


@contextmanager
def open_remote(port: str | None, restart: bool = False) -> Iterator[Remote]:
    """The remote on `port`, or the one that is plugged in; closed at the end.

    Args:
        port: None for the one that is plugged in.
        restart: see `connected`.

    Raises:
        StimbenchError: it cannot be had; the text says why.
    """
    with SerialDevice(port or find_remote_port()) as device:
        yield connected(device, connect_remote, restart)


@dataclass(frozen=True)
class Services:
    """What the commands get from outside; tests put fakes here."""

    open_board: Opener
    open_remote: RemoteOpener = open_remote
    keyring: Callable[[], Keyring] = lambda: Keyring(default_path())
    now_s: Callable[[], float] = time.time


def services(ctx: typer.Context) -> Services:
    """The services that the root command was given."""
    found = ctx.find_object(Services)
    if found is None:
        raise RuntimeError("the root callback did not run")
    return found


def opened(ctx: typer.Context, board: str | None, radio: str | None) -> AbstractContextManager[Stimulator]:
    """The stimulator that --board and --radio name."""
    return services(ctx).open_board(board, radio)


def confirm(question: str, yes: bool, done: str) -> None:
    """Ask before something is done that cannot be undone; `yes`: it was said already. done: `erased`.

    Raises:
        InputError: it was not confirmed.
    """
    if yes:
        return
    err.print(f"{question} It cannot be undone.", markup=False)
    try:
        agreed = typer.confirm("Go on?", err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise InputError(f"Nothing was {done}: it was not confirmed. With --yes it is not asked for.")


def as_words(state: Status) -> dict[str, Any]:
    """A status for JSON: enumerations are words."""
    return asdict(state) | {"state": state.state_name, "stop_cause": state.stop_name}


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
            _print_notes(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interruption:
            err.print("Interrupted.")
            _print_notes(interruption)
            raise typer.Exit(130) from None


def _print_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", ()):
        err.print(note, markup=False, soft_wrap=True)


def _escaped(text: str) -> str:
    """`text` with Rich's markup made inert: file names and board texts may hold brackets."""
    return text.replace("[", "\\[")
