"""A jammer on the channel where remote and stimulator met last: STOP is delivered on another one."""

import pytest
from stimfw.telemetry import addresses, frames
from support import scene
from support.branches import branch
from support.pairing_bench import couple_at_rest
from support.scene import MS

BEGINS_MS = 2200
"""The jammer begins with the press: the stimulator has to see it twice, a second apart, before it moves."""
LASTS_MS = 60
"""The jammer has been there: both have moved, and the remote begins where it found the stimulator last."""

pytestmark = pytest.mark.emulated


def stop(board, bench):
    """Press STOP while pulsing: ms from the press to off, and the channel of the first authentic answer."""
    scene.pulse(board)
    pressed_ns, first = bench.now_ns, len(bench.air.tap)
    bench.press("STOP", 80)
    green = lambda: [at for at, on in bench.trace.edges("remote", "LED_GREEN", pressed_ns) if on]  # noqa: E731
    assert bench.run_until(green, 3100 * MS)
    bench.run_for(1200 * MS)
    heard = bench.air.tap[first:]
    asked = [packet for packet in heard if frames.kind_of(packet.payload) in (frames.HELLO, frames.REQUEST)]
    answers = [
        packet for packet in heard if frames.kind_of(packet.payload) in (frames.CHALLENGE, frames.REPLY)
    ]
    last_ns = scene.last_edge_ns(bench, scene.DRIVE)
    assert last_ns > pressed_ns - scene.PERIOD_MS * MS, "it was pulsing"
    # STOP may come between two pulses: it is off when the burst that was answered has come, not before.
    came_ns = max(packet.t_start_ns for packet in asked if packet.t_end_ns < answers[0].t_start_ns)
    return (max(last_ns, came_ns) - pressed_ns) / MS, answers[0].channel


@pytest.mark.control("C-02")
def test_stop_finds_another_channel():
    branch(lambda: assert_finds_another(couple_at_rest()))


def assert_finds_another(couple):
    board, bench = couple.board, couple.bench
    for lead in couple.chip.parts.leads.values():
        lead.trace.enabled = False
    free_ms, jammed = stop(board, bench)
    assert free_ms < LASTS_MS
    bench.air.jam(jammed, bench.now_ns + 300 * MS, bench.now_ns + 60_000 * MS)
    begins_ms, found = stop(board, bench)
    assert begins_ms < BEGINS_MS and found != jammed and found in addresses.CHANNELS
    lasts_ms, again = stop(board, bench)
    assert lasts_ms < LASTS_MS and again == found
