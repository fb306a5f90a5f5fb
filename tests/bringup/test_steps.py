"""The procedure itself: its nets and pins are the circuit's, and it begins with the output disabled."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.bringup.emulated import ModelledMeter
from stimbench.bringup.model import Setup, Tool, Unit
from stimbench.bringup.pictures import marked_picture, picture_path
from stimbench.bringup.ranges import ohms_between, volts_between
from stimbench.bringup.steps import BLOCKS
from stimbench.errors import InputError
from stimbench.parts.assembly import ERRORS
from support.bringup import READINGS, STEPS

ROOT = Path(__file__).resolve().parents[2]
SUPPLY = ("supply", "references")


@pytest.fixture(scope="module")
def wiring():
    """By part and pin, the net."""
    with (ROOT / "docs" / "circuit" / "wiring-stimulator.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for row in rows:
        for end in ("from", "to"):
            found[f"{row[f'{end}_part']} {row[f'{end}_pin']}"] = row["net"]
    return found


def test_every_probe_is_on_a_pin_of_its_net(wiring):
    for step, reading in READINGS:
        for net, pins in ((reading.net, reading.pin), (reading.against, reading.against_pin)):
            for pin in [] if reading.tool is Tool.EYE else filter(None, pins.split(", ")):
                assert wiring[pin] == net, f"{step.name}.{reading.key}: {pin} is on {wiring[pin]}, not {net}"


def test_every_resistor_goes_between_nets_of_the_circuit(wiring):
    nets = {*wiring.values()}
    for step, reading in READINGS:
        assert {*(reading.setup.resistor or ())} <= nets, step.name


def test_every_block_has_its_pictures():
    for block in BLOCKS:
        assert block.pictures
        for name in block.pictures:
            assert picture_path(name).read_text(encoding="utf-8").startswith("<svg")


def test_every_net_that_is_probed_is_red_in_a_drawing_of_its_block():
    for block in BLOCKS:
        readings = [reading for step in block.steps for reading in step.readings]
        nets = {net for each in readings if each.tool is not Tool.EYE for net in (each.net, each.against)} - {
            "GND"
        }
        drawn = "".join(marked_picture(name, nets) for name in block.pictures)
        red = set(re.findall(r'fill="#a3123f"[^>]*>(?:<tspan[^>]*>)?([^<]*)<', drawn))
        lefts = {f"L_{net[2:]}" for net in nets if net.startswith("R_")}
        assert red <= nets | lefts, block.name
        assert {net for net in nets if not net.startswith("R_")} | lefts <= red, block.name


def test_a_drawing_that_there_is_not():
    with pytest.raises(InputError, match="There is no drawing stimulator-heart"):
        picture_path("stimulator-heart")


def test_names_are_their_own():
    steps = [step.name for _, step in STEPS]
    assert len(set(steps)) == len(steps)
    assert all(step.name.partition(".")[0] == block.name for block, step in STEPS)
    for step, _ in READINGS:
        keys = [reading.key for reading in step.readings]
        assert len(set(keys)) == len(keys)


def test_the_first_steps_have_the_output_disabled():
    assert STEPS[0][1].name == "supply.safe"
    for block, step in STEPS:
        if block.name in SUPPLY:
            assert not any(reading.setup.is_static for reading in step.readings), step.name
    first = next(step.name for step, reading in READINGS if reading.setup.carries_current)
    order = [step.name for _, step in STEPS]
    for before in ("monostable.magnet", "gate.L.blocked", "gate.R.blocked", "relays.R.contacts"):
        assert order.index(before) < order.index(first), "Q must be proven before a current flows"


def test_a_step_that_does_not_say_why_says_what_to_look_at():
    assert all(step.check for _, step in STEPS)


@pytest.mark.parametrize("error", ERRORS)
def test_each_assembly_error_is_a_cause_with_a_remedy(error):
    found = [cause for _, step in STEPS for cause in step.causes if cause.name == error]
    assert found and all(cause.remedy and cause.title for cause in found)


# What a setup may be.


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"codes": (100, 0), "switches": (0x21, 0)}, "all switches"),
        ({"codes": (100, 0), "resistor": ("L_E0", "L_E1")}, "pass the blocking capacitor"),
        ({"codes": (100, 0), "resistor": ("L_SRC", "L_SNK")}, "pass the blocking capacitor"),
        ({"codes": (4096, 0)}, "0 to 4095"),
        ({"codes": (-1, 0)}, "0 to 4095"),
        ({"bridges": ("both", "off")}, "bridges"),
        ({"keepalive": True, "high": ("L_CATH",)}, "output is disabled"),
        ({"powered": False, "keepalive": True}, "does nothing"),
        ({"powered": False, "magnet": True}, "does nothing"),
    ],
)
def test_what_must_never_be_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        Setup(**fields)


def test_no_reading_puts_a_current_where_an_electrode_could_be():
    for step, reading in READINGS:
        setup = reading.setup
        if setup.carries_current:
            assert setup.switches == (0, 0), step.name
            assert setup.resistor is None or not any("_E" in net for net in setup.resistor), step.name


# What the meter may show.


@given(st.floats(-20, 20), st.floats(0, 5), st.floats(0, 1), st.integers(1, 10**6))
def test_a_meter_of_that_class_shows_a_right_voltage_as_right(low, width, place, seed):
    true = low + width * place
    span = volts_between(low, low + width)
    assert span[0] <= ModelledMeter(seed).volts(true) <= span[1]


@given(st.floats(0, 30e6), st.floats(0, 1e6), st.floats(0, 1), st.integers(1, 10**6))
def test_a_meter_of_that_class_shows_a_right_resistance_as_right(low, width, place, seed):
    span = ohms_between(low, low + width)
    assert span[0] <= ModelledMeter(seed).ohms(low + width * place) <= span[1]


def test_ranges_are_narrow_enough_to_tell_a_wrong_part():
    """Each reading in V that has a cause in V has a gap to it; 10 % of a supply or a current never passes."""
    for step, reading in READINGS:
        low, high = reading.span
        if reading.unit is Unit.VOLTS and low > 0.5:
            assert high / low < 1.26, f"{step.name}.{reading.key}"
