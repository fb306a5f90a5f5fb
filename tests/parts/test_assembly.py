"""Errors of assembly do to the parts what the wrong wire would do."""

import pytest
from stimbench.parts import tolerances
from stimbench.parts.assembly import ERRORS, WRONG_REFERENCE_V, check, connector_of
from stimbench.parts.bridge import BridgeState
from stimbench.parts.probe_points import ProbePoints
from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorWiring, wire_stimulator
from support.parts_fakes import MS, FakeBoard


def stimulator(*assembly, **config):
    board = FakeBoard()
    config = {"bounce_ms": 0, "ideal": True} | config
    parts = wire_stimulator(board, StimulatorWiring(assembly=assembly, **config), AirChannel())
    return board, parts


def driven(board, signal):
    """A line is high with Q high, for 4 ms: relays have moved."""
    board.keep_alive()
    board.pin(signal).out(True)
    board.clock.run_for(4 * MS)


def test_a_board_in_order_has_none():
    board, parts = stimulator()
    assert parts.assembly == ()
    driven(board, "L_CATH")
    assert parts.bridges["left"].state is BridgeState.CATHODIC


def test_what_is_no_error_is_refused():
    with pytest.raises(ValueError, match="there is no assembly error 'upside-down'"):
        stimulator("upside-down")
    check(tuple(ERRORS))


def test_bridge_lines_swapped():
    board, parts = stimulator("bridge-lines-swapped")
    driven(board, "L_CATH")
    assert parts.bridges["left"].state is BridgeState.ANODIC
    board.pin("R_CATH").out(True)
    assert parts.bridges["right"].state is BridgeState.CATHODIC, "the right lead is in order"


def test_sync_and_cs_swapped():
    board, parts = stimulator("sync-and-cs-swapped")
    board.set_dac(0, 1600)
    assert parts.dac.code(0) == 0, "the DAC never saw its command"
    board.select("MATRIX_CS", 0, bytes([0x36, 0x40]))
    board.pin("LDAC").out(False)
    assert parts.dac.code(0) != 0, "it took the matrix' bytes, in the wrong mode"


def test_no_level_shifter():
    board, parts = stimulator("no-level-shifter")
    board.set_dac(0, 1600)
    assert parts.dac.code(0) == 0
    board.set_matrix(0x21)
    assert parts.matrix.mask(0) == 0x21, "the matrix runs from 3.3 V"


def test_dac_reference_wrong():
    board, parts = stimulator("dac-reference-wrong")
    board.set_dac(0, 1600)
    board.clock.run_for(1 * MS)
    assert parts.dac.volts(0, board.clock.now_ns) == pytest.approx(WRONG_REFERENCE_V * 1600 / 4096)


def test_clr_not_joined():
    board, parts = stimulator("clr-not-joined")
    board.keep_alive()
    parts.magnet.close()
    assert parts.gate.q


def test_relay_reversed():
    board, parts = stimulator("relay-reversed")
    driven(board, "L_CATH")
    assert not parts.relays["left"].is_closed and parts.relays["right"].is_closed
    assert parts.bridges["left"].state is BridgeState.OFF


def test_bleed_missing():
    board, parts = stimulator("bleed-missing")
    assert parts.voltage_senses["left"](board.clock.now_ns) > 3.0
    assert parts.voltage_senses["right"](board.clock.now_ns) == pytest.approx(1.65)
    board.set_matrix(0x21)
    assert parts.voltage_senses["left"](board.clock.now_ns) == pytest.approx(1.65), "electrodes hold it"


def test_shunt_10x():
    _, parts = stimulator("shunt-10x")
    middle = parts.current_sense.shown((0.0, 0.0))
    assert parts.current_sense.shown((1e-4, 0.0)) - middle == pytest.approx(0.15)
    assert parts.current_sense.shown((0.0, 1e-3)) - middle == pytest.approx(0.15)


def test_ce_open():
    board, parts = stimulator("ce-open", radio_reset_ms=0, radio_start_up_ms=0)
    board.clock.run_for(200 * MS)
    assert board.select("RADIO_CSN", 1, b"\x05\xff")[1] == 2, "it answers"
    board.pin("RADIO_CE").out(True)
    points = ProbePoints(parts, board, lambda: True)
    assert points.volts("RADIO_CE", "A_RADIO 3") < 0.1 < 3.0 < points.volts("RADIO_CE", "A_PICO 19")


def test_lead_swapped():
    assert connector_of("left", ("lead-swapped",)) == "right"
    assert connector_of("right", ("lead-swapped",)) == "left"
    assert connector_of("left", ()) == "left"


@pytest.mark.parametrize("choice", ["worst", 5])
def test_tolerances_hide_no_error(choice):
    _, parts = stimulator("shunt-10x", "dac-reference-wrong", ideal=False, seed=3)
    tolerances.apply(parts, choice, 3)
    assert parts.current_sense.shares[0] > 9.0
    assert parts.dac.vref_v == WRONG_REFERENCE_V
