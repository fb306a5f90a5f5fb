"""From the bench to an implant and back: what it takes, what it refuses, and what stays."""

import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.errors import OutOfRangeError, WrongStateError
from stimfw.protocol import journal_entries, messages, therapy_reasons
from stimfw.storage import layout
from stimfw.therapy import prescription, program, rules
from support.board import emulated_board
from support.implant_bench import NOW_S, PLAN, ImplantBench

pytestmark = pytest.mark.emulated
DEVICE_ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def refused(call):
    with pytest.raises(WrongStateError) as caught:
        call()
    return caught.value.reason


@pytest.fixture
def bench():
    with Bench(BenchConfig(boards=("stimulator",))) as made:
        yield made


def test_a_board_on_the_bench_refuses_what_only_an_implant_does(bench):
    board = emulated_board(bench)
    board.wait_ready()
    client = board.client
    for call in (
        client.explant, client.therapy, client.prescription, client.train_on, client.clear_fault,
        client.ledger, lambda: client.set_mode(1), lambda: client.keep_time(NOW_S),
        lambda: client.set_prescription(PLAN.values),
        lambda: client.train(0, 1, 2, 1000, 200, 0, 20, 1),
    ):  # fmt: skip
        assert refused(call) == therapy_reasons.NOT_IMPLANTED
    assert client.journal(0).slots == () and client.journal(0).next == client.journal(0).oldest


def test_values_that_are_none_change_nothing(bench):
    board = emulated_board(bench)
    board.wait_ready()
    for values in ((bytes(8), 14, NOW_S), (DEVICE_ID, 91, NOW_S), (DEVICE_ID, 14, 1_000_000_000)):
        with pytest.raises(OutOfRangeError):
            board.client.implant(*values)
    board.wait(1.0)
    assert board.client.status().state == messages.READY
    assert board.client.journal(0).slots == ()


def test_implanted_it_has_no_prescription_and_explanted_it_is_on_the_bench(bench):
    board = emulated_board(bench)
    board.wait_ready()
    board.client.implant(DEVICE_ID, 14, NOW_S)
    board.wait(0.5)
    board.rebooted()
    client = board.client
    assert client.therapy().state_name == "unconfigured"
    assert refused(client.start) == therapy_reasons.UNCONFIGURED
    assert refused(lambda: client.implant(DEVICE_ID, 0, NOW_S)) == therapy_reasons.IMPLANTED
    assert refused(client.program) == therapy_reasons.IMPLANTED
    assert refused(lambda: client.set_program(program.default())) == therapy_reasons.IMPLANTED
    assert refused(lambda: client.test_stimulation(1)) == therapy_reasons.UNCONFIGURED
    before = client.journal(0).next
    client.explant()
    board.wait(0.5)
    board.rebooted()
    assert board.client.status().state == messages.READY
    assert refused(board.client.therapy) == therapy_reasons.NOT_IMPLANTED
    page = board.client.journal(0)
    assert page.next > before and page.slots  # it stays readable
    board.set(left__amplitude_ua=1000)
    board.client.start()
    board.client.stop()


@pytest.mark.control("C-59")
def test_it_heals_until_the_activation_and_then_may_begin():
    with ImplantBench(PLAN.replaced({"activation_s": NOW_S + 20})) as implant:
        implant.begin()
        state = implant.client.therapy()
        assert state.state_name == "healing" and 0 < state.next_s <= 20
        assert refused(implant.client.start) == therapy_reasons.HEALING
        implant.run_s(state.next_s + 1.5)
        assert implant.state() == "ready"
        implant.client.start()


@pytest.mark.control("C-56")
def test_a_prescription_is_refused_whole_with_every_rule_that_it_fails():
    with ImplantBench(plan=None) as implant:
        implant.begin()
        before = implant.client.journal(0).next
        values = dict(zip(prescription.FIELD_NAMES, PLAN.values, strict=True))
        values |= {
            "left.anode": values["left.cathode"],
            "left.least_ua": 3000,
            "left.most_ua": 2000,
            "between_s": 1,
        }
        told = implant.client.set_prescription(tuple(values.values()))
        assert told.version == 0
        assert {rules.ELECTRODES, rules.WINDOW, rules.BETWEEN} <= set(told.failed)
        assert implant.client.prescription() is None and implant.state() == "unconfigured"
        assert implant.client.journal(0).next == before + 1  # that it was refused


@pytest.mark.control("C-51")
def test_a_lead_that_is_open_or_not_measured_accepts_no_prescription():
    with ImplantBench(plan=None) as implant:
        implant.chip.parts.leads["left"].electrodes[1].open()
        implant.begin()
        told = implant.client.set_prescription(PLAN.values)
        assert told.version == 0 and told.failed == (rules.MEASURED,)
        implant.client.measure_impedance()
        told = implant.client.set_prescription(PLAN.values)
        assert told.version == 0 and told.failed == (rules.CONTACT,)


@pytest.mark.control("C-52")
def test_an_amplitude_that_compliance_does_not_allow_is_clamped_and_said():
    with ImplantBench(plan=None) as implant:
        for electrode in implant.chip.parts.leads["right"].electrodes:
            electrode.set(r_s_ohm=3000)
        implant.begin()
        implant.client.measure_impedance()
        told = implant.client.set_prescription(PLAN.values)
        held = implant.client.prescription()
        assert told.version == 1 and told.clamped_by == (rules.NONE, rules.COMPLIANCE)
        assert held.prescription.amplitude_ua == (2000, told.allowed_ua[1]) and told.allowed_ua[1] < 3000
        (clamp,) = implant.entries(journal_entries.PRESCRIPTION_CLAMPED)
        assert clamp[1] == {
            "lead": 1, "asked_ua": 3000, "allowed_ua": told.allowed_ua[1], "rule": rules.COMPLIANCE,
        }  # fmt: skip
        (kept,) = implant.entries(journal_entries.PRESCRIBED)
        assert kept[1]["version"] == 1 and kept[1]["activation_s"] == held.prescription.activation_s


def test_former_prescriptions_can_be_read(implant):
    implant.client.measure_impedance()
    told = implant.client.set_prescription(PLAN.replaced({"left.amplitude_ua": 1000}).values)
    assert told.version == 2
    assert implant.client.prescription().prescription.amplitude_ua == (1000, 3000)
    assert implant.client.prescription_history(1).prescription.amplitude_ua == (2000, 3000)
    assert implant.client.prescription_history(2) is None
    implant.power_cycle(NOW_S + 100)
    assert implant.client.prescription().prescription.amplitude_ua == (1000, 3000)


@pytest.mark.control("C-33", "C-69")
def test_a_damaged_former_prescription_is_told_once_and_stops_nothing(implant):
    for amplitude_ua in (1000, 1500):
        implant.client.measure_impedance()
        implant.client.set_prescription(PLAN.replaced({"left.amplitude_ua": amplitude_ua}).values)
    implant.power_cycle(NOW_S + 5000, before=lambda: implant.damage(layout.PRESCRIPTIONS + 2))
    for later_s in (5100, 5200, 5300):
        assert implant.client.prescription().prescription.amplitude_ua == (1500, 3000)
        assert implant.client.prescription_history(1).prescription.amplitude_ua == (2000, 3000)
        lost = [(fields["what"], fields["entries"]) for _, fields in implant.entries(journal_entries.LOST)]
        assert lost == [(journal_entries.LOST_FORMER, 1)]
        implant.power_cycle(NOW_S + later_s)
    implant.client.start()
    implant.run_to("ramp up")


@pytest.mark.control("C-33", "C-69")
@pytest.mark.parametrize("area", ["life", "progress", "prescription", "journal"])
def test_a_damaged_record_boots_safe_says_what_it_lost_and_keeps_the_rest(implant, area):
    implant.client.start()  # so there is progress
    implant.client.stop()
    implant.run_s(2)
    entries = implant.client.journal(0).next
    block, count = {
        "life": (layout.LIFE, 2), "progress": (layout.PROGRESS, 2), "prescription": (layout.PRESCRIPTIONS, 2),
        "journal": (layout.JOURNAL, 1),
    }[area]  # fmt: skip
    implant.power_cycle(NOW_S + 5000, before=lambda: implant.damage(block, count))
    if area == "journal":
        assert implant.state() == "ready"  # therapy does not hang on it
        assert implant.client.therapy().reason == 0
    told = [fields for _, fields in implant.entries(journal_entries.LOST)]
    assert [fields["what"] for fields in told] == [journal_entries.LOST_NAMES.index(area)]
    if area == "journal":
        assert told[0]["entries"] == entries, "all that there were"
        implant.power_cycle(NOW_S + 6000)
        assert len(implant.entries(journal_entries.LOST)) == 1, "it is told once"
        return
    assert implant.client.journal(0).next > entries
    assert implant.state() == "fault"
    assert refused(implant.client.start) == therapy_reasons.FAULT
    assert implant.is_off()
