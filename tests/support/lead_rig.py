"""One stimulator on a fake board, its left lead ready to be driven."""

from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorParts, StimulatorWiring, wire_stimulator

from support.parts_fakes import US, FakeBoard

SWITCHES_OHM = 19.0
"""One ADG1414 channel of 9.5 ohm on each side."""
PAIR = 0x21
"""Electrode 0 to the source rail, electrode 1 to the sink rail."""


def make(**config) -> tuple[FakeBoard, StimulatorParts]:
    board = FakeBoard()
    config.setdefault("ideal", True)
    return board, wire_stimulator(board, StimulatorWiring(**config), AirChannel())


def ready(mask: int = PAIR, code: int = 1600, **config):
    board, parts = make(**config)
    board.set_dac(0, code)
    board.set_matrix(mask)
    board.clock.run_for(50 * US)
    board.keep_alive()
    return board, parts, parts.leads["left"]


def volts(board, lead):
    return lead.volts(board.clock.now_ns)


def amps(board, lead):
    return lead.amps(board.clock.now_ns)
