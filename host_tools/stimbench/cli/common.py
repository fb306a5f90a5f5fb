"""What all commands share: options, boards, and JSON. Texts and errors: stimbench.cli.terminal."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import typer

from stimbench.cli.terminal import StimbenchGroup, err, out
from stimbench.client.keyring import Keyring, default_path
from stimbench.client.ready import connect_when_ready
from stimbench.client.records import Status
from stimbench.client.remote import Remote, connect_remote
from stimbench.client.stimulator import Stimulator
from stimbench.devices.device import Device
from stimbench.devices.link import Link
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import find_remote_port
from stimbench.errors import AtPromptError, InputError, NoAnswerError

if TYPE_CHECKING:
    from pathlib import Path

    from stimbench.flashing.doctor import Machine
    from stimbench.flashing.wired_target import UsbSockets
    from stimbench.rig.look import Found
    from stimbench.rig.rig import Rig

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
    return connect_when_ready(device, connect, _BOOT_S)


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
    """Open the remote on `port`, or the one that is plugged in; it is closed at the end.

    Args:
        port: None for the one that is plugged in.
        restart: see `connected`.

    Raises:
        StimbenchError: it cannot be reached; the text says why.
    """
    with SerialDevice(port or find_remote_port()) as device:
        remote = connected(device, connect_remote, restart)
        if remote.identity.deployed:
            err.print(f"[yellow]Warning:[/] {remote.identity.warning}", soft_wrap=True)
        yield remote


class HandsAt(Protocol):
    """A bench that runs, and what can be done to it: stimbench.bench.control_client.RunningBench."""

    def do(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Do an action of stimbench.bench.actions; its result."""


def _running_bench(name: str | None) -> HandsAt:
    from stimbench.bench import running
    from stimbench.bench.control_client import RunningBench

    return RunningBench(running.find(name))


def _usb() -> UsbSockets:
    from stimbench.flashing.mounting import Mounter
    from stimbench.flashing.usb import UsbFinder
    from stimbench.flashing.wired_target import UsbSockets

    return UsbSockets(UsbFinder(), Mounter())


def _machine() -> Machine:
    from stimbench.flashing.doctor import Machine

    return Machine()


def _look() -> Found:
    from stimbench.rig.look import look

    return look()


def _rig(path: Path | None) -> Rig:
    from stimbench.rig.rig import open_rig

    return open_rig(path)


@dataclass(frozen=True)
class Services:
    """What the commands get from outside; tests put fakes here."""

    open_board: Opener
    open_remote: RemoteOpener = open_remote
    keyring: Callable[[], Keyring] = lambda: Keyring(default_path())
    now_s: Callable[[], float] = time.time
    find_bench: Callable[[str | None], HandsAt] = _running_bench
    usb: Callable[[], UsbSockets] = _usb
    """What is plugged in, for `flash`."""
    machine: Callable[[], Machine] = _machine
    """Where `doctor` looks."""
    rig: Callable[[Path | None], Rig] = _rig
    """The bench of a file, for `check` and `selftest`; without one, the emulated bench."""
    look: Callable[[], Found] = _look
    """What is plugged in, for `bench init`."""


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
    """Ask the person before something is done that cannot be undone.

    Args:
        question: what is to be confirmed.
        yes: it was confirmed on the command line; nothing is asked.
        done: what was not done if it is not confirmed, such as `erased`.

    Raises:
        InputError: it was not confirmed.
    """
    if yes:
        return
    err.print(f"{question} It cannot be undone.", markup=False)
    try:
        agreed = typer.confirm("Go on?", err=True)
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):  # the other cause is an end of the input
            raise KeyboardInterrupt from None
        agreed = False
    if not agreed:
        raise InputError(f"Nothing was {done}: it was not confirmed. Confirm it, or give --yes.")


def as_words(state: Status) -> dict[str, Any]:
    """A status for JSON: enumerations are words, and the amplitudes are called what they are: programmed."""
    data = asdict(state) | {"state": state.state_name, "stop_cause": state.stop_name}
    return {"programmed_ua" if name == "amplitude_ua" else name: value for name, value in data.items()}


def print_json(data: Any) -> None:
    """One JSON document on stdout, readable and in a fixed order.

    JSON has no number for what is not finite, and no dates: both become text (`nan`, `inf`, `2026-01-01`).
    """
    typer.echo(json.dumps(_finite(data), indent=2, allow_nan=False, default=str))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return str(data) if isinstance(data, float) and not math.isfinite(data) else data
