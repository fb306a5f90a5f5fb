"""The stimulator's port when the air is not its own: hops away from a jammer, back-off from a flood."""

import pytest
from support.radio_harness import GENUINE, MS, Bench


@pytest.fixture
def bench(radios):
    return Bench(radios)


# Hops.


def driven_away(bench):
    """From the first channel to the second."""
    now = bench.clock.now_ns
    bench.air.jam(76, now, now + 2500 * MS)
    assert bench.check_channel(2) == [76, 50]


def test_without_contact_it_comes_back_after_four_seconds(bench):
    assert bench.check_channel(10) == [76] * 10
    driven_away(bench)
    assert bench.check_channel(6) == [50, 50, 50, 76, 76, 76] and bench.port.hops == 2
    assert bench.ask(), "on the channel that it is on"


def test_in_contact_it_stays(bench):
    bench.link.contact = True
    driven_away(bench)
    assert bench.check_channel(10) == [50] * 10
    bench.link.contact = False
    assert bench.check_channel(5) == [50, 50, 50, 76, 76]


def test_frames_that_are_not_authentic_do_not_hold_it(bench):
    driven_away(bench)
    seen = []
    for k in range(9):
        bench.inject(payload=bytes(32), pid=k & 3)
        seen += bench.check_channel(1)
    assert seen[-1] == 76 and len(bench.link.taken) == 9


def test_a_flood_is_no_reason_to_hop(bench):
    bench.link.pause = 20
    flood(bench, 2500)
    assert bench.check_channel(4) == [76] * 4 and bench.port.hops == 0


def test_in_contact_it_leaves_a_channel_that_is_taken_twice(bench):
    bench.link.contact = True
    now = bench.clock.now_ns
    bench.air.jam(76, now, now + 100_000 * MS)
    bench.air.jam(50, now, now + 100_000 * MS)
    assert bench.check_channel(6) == [76, 50, 50, 24, 24, 24]
    assert bench.port.hops == 2


def test_a_channel_that_is_taken_now_and_then_is_kept(bench):
    bench.link.contact = True
    now = bench.clock.now_ns
    for k in range(0, 10, 2):
        bench.air.jam(76, now + k * 1000 * MS + 500 * MS, now + (k + 1) * 1000 * MS + 300 * MS)
    assert bench.check_channel(10) == [76] * 10


def test_one_packet_that_latched_the_detector_is_no_occupied_channel(bench):
    """Without an acknowledgement RPD stays latched (6.4)."""
    bench.link.contact = True
    bench.inject(no_ack=True, payload=bytes(32))
    assert bench.check_channel(4) == [76] * 4


def test_it_never_hops_while_an_answer_is_on_its_way(bench):
    bench.inject()
    bench.run_ms(2)
    assert bench.sending_reply
    for now_ms in (0, 5000, 10000):
        bench.port.check_channel(now_ms)
    assert bench.port.hops == 0


# Under attack.


def flood(bench, frames, first_ms=1.0, every_ms=2.0, **options):
    for k in range(frames):
        bench.inject(first_ms + k * every_ms, bytes([0x0F, k & 0xFF]) + bytes(30), pid=k & 3, **options)


@pytest.mark.parametrize("pause_ms", [10, 20, 40])
def test_a_flood_costs_three_frames_and_two_calls_a_pause(bench, pause_ms):
    """1000 frames/s; the link pauses after each reading."""
    bench.link.pause = pause_ms
    bench.run_ms(1)
    bench.calls, bench.reads = 0, []
    flood(bench, 1000, every_ms=1.0)
    bench.run_ms(1000)
    pauses = 1000 // pause_ms
    assert len(bench.link.taken) <= 3 * (pauses + 1) and max(bench.reads) == 3
    assert bench.calls <= 3 * (pauses + 1), "one interrupt a pause, one end of it"


def test_without_a_pause_every_frame_is_read(bench):
    flood(bench, 50)
    bench.run_ms(110)
    assert len(bench.link.taken) == 50 and max(bench.reads) <= 3


def test_a_genuine_sender_gets_through_a_flood(bench):
    """It repeats its burst as a link does; the pause ends, there is room, its frame is taken."""
    bench.link.pause = 20
    flood(bench, 500)
    bench.run_ms(50)
    for request in range(10):
        before, tries = len([1 for _, f in bench.link.taken if f == GENUINE]), 0
        while len([1 for _, f in bench.link.taken if f == GENUINE]) == before:
            tries += 1
            assert tries <= 20, f"request {request} is lost"
            bench.ask()
            bench.run_ms(7)


def test_after_the_flood_a_request_is_taken_at_once(bench):
    bench.link.pause = 40
    flood(bench, 100)
    bench.run_ms(200)
    bench.link.pause = 0
    bench.run_ms(50)
    before = len(bench.link.taken)
    assert bench.ask()
    bench.run_ms(1)
    assert len(bench.link.taken) == before + 1


def test_a_flood_does_not_keep_the_caller(bench):
    """It comes faster than it is refused: a call ends after three frames, and says that there is more."""
    bench.link.refuse_ns = 2 * MS
    flood(bench, 100, every_ms=0.5, no_ack=True)
    bench.radios.run_ms(3)
    for calls in range(1, 4):
        assert bench.port.poll(bench.radios.now_ms)
        assert len(bench.link.taken) == 3 * calls


def test_an_answer_ends_while_reading_is_paused(bench):
    """A frame that is not read holds the IRQ pin low, so the end of sending is looked for."""
    bench.link.pause = 40
    now = bench.clock.now_ns
    bench.inject(0.2)
    bench.air.jam(76, now + 1 * MS, now + 2 * MS)  # the answer is deferred; meanwhile the frame comes
    bench.inject(2.05, bytes(32), pid=1)
    bench.run_ms(16)
    assert len(bench.link.taken) == 1 and len(bench.replies()) == 6
    assert bench.port.tx_failed == 1 and not bench.sending_reply
    assert bench.port.wait_ms(bench.radios.now_ms) > 20


def test_in_a_pause_nothing_is_acknowledged_and_then_what_comes_is_read_at_once(bench):
    bench.link.pause = 40
    flood(bench, 3)
    bench.run_ms(8)
    assert bench.port.paused
    taken = len(bench.link.taken)
    assert not bench.ask() and len(bench.link.taken) == taken
    bench.run_ms(40 - 8)
    bench.link.pause = 0
    assert bench.ask()
    bench.run_ms(8)
    assert bench.link.taken[-1][1] == GENUINE and not bench.port.paused


def test_a_window_is_read_empty_so_that_the_next_one_has_room(bench):
    bench.link.pause = 40
    flood(bench, 400, every_ms=1.0)
    bench.run_ms(300)
    fifo = bench.radios.stimulator.part
    for _ in range(40):
        bench.run_ms(1)
        if bench.port.paused and not bench.in_listen_slot:
            assert fifo.register(0x17) & 1, "FIFO_STATUS: RX_EMPTY"
