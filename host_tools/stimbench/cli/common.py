"""What all commands share: options, output, and errors turned into a sentence and an exit code."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from typer.core import TyperGroup

from stimbench.client.keyring import Keyring, default_path
from stimbench.client.records import Status
from stimbench.client.remote import Remote, connect_remote
from stimbench.client.stimulator import Stimulator
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import find_remote_port
from stimbench.errors import InputError, StimbenchError

__all__ = (
    "BoardOption",
    "JsonOption",
    "Opener",
    "RadioOption",
    "Services",
    "StimbenchGroup",
    "as_words",
    "confirm",
    "err",
    "open_remote",
    "opened",
    "out",
    "print_json",
    "services",
)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Opener(Protocol):
    """Opens the stimulator that --board and --radio name; see cli.boards.open_board."""

    def __call__(self, board: str | None, radio: str | None = None, /) -> AbstractContextManager[Stimulator]:
        """The stimulator, connected and identified."""


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


@contextmanager
def open_remote(port: str | None) -> Iterator[Remote]:
    """The remote on `port`, or the one that is plugged in; closed at the end.

    Raises:
        StimbenchError: it cannot be had; the text says why.
    """
    with SerialDevice(port or find_remote_port()) as device:
        yield connect_remote(device.console)


@dataclass(frozen=True)
class Services:
    """What the commands get from outside; tests put fakes here."""

    open_board: Opener
    open_remote: Callable[[str | None], AbstractContextManager[Remote]] = open_remote
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
    """A status for JSON: enumerations are words, and the amplitudes are called what they are: programmed."""
    data = asdict(state) | {"state": state.state_name, "stop_cause": state.stop_name}
    return {"programmed_ua" if name == "amplitude_ua" else name: value for name, value in data.items()}


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
