"""Where the bench meets the parts: the only module here that knows what the parts are called."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from stimbench.bench.board import EmulatedBoard
from stimbench.bench.config import BenchConfig
from stimbench.bench.trace import Recorder

__all__ = ("Button", "buttons", "set_magnet", "solder")


class Button(Protocol):
    """A push button."""

    def press(self) -> None:
        """Close the contact."""

    def release(self) -> None:
        """Open it."""


def solder(boards: dict[str, EmulatedBoard], config: BenchConfig, recorder: Recorder) -> Any:
    """Put the parts on the boards; the radio channel between them is the result."""
    return None


def buttons(remote: EmulatedBoard) -> dict[str, Button]:
    """The remote's buttons by name."""
    return {name: _NetButton(remote, name) for name in ("START", "STOP", "STATUS")}


def set_magnet(stimulator: EmulatedBoard, present: bool) -> None:
    """Close or open the reed switch."""
    stimulator.pin("MAGNET").drive(False if present else None)


class _NetButton:
    """A contact to ground, without bounce."""

    def __init__(self, board: EmulatedBoard, signal: str) -> None:
        self._net = board.pin(signal)

    def press(self) -> None:
        self._net.drive(False)

    def release(self) -> None:
        self._net.drive(None)


def _module(name: str) -> Any:
    return importlib.import_module(name)
