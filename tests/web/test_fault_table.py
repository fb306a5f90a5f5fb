"""The table of the view "Break it" beside the bench's own, and beside the register of hazards."""

import pytest
from stimbench.bench.stimulator_faults import FAULTS
from stimbench.hazards.register import HAZARDS_FILE, load
from stimbench.project import find_project_root
from stimbench.web.fault_table import KINDS, PARTS, as_data

REGISTER = load(find_project_root() / HAZARDS_FILE)
ROWS = [(kind, name, fault) for kind, faults in KINDS.items() for name, fault in faults.items()]


@pytest.mark.parametrize(("kind", "name", "fault"), ROWS, ids=[f"{kind}-{name}" for kind, name, _ in ROWS])
def test_each_control_is_one_of_the_hazards_that_the_fault_stands_for(kind, name, fault):
    hazards = {hazard.id: hazard for hazard in REGISTER.hazards}
    assert fault.hazards and fault.controls
    allowed = {control for one in fault.hazards for control in hazards[one].controls}
    assert set(fault.controls) <= allowed


def test_every_fault_that_the_bench_knows_can_be_chosen():
    assert set(FAULTS) <= {name for _, name, _ in ROWS}
    assert {part.kind for part in PARTS} == set(KINDS)


def test_texts_are_those_of_the_register():
    data = as_data()
    known = REGISTER.known
    assert data["controls"]["C-07"] == known["C-07"].does
    for faults in data["kinds"].values():
        for fault in faults.values():
            assert all(one in data["hazards"] for one in fault["hazards"])
            assert all(one in data["controls"] for one in fault["controls"])
