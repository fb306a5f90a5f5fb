"""Opens the stimulator that --board and --radio name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated

import typer
from stimfw.protocol import messages

from stimbench.cli.common import connected, err, open_remote
from stimbench.client import program_file
from stimbench.client.keyring import HostPairing, Keyring, default_path
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import Remote
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import find_port
from stimbench.errors import InputError, WrongStateError

__all__ = (
    "BENCH",
    "OwnProgramOption",
    "amplitudes_explained",
    "begin_with",
    "open_board",
    "own_program",
    "set_program_on_bench",
)

BENCH = "bench"
AUTO = "auto"

OwnProgramOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="With --board bench, whose amplitudes are zero: first change a field of its programme, "
        "left.amplitude_ua=2000 say. May be repeated.",
    ),
]


@contextmanager
def open_board(board: str | None, radio: str | None = None, /, restart: bool = False) -> Iterator[Stimulator]:
    """Open the stimulator, connected and identified; it is closed at the end.

    Args:
        board: a port, `bench` for an emulated bench of this command, or None for the one board plugged in.
        radio: None to use `board`'s USB; else the port of a remote through which the stimulator is reached by
            radio, `auto` for the one that is plugged in, or `bench`. `board` is not used then.
        restart: see cli.common.connected; it is of the board on USB.

    Raises:
        StimbenchError: it cannot be reached; the text says why.
    """
    if board == BENCH and radio not in (None, BENCH):
        raise InputError("The remote of an emulated bench is emulated too: --board bench --radio bench.")
    if BENCH in (board, radio) and radio in (None, BENCH):
        opening = _own_bench(radio)
    else:
        keyring = Keyring(default_path())
        opening = _wired(board, restart) if radio is None else _by_radio(radio, keyring, restart)
    with opening as stimulator:
        if stimulator.identity.warning:
            err.print(f"[yellow]Warning:[/] {stimulator.identity.warning}")
        yield stimulator


@contextmanager
def _wired(board: str | None, restart: bool) -> Iterator[Stimulator]:
    with SerialDevice(board or find_port()) as device:
        yield connected(device, connect, restart)


@contextmanager
def _by_radio(radio: str, keyring: Keyring, restart: bool) -> Iterator[Stimulator]:
    keyring.pairings()  # a key file that cannot be used is told before any port is opened
    with open_remote(None if radio == AUTO else radio, restart) as remote:
        pairing = begin_with(remote, keyring)
        console = RadioConsole(remote, pairing)
        try:
            stimulator = Stimulator(console)
            stimulator.require_role()
            if console.confirmed:  # by the answer that told the role
                keyring.confirmed(pairing)
            yield stimulator
        finally:
            console.close()


def begin_with(remote: Remote, keyring: Keyring) -> HostPairing:
    """The pairing to use through `remote`: the only one, or the one with the remote's own stimulator.

    Raises:
        KeyFileError: the key file cannot be used.
        InputError: this host has no key, or several of which none is for the remote's stimulator.
    """
    bases = [pairing.base for pairing in keyring.pairings()]
    if not bases:
        raise InputError(
            "This host has no clinician's key yet: connect the stimulator by USB and run "
            "`stimbench pair --clinician`."
        )
    if len(bases) == 1:
        return keyring.begin(bases[0])
    remotes_own = remote.pairings().base
    if remotes_own not in bases:
        raise InputError(
            f"This host has keys for {len(bases)} stimulators ({', '.join(base.hex() for base in bases)}): "
            "use a remote that is paired with the one that you mean."
        )
    return keyring.begin(remotes_own)


def own_program(changes: list[str] | None, board: str | None, radio: str | None) -> dict[str, int]:
    """The changes of --set, which belongs to an emulated bench of this command's own.

    Raises:
        InputError: it is another board, which keeps its programme: `program set` changes that.
        ProgramError: a change cannot be read.
    """
    if changes and BENCH not in (board, radio):
        raise InputError("--set belongs to --board bench here; for other boards: `stimbench program set`.")
    return program_file.parse_changes(changes or ())


@contextmanager
def amplitudes_explained(board: str | None, radio: str | None) -> Iterator[None]:
    """Say how a bench of our own gets amplitudes, if it refuses because it has none."""
    try:
        yield
    except WrongStateError as error:
        if error.reason != messages.REASON_NO_AMPLITUDE or BENCH not in (board, radio):
            raise
        told = f"{error} A new bench has none yet: add --set left.amplitude_ua=2000."
        raise WrongStateError(told, error.code, error.state, error.reason) from error


def set_program_on_bench(stimulator: Stimulator, changes: Mapping[str, int]) -> None:
    """Send a bench of our own its programme with these changes.

    Raises:
        ProgramError: it is not valid; nothing was sent.
    """
    if not changes:
        return
    wanted = program_file.changed(stimulator.program(), changes)
    # The first time moves electrodes, which sets their lead's amplitude to zero; the second time they stay.
    for _ in range(2):
        stimulator.set_program(wanted)


def _own_bench(radio: str | None) -> AbstractContextManager[Stimulator]:
    # Imported here: the emulator is slow to load and no other command needs it.
    from stimbench.client.on_bench import open_bench, open_bench_by_radio

    return _with_spinner(open_bench() if radio is None else open_bench_by_radio())


@contextmanager
def _with_spinner(manager: AbstractContextManager[Stimulator]) -> Iterator[Stimulator]:
    """Enters `manager` under a spinner."""
    with err.status("Starting the emulated bench"):
        stimulator = manager.__enter__()
    try:
        yield stimulator
    finally:
        manager.__exit__(None, None, None)
