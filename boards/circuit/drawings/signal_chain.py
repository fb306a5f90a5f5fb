"""The left lead's way of the current, drawn by hand; values and references are read from the circuit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import schemdraw
import schemdraw.elements as elm

from circuit.snapshot import Snapshot


def draw(board: Snapshot) -> str:
    """Pump, bridge and lead on one sheet, as SVG."""
    schemdraw.use("svg")
    with schemdraw.Drawing(show=False) as drawing:
        drawing.config(unit=2, fontsize=9, font="sans-serif")
        _pump(drawing, board)
        _bridge(drawing, board)
        _lead(drawing, board)
    text = drawing.get_imagedata("svg").decode("utf-8")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _name(board: Snapshot, ref: str) -> str:
    return f"{ref}\n{board.part(ref).spec.value}"


def _text(drawing: Any, x: float, y: float, text: str, halign: str = "center") -> None:
    drawing += elm.Label().at((x, y)).label(text, halign=halign, valign="center", fontsize=9)


def _wire(drawing: Any, *points: tuple[float, float]) -> None:
    for start, end in pairwise(points):
        drawing += elm.Line().at(start).to(end)


def _resistor(
    drawing: Any, board: Snapshot, ref: str, start: tuple[float, float], end: tuple[float, float]
) -> None:
    drawing += elm.ResistorIEC().at(start).to(end).label(_name(board, ref), loc="bottom", fontsize=8)


def _pump(drawing: Any, board: Snapshot) -> None:
    """DAC, sink, mirror: P is the output."""
    first = drawing.add(elm.Opamp(leads=True).at((1.5, 2.0)).anchor("in2").right().flip())
    _wire(drawing, (0.3, 2.0), (1.5, 2.0))
    _text(drawing, 0.2, 2.0, "L_DAC", "right")
    sink = drawing.add(elm.NFet().at((first.out[0] + 0.6, first.out[1])).anchor("gate").theta(0).reverse())
    _wire(drawing, tuple(first.out), tuple(sink.gate))
    _resistor(drawing, board, "R_L_ONE", tuple(sink.source), (sink.source[0], sink.source[1] - 1.8))
    drawing += elm.Ground().at((sink.source[0], sink.source[1] - 1.8))
    turn = (sink.source[0] - 0.9, sink.source[1] - 0.1)
    left = first.in1[0] - 0.2
    _wire(
        drawing,
        tuple(first.in1),
        (left, first.in1[1]),
        (left, 0.3),
        (turn[0], 0.3),
        turn,
        (sink.source[0], turn[1]),
    )
    top = 6.4
    _resistor(drawing, board, "R_L_TWO", (sink.drain[0], top), (sink.drain[0], top - 1.8))
    _wire(drawing, (sink.drain[0], top - 1.8), tuple(sink.drain))
    drawing += elm.Vdd().at((sink.drain[0], top)).label("+15 V")
    tap = (sink.drain[0], 4.3)
    second = drawing.add(elm.Opamp(leads=True).at((tap[0] + 1.2, tap[1])).anchor("in2").right().flip())
    drawing += elm.Dot().at(tap)
    _wire(drawing, tap, tuple(second.in2))
    out = drawing.add(elm.PFet().at((second.out[0] + 0.6, second.out[1])).anchor("gate").theta(0).reverse())
    _wire(drawing, tuple(second.out), tuple(out.gate))
    _resistor(drawing, board, "R_L_THREE", (out.source[0], top), (out.source[0], top - 1.0))
    drawing += elm.Vdd().at((out.source[0], top)).label("+15 V")
    _wire(drawing, (out.source[0], top - 1.0), tuple(out.source))
    _wire(drawing, tuple(second.in1), (second.in1[0], 5.4), (out.source[0], 5.4))
    _wire(drawing, tuple(out.drain), (out.drain[0], 3.2), (15.5, 3.2))
    _text(drawing, 1.6, 3.2, "U_L_PUMP (both)")
    _text(drawing, sink.drain[0] + 0.3, 2.6, "Q_L_SINK", "left")
    _text(drawing, out.source[0] + 0.5, 4.2, "Q_L_OUT", "left")
    _text(drawing, 14.5, 3.5, "L_P")


def _switch(drawing: Any, x: float, top: float, label: str) -> None:
    drawing += elm.Switch().at((x, top)).down().length(1.6).label(label, loc="bottom", fontsize=8)


def _bridge(drawing: Any, board: Snapshot) -> None:
    """Idle leg and four switches."""
    _wire(drawing, (15.5, 3.2), (20.5, 3.2))
    _switch(drawing, 15.5, 3.2, "IDLE")
    drawing += elm.Ground().at((15.5, 1.6))
    for x, upper, lower in ((17.5, "ANOD", "CATH"), (20.5, "CATH", "ANOD")):
        _switch(drawing, x, 3.2, upper)
        _wire(drawing, (x, 1.6), (x, 0.8))
        _switch(drawing, x, 0.8, lower)
        drawing += elm.Ground().at((x, -0.8))
        drawing += elm.Dot().at((x, 1.2))
    _text(drawing, 17.3, 1.2, "L_A", "right")
    _text(drawing, 20.3, 1.2, "L_B", "right")
    bridge, idle = board.part("U_L_BRIDGE").spec.value, board.part("U_IDLE").spec.value
    _text(drawing, 18, 4.0, f"U_L_BRIDGE {bridge}, U_IDLE {idle}")


def _lead(drawing: Any, board: Snapshot) -> None:
    """Shunt, recharge, blocking capacitor, relay, matrix, electrodes."""
    y = -2.6
    _wire(drawing, (17.5, 1.2), (18.4, 1.2), (18.4, y), (19, y))
    _resistor(drawing, board, "R_L_SHUNT", (19, y), (21, y))
    drawing += elm.Dot().at((21.4, y))
    _wire(drawing, (21, y), (22, y))
    _text(drawing, 21.4, y + 0.3, "L_X")
    drawing += elm.Capacitor().at((22, y)).right().length(1.8).label(_name(board, "C_L_BLOCK"), fontsize=8)
    drawing += elm.Switch().at((23.8, y)).right().length(1.6).label("K_L", fontsize=8)
    _wire(drawing, (25.4, y), (26.2, y))
    _text(drawing, 26.3, y, "L_SRC: to electrodes", "left")
    low = -6.2
    _wire(drawing, (20.5, 1.2), (21.8, 1.2), (21.8, low), (23.8, low))
    drawing += elm.Switch().at((23.8, low)).right().length(1.6).label("K_L", fontsize=8)
    _wire(drawing, (25.4, low), (26.2, low))
    _text(drawing, 26.3, low, "L_SNK: to electrodes", "left")
    _resistor(drawing, board, "R_L_SHORT", (21.4, y), (21.4, y - 1.8))
    _switch(drawing, 21.4, y - 1.8, "SHORT")
    _wire(drawing, (21.4, y - 3.4), (21.4, low), (21.8, low))
    drawing += elm.Dot().at((21.8, low))
    matrix = board.part("U_L_MATRIX").spec.value
    _text(drawing, 28, 0.5 * (y + low), f"U_L_MATRIX {matrix}:")
    _text(drawing, 28.0, 0.5 * (y + low) - 0.5, "switches 1-4: L_SRC, 5-8: L_SNK")
    _text(drawing, 31.0, y, " ")
