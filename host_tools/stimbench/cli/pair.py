"""`stimbench pair`: who may talk to a stimulator by radio. All of it over USB."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from stimfw.protocol import messages
from stimfw.protocol.messages import SLOTS
from stimfw.storage.pairings import PENDING

from stimbench.cli.boards import BENCH
from stimbench.cli.common import BoardOption, JsonOption, Services, confirm, out, print_json, services
from stimbench.client import pairing as procedure
from stimbench.client.access_records import PairingEntry, RemotePairings, StimulatorPairings
from stimbench.client.keyring import Keyring
from stimbench.client.stimulator import Stimulator
from stimbench.devices.serial_ports import same_port
from stimbench.errors import InputError, WrongStateError

_ALL = "all"

_RemoteOption = Annotated[
    str | None,
    typer.Option(
        "--remote", metavar="PORT", help="Port of the remote. Default: the one remote that is plugged in."
    ),
]
_ClinicianOption = Annotated[
    bool, typer.Option("--clinician", help="Give this host a clinician's key, kept in your key file.")
]
_SlotOption = Annotated[
    str | None,
    typer.Option("--slot", metavar="N|all", help="With --forget: which pairing of the stimulator."),
]
_FactoryOption = Annotated[
    bool,
    typer.Option(
        "--factory-reset",
        help="Erase all pairings, the radio address and the programme. Hold the magnet at the stimulator.",
    ),
]


def pair(
    ctx: typer.Context,
    board: BoardOption = None,
    remote: _RemoteOption = None,
    clinician: _ClinicianOption = False,
    list_: Annotated[
        bool, typer.Option("--list", help="Show the stimulator's pairings; with --remote, the remote's.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Erase a pairing: --slot of the stimulator, or --remote's own.")
    ] = False,
    slot: _SlotOption = None,
    factory_reset: _FactoryOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before something is erased.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Pair a remote with a stimulator, both on USB, or this host with --clinician.

    A new key takes the old one's place only once both sides have it: whatever interrupts this, run it again.
    Without USB a remote is paired with a magnet and its STATUS button (docs/telemetry.md).
    """
    _require_one_job(clinician, list_, forget, factory_reset, remote, slot)
    if board == BENCH or remote == BENCH:
        raise InputError(
            "The pairings of an emulated bench end with it: use the ports of `stimbench bench up`."
        )
    found = services(ctx)
    if list_:
        data, shown = _stimulator_list(found, board) if remote is None else _remote_list(found, remote)
    elif forget:
        data, shown = (
            _stimulator_forget(found, board, slot, yes)
            if remote is None
            else _remote_forget(found, remote, yes)
        )
    elif factory_reset:
        data, shown = _factory_reset(found, board, yes)
    elif clinician:
        data, shown = _pair_clinician(found, board)
    else:
        data, shown = _pair_remote(found, board, remote)
    if as_json:
        print_json(data)
    else:
        out.print(shown, soft_wrap=isinstance(shown, str))


_PENDING = "A new key is pending until it is first used by radio; then it is active."
_Told = tuple[dict[str, Any], RenderableType]


def _require_one_job(
    clinician: bool, list_: bool, forget: bool, factory_reset: bool, remote: str | None, slot: str | None
) -> None:
    if clinician + list_ + forget + factory_reset > 1:
        raise InputError("One at a time: --clinician, --list, --forget, or --factory-reset.")
    if remote is not None and (clinician or factory_reset):
        raise InputError("--remote belongs to pairing a remote, --list or --forget.")
    if slot is not None and (not forget or remote is not None):
        raise InputError("--slot belongs to --forget on a stimulator.")
    if forget and slot is None and remote is None:
        raise InputError(
            f"Which pairing? --slot N (0 to {SLOTS - 1}, see --list), --slot all, or --remote PORT."
        )


def _pair_clinician(found: Services, board: str | None) -> _Told:
    keyring = found.keyring()
    with found.open_board(board) as stimulator:
        slot, base, peer_id = procedure.pair_clinician(stimulator, keyring)
    text = f"This host is paired as a clinician: slot {slot} of the stimulator {base.hex()}."
    data = {"base": base.hex(), "slot": slot, "role": "clinician", "peer_id": peer_id.hex()}
    return data, f"{text} The key is in {keyring.path}. {_PENDING}"


def _pair_remote(found: Services, board: str | None, port: str | None) -> _Told:
    if board is not None and port is not None and same_port(board, port):
        raise InputError(
            f"--board and --remote name the same port, {port}: the stimulator and the remote have one each."
        )
    with found.open_board(board) as stimulator, found.open_remote(port) as remote:
        slot, base, peer_id = procedure.pair_remote(stimulator, remote)
    who = f"Remote {peer_id.hex()} is paired as a patient's"
    data = {"base": base.hex(), "slot": slot, "role": "patient", "peer_id": peer_id.hex()}
    return data, f"{who}: slot {slot} of the stimulator {base.hex()}. {_PENDING}"


def _stimulator_list(found: Services, board: str | None) -> _Told:
    mine = _own_peer_ids(found.keyring())
    with found.open_board(board) as stimulator:
        held = stimulator.pairings()
    data = {
        "base": held.base.hex(),
        "pairings": [_as_data(one) | {"this_host": one.peer_id in mine} for one in held.pairings],
    }
    if not held.pairings:
        return data, f"The stimulator {held.base.hex()} has no pairings."
    table = Table(title=f"Pairings of the stimulator {held.base.hex()}", title_justify="left")
    for column in ("slot", "role", "peer", "state", ""):
        table.add_column(column)
    for one in held.pairings:
        note = "this host" if one.peer_id in mine else ""
        table.add_row(str(one.slot), one.role_name, one.peer_id.hex(), one.state_name, note)
    pending = any(one.state == PENDING for one in held.pairings)
    return data, Group(table, _PENDING) if pending else table


def _remote_list(found: Services, port: str) -> _Told:
    with found.open_remote(port) as remote:
        held = remote.pairings()
    return _remote_data(held), _remote_text(held)


def _remote_forget(found: Services, port: str, yes: bool) -> _Told:
    with found.open_remote(port) as remote:
        held = remote.pairings()
        if held.pairing is not None:
            confirm(f"Erase the pairing of the remote {held.own_id.hex()}?", yes, "erased")
            remote.forget()
        held = remote.pairings()
    return _remote_data(held), _remote_text(held)


def _stimulator_forget(found: Services, board: str | None, slot: str | None, yes: bool) -> _Told:
    number = None if slot == _ALL else _slot_number(slot or "")
    keyring = found.keyring()
    with found.open_board(board) as stimulator:
        held = stimulator.pairings()
        gone = [one for one in held.pairings if number in (None, one.slot)]
        if not gone:
            # Nothing to do is no error for `all`: the stimulator is as it was asked to be.
            if number is not None:
                raise InputError(f"The stimulator {held.base.hex()} has no pairing in slot {number}.")
            return _forgotten(held.base, [])
        names = ", ".join(f"{one.slot} ({one.role_name} {one.peer_id.hex()})" for one in gone)
        confirm(f"Erase slot {names} of the stimulator {held.base.hex()}?", yes, "erased")
        stimulator.forget(number)
        left = stimulator.pairings()
    _drop_dead_key(keyring, left)
    return _forgotten(held.base, [one.slot for one in gone])


def _forgotten(base: bytes, slots: list[int]) -> _Told:
    named = ", ".join(map(str, slots)) or "nothing: it had no pairings"
    return {"base": base.hex(), "forgotten": slots}, f"The stimulator {base.hex()} has forgotten {named}."


def _factory_reset(found: Services, board: str | None, yes: bool) -> _Told:
    keyring = found.keyring()
    with found.open_board(board) as stimulator:
        before = stimulator.pairings()
        confirm(f"Erase all that the stimulator {before.base.hex()} was given?", yes, "erased")
        _reset_with_magnet(stimulator)
        after = stimulator.pairings()
    keyring.forget(before.base)
    data = {"base": after.base.hex(), "was": before.base.hex()}
    return data, f"The stimulator is as it left the factory; its address is {after.base.hex()} now."


def _reset_with_magnet(stimulator: Stimulator) -> None:
    try:
        stimulator.factory_reset()
    except WrongStateError as error:
        if error.reason != messages.REASON_NO_MAGNET:
            raise
        raise WrongStateError(
            "A factory reset needs the magnet: hold it at the stimulator and run this again. "
            "Nothing was erased.",
            error.code,
            error.state,
            error.reason,
        ) from error


def _drop_dead_key(keyring: Keyring, left: StimulatorPairings) -> None:
    """Erase this host's key too if the stimulator no longer has it."""
    for mine in keyring.pairings():
        if mine.base == left.base and all(one.peer_id != mine.peer_id for one in left.pairings):
            keyring.forget(left.base)


def _slot_number(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < SLOTS:
        return int(text)
    raise InputError(f"--slot {text}: allowed is 0 to {SLOTS - 1}, or all.")


def _own_peer_ids(keyring: Keyring) -> set[bytes]:
    return {pairing.peer_id for pairing in keyring.pairings()}


def _as_data(one: PairingEntry) -> dict[str, Any]:
    return {"slot": one.slot, "role": one.role_name, "peer_id": one.peer_id.hex(), "state": one.state_name}


def _remote_data(held: RemotePairings) -> dict[str, Any]:
    if held.base is None or held.pairing is None:
        return {"remote": held.own_id.hex(), "base": None, "slot": None, "role": None}
    return {
        "remote": held.own_id.hex(),
        "base": held.base.hex(),
        "slot": held.pairing.slot,
        "role": held.pairing.role_name,
    }


def _remote_text(held: RemotePairings) -> str:
    if held.base is None or held.pairing is None:
        return f"The remote {held.own_id.hex()} has no pairing."
    return (
        f"The remote {held.own_id.hex()} is paired with the stimulator {held.base.hex()}: "
        f"slot {held.pairing.slot}, {held.pairing.role_name}."
    )
