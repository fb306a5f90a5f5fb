"""Writes bench.toml from what was found, with what a person must look at in its comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit
from tomlkit import TOMLDocument, aot, comment, document, nl, table
from tomlkit.items import AoT, Table

from stimbench.errors import InputError
from stimbench.flashing.usb import UsbPort
from stimbench.instruments.sigrok_program import Analyser
from stimbench.rig.look import Found

__all__ = ("bench_document", "write_bench_file")

_USUAL = ("L_CATH", "L_ANOD", "L_SHORT", "R_CATH", "R_ANOD", "R_SHORT", "KEEPALIVE", "MAGNET")
"""How docs/captures.md wires an analyser of eight channels."""
_RATE_HZ = 4_000_000


def write_bench_file(found: Found, path: Path, force: bool = False) -> str:
    """Write the file.

    Args:
        found: what is plugged in.
        path: of the file.
        force: whether a file that is there is replaced.

    Returns:
        Its text.

    Raises:
        InputError: it is there already, or cannot be written.
    """
    text = tomlkit.dumps(bench_document(found))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise InputError(f"{path} is there already, and was not changed: --force replaces it.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    return text


def bench_document(found: Found) -> TOMLDocument:
    """The file. Without a stimulator it describes the emulated bench, and what was found is in comments."""
    made = document()
    for line in (
        "A bench of boards and instruments: `stimbench check PLAN --bench bench.toml`, `stimbench selftest`.",
        "Lines with LOOK need a person: nobody but you sees what is wired. The format: docs/wired-bench.md",
    ):
        made.add(comment(line))
    made.add(nl())
    stimulator = _board(found, "stimulator")
    made.add("kind", "wired" if stimulator else "emulated")
    for line in found.unknown:
        made.add(comment(f"Not looked for: {line}"))
    if stimulator is None:
        _say_nothing_found(made, found)
        return made
    made.add(nl())
    made.add("boards", _boards(found, stimulator))
    sources = _sources(found)
    if len(sources):
        made.add("source", sources)
    else:
        made.add(nl())
        made.add(comment("No instrument was found. Without a [[source]] a check measures nothing."))
    made.add("loads", _loads())
    made.add("power", _power(found, stimulator))
    made.add("has", _has())
    return made


def _add(to: Table, name: str, value: str | int | bool, told: str) -> None:
    """A value with what a person should know of it."""
    made: Any = tomlkit.item(value)
    made.comment(told)
    to.add(name, made)


def _board(found: Found, role: str) -> UsbPort | None:
    return next((each for each in found.boards if each.role == role and each.serial_number), None)


def _say_nothing_found(made: TOMLDocument, found: Found) -> None:
    told = [f"{each.device}: an RP2040, {each.role or 'which is not a board of this project'}, "
            f"serial number {each.serial_number or 'none'}" for each in found.boards]  # fmt: skip
    told += [f"{each.driver}: {each.description}" for each in found.analysers]
    told += list(found.resources)
    made.add(comment("No stimulator is plugged in, so this is the emulated bench."))
    for line in told:
        made.add(comment(f"Found: {line}"))


def _boards(found: Found, stimulator: UsbPort) -> Table:
    boards = table(is_super_table=True)
    for role, board in (("stimulator", stimulator), ("remote", _board(found, "remote"))):
        if board is None:
            continue
        one = table()
        _add(one, "serial", board.serial_number, f"on {board.device}")
        for other in found.boards:
            if other.role == role and other is not board:
                one.add(comment(f"There is another {role}: {other.serial_number} on {other.device}"))
        boards.add(role, one)
    return boards


def _sources(found: Found) -> AoT:
    sources = aot()
    for analyser in found.analysers:
        sources.append(_analyser(analyser, first=not len(sources)))
    for resource in found.resources:
        sources.append(_scope(resource))
    return sources


def _analyser(analyser: Analyser, first: bool) -> Table:
    one = table()
    one.add("kind", "sigrok")
    _add(one, "driver", analyser.driver, analyser.description)
    _add(one, "rate_hz", _RATE_HZ, "LOOK: as many samples a second as it can take for some seconds")
    _add(one, "clock_ppm", 100, "LOOK: from its data sheet")
    _add_calibration(one)
    signals = _USUAL if first else ()
    uses = {channel: f"stimulator.{name}" for channel, name in zip(analyser.channels, signals, strict=False)}
    told = f"which of its wires is on which pin. It has {', '.join(analyser.channels)}."
    one.add("channels", _channels(uses, told))
    return one


def _scope(resource: str) -> Table:
    one = table()
    one.add("kind", "visa")
    one.add("resource", resource)
    _add(one, "clock_ppm", 100, "LOOK: from its data sheet")
    _add(one, "gain_percent", 3, "LOOK: of the oscilloscope, and of the shunt")
    _add_calibration(one)
    told = "which channel sees which lead, and through how many ohm."
    one.add("channels", _channels({"CH1": "I_LEFT:100ohm", "CH2": "I_RIGHT:100ohm"}, told))
    return one


def _add_calibration(one: Table) -> None:
    _add(one, "calibration", "", "the number of its certificate; calibrated = 2026-01-31 says when")


def _channels(uses: dict[str, str], told: str) -> Table:
    made = table()
    made.add(comment(f"LOOK: {told}"))
    for channel, use in uses.items():
        made.add(channel, use)
    return made


def _loads() -> Table:
    loads, one = table(is_super_table=True), table()
    _add(
        one, "resistance_ohm", 500, "LOOK: what is wired between two electrodes; a plan calls it by its name"
    )
    _add(one, "by_hand", False, "true: a person wires it, and breaks its wires, when asked")
    loads.add("500 ohm", one)
    return loads


def _power(found: Found, stimulator: UsbPort) -> Table:
    power, socket = table(), found.socket_of(stimulator)
    power.add("uhubctl", socket.place if socket else "")
    told = "the stimulator's socket" if socket else "hub and port of the stimulator, 1-1:2, if they switch"
    power["uhubctl"].comment(told)
    return power


def _has() -> Table:
    has = table()
    for name, told in (
        ("magnet", "true: a person holds one to the stimulator when asked"),
        ("hang", "true: a person stops its CPU, with a debug probe, when asked"),
        ("jammer", "true: a person switches it on when asked"),
    ):
        _add(has, name, False, told)
    return has
