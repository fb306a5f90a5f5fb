"""Networks of resistors against Ohm and Kirchhoff."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.dc_network import GROUND, DcNetwork

OHM = st.floats(0.1, 1e8)


def test_ohms_law():
    net = DcNetwork()
    net.resistor("a", GROUND, 500.0)
    net.current("a", 4e-3)
    assert net.solve()["a"] == pytest.approx(2.0)
    assert net.ohm_at("a") == pytest.approx(500.0)


@given(OHM, OHM, st.floats(-20, 20))
def test_a_divider(top, bottom, volts):
    net = DcNetwork()
    net.source("in", volts, 1e-3)
    net.resistor("in", "out", top)
    net.resistor("out", GROUND, bottom)
    assert net.solve()["out"] == pytest.approx(volts * bottom / (top + bottom), rel=2e-2, abs=1e-6)


@given(st.lists(OHM, min_size=1, max_size=6))
def test_parallel_resistors(ohms):
    net = DcNetwork()
    for ohm in ohms:
        net.resistor("a", GROUND, ohm)
    assert net.ohm_at("a") == pytest.approx(1.0 / sum(1.0 / ohm for ohm in ohms), rel=1e-4)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcdG"), OHM), min_size=1, max_size=8))
def test_what_is_pushed_in_comes_out(joins):
    net = DcNetwork()
    currents = {"a": 1e-3, "b": -2e-3}
    for node, amps in currents.items():
        net.current(node, amps)
    net.resistor("a", GROUND, 1e3)
    net.resistor("b", GROUND, 1e3)
    for one, other, ohm in joins:
        if one != other:
            net.resistor(one, GROUND if other == "G" else other, ohm)
    volts = net.solve()
    out = volts["a"] / 1e3 + volts["b"] / 1e3
    out += sum(volts[one] / ohm for one, other, ohm in joins if other == "G")
    assert out == pytest.approx(sum(currents.values()), rel=1e-3, abs=1e-9)


def test_a_loose_node_has_a_voltage_and_drifts_far():
    net = DcNetwork()
    net.current("rail", 5e-12)
    net.resistor("x", "y", 1e3)
    volts = net.solve()
    assert volts["rail"] == pytest.approx(50.0)
    assert volts["x"] == volts["y"] == 0.0


@pytest.mark.parametrize("ohm", [math.inf, 0.0, -1.0])
def test_what_is_no_resistor_joins_nothing(ohm):
    net = DcNetwork()
    net.current("a", 1e-6)
    net.resistor("a", GROUND, ohm)
    assert net.solve()["a"] > 1e6


def test_nothing_at_all():
    assert DcNetwork().solve() == {GROUND: 0.0}
