"""SKiDL and ngspice on the whole circuit: rules, and that the proof sees what it is to see."""

import os
import tempfile
from pathlib import Path

import pytest

os.chdir(tempfile.mkdtemp())  # SKiDL writes beside wherever it is imported

from circuit import both, wiring  # noqa: E402
from circuit.passives import plain  # noqa: E402
from circuit.proof import measures, off, pulse, tolerances  # noqa: E402
from circuit.proof.pulse import Case  # noqa: E402
from circuit.sheet import Sheet  # noqa: E402
from circuit.sim import ngspice  # noqa: E402
from circuit.sim.deck import Changes  # noqa: E402
from circuit.snapshot import snapshot  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CURRENT_SHARE = 0.002
OPEN_IDLE = Changes(params={"U_IDLE_0": {"ron": 1e9}, "U_IDLE2_0": {"ron": 1e9}})
ONE_OPEN = Changes(params={"U_IDLE_0": {"ron": 1e9}})


@pytest.fixture(scope="module")
def board():
    return snapshot(both.stimulator())


@pytest.mark.parametrize("name", ["stimulator", "remote"])
def test_the_pico_is_wired_as_pins_csv_says(name):
    made = snapshot(getattr(both, name)())
    pins = wiring.read_pins(ROOT / "boards" / f"STIMBENCH_{name.upper()}" / "pins.csv")
    assert wiring.pin_differences(made.part("A_PICO"), pins) == []


def test_a_pin_that_is_forgotten_ends_the_build():
    sheet = Sheet("try")
    with pytest.raises(ValueError, match="pins"):
        sheet.add(plain(1e3), {"1": "A"})


def test_a_reference_cannot_be_given_twice():
    sheet = Sheet("try")
    sheet.two(plain(1e3), "A", "B", "R_ONE")
    with pytest.raises(ValueError, match="twice"):
        sheet.two(plain(1e3), "A", "B", "R_ONE")


@pytest.mark.parametrize("amplitude_ua", [100.0, 4000.0, 10_000.0])
def test_the_current_is_what_the_dac_says(board, amplitude_ua):
    waves = pulse.run(board, Case(amplitude_ua))
    for name in ("CATH", "ANOD"):
        assert measures.phase(waves, name).settled_ua == pytest.approx(amplitude_ua, rel=CURRENT_SHARE)


def test_an_open_idle_leg_shows_as_overshoot(board):
    healthy = measures.phase(pulse.run(board, Case()), "CATH")
    broken = measures.phase(pulse.run(board, Case(), OPEN_IDLE), "CATH")
    assert healthy.above_nc < 0.1
    assert broken.above_nc > 0.5
    assert broken.overshoot_share > 1.0


def test_one_of_the_two_idle_switches_open_does_no_harm(board):
    one = measures.phase(pulse.run(board, Case(), ONE_OPEN), "CATH")
    assert one.above_nc < 0.1 and one.overshoot_share < 0.05


def test_q_ends_the_current_while_the_lines_stay_high(board):
    case = Case(10_000.0, width_us=200.0, q_falls_us=100.0, after_us=20.0)
    assert off.quiet_after_us(pulse.run(board, case)) < 20.0


def test_what_the_converter_sees_has_its_scale(board):
    case = Case()
    waves = pulse.run(board, case, nets=("V_LEFT", "L_I_OUT", "L_SRC", "L_SNK"))
    late_us = case.edges_us()["CATH"][1] - 5.0
    volts = waves.at("L_SRC", late_us) - waves.at("L_SNK", late_us)
    assert waves.at("V_LEFT", late_us) == pytest.approx(1.65 + volts / 10.0, abs=0.003)
    assert waves.at("L_I_OUT", late_us) == pytest.approx(1.65 - 0.6, abs=0.005)


def test_a_seed_is_one_circuit(board):
    assert tolerances.draw(board, 7) == tolerances.draw(board, 7)
    assert tolerances.draw(board, 7) != tolerances.draw(board, 8)


def test_spice_says_what_went_wrong():
    with pytest.raises(ngspice.SpiceError):
        ngspice.run("* nothing\n.control\nquit\n.endc\n.end\n")


def test_no_single_fault_of_a_lead_does_harm_that_no_sample_shows():
    """`make hardware` has just written the page."""
    page = (ROOT / "docs/circuit/faults.md").read_text(encoding="utf-8")
    assert " 0 harmful and not seen" in page
