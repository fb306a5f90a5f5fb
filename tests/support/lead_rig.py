"""One stimulator on a fake board, its left lead ready to be driven."""

from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorParts, StimulatorWiring, wire_stimulator

from support.parts_fakes import MS, US, FakeBoard

SWITCHES_OHM = 19.0
"""One ADG1414 channel of 9.5 ohm on each side."""
BLEED_OHM = 100e6
"""Between a lead's rails (docs/circuit.md): 5 ppm less voltage at 500 ohm."""
LIMIT_OHM = 170.0
"""Between +15 V and the lead: the pump's 100 ohm and transistor (5), two DG412 of 25 ohm, the shunt's 15."""
RECHARGE_OHM = 1025.0
"""1 kohm and one DG412."""
RAILS_NS, RELAY_NS = 30 * MS, 500 * US
"""Until +-15 V are there and until a relay has closed: typical parts; ideal ones need no time."""
PAIR = 0x21
"""Electrode 0 to the source rail, electrode 1 to the sink rail."""


def make(**config) -> tuple[FakeBoard, StimulatorParts]:
    board = FakeBoard()
    config.setdefault("ideal", True)
    return board, wire_stimulator(board, StimulatorWiring(**config), AirChannel())


def bled(ohm: float) -> float:
    """What is left of a resistance between the rails beside the bleed."""
    return 1.0 / (1.0 / ohm + 1.0 / BLEED_OHM)


def ready(mask: int = PAIR, code: int = 1600, **config):
    """A board whose left lead can be driven, 50 us after its start; 30.6 ms with parts that are not ideal."""
    board, parts = make(**config)
    waits = not config.get("ideal", True)
    if waits:
        board.clock.run_for(RAILS_NS)
    board.set_dac(0, code)
    board.set_matrix(mask)
    board.clock.run_for(50 * US)
    board.keep_alive()
    if waits:
        board.clock.run_for(RELAY_NS)
    return board, parts, parts.leads["left"]


def volts(board, lead):
    return lead.volts(board.clock.now_ns)


def amps(board, lead):
    return lead.amps(board.clock.now_ns)
