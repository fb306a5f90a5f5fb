"""What a board is doing: its application, MicroPython's prompt, its boot ROM, or nothing that can be seen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

from stimbench.client.board import Board
from stimbench.client.console import Console
from stimbench.client.records import Identity
from stimbench.devices.device import Device
from stimbench.devices.repl import TransportError
from stimbench.errors import AtPromptError, NoAnswerError
from stimbench.flashing.target import Target

__all__ = ("BoardState", "Doing", "identity_at_prompt", "look", "look_at_device")

_WHO = """
try:
 import stimfw_build as _b
 print((_b.BOARD, _b.VERSION, _b.SOURCE_HASH))
except ImportError:
 print(None)
"""
_TRIES_S = 1.0


class Doing(Enum):
    """What a board is doing."""

    APPLICATION = "runs its application"
    PROMPT = "is at the MicroPython prompt: its application does not run"
    BOOTSEL = "waits for an image in its boot ROM (BOOTSEL)"
    SILENT = "has a serial port, and answers nothing"
    ABSENT = "is not there"


@dataclass(frozen=True)
class BoardState:
    """What a board is doing, and with which firmware if it can tell."""

    doing: Doing
    identity: Identity | None = None
    told: str = ""
    """What it said about a failure: the last line of a traceback."""

    @property
    def role(self) -> str | None:
        """`stimulator` or `remote`, if its firmware tells."""
        return self.identity.role if self.identity else None

    def __str__(self) -> str:
        firmware = f" ({firmware_text(self.identity)})" if self.identity else ""
        return f"{self.doing.value}{firmware}"


def firmware_text(identity: Identity) -> str:
    """`stimulator 0.1.0, e3c33af1b191`."""
    return f"{identity.role} {identity.version}, {identity.build}"


def look(target: Target) -> BoardState:
    """Find out what the board at a place is doing. One that does not answer at once is interrupted.

    Raises:
        FlashError: its disk cannot be mounted, or it is another board than before.
        PortError: its port cannot be opened.
    """
    if target.volume() is not None:
        return BoardState(Doing.BOOTSEL)
    device = target.device()
    if device is None:
        return BoardState(Doing.ABSENT)
    with device:
        return look_at_device(device)


def look_at_device(device: Device) -> BoardState:
    """As `look`, through a port that is open."""
    console = Console(device.console, time.time_ns() >> 20, _TRIES_S)
    try:
        return BoardState(Doing.APPLICATION, Board(console).identify())
    except AtPromptError as error:
        told = str(error).partition("The last error that it printed: ")[2]
        return BoardState(Doing.PROMPT, identity_at_prompt(device), told)
    except NoAnswerError:
        try:
            return BoardState(Doing.PROMPT, identity_at_prompt(device))
        except NoAnswerError:
            return BoardState(Doing.SILENT)


def identity_at_prompt(device: Device) -> Identity | None:
    """Which firmware lies on the board, asked over the REPL; None if it is none of this project's.

    Raises:
        NoAnswerError: no prompt came.
    """
    repl = device.enter_repl()
    try:
        found = repl.exec(_WHO).decode("ascii", "replace").strip()
    except TransportError as error:
        raise NoAnswerError(f"{device.name} gives no MicroPython prompt: {error}.") from error
    parts = found.strip("()").replace("'", "").split(", ")
    return Identity(*parts) if len(parts) == 3 else None
