"""Each failure of the bench's parts does what physics says, and nothing before it is injected."""

import random

import pytest
from stimbench.parts import faults, tolerances
from stimbench.parts.faults import FAILURES, Place
from support.lead_rig import LIMIT_OHM, SWITCHES_OHM, make, ready, volts
from support.parts_fakes import MS, US

CODE = 1600  # 4 mA
PAIR = 0x21  # electrode 0 to the source rail, 1 to the sink rail
AMPS = 4e-3
OHM = 500.0 + SWITCHES_OHM
ALL = [row.name for row in FAILURES]


def inject(board, parts, name, seed=1, side="left"):
    faults.failure(name).inject(Place(parts, board.clock, side, 0, 1, random.Random(seed), CODE))


def driven(board, lead, signal="L_ANOD"):
    """Shunt current (A) and rail voltage (V) 20 us into a phase of 4 mA."""
    board.keep_alive()
    board.pin(signal).out(True)
    board.clock.run_for(20 * US)
    found = lead.shunt_amps(board.clock.now_ns), volts(board, lead)
    board.pin(signal).out(False)
    return found


def made(name, seed=1, **config):
    board, parts, lead = ready(PAIR, CODE, **config)
    assert driven(board, lead)[0] == pytest.approx(AMPS, rel=1e-3), "healthy before"
    inject(board, parts, name, seed)
    board.clock.run_for(1 * MS)
    return board, parts, lead


def test_names_are_unique_and_unknown_ones_are_refused():
    assert len(set(ALL)) == len(ALL)
    with pytest.raises(KeyError):
        faults.failure("gremlins")


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_conductor_lets_no_current_pass(seed):
    board, _, lead = made("conductor broken", seed)
    amps, shown = driven(board, lead)
    assert abs(amps) < 1e-6 and shown > 13.0


def test_touching_conductors_leave_the_switches_alone():
    board, _, lead = made("conductors touch")
    amps, shown = driven(board, lead)
    assert amps == pytest.approx(AMPS, rel=1e-3)
    assert shown == pytest.approx((SWITCHES_OHM + 0.5) * AMPS, rel=1e-2), "0.5 ohm where they touch"


def test_a_loose_contact_comes_and_goes():
    board, _, lead = made("loose contact")
    seen = set()
    for _ in range(60):
        board.clock.run_for(20 * MS)
        seen.add(any(each.is_open for each in lead.electrodes))
    assert seen == {True, False}


@pytest.mark.parametrize("seed", range(4))
def test_a_resistive_electrode_takes_the_pump_to_its_limit(seed):
    board, _, lead = made("electrode too resistive", seed)
    amps, shown = driven(board, lead)
    assert 0.4 * AMPS < amps < 0.95 * AMPS and 14.0 < shown < 15.1


def test_a_drifting_electrode_doubles_its_resistance_in_steps():
    board, _, lead = made("electrode drifts")
    at = []
    for _ in range(4):
        board.clock.run_for(100 * MS)
        at.append(lead.electrodes[0].values.r_s_ohm)
    assert 250 < at[0] < at[1] < at[2] == at[3] == pytest.approx(550.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_stuck_code_is_far_from_what_is_set_and_ignores_writes(seed):
    board, parts, lead = made("DAC code stuck", seed)
    amps, _ = driven(board, lead)
    assert abs(amps - AMPS) > AMPS / 4
    board.set_dac(0, 0)
    board.clock.run_for(50 * US)
    assert driven(board, lead)[0] == pytest.approx(amps, rel=1e-3)
    assert parts.dac.volts(1, board.clock.now_ns) == 0.0, "the other channel works"


def test_another_reference_scales_both_channels():
    board, parts, lead = made("DAC reference off")
    share = driven(board, lead)[0] / AMPS
    assert share == pytest.approx(0.8, rel=1e-3) or share == pytest.approx(1.25, rel=1e-3)
    board.set_dac(1, CODE)
    board.clock.run_for(50 * US)
    assert parts.dac.volts(1, board.clock.now_ns) == pytest.approx(1.6 * share, rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_switch_that_is_stuck_open_breaks_the_path_until_mended(seed):
    board, parts, lead = made("switch stuck open", seed)
    assert abs(driven(board, lead)[0]) < 1e-6
    parts.matrix.mend(board.clock.now_ns)
    assert driven(board, lead)[0] == pytest.approx(AMPS, rel=1e-3)


def test_a_switch_that_is_stuck_closed_is_a_path_past_the_tissue_whatever_is_written():
    board, parts, lead = made("switch stuck closed")
    switch = SWITCHES_OHM / 2
    past = switch + 1.0 / (1.0 / switch + 1.0 / (switch + 500.0))
    assert driven(board, lead)[1] == pytest.approx(past * AMPS, rel=0.01), "a switch beside switch and tissue"
    board.set_matrix(0)
    assert parts.matrix.mask(0) == 1 << 1 and parts.matrix.mask(1) == 0


def test_a_dead_pump_delivers_nothing_and_shows_no_voltage():
    board, _, lead = made("pump dead")
    amps, shown = driven(board, lead)
    assert amps == 0.0 and abs(shown) < 0.05


def test_a_saturated_pump_is_bounded_by_its_rails_alone():
    board, _, lead = made("pump saturated")
    amps, shown = driven(board, lead)
    assert 20e-3 < amps < 15.0 / (LIMIT_OHM + OHM)
    assert shown + LIMIT_OHM * amps == pytest.approx(15.0, abs=0.12), "0.09 V are on the blocking capacitor"


@pytest.mark.parametrize("seed", range(3))
def test_a_pump_with_another_gain_is_that_much_too_high(seed):
    board, _, lead = made("pump gain too high", seed)
    share = driven(board, lead)[0] / AMPS
    assert min(abs(share - each) for each in (1.25, 1.5, 2.0)) < 0.01


@pytest.mark.parametrize(("name", "share"), [("anodic switch dead", 0.0), ("anodic switch shunted", 0.75)])
def test_the_anodic_phase_alone_is_weak(name, share):
    board, _, lead = made(name)
    assert driven(board, lead, "L_ANOD")[0] == pytest.approx(AMPS * share, abs=1e-6)
    assert driven(board, lead, "L_CATH")[0] == pytest.approx(-AMPS, rel=1e-3)


@pytest.mark.parametrize("positive", [True, False])
def test_a_leak_changes_the_anodic_phase_alone(positive):
    """The lead floats between phases, and that side is on ground in the cathodic one, in ngspice as well."""
    board, _, lead = ready(PAIR, CODE)
    lead.leak(30e3, positive)
    board.clock.run_for(10 * US)
    assert lead.shunt_amps(board.clock.now_ns) == lead.amps(board.clock.now_ns) == 0.0
    assert driven(board, lead, "L_CATH")[0] == pytest.approx(-AMPS, rel=1e-3)
    # 2.1 V drop in lead and shunt: 15 V push 0.43 mA less, -15 V pull 0.57 mA.
    supply_v = 15.0 if positive else -15.0
    expected = AMPS + (supply_v - AMPS * (OHM + 40.0)) / 30e3
    assert driven(board, lead, "L_ANOD")[0] == pytest.approx(expected, abs=20e-6)
    board.keep_alive()
    board.pin("L_SHORT").out(True)
    board.clock.run_for(20 * MS)
    assert lead.shunt_amps(board.clock.now_ns) == 0.0, "the recharge is behind the shunt"
    lead.leak(None)
    board.pin("L_SHORT").out(False)
    assert driven(board, lead, "L_ANOD")[0] == pytest.approx(AMPS, rel=1e-3)


def test_a_stuck_converter_gives_one_code():
    board, parts = make()
    inject(board, parts, "converter stuck")
    assert len({parts.adc.convert(each / 10, 0) for each in range(33)}) == 1


def test_another_converter_reference_scales_all_codes():
    board, parts = make()
    before = [parts.adc.convert(1.65, 0) for _ in range(200)]
    inject(board, parts, "converter reference off")
    share = sum(parts.adc.convert(1.65, 0) for _ in range(200)) / sum(before)
    assert min(abs(share - 1 / 0.95), abs(share - 1 / 1.05)) < 0.002


def test_an_offset_moves_the_current_alone():
    board, parts = make()
    before = parts.current_sense(0), parts.voltage_senses["left"](0)
    inject(board, parts, "current amplifier's offset")
    assert 0.03 <= abs(parts.current_sense(0) - before[0]) <= 0.15
    assert parts.voltage_senses["left"](0) == before[1]


def test_supply_and_temperature_are_out_of_their_ranges():
    board, parts = make()
    inject(board, parts, "supply low")
    inject(board, parts, "too warm")
    assert parts.supply.vsys_v < 3.3 and parts.supply.celsius > 55


def test_a_field_reaches_joined_electrodes_only_and_changes_its_sign():
    board, parts, _lead = made("field from outside")
    sense, seen = parts.voltage_senses["left"], []
    for _ in range(40):
        board.clock.run_for(1 * MS)
        seen.append(sense(board.clock.now_ns) - 1.65)
    assert min(seen) < -0.08 and max(seen) > 0.08
    board.set_matrix(0)
    assert abs(sense(board.clock.now_ns) - 1.65) < 0.01
    board.set_matrix(PAIR)
    faults.field(parts, 0.0, 0.0, 50.0)
    assert abs(sense(board.clock.now_ns) - 1.65) < 0.01


@pytest.mark.parametrize("sign", [1, -1])
def test_the_worst_case_is_the_end_of_every_tolerance(sign):
    board, parts, lead = ready(PAIR, CODE)
    tolerances.worst_case(parts, sign)
    lead.part_changed()
    assert driven(board, lead)[0] == pytest.approx(AMPS * (1 + 0.01 * sign), rel=1e-3)
    board.clock.run_for(20 * US)
    assert parts.current_sense(board.clock.now_ns) == pytest.approx(1.65 + 0.003 * sign, abs=1e-4)


def test_many_conversions_at_once_are_those_of_the_converter():
    import numpy as np
    from stimbench.parts.adc import Rp2040Adc

    adc = Rp2040Adc(3, "x")
    volts = np.full(4000, 1.234)
    one = np.array([adc.convert(1.234, 0) for _ in range(4000)])
    many = adc.codes(volts, np.random.default_rng(1))
    assert abs(one.mean() - many.mean()) < 0.15 and abs(one.std() - many.std()) < 0.1
    assert abs(adc.clean(1.234) - one.mean()) < 1.0
