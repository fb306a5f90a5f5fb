"""The view "leads": what is chosen, what the board measured, and which pulses move the muscle."""

import numpy as np
import pytest
from stimbench.bench import wiring
from stimbench.web.muscle import recruited
from stimbench.web.muscles import charges_nc
from support.web_views import Desk, Refused, begun

pytestmark = pytest.mark.emulated


@pytest.fixture
def ready():
    desk = Desk()
    desk.until(Desk.READY_NS)
    return desk


def test_electrodes_are_chosen_and_a_moved_lead_is_at_zero(ready):
    assert ready.shown("leads")["program"] is None
    ready.do("amplitude", left_ua=2000, right_ua=1000)
    told = ready.do("leads-electrodes", side="left", cathode=3, anode=0)["told"]
    assert "amplitude is 0 now" in told
    program = ready.shown("leads")["program"]
    assert (program["left.cathode"], program["left.anode"], program["left.amplitude_ua"]) == (3, 0, 0)
    assert (program["right.cathode"], program["right.anode"], program["right.amplitude_ua"]) == (1, 2, 1000)
    assert ready.stand.stimulator.program().as_dict() == program


@pytest.mark.parametrize(
    ("cathode", "anode", "field"), [(2, 2, "anode"), (4, 1, "cathode"), (0, -1, "anode")]
)
def test_a_refused_choice_names_its_field_and_changes_nothing(ready, cathode, anode, field):
    before = ready.stand.stimulator.program()
    with pytest.raises(Refused, match="allowed is") as refused:
        ready.do("leads-electrodes", side="right", cathode=cathode, anode=anode)
    assert refused.value.field == f"right.{field}"
    assert ready.stand.stimulator.program().values == before.values


def test_electrodes_are_not_moved_while_the_output_is_on():
    desk = begun(hold_s=1.0)
    with pytest.raises(Refused, match="locked while the output is on") as refused:
        desk.do("leads-electrodes", side="left", cathode=0, anode=3)
    assert refused.value.field == "left.cathode"
    assert desk.shown("leads")["joined"] == {"left": True, "right": True}


def test_all_pairs_are_measured_beside_what_the_leads_are(ready):
    leads = wiring.leads(ready.bench.board("stimulator"))
    leads["left"].electrodes[0].open()
    leads["right"].electrodes[2].set(r_s_ohm=1250.0)
    told = ready.do("leads-impedance")["told"]
    assert told == "24 pairs: 18 ok, 6 open, 0 short."
    shown = ready.shown("leads")
    assert shown["electrodes"]["left"] == ["open", "ok", "ok", "ok"]
    for side, pairs in shown["impedance"]["pairs"].items():
        assert len(pairs) == 12
        for cathode, anode, kind, ohm, _ in pairs:
            values = [leads[side].electrodes[k].values for k in (cathode, anode)]
            assert kind == ("open" if any(one.open for one in values) else "ok")
            if kind == "ok":
                assert ohm == pytest.approx(sum(one.r_s_ohm for one in values), rel=0.05)


def test_pulses_of_a_session_move_the_muscle_as_their_charge_says():
    desk = begun(left_ua=3000, right_ua=0, hold_s=1.5)
    sides = desk.shown("leads")["muscles"]["sides"]
    left = desk.record.leads["left"].pulses[-1]
    assert left["cathodic_ns"] == 214_000
    assert sides["left"]["charge_nc"] == pytest.approx(3.0 * 214, rel=0.02)
    assert sides["left"]["recruited"] == recruited(desk_model(desk), sides["left"]["charge_nc"])
    assert sides["left"]["force"][-1] > 600 > 50 > sides["right"]["force"][-1]
    assert len(sides["left"]["force"]) <= 400


def desk_model(desk):
    return desk.record.memory["leads"]._sides["left"].muscle.model


def test_a_self_test_crosses_no_tissue_and_moves_nothing():
    desk = Desk()
    desk.until(Desk.READY_NS)
    ready = len(desk.record.leads["left"].pulses)
    desk.stand.stimulator.self_test()
    lead = desk.record.leads["left"]
    pulses = lead.pulses[ready:]
    assert len(pulses) and np.abs(pulses["cathodic_ua"]).max() > 500
    assert np.abs(pulses["cathodic_nc"]).max() > 100
    assert charges_nc(lead, pulses).max() < 1  # what leaks
    assert max(desk.shown("leads")["muscles"]["sides"]["left"]["force"]) == 0


def test_a_short_moves_nothing_and_an_open_lead_neither():
    desk = begun(hold_s=0.8)
    desk.do("break", part="left.1", fault="short", value="left.2")
    desk.do("break", part="right.1", fault="open")
    desk.wait(2)
    sides = desk.shown("leads")["muscles"]["sides"]
    assert max(sides["left"]["force"]) > 200
    assert (sides["left"]["force"][-1], sides["right"]["force"][-1]) == (0, 0)


def test_the_muscles_follow_the_record_however_often_they_are_asked():
    desk = begun()
    for _ in range(10):
        desk.wait(0.1)
        often = desk.shown("leads")["muscles"]
    del desk.record.memory["leads"]
    assert desk.shown("leads")["muscles"] == often
