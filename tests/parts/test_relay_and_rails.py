"""The relay behind Q, and the +-15 V: their times, and each way in which they fail."""

import pytest
from stimbench.parts.monostable import Monostable
from stimbench.parts.rails import Rails
from stimbench.parts.relay import CLOSES_MS, OPENS_MS, Relay
from support.parts_fakes import MS, US, FakeBoard

CLOSES_NS, OPENS_NS = 500 * US, 700 * US
"""docs/circuit.md, "How it works": 0.7 to 2.2 ms to open; 0.5 ms to close is the data sheet's most."""


class Rig:
    def __init__(self):
        self.board = FakeBoard()
        self.clock = self.board.clock
        self.board.pin("MAGNET").drive(True)
        self.gate = Monostable(self.clock, self.board.pin("KEEPALIVE"), self.board.pin("MAGNET"))
        self.relay = Relay(self.clock, self.gate)
        self.moves: list[tuple[int, bool]] = []
        self.relay.on_change(lambda time_ns: self.moves.append((time_ns, self.relay.is_closed)))

    def reset(self):
        self.board.pin("MAGNET").drive(False)
        self.board.pin("MAGNET").drive(True)


class TestRelay:
    def test_it_closes_after_q_rises_and_opens_after_q_falls(self):
        rig = Rig()
        assert not rig.relay.is_closed
        rig.clock.run_to(1 * MS)
        rig.board.keep_alive()
        rig.clock.run_for(500 * MS)
        assert rig.moves == [(1 * MS + CLOSES_NS, True), (121 * MS + OPENS_NS, False)]

    def test_a_pulse_of_q_that_is_shorter_than_its_time_moves_nothing(self):
        rig = Rig()
        rig.board.keep_alive()
        rig.clock.run_for(CLOSES_NS - 1)
        rig.reset()
        rig.clock.run_for(100 * MS)
        assert rig.moves == []

    def test_a_gap_in_q_that_is_shorter_than_its_time_moves_nothing(self):
        rig = Rig()
        rig.board.keep_alive()
        rig.clock.run_for(10 * MS)
        rig.reset()
        rig.clock.run_for(OPENS_NS - 1)
        rig.board.keep_alive()
        rig.clock.run_for(50 * MS)
        assert rig.relay.is_closed and len(rig.moves) == 1

    def test_a_second_rise_starts_its_time_again(self):
        rig = Rig()
        rig.board.keep_alive()
        rig.clock.run_for(CLOSES_NS - 1)
        rig.reset()
        rig.board.keep_alive()
        rig.clock.run_for(CLOSES_NS - 1)
        assert not rig.relay.is_closed
        rig.clock.run_for(1)
        assert rig.relay.is_closed

    def test_a_welded_contact_stays_closed_until_it_is_mended(self):
        rig = Rig()
        rig.relay.fix(True)
        assert rig.relay.is_closed and rig.relay.fixed is True
        rig.board.keep_alive()
        rig.clock.run_for(500 * MS)
        assert rig.relay.is_closed
        rig.relay.fix(None)
        assert not rig.relay.is_closed and rig.relay.fixed is None

    def test_one_that_never_closes_does_so_once_it_is_mended(self):
        rig = Rig()
        rig.relay.fix(False)
        rig.board.keep_alive()
        rig.clock.run_for(10 * MS)
        assert not rig.relay.is_closed and rig.moves == []
        rig.relay.fix(None)
        assert rig.relay.is_closed, "its coil has been on for 10 ms"

    @pytest.mark.parametrize("which", ["typical", "worst"])
    def test_its_tolerance(self, which):
        rig = Rig()
        rig.relay.tolerance(CLOSES_MS[which], OPENS_MS[which])
        rig.board.keep_alive()
        rig.clock.run_for(500 * MS)
        times = [round(CLOSES_MS[which] * MS), 120 * MS + round(OPENS_MS[which] * MS)]
        assert [time_ns for time_ns, _ in rig.moves] == times


class TestRails:
    def made(self, **options):
        board = FakeBoard()
        rails = Rails(board.clock, **options)
        self.moves = []
        rails.on_change(lambda time_ns: self.moves.append((time_ns, rails.up)))
        return board.clock, rails

    def test_they_take_30_ms(self):
        clock, rails = self.made()
        clock.run_to(30 * MS - 1)
        assert not rails.up
        clock.run_for(1)
        assert rails.up and self.moves == [(30 * MS, True)]

    def test_slow_ones_take_longer_and_ideal_ones_no_time(self):
        clock, rails = self.made(start_ms=250.0)
        clock.run_to(249 * MS)
        assert not rails.up
        clock.run_for(1 * MS)
        assert rails.up
        assert self.made(start_ms=0.0)[1].up

    def test_they_never_come(self):
        clock, rails = self.made()
        rails.lose()
        clock.run_to(1000 * MS)
        rails.power(False)
        rails.power(True)
        clock.run_for(1000 * MS)
        assert not rails.up and self.moves == []

    def test_they_are_lost_and_mended(self):
        clock, rails = self.made()
        clock.run_to(100 * MS)
        rails.lose()
        clock.run_to(200 * MS)
        rails.lose(False)
        assert self.moves == [(30 * MS, True), (100 * MS, False), (200 * MS, True)]

    def test_they_go_with_the_boards_supply_and_start_again(self):
        clock, rails = self.made()
        clock.run_to(20 * MS)
        rails.power(False)
        clock.run_to(100 * MS)
        assert not rails.up, "what was under way is cancelled"
        rails.lose(False)
        assert not rails.up, "mended, but without supply"
        rails.power(True)
        clock.run_to(129 * MS)
        assert not rails.up
        clock.run_to(130 * MS)
        assert rails.up
