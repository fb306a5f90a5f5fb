"""Gates, relay and rails between a line and the lead: what ends a current, and what fails with it."""

import pytest
from stimbench.parts.bridge import BridgeState
from support.lead_rig import amps, ready
from support.parts_fakes import MS, US

OPENS_NS = 700 * US


def driven(**config):
    """4 mA in the left lead; its relays have their typical times."""
    board, parts, lead = ready(**config)
    for relay in parts.relays.values():
        relay.tolerance(0.5, 0.7)
    lead.load_resistor(500.0)
    board.pin("L_CATH").out(True)
    board.clock.run_for(1 * MS)
    assert amps(board, lead) == pytest.approx(-4e-3)
    return board, parts, lead


def last_ns(lead):
    return lead.trace.segments[-1][1]


@pytest.mark.control("C-03")
class TestQFalls:
    def test_the_gates_end_the_current_at_once(self):
        board, parts, lead = driven()
        fell = board.clock.now_ns
        parts.magnet.close()
        board.clock.run_for(10 * MS)
        assert last_ns(lead) == fell

    def test_with_stuck_gates_the_relay_ends_it_after_its_time(self):
        board, parts, lead = driven()
        parts.bridges["left"].break_gates(True, board.clock.now_ns)
        fell = board.clock.now_ns
        parts.magnet.close()
        board.clock.run_for(OPENS_NS - 1)
        assert amps(board, lead) == pytest.approx(-4e-3), "until then it flows"
        board.clock.run_for(10 * MS)
        assert last_ns(lead) == fell + OPENS_NS and amps(board, lead) == 0.0

    def test_with_a_welded_relay_the_gates_end_it_at_once(self):
        board, parts, lead = driven()
        parts.relays["left"].fix(True)
        fell = board.clock.now_ns
        parts.magnet.close()
        board.clock.run_for(10 * MS)
        assert last_ns(lead) == fell

    def test_with_both_broken_nothing_does(self):
        board, parts, lead = driven()
        parts.bridges["left"].break_gates(True, board.clock.now_ns)
        parts.relays["left"].fix(True)
        parts.magnet.close()
        board.clock.run_for(10 * MS)
        assert amps(board, lead) == pytest.approx(-4e-3)

    def test_mended_gates_end_it(self):
        board, parts, lead = driven()
        parts.bridges["left"].break_gates(True, board.clock.now_ns)
        parts.relays["left"].fix(True)
        parts.magnet.close()
        parts.bridges["left"].break_gates(False, board.clock.now_ns)
        assert amps(board, lead) == 0.0


def test_the_first_pulse_after_q_waits_for_the_relay():
    board, parts, lead = ready(ideal=False)
    parts.magnet.close()
    board.clock.run_for(20 * MS)
    parts.magnet.open()
    board.clock.run_for(20 * MS)
    begun = board.clock.now_ns
    board.keep_alive()
    board.phase("L_CATH", 2 * MS)
    assert lead.trace.segments[0][0] == begun + 500 * US


@pytest.mark.parametrize("signal", ["L_CATH", "L_ANOD", "L_SHORT"])
def test_nothing_conducts_without_the_rails_and_a_line_that_is_high_does_when_they_come(signal):
    board, parts, lead = ready()
    board.phase("L_CATH", 100 * US)
    parts.rails.lose()
    lead.trace.clear()
    board.pin(signal).out(True)
    board.clock.run_for(1 * MS)
    assert parts.bridges["left"].state is BridgeState.OFF and lead.trace.segments == []
    parts.rails.lose(False)
    assert parts.bridges["left"].state is not BridgeState.OFF


def test_rails_that_are_lost_end_a_phase():
    board, parts, lead = driven()
    lost = board.clock.now_ns
    parts.rails.lose()
    board.clock.run_for(1 * MS)
    assert last_ns(lead) == lost


class TestQ:
    def test_stuck_high_no_magnet_ends_it(self):
        board, parts, lead = driven()
        parts.gate.stick(True)
        parts.magnet.close()
        board.clock.run_for(5 * MS)
        assert parts.gate.q and amps(board, lead) == pytest.approx(-4e-3)
        parts.gate.stick(None)
        assert not parts.gate.q and parts.gate.stuck is None

    def test_stuck_low_no_keepalive_starts_it(self):
        board, parts, lead = driven()
        parts.gate.stick(False)
        board.keep_alive()
        board.clock.run_for(10 * MS)
        assert not parts.gate.q and amps(board, lead) == 0.0
        parts.gate.stick(None)
        assert parts.gate.q, "the pulse that KEEPALIVE began is under way"

    def test_its_pin_follows_it(self):
        board, parts, _ = ready()
        pin, levels = board.pin("GATE_Q"), []
        pin.on_edge(lambda level, time_ns: levels.append((time_ns, level)))
        assert pin.level
        begun = board.clock.now_ns
        board.clock.run_for(200 * MS)
        parts.gate.stick(True)
        assert levels == [(begun + 120 * MS, False), (board.clock.now_ns, True)]
        parts.gate.stick(False)
        assert not pin.level
