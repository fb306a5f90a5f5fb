"""One drawing a block, made from the circuit itself: so a drawing cannot say another thing than the netlist.

Chips stand on the left with the net of each pin; parts of two legs on the right, between the names of
their nets.
Names that are the same are joined. Block `lead R` is like `lead L` with R in the names, and so on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemdraw
import schemdraw.elements as elm

from circuit.drawings import signal_chain
from circuit.snapshot import Placed, Snapshot, snapshot

schemdraw.use("svg")
FONT = "sans-serif"
_ROW, _COLUMN = 1.25, 7.4
_PER_COLUMN = 12
_SYMBOLS: dict[str, Any] = {
    "R": elm.ResistorIEC,
    "C": elm.Capacitor,
    "L": elm.Inductor2,
    "D": elm.Diode,
    "F": elm.FuseIEC,
    "SW": elm.Switch,
    "BZ": elm.RBox,
}
_RIGHT = ("out", "src", "oc")
_RIGHT_NAMES = ("P", "D", "OUT", "A2", "B2", "K2")


def write_all(folder: Path) -> None:
    """Draws every block of both boards that is not the right lead's twin of another, and the signal chain."""
    from circuit.both import remote, stimulator

    for sheet in (stimulator(), remote()):
        board = snapshot(sheet)
        names = list(dict.fromkeys(part.block for part in board.parts))
        for name in names:
            if not name.endswith(" R"):
                text = draw(board, name)
                (folder / file_name(board, name)).write_text(text, encoding="utf-8")
        if board.name == "stimulator":
            (folder / "signal-chain.svg").write_text(signal_chain.draw(board), encoding="utf-8")


def file_name(board: Snapshot, block: str) -> str:
    """The file of a block's drawing."""
    short = block.removesuffix(" L").replace(" ", "-")
    return f"{board.name}-{short}.svg"


def draw(board: Snapshot, block: str) -> str:
    """The SVG of one block."""
    parts = [part for part in board.parts if part.block == block]
    chips = [part for part in parts if len(part.spec.pins) > 2]
    legs = [part for part in parts if len(part.spec.pins) == 2]
    with schemdraw.Drawing(show=False) as drawing:
        drawing.config(unit=2, fontsize=9, font=FONT)
        x = y = 0.0
        for index, chip in enumerate(chips):
            height = _chip(drawing, chip, x, y)
            y -= height + 1.6
            if y < -_PER_COLUMN * _ROW and index < len(chips) - 1:
                x, y = x + 9.5, 0.0
        start = x + (9.0 if chips else 0.0)
        for index, part in enumerate(legs):
            column, row = divmod(index, _PER_COLUMN)
            _two_legs(drawing, part, start + column * _COLUMN, -row * _ROW)
    return svg(drawing)


def svg(drawing: Any) -> str:
    """The drawing as text that is the same each time."""
    text = drawing.get_imagedata("svg").decode("utf-8")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def value_of(part: Placed) -> str:
    """`4k 0.1 %`, `DG412`."""
    tolerance = part.spec.tolerance if part.spec.si else ""
    return f"{part.spec.value} {tolerance}".strip()


def _two_legs(drawing: Any, part: Placed, x: float, y: float) -> None:
    first, second = (part.nets.get(name, "-") for _, name, _ in part.spec.pins)
    reverse = part.spec.prefix == "D"  # K is the first pin; the symbol points from A to K
    if reverse:
        first, second = second, first
    symbol = _SYMBOLS.get(part.spec.prefix, elm.RBox)()
    drawing += (
        symbol.at((x, y)).right().length(2.2).label(f"{part.ref}  {value_of(part)}", loc="top", fontsize=8)
    )
    drawing += elm.Label().at((x - 0.15, y - 0.1)).label(first, halign="right", valign="center", fontsize=8)
    drawing += elm.Label().at((x + 2.35, y - 0.1)).label(second, halign="left", valign="center", fontsize=8)


def _chip(drawing: Any, part: Placed, x: float, y: float) -> float:
    """Draws a chip with its upper left corner near (x, y); its height."""
    right = [pin for pin in part.spec.pins if pin[2] in _RIGHT or pin[1].startswith(_RIGHT_NAMES)]
    left = [pin for pin in part.spec.pins if pin not in right and pin[2] != "nc"]
    if len(left) > 2 * max(1, len(right)) or len(right) > 2 * max(1, len(left)):
        pins = [pin for pin in part.spec.pins if pin[2] != "nc"]
        left, right = pins[: (len(pins) + 1) // 2], pins[(len(pins) + 1) // 2 :]
    rows = max(len(left), len(right), 2)
    height, width = 0.6 * rows + 0.4, 3.0
    pins = [
        elm.IcPin(
            name=name,
            pin=number,
            side=side,
            slot=f"{rows - k}/{rows}",
            anchorname=f"p{number}",
            lblsize=8,
            pinlblsize=7,
        )
        for side, group in (("left", left), ("right", right))
        for k, (number, name, _) in enumerate(group)
    ]
    chip = elm.Ic(size=(width, height), pins=pins, leadlen=0.5).at((x, y - height)).right()
    chip = chip.label(f"{part.ref}  {part.spec.value}", loc="top", fontsize=9)
    placed = drawing.add(chip)
    for side, group in (("right", left), ("left", right)):
        for number, name, _ in group:
            net = part.nets.get(name, "open")
            shift = -0.1 if side == "right" else 0.1
            spot = getattr(placed, f"p{number}")
            drawing += (
                elm.Label()
                .at((spot[0] + shift, spot[1] - 0.1))
                .label(net, halign=side, valign="center", fontsize=8)
            )
    return height
