"""74HCT423 against its function table (Nexperia 74HC_HCT423, section 7, table 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.monostable import Monostable
from support.parts_fakes import MS, FakeBoard

PULSE_NS = 120 * MS
"""267 kohm and 1 uF (docs/circuit.md, "Gate")."""


class Rig:
    def __init__(self, **options):
        self.board = FakeBoard()
        self.clock = self.board.clock
        self.b, self.clr = self.board.pin("KEEPALIVE"), self.board.pin("MAGNET")
        self.clr.drive(True)
        self.gate = Monostable(self.clock, self.b, self.clr, **options)
        self.log: list[tuple[int, bool]] = []
        self.gate.on_change(lambda q, t: self.log.append((t, q)))


def test_power_on_is_off_and_stays_off():
    rig = Rig()
    rig.clock.run_for(500 * MS)
    assert not rig.gate.q and rig.log == []


def test_rising_b_triggers_a_pulse_of_120_ms():
    """Row: CLR = H, A = L, B rising."""
    rig = Rig()
    rig.clock.run_to(5 * MS)
    rig.b.out(True)
    rig.clock.run_for(500 * MS)
    assert rig.log == [(5 * MS, True), (125 * MS, False)]


def test_falling_b_does_nothing():
    rig = Rig()
    rig.b.out(True)
    rig.clock.run_for(119 * MS)
    rig.b.out(False)
    rig.clock.run_for(50 * MS)
    assert rig.log == [(0, True), (PULSE_NS, False)]


def test_retriggering_extends_from_the_last_edge():
    rig = Rig()
    for _ in range(20):
        rig.b.out(True)
        rig.clock.run_for(30 * MS)
        rig.b.out(False)
        rig.clock.run_for(30 * MS)
    last = 19 * 60 * MS
    rig.clock.run_for(500 * MS)
    assert rig.log == [(0, True), (last + PULSE_NS, False)]
    assert rig.gate.triggers == 20


def test_falling_a_triggers_while_b_is_high():
    """Row: CLR = H, A falling, B = H."""
    rig = Rig()
    rig.gate.drive_a(True)
    rig.b.out(True)
    assert not rig.gate.q, "A high inhibits"
    rig.gate.drive_a(False)
    assert rig.gate.q


def test_low_clr_resets_at_once_and_holds():
    """Row: CLR = L, whatever A and B do."""
    rig = Rig()
    rig.b.out(True)
    rig.clock.run_to(10 * MS)
    rig.clr.drive(False)
    assert rig.log[-1] == (10 * MS, False)
    rig.b.out(False)
    rig.b.out(True)
    assert not rig.gate.q
    rig.clock.run_for(500 * MS)
    assert len(rig.log) == 2


@pytest.mark.parametrize("a", [False, True])
@pytest.mark.parametrize("b", [False, True])
def test_a_rising_reset_triggers_nothing(a, b):
    """A '123 would; a '423 stays off when the magnet goes, whatever A and B are."""
    rig = Rig()
    rig.gate.drive_a(a)
    rig.b.out(True)
    rig.clock.run_to(10 * MS)
    rig.clr.drive(False)
    rig.b.out(b)
    was = len(rig.log)
    rig.clr.drive(True)
    rig.clock.run_for(500 * MS)
    assert not rig.gate.q and len(rig.log) == was


def test_the_next_edge_of_b_after_a_reset_triggers():
    """One retrigger is enough: the reset holds nothing once it is high."""
    rig = Rig()
    rig.b.out(True)
    rig.clr.drive(False)
    rig.clr.drive(True)
    rig.b.out(False)
    assert not rig.gate.q
    rig.b.out(True)
    assert rig.gate.q


def test_a_pulse_after_a_reset_has_its_full_length():
    """The old deadline must not end the new pulse."""
    rig = Rig()
    rig.b.out(True)
    rig.clock.run_to(90 * MS)
    rig.clr.drive(False)
    rig.b.out(False)
    rig.clr.drive(True)
    rig.b.out(True)
    rig.clock.run_for(500 * MS)
    assert rig.log[-2:] == [(90 * MS, True), (210 * MS, False)]


@pytest.mark.parametrize(("tolerance", "pulse_ns"), [(-0.1, 108 * MS), (0.1, 132 * MS)])
def test_tolerance_of_the_rc(tolerance, pulse_ns):
    rig = Rig(tolerance=tolerance)
    rig.b.out(True)
    rig.clock.run_for(500 * MS)
    assert rig.log[-1] == (pulse_ns, False)


def test_cut_clr_ignores_the_magnet_until_mended():
    rig = Rig(clr_cut=True)
    rig.b.out(True)
    rig.clr.drive(False)
    assert rig.gate.q
    rig.gate.cut_clr(False)
    assert not rig.gate.q, "mended while the magnet is there"


@pytest.mark.control("C-06", "C-03")
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 150)), max_size=30))
def test_never_on_without_a_trigger_within_the_pulse_or_with_clr_low(moves):
    rig = Rig()
    last_trigger = None
    for what, ms in moves:
        rising = what == 0 and not rig.b.level and rig.clr.level
        if what == 0:
            rig.b.out(not rig.b.level)
        else:
            rig.clr.drive(what == 2)
        if rising:
            last_trigger = rig.clock.now_ns
        if not rig.clr.level:
            last_trigger = None
        rig.clock.run_for(ms * MS)
        due = last_trigger is not None and rig.clock.now_ns < last_trigger + PULSE_NS
        assert rig.gate.q == due
