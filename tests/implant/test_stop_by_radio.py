"""STOP by radio on an implant, in the moments in which its processor has most to do: off within 5 ms."""

from functools import cache

import pytest
from stimbench.attacks.air import RadioPeer
from stimbench.bench import provision
from stimfw.protocol import asking, console_frame, messages, requests, roles
from stimfw.telemetry.requester import STOP_LIMIT_MS
from support.implant_bench import BRIDGES, MS, PLAN, ImplantBench

pytestmark = pytest.mark.emulated
OFF_WITHIN_MS = 5  # docs/decisions/0054
READY_FROM_MS, READY_TO_MS = 280, 345  # from the reply to START: the contraction is made ready, then pulses
HOLD_MS = 2500


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
@pytest.mark.parametrize("early_ms", [1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("opcode", [requests.THERAPY, requests.LEDGER, requests.WATCH, requests.JOURNAL])
def test_a_stop_behind_a_request_of_the_hosts(implant, opcode, early_ms):
    values = () if opcode == requests.THERAPY else (0,)
    body = asking.pack_body(requests.row_of(opcode), values)
    line = console_frame.encode(7, messages.request(opcode, body))

    def ask(event_ns):
        implant.bench.at(event_ns - round(early_ms * MS), lambda: implant.chip.console.write(line))

    assert stop_at(implant, HOLD_MS, ask) <= OFF_WITHIN_MS


@pytest.mark.control("C-01")
@pytest.mark.parametrize("after_ms", [HOLD_MS, HOLD_MS + 2.5, HOLD_MS + 5, HOLD_MS + 7.5])
def test_a_stop_at_100_hz(after_ms):
    with with_a_peer(PLAN.replaced({"rate_hz": 100})) as implant:
        assert stop_at(implant, after_ms) <= OFF_WITHIN_MS
