"""STOP by radio on an implant, in the moments in which its processor has most to do: off within 5 ms."""

from functools import cache

import pytest
from stimbench.attacks.air import RadioPeer
from stimbench.bench import provision
from stimfw.protocol import asking, console_frame, journal_entries, messages, requests, roles
from stimfw.telemetry.requester import STOP_LIMIT_MS
from support.branches import branch
from support.implant_bench import BRIDGES, MS, PLAN, ImplantBench

pytestmark = pytest.mark.emulated
OFF_WITHIN_MS = 5  # docs/decisions/0054
READY_FROM_MS, READY_TO_MS = 280, 345  # from the reply to START: the contraction is made ready, then pulses
HOLD_MS = 2500
FAST = PLAN.replaced({"rate_hz": 200, "left.width_us": 400, "right.width_us": 600})
STEEP = PLAN.replaced(
    {"rate_hz": 200, "ramp_up_ms": 150, "ramp_down_ms": 150, "on_ms": 1000, "off_ms": 0, "left.width_us": 100,
     "right.width_us": 100, "left.amplitude_ua": 9000, "right.amplitude_ua": 9000}
)  # fmt: skip


def with_a_peer(plan=PLAN):
    implant = ImplantBench(plan)
    implant.pairing = provision.add_peer(implant.bench, roles.PATIENT, 1)
    return implant.begin()


@cache
def booted():
    return with_a_peer()


@pytest.fixture
def implant():
    """As the others' fixture, and a peer is paired with it."""
    return booted()


def stop_at(implant, after_ms, meanwhile=lambda _event_ns: None):
    """START, and a STOP whose packet ends so long after its reply; ms until the last edge of a bridge."""
    peer = RadioPeer(implant.bench, implant.pairing)
    assert peer.ask(messages.request(requests.STATUS)) is not None
    implant.client.start()
    event_ns = implant.bench.now_ns + round(after_ms * MS)
    meanwhile(event_ns)
    peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
    assert peer.finish() is not None
    implant.bench.run_for(200 * MS)
    capture = implant.bench.trace.capture(event_ns)
    edges = [capture.edges(f"stimulator.{signal}").times_ns for signal in BRIDGES]
    last_ns = max([event_ns, *(int(times[-1]) for times in edges if len(times))])
    implant.chip.console.read()
    assert implant.is_off() and implant.state() in ("stopped", "ready")
    return (last_ns - event_ns) / MS


@pytest.mark.control("C-01")
@pytest.mark.parametrize("after_ms", range(READY_FROM_MS, READY_TO_MS, 5))
def test_a_stop_while_a_contraction_is_made_ready(implant, after_ms):
    """Garbage is collected and the sampler armed: what came meanwhile is heard before the first pulse."""
    assert stop_at(implant, after_ms) <= OFF_WITHIN_MS


@pytest.mark.control("C-01")
@pytest.mark.parametrize("early_ms", [1.5, 3.0, 4.5, 6.0, 7.5])
@pytest.mark.parametrize(
    ("opcode", "values"),
    [
        (requests.THERAPY, ()),
        (requests.LEDGER, (0,)),
        (requests.WATCH, (0,)),
        (requests.JOURNAL, (0,)),
        (requests.AMPLITUDE, PLAN.amplitude_ua),
    ],
)
def test_a_stop_behind_a_request_of_the_hosts(implant, opcode, values, early_ms):
    body = asking.pack_body(requests.row_of(opcode), values)
    line = console_frame.encode(7, messages.request(opcode, body))

    def ask(event_ns):
        implant.bench.at(event_ns - round(early_ms * MS), lambda: implant.chip.console.write(line))

    assert stop_at(implant, HOLD_MS, ask) <= OFF_WITHIN_MS


@cache
def booted_fast():
    return with_a_peer(FAST)


@pytest.mark.control("C-01")
@pytest.mark.parametrize("after_ms", [700.4, 701.2, 702, 702.6, 703.2, 703.7, 704.4, 707.4, 708.5])
def test_a_stop_in_a_ramp_at_200_hz(after_ms):
    """The looks take most of a period there: the radio is read between two of them."""
    branch(lambda: _is_off_in_time(booted_fast(), after_ms))


def _is_off_in_time(implant, after_ms):
    assert stop_at(implant, after_ms) <= OFF_WITHIN_MS


@pytest.mark.control("C-70")
def test_a_radio_that_calls_without_pause_makes_no_look_late():
    """Each pulse is looked at, and steep ramps are no fault, although STATUS is asked all the time."""
    with with_a_peer(STEEP) as implant:
        peer = RadioPeer(implant.bench, implant.pairing)
        implant.client.start()
        end_ns = implant.bench.now_ns + 8000 * MS
        while implant.bench.now_ns < end_ns:
            assert peer.ask(messages.request(requests.STATUS)) is not None
        assert sum(lead.pulses for lead in implant.client.ledger()) > 2000
        assert [lead.missed for lead in implant.client.ledger()] == [0, 0]
        implant.client.stop()
        implant.run_s(0.3)
        assert implant.entries(journal_entries.FAULT, journal_entries.WARNING) == []
