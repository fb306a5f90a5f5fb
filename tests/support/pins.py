"""A board's signals: as pins.csv has them, and as the board has them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from stimbench.emulator.nets import read_pins_csv

from support.board import Board

_BOARDS = Path(__file__).resolve().parents[2] / "boards"
_ASK = """
from machine import Pin
print([(name, str(getattr(Pin.board, name))) for name in dir(Pin.board) if name[0] != "_"])
"""


def pins_csv(board: str) -> dict[str, int]:
    """The GPIO number of each signal in a board's pins.csv."""
    return read_pins_csv((_BOARDS / f"STIMBENCH_{board.upper()}" / "pins.csv").read_text(encoding="utf-8"))


def pins_of(board: Board) -> dict[str, int]:
    """The GPIO number of each name of Pin.board."""
    return {name: int(re.search(r"GPIO(\d+)", text)[1]) for name, text in ast.literal_eval(board.exec(_ASK))}
