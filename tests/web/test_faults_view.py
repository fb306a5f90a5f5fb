"""The view "faults" (Break it): each fault of its table on the bench, and what is told of it afterwards."""

import pytest
from stimbench.analysis import LEAD_SIGNALS
from stimbench.bench import provision_implant, wiring
from stimbench.web.fault_table import KINDS, PARTS
from support.web_views import Desk, Refused, begun

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def desk():
    one = Desk()
    one.until(Desk.READY_NS)
    return one


def test_the_table_has_what_the_board_has(desk):
    stimulator = desk.bench.board("stimulator")
    own = set(wiring.breakable(stimulator)) | set(desk.bench.boards) | {"air"}
    electrodes = {f"{side}.{k}" for side in wiring.leads(stimulator) for k in range(4)}
    assert {part.name for part in PARTS} == own | electrodes
    for name, part in wiring.breakable(stimulator).items():
        kind = next(one.kind for one in PARTS if one.name == name)
        assert set(KINDS[kind]) == set(part.faults)


@pytest.mark.parametrize("part", [one for one in PARTS if "right" not in one.name], ids=lambda one: one.name)
def test_every_fault_can_be_had_is_noted_and_is_mended(desk, part):
    for name, fault in KINDS[part.kind].items():
        other = "left.0" if part.name == "left.3" else "left.3"
        value = other if fault.needs_electrode else None
        before = len(desk.shown("faults")["happened"])
        desk.do("faults-break", part=part.name, fault=name, value=value)
        shown = desk.shown("faults")
        assert len(shown["happened"]) == min(6, before + 1)
        note = shown["happened"][-1]
        assert note["t_ns"] == desk.end.acted[-1][0]
        assert (note["hazards"], note["running"]) == (fault.hazards, False)
        if name != "forgets":  # it is over at once
            assert [one for one in shown["broken"] + shown["off"] if one.startswith(part.name)]
        desk.do("faults-mend")
        shown = desk.shown("faults")
        assert (shown["broken"], shown["off"]) == ([], [])


@pytest.mark.parametrize(
    ("part", "fault", "value", "field"),
    [
        ("left.9", "open", None, "part"),
        ("left.0", "welded", None, "fault"),
        ("left.0", "loose", 0.5, "value"),
        ("left.0", "short", "left.0", "value"),
        ("left.0", "short", "right.1", "value"),
        ("supply", "low", 9.0, "value"),
        ("supply", "low", "none", "value"),
        ("adc", "stuck", -1, "value"),
        ("air", "loss", 1.5, "value"),
    ],
)
def test_what_is_refused_names_its_field_and_breaks_nothing(desk, part, fault, value, field):
    notes = len(desk.stand.memory.get("faults", []))
    with pytest.raises(Refused) as refused:
        desk.do("faults-break", part=part, fault=fault, value=value)
    assert refused.value.field == field
    assert desk.shown("faults")["broken"] == []
    assert len(desk.stand.memory.get("faults", [])) == notes


def test_a_hung_processor_loses_its_output_and_says_so():
    desk = begun(hold_s=1.0)
    desk.do("faults-break", part="stimulator", fault="hung")
    desk.wait(3)
    shown = desk.shown("faults")
    (note,), after = shown["happened"], shown["after"]["1"]
    fault_ns = note["t_ns"]
    assert note["running"] and note["before"] == "hold"
    assert after["off"] and after["state"] == "ready"
    # The gate closes 107 to 133 ms after the last edge of KEEPALIVE; the lines themselves go on for longer.
    for side in ("left", "right"):
        assert 0 < after[side] < 133.0
        anodic = LEAD_SIGNALS[side][1]
        edges = desk.bench.trace.edges("stimulator", anodic, fault_ns, fault_ns + 134_000_000)
        ends_ms = [(at - fault_ns) / 1e6 for at, level in edges if not level]
        assert min(abs(after[side] - one) for one in ends_ms) < 0.001
    ((ms, cause),) = note["resets"]
    assert cause == "watchdog" and ms == pytest.approx(2000, abs=200)
    told = desk.do("faults-read", number=1)["told"]
    assert told == "Its log is read: 1 lines."
    assert "started, watchdog" in desk.shown("faults")["happened"][0]["log"][0]


def test_a_cut_supply_ends_the_current_and_the_board_does_not_answer():
    desk = begun(hold_s=1.0)
    desk.do("faults-break", part="stimulator", fault="off")
    desk.wait(1)
    shown = desk.shown("faults")
    assert shown["off"] == ["stimulator"]
    after = shown["after"]["1"]
    assert after["state"] == "no answer" and not after["off"]
    assert all(after[side] is None or after[side] < 1 for side in ("left", "right"))
    with pytest.raises(Refused) as refused:
        desk.do("faults-break", part="stimulator", fault="hung")
    assert refused.value.field == "part"
    told = desk.do("faults-read", number=1)["told"]
    assert told.startswith("The stimulator does not tell")
    desk.do("faults-mend", part="stimulator")
    desk.wait(2)
    assert desk.shown("faults")["after"]["1"]["state"] == "ready"


def test_an_open_electrode_ends_the_current_of_its_lead_alone():
    desk = begun(hold_s=1.0)
    desk.do("faults-break", part="left.1", fault="open")
    desk.wait(0.5)
    after = desk.shown("faults")["after"]["1"]
    assert after["left"] is None or after["left"] < 1
    assert after["right"] > 400
    assert not after["off"] and after["state"] == "hold"


def test_a_stop_after_a_fault_is_in_the_log_that_is_read():
    desk = begun(hold_s=1.0)
    desk.do("faults-break", part="air", fault="jam", value=76)
    desk.do("magnet", state="on")
    desk.wait(1)
    desk.do("faults-read", number=1)
    shown = desk.shown("faults")
    assert any("magnet" in line for line in shown["happened"][0]["log"])
    assert shown["after"]["1"]["stop_cause"] == "magnet" and shown["after"]["1"]["off"]
    with pytest.raises(Refused, match="no fault 2"):
        desk.do("faults-read", number=2)


def test_of_an_implant_the_journal_is_read():
    desk = Desk()
    desk.until(Desk.READY_NS)
    desk.stand.stimulator.implant(bytes(range(8)), 0, 1_800_000_000)
    desk.wait(3)
    assert desk.stand.told["implanted"]
    desk.do("faults-break", part="stimulator", fault="hung")
    desk.wait(3)
    desk.do("faults-read", number=1)
    log = desk.shown("faults")["happened"][0]["log"]
    assert any("watchdog" in line for line in log)


def test_an_implant_finds_an_open_lead_ramps_it_down_and_journals_it():
    desk = Desk()
    provision_implant.implant(desk.bench, provision_implant.SHORT_PLAN)
    desk.until(1_500_000_000)
    desk.stand.stimulator.set_time(provision_implant.IMPLANTED_S + 1000)
    desk.do("start")
    desk.until(4_500_000_000)
    assert desk.stand.told["state"] == "hold"
    desk.do("faults-break", part="left.1", fault="open")
    desk.wait(4)  # hold, ramp down, and a diagnosis in the rest that crosses no tissue
    after = desk.shown("faults")["after"]["1"]
    assert not after["off"] and after["right"] > 1000
    assert after["left"] is None or after["left"] < 1
    assert "locked while the output is on" in desk.do("faults-read", number=1)["told"]
    desk.do("stop")
    desk.wait(1)
    assert desk.shown("faults")["after"]["1"]["off"]
    desk.do("faults-read", number=1)
    log = desk.shown("faults")["happened"][0]["log"]
    assert any("fault open lead, lead left, action ramp down this lead" in line for line in log)
