"""Sessions as prescribed: what may begin, what is delivered, what ends it, what the journal says of it."""

import pytest
from stimbench.errors import WrongStateError
from stimfw.protocol import journal_entries, messages, therapy_reasons
from stimfw.therapy import care
from support.implant_bench import MS, NOW_S, PLAN, ImplantBench

pytestmark = pytest.mark.emulated
SESSION = (journal_entries.SESSION_BEGAN, journal_entries.DELIVERED, journal_entries.SESSION_ENDED)
PULSES_A_CONTRACTION = 100  # 1 s up, 3 s, 1 s down, 20 Hz
OFF_WITHIN_MS = 5
USB, NOBODY = messages.FROM_USB, messages.FROM_NOBODY


def refused(call):
    with pytest.raises(WrongStateError) as caught:
        call()
    return caught.value.reason


def session(implant):
    """The journal's entries of sessions: the fields of each kind, in order."""
    found = implant.entries(*SESSION)
    return {kind: [fields for each, fields in found if each == kind] for kind in SESSION}


@pytest.mark.control("C-57", "C-72")
def test_a_whole_session_is_delivered_counted_and_noted_and_the_next_one_is_too_soon(implant):
    from_ns = implant.bench.now_ns
    implant.client.start()
    implant.run_to("hold")
    first_ns = implant.bench.now_ns
    implant.run_to("ready")
    noted = session(implant)
    assert noted[journal_entries.SESSION_BEGAN] == [
        {"version": 1, "planned_s": 60, "session": 1, "number_today": 1}
    ]
    (ended,) = noted[journal_entries.SESSION_ENDED]
    cycles = ended["cycles"]
    assert ended["cause"] == messages.STOPPED_SESSION_OVER and 60 <= ended["elapsed_s"] <= 66 and cycles >= 6
    assert [(d["lead"], d["pulses"], d["contractions"]) for d in noted[journal_entries.DELIVERED]] == [
        (0, cycles * PULSES_A_CONTRACTION, cycles), (1, cycles * PULSES_A_CONTRACTION, cycles),
    ]  # fmt: skip
    # The bench saw as many: of the prescribed widths, behind the tests that precede the first pulse.
    for lead, signal in ((0, "L_CATH"), (1, "R_CATH")):
        edges = implant.bench.trace.capture(from_ns).edges(f"stimulator.{signal}")
        widths = [
            fall - rise for rise, fall in zip(edges.rises_ns, edges.falls_ns, strict=True) if rise > from_ns
        ]
        own = [width for width in widths if width == PLAN.width_us[lead] * 1000]
        assert len(own) >= cycles * PULSES_A_CONTRACTION
        assert sum(1 for rise in edges.rises_ns if rise > first_ns) <= len(own)
    assert implant.client.ledger()[0].missed == 0
    assert implant.client.watch_figures()[1].fault == 0
    assert implant.state() == "ready" and implant.is_off()
    assert refused(implant.client.start) == therapy_reasons.TOO_SOON
    state = implant.client.therapy()
    assert state.sessions_left == 1 and 3500 < state.next_s <= 3600


@pytest.mark.control("C-01", "C-03")
@pytest.mark.parametrize(
    ("how", "when"), [("stop", "ramp up"), ("magnet", "hold"), ("stop", "hold"), ("magnet", "rest")]
)
def test_stop_and_magnet_ramp_nothing(implant, how, when):
    implant.client.start()
    implant.run_to(when)
    if how == "stop":
        implant.client.stop()
    else:
        implant.bench.magnet(True)
        implant.bench.run_for(OFF_WITHIN_MS * MS)
        implant.bench.magnet(False)
    implant.bench.run_for(OFF_WITHIN_MS * MS)
    assert implant.is_off()
    off_ns = implant.bench.now_ns
    implant.run_s(2)
    assert not implant.rises("L_CATH", off_ns) and not implant.rises("R_CATH", off_ns)
    (ended,) = session(implant)[journal_entries.SESSION_ENDED]
    assert ended["cause"] == (messages.STOPPED_HOST if how == "stop" else messages.STOPPED_MAGNET)
    assert implant.state() == "stopped"
    if how == "magnet":
        assert (journal_entries.MAGNET, {"was_on": 1}) in implant.entries(journal_entries.MAGNET)


@pytest.mark.control("C-57")
def test_a_supply_that_fails_in_a_session_gives_nothing_back(implant):
    implant.client.start()
    implant.run_to("hold")
    implant.power_cycle()
    noted = session(implant)
    assert len(noted[journal_entries.SESSION_BEGAN]) == 1
    (ended,) = noted[journal_entries.SESSION_ENDED]
    assert ended["cause"] == messages.STOPPED_FAULT and ended["elapsed_s"] == 0xFFFF
    state = implant.client.therapy()
    assert state.sessions_left == 1 and state.time_s is None
    assert refused(implant.client.start) == therapy_reasons.TOO_SOON  # counted from this start


@pytest.mark.control("C-58")
def test_a_clock_that_was_lost_is_given_back_once_and_only_if_it_can_be_true(implant):
    implant.client.start()
    implant.run_to("hold")
    implant.client.stop()
    implant.run_s(2)
    implant.power_cycle()
    for wrong_s in (NOW_S - 1, NOW_S + 500 * 86_400):
        with pytest.raises(Exception, match="range"):
            implant.client.keep_time(wrong_s)
    implant.client.keep_time(NOW_S + 4000)
    assert refused(lambda: implant.client.keep_time(NOW_S + 5000)) == therapy_reasons.CLOCK_KNOWN
    assert implant.client.therapy().reason == 0
    implant.client.start()


@pytest.mark.control("C-61")
@pytest.mark.parametrize("mode", [care.MRI, care.STORAGE])
def test_a_mode_shuts_the_electrodes_through_restarts_until_a_clinician_ends_it(implant, mode):
    reason = {care.MRI: therapy_reasons.MRI_MODE, care.STORAGE: therapy_reasons.STORAGE_MODE}[mode]
    implant.client.set_mode(mode)
    for restart in (False, True):
        if restart:
            implant.power_cycle(NOW_S + 100)
        at_ns = implant.bench.now_ns
        client = implant.client
        assert refused(client.start) == reason
        assert refused(client.self_test) == reason
        assert refused(client.measure_impedance) == reason
        assert refused(lambda client=client: client.train(0, 1, 2, 1000, 200, 0, 20, 1)) == reason
        implant.run_s(2)
        assert implant.is_off() and not implant.rises("L_CATH", at_ns)
    implant.client.set_mode(care.NORMAL)
    assert implant.client.therapy().reason == 0
    modes = [fields for _, fields in implant.entries(journal_entries.MODE)]
    assert modes == [{"before": 0, "after": mode}, {"before": mode, "after": 0}]


@pytest.mark.control("C-63")
def test_a_train_stops_when_the_host_vanishes(implant):
    implant.client.train(0, 1, 2, 1000, 200, 0, 50, 200)
    for _ in range(4):
        implant.run_s(0.2)
        implant.client.train_on()
    asked_ns = implant.bench.now_ns
    implant.run_s(1.0)
    last_ns = implant.rises("L_CATH", asked_ns)[-1]
    assert last_ns - asked_ns <= 500 * MS
    assert implant.is_off()
    (train,) = implant.entries(journal_entries.TEST_TRAIN)
    assert journal_entries.TRAIN_NAMES[train[1]["ended"]] == "host gone"
    assert train[1]["pulses"] == implant.client.train_on()


def test_a_train_beyond_the_limits_is_refused(implant):
    with pytest.raises(Exception, match="range"):
        implant.client.train(0, 1, 2, 10_000, 1000, 0, 20, 1)
    assert implant.is_off()


@pytest.mark.control("C-13")
def test_the_patients_window_holds_in_a_session_too():
    plan = PLAN.replaced({"left.least_ua": 1000, "left.most_ua": 2500})
    with ImplantBench(plan) as implant:
        implant.begin()
        implant.client.amplitude(2500, 3000)
        for outside in ((2525, 3000), (975, 3000), (2000, 3025)):
            assert (
                refused(lambda outside=outside: implant.client.amplitude(*outside)) == messages.REASON_WINDOW
            )
        implant.client.start()
        implant.run_to("hold")
        implant.client.amplitude(1000, 3000)
        implant.run_s(0.2)
        assert implant.client.status().amplitude_ua == (1000, 3000)
        implant.run_to("rest")
        implant.run_s(0.5)
        implant.client.stop()
        assert implant.entries(journal_entries.AMPLITUDE) == [
            (journal_entries.AMPLITUDE, {"left_ua": 2500, "right_ua": 3000}),
            (journal_entries.AMPLITUDE, {"left_ua": 1000, "right_ua": 3000}),
        ]


def test_refused_requests_fill_no_journal(implant):
    implant.client.set_mode(care.MRI)
    before = implant.client.journal(0).next
    for _ in range(50):
        refused(implant.client.start)
    assert implant.client.journal(0).next <= before + 1
    (entry,) = implant.entries(journal_entries.REFUSED)
    assert entry[1]["reason"] == therapy_reasons.MRI_MODE


def test_a_fault_that_a_clinician_has_cleared_lets_a_session_begin(implant):
    implant.chip.parts.leads["left"].electrodes[1].open()
    implant.client.start()
    implant.run_to("fault", timeout_s=90)
    state = implant.client.therapy()
    assert (state.fault_name, state.fault_lead_name) == ("open lead", "left")
    assert refused(implant.client.start) == therapy_reasons.FAULT
    implant.power_cycle(NOW_S + 7200)
    assert implant.state() == "fault"
    implant.client.clear_fault()
    assert implant.client.therapy().fault == 0 and implant.client.therapy().reason == 0
    kinds = [kind for kind, _ in implant.entries()]
    assert journal_entries.FAULT in kinds and journal_entries.FAULT_CLEARED in kinds


def test_the_leads_are_looked_at_by_itself_once_a_day(implant):
    implant.run_s(620)
    assert implant.entries(journal_entries.DAILY_CHECK, journal_entries.IMPEDANCE)
    why = [fields["why"] for _, fields in implant.entries(journal_entries.IMPEDANCE)]
    assert why == [journal_entries.WHY_DAILY] * 2
    implant.run_s(1200)
    assert len(implant.entries(journal_entries.DAILY_CHECK)) == 1
