"""The tables of docs/circuit, and what makes them: without SKiDL and without ngspice."""

import csv
from pathlib import Path

import numpy as np
import pytest
from circuit import bom, chips, modules, passives, wiring
from circuit.proof import measures
from circuit.proof.pulse import LEAD_IN_US, Case, Waves
from circuit.sim import ngspice
from circuit.sim.deck import Changes, circuit_lines, node
from circuit.snapshot import Placed, Snapshot
from circuit.tables import Row, as_markdown, lost

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "circuit"
BOARDS = ("stimulator", "remote")
LATE_US = 0.1
"""By which the current outlives its line, as in the circuit."""


def rows(name):
    with (DOCS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def placed(ref, spec, **nets):
    return Placed(ref, "block", spec, nets)


def divider(*more):
    first = placed("R1", passives.precise(4e3), **{"1": "+15V", "2": "L_P"})
    second = placed("R2", passives.plain(1e3), **{"1": "L_P", "2": "GND"})
    return Snapshot("try", (first, second, *more))


@pytest.mark.parametrize("board", BOARDS)
def test_the_wiring_table_joins_the_picos_pins_as_pins_csv_says(board):
    nets = {}
    for row in rows(f"wiring-{board}.csv"):
        for end in ("from", "to"):
            if row[f"{end}_part"] == "A_PICO" and row[f"{end}_name"].startswith("GP"):
                nets[row[f"{end}_name"]] = row["net"]
    pins = wiring.read_pins(ROOT / "boards" / f"STIMBENCH_{board.upper()}" / "pins.csv")
    assert wiring.pin_differences(placed("A_PICO", modules.PICO, **nets), pins) == []


def test_a_pin_that_differs_is_named_either_way_round():
    pico = placed("A_PICO", modules.PICO, GP2="L_ANOD", GP9="GATE_Q", GND1="GND")
    differ = wiring.pin_differences(pico, {"L_CATH": 2, "KEEPALIVE": 8, "LED": 25})
    assert differ == [
        "GP2: L_ANOD in the circuit, L_CATH in pins.csv",
        "GP8: nothing in the circuit, KEEPALIVE in pins.csv",
        "GP9: GATE_Q in the circuit, nothing in pins.csv",
    ]


@pytest.mark.parametrize("board", BOARDS)
def test_every_line_of_the_bom_can_be_ordered(board):
    found = rows(f"bom-{board}.csv")
    assert found
    assert bom.incomplete(found) == []
    assert all(int(row["quantity"]) == len(row["references"].split()) for row in found)


def test_a_line_without_second_source_is_named():
    found = bom.lines(divider())
    assert bom.incomplete(found) == []
    found[0]["second_source"] = " "
    assert bom.incomplete(found) == [found[0]["references"]]


def test_parts_of_one_number_are_one_line():
    third = placed("R3", passives.plain(1e3), **{"1": "A", "2": "B"})
    found = {row["number"]: row for row in bom.lines(divider(third))}
    assert found["MRS25000C1001FCT00"]["references"] == "R2 R3"


def test_a_figure_that_was_reached_and_is_not_any_more_is_named():
    page = as_markdown(
        [Row("a", "1", "0", True), Row("b", "1", "2", False), Row("c", "1", "0", True), Row("d", "", "3")]
    )
    same = [Row("a", "1", "0.5", True), Row("b", "1", "0", True), Row("c", "1", "0", True)]
    assert lost(page, same) == []
    assert lost(page, [Row("a", "1", "2", False), *same[1:]]) == ["a"]
    assert lost(page, same[:2]) == ["c"], "a row that is gone"
    assert lost("", same) == []


def test_no_pin_of_a_chip_is_there_twice():
    specs = [chips.opa2197("pump"), chips.DG412, chips.ADG1414, chips.INA821, modules.PICO, modules.HCT423]
    for spec in specs:
        for column in (0, 1):
            assert len({pin[column] for pin in spec.pins}) == len(spec.pins), spec.value


def test_a_wire_runs_from_part_to_part_of_a_net():
    wires = wiring.wires(divider())
    assert [(w["from_part"], w["to_part"], w["net"], w["colour"]) for w in wires] == [
        ("R1", "R2", "L_P", "white")
    ]


def test_the_deck_has_values_changes_and_only_the_asked_leads():
    right = placed("R3", passives.plain(1e3), **{"1": "R_P", "2": "GND"})
    lines = circuit_lines(divider(right), "L", Changes(values={"R2": 900.0}))
    assert "RR1 p15v l_p 4000" in lines
    assert "RR2 l_p 0 900" in lines
    assert not any("r_p" in line for line in lines)
    assert circuit_lines(divider(right), "L", Changes(gone={"R1"}))[0].startswith("RR2")


def test_names_of_nets_in_spice():
    assert [node(net) for net in ("GND", "+15V", "-15V", "L_P")] == ["0", "p15v", "n15v", "l_p"]


def test_a_raw_file_is_read():
    table = np.array([[0.0, 1.5], [1e-6, 2.5]])
    names = "\t0\ttime\ttime\n\t1\tv(a)\tvoltage\n"
    head = f"Title: x\nNo. Variables: 2\nNo. Points: 2\nVariables:\n{names}Binary:\n"
    found = ngspice.read_raw(head.encode() + table.tobytes())
    assert list(found["v(a)"]) == [1.5, 2.5]


def square(overshoot=0.0, tau_us=1.0, case=None):
    """A pulse that rises with one time constant; `overshoot` is a share that decays with the same one."""
    case = case or Case(width_us=100.0, gap_us=50.0)
    times = np.arange(0.0, case.end_us(), 0.02)
    amps = np.zeros_like(times)
    for (rise, fall), sign in zip(case.edges_us().values(), (-1.0, 1.0), strict=True):
        inside = (times >= rise) & (times < fall + LATE_US)
        since = times[inside] - rise
        amps[inside] = sign * 4e-3 * (1.0 + (overshoot - (overshoot == 0.0)) * np.exp(-since / tau_us))
    return Waves(case, times * 1e-6, amps)


def test_settling_and_missing_charge_of_a_known_wave():
    phase = measures.phase(square(), "CATH")
    assert phase.settled_ua == pytest.approx(4000.0, rel=1e-6)
    assert phase.settling_us == pytest.approx(4.6, abs=0.05)
    assert phase.missing_share == pytest.approx(0.01 - LATE_US / 100.0, abs=0.0003)
    assert phase.overshoot_share == 0.0


def test_overshoot_and_charge_above_of_a_known_wave():
    phase = measures.phase(square(overshoot=0.5), "ANOD")
    assert phase.overshoot_share == pytest.approx(0.5, abs=0.02)
    assert phase.above_nc == pytest.approx(2.0, abs=0.06)


def test_equal_phases_are_balanced():
    assert abs(measures.imbalance(square())) < 1e-3
    assert square().case.edges_us()["CATH"][0] == LEAD_IN_US
