"""What a meter finds on a board in order, against what the circuit says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.probe_points import ProbePoints
from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorWiring, wire_stimulator
from support.parts_fakes import MS, FakeBoard


class Desk:
    def __init__(self, seed=1, assembly=()):
        self.board = FakeBoard()
        config = StimulatorWiring(seed=seed, assembly=assembly, bounce_ms=0)
        self.parts = wire_stimulator(self.board, config, AirChannel())
        self.powered = True
        self.points = ProbePoints(self.parts, self.board, lambda: self.powered, seed)
        self.points.take_away()
        self.board.clock.run_for(100 * MS)

    def hold(self, signal=None, code=0):
        self.board.set_dac(0, code)
        self.board.keep_alive()
        if signal:
            self.board.pin(signal).out(True)
        self.board.clock.run_for(5 * MS)


@pytest.fixture
def desk():
    return Desk()


def test_supplies_and_references(desk):
    for net, volts in (("+5V", 5.0), ("+15V", 15.0), ("-15V", -15.0), ("+3V3", 3.3), ("V_REF3V3", 3.3),
                       ("V_REF4V096", 4.096), ("V_MID", 1.65), ("Q", 0.0), ("MAGNET", 3.3)):  # fmt: skip
        assert desk.points.volts(net) == pytest.approx(volts, rel=0.021, abs=0.02)


def test_without_power_everything_is_at_ground_and_ohms_can_be_measured(desk):
    desk.powered = False
    assert desk.points.volts("+15V") == desk.points.volts("L_P") == 0.0
    assert desk.points.ohms("L_A", "L_X") == pytest.approx(15.0, rel=0.002)
    assert desk.points.ohms("L_X", "L_BLOCK") == math.inf


@given(st.integers(1, 500), st.integers(200, 4000))
def test_four_milliampere_into_500_ohm_are_two_volts(seed, code):
    desk = Desk(seed)
    desk.points.fit("L_P", "GND", 500.0)
    desk.hold("L_CATH", code)
    volts = desk.parts.dac.volts(0, desk.board.clock.now_ns) * 2.5e-3 * 500.0
    assert desk.points.volts("L_P") == pytest.approx(volts, rel=0.005, abs=2e-3)


def test_at_rest_the_idle_leg_takes_it(desk):
    desk.hold(code=4000)
    assert 0.1 < desk.points.volts("L_P") < 0.35
    assert desk.points.volts("L_IDLE_G") == 5.0 and desk.points.volts("L_CATH_G") < 0.1


def test_without_a_way_the_pump_stands_at_its_limit(desk):
    desk.hold("L_CATH", 1600)
    assert 14.5 < desk.points.volts("L_P") <= 15.0


def test_the_bridge_turns_the_current(desk):
    desk.points.fit("L_X", "L_B", 500.0)
    desk.hold("L_ANOD", 1600)
    anodic = desk.points.volts("L_X", "", "L_B")
    assert desk.points.volts("I_SENSE") == pytest.approx(1.65 + 0.6, abs=0.02)
    desk.board.pin("L_ANOD").out(False)
    desk.board.pin("L_CATH").out(True)
    desk.board.clock.run_for(1 * MS)
    assert desk.points.volts("L_X", "", "L_B") == pytest.approx(-anodic, rel=1e-3)
    assert desk.points.volts("I_SENSE") == pytest.approx(1.65 - 0.6, abs=0.02)


def test_relay_and_recharge(desk):
    assert desk.points.ohms("L_B", "L_SNK") > 1e8
    assert desk.points.ohms("L_X", "L_B") == pytest.approx(10e6, rel=0.1)
    desk.hold("L_SHORT")
    assert desk.points.ohms("L_B", "L_SNK") < 0.2
    assert desk.points.ohms("L_X", "L_B") == pytest.approx(1025.0, rel=0.02)
    assert desk.points.volts("L_COIL") < 0.2
    desk.board.clock.run_for(200 * MS)
    assert desk.points.volts("L_COIL") == 5.0


def test_a_resistor_at_a_connector_is_between_the_rails(desk):
    desk.points.fit("L_E0", "L_E1", 500.0)
    assert desk.points.ohms("L_SRC", "L_SNK") > 1e7
    desk.board.set_matrix(0x21)
    assert desk.points.ohms("L_SRC", "L_SNK") == pytest.approx(519.0, abs=2.0)
    assert desk.points.ohms("R_SRC", "R_SNK") > 1e7
    desk.points.take_away()
    assert desk.points.ohms("L_SRC", "L_SNK") > 1e7


def test_rails_rest_at_ground_through_their_bleeds(desk):
    assert abs(desk.points.volts("L_SRC_BUF")) < 0.01
    assert desk.points.volts("V_LEFT") == pytest.approx(1.65, abs=0.01)


def test_without_a_bleed_the_source_rail_drifts_away():
    desk = Desk(assembly=("bleed-missing",))
    assert desk.points.volts("L_SRC_BUF") > 14.0 and abs(desk.points.volts("L_SNK_BUF")) < 0.01
    assert desk.points.volts("V_LEFT") > 2.9


def test_measuring_changes_nothing(desk):
    desk.hold("L_CATH", 1600)
    before = desk.points.volts("L_P"), desk.parts.leads["left"].volts(desk.board.clock.now_ns)
    for one, other in (("L_B", "L_SNK"), ("L_X", "L_B"), ("L_SRC", "L_SNK")):
        desk.points.ohms(one, other)
    assert before == (desk.points.volts("L_P"), desk.parts.leads["left"].volts(desk.board.clock.now_ns))


@pytest.mark.parametrize("net", ["NOWHERE", "L_NOWHERE", "X"])
def test_nobody_probes_what_there_is_not(desk, net):
    with pytest.raises(KeyError):
        desk.points.volts(net)


def test_a_resistor_has_its_place(desk):
    with pytest.raises(ValueError, match="no test resistor belongs"):
        desk.points.fit("+15V", "GND", 500.0)
