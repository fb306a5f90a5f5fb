"""The clinician's desk on an emulated bench: programme, refusals, an implant from its first day on."""

import pytest
from stimbench.analysis import pulses_of
from stimbench.bench.actions import ActionError
from stimbench.errors import RefusedError
from stimbench.web import form_fields
from stimbench.web.desk import FieldsRefusedError
from stimfw.therapy import prescription, program
from support.web import do, ready_stand, run_for, state_of

DAY_S = 86_400
IMPLANTED_S = 1_790_000_000


@pytest.fixture(scope="module")
def bench_board():
    """A stimulator that stays on the bench. Its tests leave it ready."""
    return ready_stand()


class TestProgramme:
    def test_what_is_set_is_what_the_pulses_are(self, bench_board):
        fields = {"width_us": 300, "ramp_up_ms": 0, "left.amplitude_ua": 2500}
        assert do(bench_board, "clinician-program", fields=fields)["zeroed"] == []
        held = state_of(bench_board, "clinician")["program"]
        assert held | fields == held
        do(bench_board, "start")
        run_for(bench_board, 0.8)
        last = pulses_of(bench_board.bench.trace.capture(), "left")[-1]
        do(bench_board, "stop")
        run_for(bench_board, 1.2)
        assert last["cathodic_ns"] == 300_000
        do(bench_board, "clinician-read")
        log = state_of(bench_board, "clinician")["log"]
        assert [one["what"] for one in log[:2]] == ["output off", "session"]

    def test_all_that_is_wrong_is_told_at_once_and_nothing_is_set(self, bench_board):
        before = do(bench_board, "get-program")
        with pytest.raises(FieldsRefusedError) as refused:
            do(bench_board, "clinician-program", fields={"rate_hz": 300, "left.amplitude_ua": 30})
        assert refused.value.field == "rate_hz"
        kept = state_of(bench_board, "clinician")["refused"]
        assert [(one["field"], one["value"]) for one in kept] == [("rate_hz", 300), ("left.amplitude_ua", 30)]
        assert "1 to 200 Hz" in kept[0]["why"]
        assert do(bench_board, "get-program") == before

    def test_a_field_that_does_not_fit_the_others_is_named(self, bench_board):
        with pytest.raises(FieldsRefusedError, match="another electrode"):
            do(bench_board, "clinician-program", fields={"left.anode": 1})

    def test_moved_electrodes_are_told(self, bench_board):
        told = do(bench_board, "clinician-program", fields={"right.cathode": 0, "right.amplitude_ua": 1000})
        assert told["zeroed"] == ["right.amplitude_ua"]
        assert "right" in told["told"]

    def test_the_test_is_one_contraction(self, bench_board):
        do(bench_board, "clinician-program", fields={"left.amplitude_ua": 1000, "ramp_up_ms": 0})
        do(bench_board, "clinician-test", seconds=1)
        run_for(bench_board, 0.7)
        assert bench_board.told["state"] == "hold"
        with pytest.raises(RefusedError):
            do(bench_board, "clinician-test", seconds=1)
        do(bench_board, "stop")
        run_for(bench_board, 1.2)
        assert bench_board.told["state"] == "ready"

    def test_it_is_no_implant(self, bench_board):
        for name in ("clinician-prescribe", "clinician-mode"):
            with pytest.raises(RefusedError, match="not implanted"):
                do(bench_board, name, **({"fields": {}} if "pre" in name else {"mode": "mri"}))
        assert state_of(bench_board, "clinician")["implant"] is None


@pytest.fixture(scope="module")
def implant():
    """Implanted on a day, with 14 days to heal; the impedance is measured."""
    stand = ready_stand()
    do(stand, "clinician-implant", implanted_s=IMPLANTED_S, healing_days=14)
    do(stand, "clinician-impedance")
    return stand


PLAN = {
    "left.amplitude_ua": 2000, "right.amplitude_ua": 1500, "ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 1000,
    "off_ms": 2000, "session_s": 60, "between_s": 1800,
}  # fmt: skip


class TestImplant:
    def test_from_the_healing_time_to_a_session(self, implant):
        dates = state_of(implant, "clinician")["audit"]["dates"]
        assert dates["earliest_s"] == IMPLANTED_S + 14 * DAY_S
        with pytest.raises(FieldsRefusedError) as refused:
            do(implant, "clinician-prescribe", fields=PLAN | {"left.amplitude_ua": 9025, "rate_hz": 0})
        assert refused.value.field == "rate_hz"
        refusals = state_of(implant, "clinician")["refused_prescription"]
        assert {one["field"]: one["value"] for one in refusals}["rate_hz"] == 0
        assert state_of(implant, "clinician")["implant"]["prescription"] is None
        do(implant, "clinician-prescribe", fields=PLAN)
        kept = state_of(implant, "clinician")["implant"]["prescription"]
        assert kept["fields"] | PLAN == kept["fields"]
        assert kept["fields"]["activation_s"] == dates["earliest_s"]
        with pytest.raises(RefusedError, match="healing time"):
            do(implant, "start")
        do(implant, "clinician-clock", time_s=dates["earliest_s"])
        do(implant, "start")
        run_for(implant, 2.5)
        do(implant, "stop")
        run_for(implant, 1.2)
        do(implant, "clinician-read")
        told = state_of(implant, "clinician")
        capture = implant.bench.trace.capture()
        recorded = pulses_of(capture, "left")
        session = recorded[recorded["cathodic_ns"] == 214_000]
        assert told["implant"]["ledger"][0]["pulses"] == pytest.approx(len(session), abs=1)
        assert told["implant"]["ledger"][0]["mean_ua"] == pytest.approx(2000, abs=40)
        names = [one["what"] for one in told["journal"]]
        assert names[-1] == "implanted"
        assert "session ended" in names or any("session" in name for name in names)
        assert [one["number"] for one in told["journal"]] == sorted(
            (one["number"] for one in told["journal"]), reverse=True
        )

    def test_a_train_is_held_to_its_last_pulse(self, implant):
        told = do(implant, "clinician-train", lead="right", amplitude_ua=1000, pulses=8)
        assert told["delivered"] == 8
        with pytest.raises(FieldsRefusedError):
            do(implant, "clinician-train", lead="right", amplitude_ua=1010, pulses=8)

    def test_the_report_is_made_beside_the_bench(self, implant):
        with pytest.raises(ActionError, match="no audit report"):
            do(implant, "clinician-audit-page")
        do(implant, "clinician-audit")
        now_ns = implant.bench.now_ns
        job = implant.memory["clinician audit"].job
        job.wait()
        assert state_of(implant, "clinician")["audit"]["state"] == "made"
        page = do(implant, "clinician-audit-page")["html"]
        device_id = state_of(implant, "clinician")["audit"]["dates"]["device_id"]
        assert f"Audit of device {device_id}" in page
        assert implant.bench.now_ns == now_ns

    def test_mode_and_explantation(self, implant):
        do(implant, "clinician-mode", mode="mri")
        assert implant.told["state"] == "mri mode"
        do(implant, "clinician-mode", mode="normal")
        do(implant, "clinician-explant")
        assert not implant.told["implanted"]
        assert state_of(implant, "clinician")["implant"] is None


def test_forms_have_every_field_with_the_boards_own_limits():
    forms = ((form_fields.program_fields(), program), (form_fields.prescription_fields(), prescription))
    for fields, module in forms:
        assert [one["name"] for one in fields] == list(module.FIELD_NAMES)
        for one in fields:
            known = module.range_of(one["name"])
            assert (one["low"], one["high"], one["step"]) == (known.low, known.high, known.step)
            assert known.holds(one["default"])
