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
    for _ in range(9):
        bench.inject(payload=bytes(32))
        seen += bench.check_channel(1)
    assert seen[-1] == 76 and len(bench.link.taken) == 9


def test_a_flood_is_no_reason_to_hop(bench):
    """Not even one that is on the air at both checks."""
    bench.link.pause = 20
    flood(bench, 2500)
    bench.air.jam(76, bench.clock.now_ns, bench.clock.now_ns + 5000 * MS)
    assert bench.check_channel(4) == [76] * 4 and bench.port.hops == 0


def test_while_the_sessions_peer_is_silent_it_goes_from_channel_to_channel(bench):
    """Pulses of 32 us drown every frame, and no look sees them."""
    bench.link.contact = True
    assert bench.check_channel(3) == [76] * 3
    assert bench.check_channel(7, lost=True) == [76, 50, 50, 24, 24, 76, 76]
    assert bench.check_channel(1) == [76], "the count begins anew"
    assert bench.check_channel(2, lost=True) == [76, 50]
    bench.port.open_pairing()
    assert bench.check_channel(4, lost=True) == [76] * 4, "not from a pairing window"


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


def test_packets_that_latched_the_detector_are_no_occupied_channel(bench):
    """RPD stays latched after a packet until the receiver is started again (6.4)."""
    bench.link.contact = True
    for _ in range(4):
        bench.inject(payload=bytes(32))
        assert bench.check_channel(1) == [76]


def test_the_look_at_the_channel_goes_on_listening(bench):
    bench.port.check_channel(bench.radios.now_ms)
    assert bench.ask()


def test_it_never_hops_while_an_answer_is_on_its_way(bench):
    bench.inject()
    bench.run_ms(1.8)
    assert bench.sending_reply
    for now_ms in (0, 5000, 10000):
        bench.port.check_channel(now_ms)
    assert bench.port.hops == 0


# Under attack.


def flood(bench, frames, first_ms=1.0, every_ms=2.0, **options):
    for k in range(frames):
        bench.inject(first_ms + k * every_ms, bytes([0x0F, k & 0xFF, k >> 8]) + bytes(29), **options)


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
    assert len(bench.link.taken) == 50 and max(bench.reads) <= 6


def test_all_of_a_dense_flood_is_read_while_there_is_no_pause(bench):
    """1400 frames/s, 45 % of the air: three wait in the radio for as long as 2 ms."""
    bench.link.refuse_ns = 200_000
    flood(bench, 700, every_ms=1 / 1.4)
    bench.run_ms(510)
    assert len(bench.link.taken) == 700


@pytest.mark.control("C-02", "C-31")
def test_a_genuine_sender_gets_through_a_flood(bench):
    """It repeats its burst as a link does; the pause ends, there is room, its frame is taken."""
    bench.link.pause = 20
    flood(bench, 500)
    bench.run_ms(50)
    for request in range(10):
        before, tries = bench.genuine(), 0
        while bench.genuine() == before:
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
    assert bench.ask()


def test_a_flood_does_not_keep_the_caller(bench):
    """It comes faster than it is refused: a call ends after six frames, and says that there is more."""
    bench.link.refuse_ns = 2 * MS
    flood(bench, 100, every_ms=0.5)
    bench.radios.run_ms(3)
    for calls in range(1, 4):
        assert bench.port.poll(bench.radios.now_ms)
        assert len(bench.link.taken) == 6 * calls


def test_an_answer_ends_while_reading_is_paused(bench):
    """A frame that is not read holds the IRQ pin low, so the end of sending is looked for."""
    bench.link.pause = 40
    now = bench.clock.now_ns
    bench.inject(0.2)
    bench.air.jam(76, now + 1 * MS, now + 2 * MS)  # the answer is deferred; meanwhile the frame comes
    bench.inject(2.05, bytes(32))
    bench.run_ms(10)
    assert len(bench.link.taken) == 1 and len(bench.replies()) == 3
    assert bench.port.sent == 1 and not bench.sending_reply
    assert bench.port.wait_ms(bench.radios.now_ms) > 20


def test_what_comes_in_a_pause_is_dropped_and_what_comes_after_it_is_read(bench):
    bench.link.pause = 40
    bench.inject(payload=bytes(32))
    bench.run_ms(8)
    assert bench.port.paused
    taken = len(bench.link.taken)
    assert not bench.ask() and len(bench.link.taken) == taken
    bench.run_ms(45 - 8 - 3)
    assert bench.in_listen_slot or bench.port.paused
    bench.link.pause = 0
    bench.run_ms(5)
    assert bench.genuine() == 0, "what lay there since the pause is gone"
    assert bench.ask() and not bench.port.paused


def test_a_listen_slot_has_room_for_three(bench):
    """Though the radio was full at the end of the pause."""
    bench.link.pause = 40
    bench.inject(payload=bytes(32))
    bench.run_ms(2)
    for k in range(5):
        bench.inject(1 + k, b"\x0f" + bytes([k]) * 31)
    while not bench.in_listen_slot:
        bench.run_ms(0.25)
    assert len(bench.link.taken) == 1
    assert not bench.ask(), "it is read at the end of the slot"
    bench.run_ms(3)
    assert [frame for _, frame in bench.link.taken[1:]] == [GENUINE]


def test_in_a_pause_the_radio_receives_but_wakes_nobody(bench):
    bench.link.pause = 40
    bench.inject(payload=bytes(32))
    bench.run_ms(3)
    calls = bench.calls
    flood(bench, 15)
    bench.run_ms(30)
    assert bench.calls - calls <= 2, "run_ms() begins with one"
    assert bench.radios.stimulator.part.register(0x17) & 2, "FIFO_STATUS: RX_FULL"
