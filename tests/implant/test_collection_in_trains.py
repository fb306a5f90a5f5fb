"""A host that asks all the time: its garbage is collected between pulses, and nothing else changes."""

from functools import cache
from itertools import pairwise

import pytest
from stimbench.attacks.air import RadioPeer
from stimbench.bench import provision
from stimbench.benchmarks.harness.load import COLLECTING_IN_PERIODS
from stimbench.benchmarks.therapy.rig import ImplantRig
from stimbench.parts import tolerances
from stimfw.protocol import console_frame, journal_entries, messages, requests, roles
from stimfw.telemetry.requester import STOP_LIMIT_MS
from support import scene
from support.branches import branch
from support.implant_bench import MS, PLAN, ImplantBench, S

pytestmark = pytest.mark.emulated
REQUESTS = 12
"""After so many it is due: stimfw/stimulator/app.py."""
PULSES = 100  # 1 s up, 3 s, 1 s down, 20 Hz
PERIOD_NS = PLAN.period_us * 1000
LEAD_IN_NS = 1 * MS  # much longer than from the end of the recharge to the pulse
OFF_WITHIN_NS = 5 * MS


def opened(implant, from_ns):
    """When each lead's recharge ended with no pulse of it behind, since then: of left, of right."""
    capture = implant.bench.trace.capture(from_ns)
    found = []
    for side in "LR":
        falls = capture.edges(f"stimulator.{side}_SHORT").falls_ns
        rises = [int(at) for at in capture.edges(f"stimulator.{side}_CATH").rises_ns]
        found.append([int(at) for at in falls if not any(0 <= rise - at < LEAD_IN_NS for rise in rises)])
    return found


def ask_until_rest(implant):
    while implant.state() != "rest":
        implant.client.watch_figures()


def test_a_contraction_with_many_requests_is_as_prescribed(implant):
    begun_ns = implant.bench.now_ns
    implant.client.start()
    implant.run_to("ramp up")
    ask_until_rest(implant)
    left, right = opened(implant, begun_ns)
    both = [at for at in left if any(abs(at - other) < MS for other in right)]
    assert len(both) >= 5, "bridges off for a collection"
    for side in "LR":
        rises = implant.rises(f"{side}_CATH", begun_ns)[-PULSES:]
        assert {after - before for before, after in pairwise(rises)} == {PERIOD_NS}
        # From the bridges' end to the next pulse: 12 ms of the collection, and 5 of a STOP meanwhile.
        assert all(min(rise - at for rise in rises if rise > at) >= 17 * MS for at in both if at < rises[-1])
    for lead, sums in enumerate(implant.client.ledger()):
        assert sums.pulses == PULSES and sums.missed == 0, lead
    assert not any(figures.fault for figures in implant.client.watch_figures())
    implant.client.stop()
    implant.run_s(0.5)
    assert implant.entries(journal_entries.FAULT) == []


@pytest.mark.parametrize("tolerance", [0, 1, -1])
def test_a_collection_wherever_there_is_room_changes_no_pulse_and_charges_nothing(tolerance):
    with ImplantRig(1, PLAN.replaced({"on_ms": 4000})) as rig:
        if tolerance:
            tolerances.worst_case(rig.parts, tolerance)
        rig.execute(COLLECTING_IN_PERIODS)
        stimulator = rig.ready()
        begun_ns = rig.now_ns
        stimulator.start()
        rig.run_ms(8000)
        assert stimulator.therapy().state_name == "rest"
        pauses = opened(rig, begun_ns)
        assert min(map(len, pauses)) >= 50
        assert not any(figures.fault for figures in stimulator.watch_figures())
        rises = rig.bench.trace.capture(begun_ns).edges("stimulator.L_CATH").rises_ns
        span_ns = int(rises[-1]) - int(rises[0])
        for lead, side in enumerate(("LEFT", "RIGHT")):
            sums = stimulator.ledger()[lead]
            assert sums.pulses == 120 and sums.missed == 0
            every = rig.bench.trace.currents[f"I_{side}"].segments
            trains = [each for each in every if each[0] >= rises[0] - MS]
            charge_fc = sum((i0 + i1) / 2 * (to_ns - from_ns) for from_ns, to_ns, i0, i1 in trains)
            assert abs(1000 * charge_fc / span_ns) <= 25, "nA: the limit at entry"


def with_a_peer():
    implant = ImplantBench(PLAN)
    implant.pairing = provision.add_peer(implant.bench, roles.PATIENT, 1)
    return implant.begin()


@cache
def in_hold_and_collected():
    """One request before the next collection: a hold, and the bench's time of a right lead's pulse."""
    implant = with_a_peer()
    implant.peer = RadioPeer(implant.bench, implant.pairing)
    assert implant.peer.ask(messages.request(requests.STATUS)) is not None
    implant.client.start()
    implant.run_to("hold")
    since_ns = implant.bench.now_ns
    while not all(opened(implant, since_ns)):
        implant.client.therapy()
        implant.bench.run_for(110 * MS)  # it comes in the second period behind a request, if not in the first
        assert implant.bench.now_ns < since_ns + 2 * S
    for _ in range(REQUESTS - 1):
        implant.client.therapy()
    return implant


@pytest.mark.control("C-01")
@pytest.mark.parametrize("after_ms", [-1, 0, 0.5, 1, 2, 4, 6, 8, 10, 12, 14, 17])
def test_a_stop_that_meets_a_collection_is_in_time(after_ms):
    branch(lambda: stop_in_a_collection(in_hold_and_collected(), after_ms))


def request_at(implant, time_ns):
    line = console_frame.encode(7, messages.request(requests.THERAPY))
    implant.bench.at(time_ns, lambda: implant.chip.console.write(line))


@cache
def collection_behind(request_ns):
    """When the collection begins that a request then leads to: in the next period, or in the one after."""

    def begun():
        implant = in_hold_and_collected()
        request_at(implant, request_ns)
        implant.bench.run_for(250 * MS)
        left, right = opened(implant, request_ns)
        return max(left[0], right[0])

    return branch(begun)


def stop_in_a_collection(implant, after_ms):
    request_ns = implant.rises("R_CATH", implant.bench.now_ns - 60 * MS)[-1] + 2 * PERIOD_NS - 25 * MS
    begun_ns = collection_behind(request_ns)
    assert begun_ns - request_ns < 2 * PERIOD_NS
    request_at(implant, request_ns)
    event_ns = begun_ns + round(after_ms * MS)
    implant.peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
    assert implant.peer.finish() is not None
    implant.bench.run_for(200 * MS)
    capture = implant.bench.trace.capture(event_ns)
    edges = [capture.edges(f"stimulator.{signal}").times_ns for signal in scene.BRIDGE]
    last_ns = max([event_ns, *(int(times[-1]) for times in edges if len(times))])
    assert last_ns - event_ns <= OFF_WITHIN_NS
    if 2 <= after_ms <= 14:
        assert last_ns == event_ns, "both bridges are off before it begins, and no pulse comes behind it"
    implant.chip.console.read()
    assert implant.is_off() and implant.state() in ("stopped", "ready")
