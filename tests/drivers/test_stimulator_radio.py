"""The stimulator's port against the radio's model: answers, copies, listen before talk, losses, pairing."""

import pytest
from stimfw.radio.listener import RadioListener, prepare
from stimfw.telemetry import addresses
from support.radio_harness import GENUINE, MS, OWN, PAIR_REPLY, PEER, REPLY_KIND, Bench

REPLY = b"\x04" + bytes(31)


@pytest.fixture
def bench(radios):
    return Bench(radios)


def answers(bench):
    found = []
    bench.peer.begin_reading()
    while bench.peer.waiting():
        buffer = bytearray(32)
        bench.peer.receive_into(memoryview(buffer))
        found.append(bytes(buffer))
    return found


def test_a_frame_is_taken_then_answered_at_the_peers_address(bench):
    assert bench.ask()
    bench.run_ms(5)
    assert [frame for _, frame in bench.link.taken] == [GENUINE]
    assert REPLY in answers(bench) and bench.port.sent == 1 and len(bench.replies()) == 3
    reply = bench.replies()[0]
    assert reply.address == PEER and reply.power_dbm == 0 and reply.t_start_ns > bench.link.taken[0][0]
    bench.run_ms(20)
    assert bench.ask(), "it listens again"


def test_an_answer_goes_out_before_what_lies_behind_its_frame_is_read(bench):
    """A peer listens for a short time, and a flood behind its frame takes longer to read."""
    bench.link.work_ns, bench.link.refuse_ns = 4 * MS, 1 * MS
    bench.inject()
    for number in range(2):
        bench.inject(0.7 + 0.5 * number, b"\x09" + bytes([number]) * 31)
    bench.run_ms(12)
    others = [at_ns for at_ns, frame in bench.link.taken if frame != GENUINE]
    assert len(others) == 2 and bench.replies()[0].t_start_ns < min(others) + 1 * MS
    assert bench.genuine() == 1 and bench.port.sent == 1


@pytest.mark.parametrize("others", [1, 2])
def test_behind_a_frame_that_is_answered_one_more_is_read_and_the_next_is_told(bench, others):
    """No edge of the IRQ pin will tell of it."""
    bench.inject()
    for number in range(others):
        bench.inject(0.7 + 0.5 * number, b"\x09" + bytes([number]) * 31)
    bench.radios.run_ms(3)
    assert bench.port.poll(bench.radios.now_ms) == (others > 1) and len(bench.link.taken) == 2
    bench.port.poll(bench.radios.now_ms)
    assert len(bench.link.taken) == 1 + others


def test_all_copies_of_what_is_answered_are_dropped_however_long_it_takes(bench):
    """The loop comes round 14 ms later: flash was written, or the request took so long."""
    for number in range(3):
        bench.inject(0.2 + 0.45 * number)
    bench.radios.run_ms(3)
    bench.link.work_ns = 12 * MS
    bench.port.poll(bench.radios.now_ms)
    bench.radios.run_ms(14)
    for _ in range(5):
        bench.port.poll(bench.radios.now_ms)
        bench.radios.run_ms(2)
    assert bench.genuine() == 1 and len(bench.replies()) == 3


def test_while_an_answer_is_sent_frames_are_read_one_by_one(bench):
    """At its end somebody has to switch the receiver on: it is deaf until then."""
    bench.link.work_ns, bench.link.refuse_ns = 4 * MS, round(0.9 * MS)
    bench.inject()
    for number in range(24):
        bench.inject(0.7 + 0.7 * number, b"\x09" + bytes([number]) * 31)
    bench.run_ms(1)
    while bench.sending_reply or not bench.replies():
        bench.run_ms(0.1)
    assert bench.reads[-1] <= 1 and max(bench.reads) <= 2
    assert bench.clock.now_ns < bench.replies()[-1].t_end_ns + 1.5 * MS


@pytest.mark.parametrize(("hurried", "copies", "looks"), [(True, 8, 0), (False, 3, 4)])
def test_in_a_flood_with_the_output_on_the_answer_is_sent_at_once_and_more_often(
    bench, hurried, copies, looks
):
    bench.link.hurried = hurried
    bench.inject()
    bench.air.jam(76, bench.clock.now_ns + round(0.6 * MS), bench.clock.now_ns + 60 * MS)
    bench.run_ms(20)
    assert len(bench.replies()) == copies and bench.port.deferred == looks
    waited_ns = bench.replies()[0].t_start_ns - bench.link.taken[0][0]
    assert waited_ns < 2.5 * MS if hurried else waited_ns > 4 * MS


def test_an_answer_is_one_burst_whether_or_not_anybody_hears_it(bench):
    bench.inject()
    bench.run_ms(15)
    assert len(bench.replies()) == 3 and bench.port.sent == 1 and bench.port.tx_failed == 0
    assert bench.port.wait_ms(bench.radios.now_ms) == -1
    assert bench.ask()


def test_a_radio_that_never_ends_sending_is_given_up(bench):
    bench.inject()
    bench.radios.stimulator.radio.poll = lambda: 1
    bench.run_ms(60)
    assert bench.port.tx_failed == 1


def test_no_address_no_answer(radios):
    bench = Bench(radios)
    bench.port.address(None)
    assert not bench.ask() and bench.link.taken == []
    bench.port.address(OWN)
    assert bench.ask()


def test_a_radio_that_forgets_its_settings_is_revived(bench):
    bench.port._radio._write(0, 0x08)  # CONFIG after a brown-out
    assert bench.port.revive() and bench.ask()


def test_an_empty_socket_is_told(empty_socket):
    assert not prepare(empty_socket)
    port = RadioListener(empty_socket, None, OWN)
    assert not port.revive() and not port.works
    port.listen()
    assert not port.poll(0)
    port.check_channel(0)


# Copies.


@pytest.mark.parametrize("work_ms", [0.0, 0.3, 1.0, 6.0, 12.0])
def test_a_bursts_frame_is_handed_over_once(bench, work_ms):
    """Whether its copies come before the first one is done with, or after."""
    bench.link.work_ns = round(work_ms * MS)
    assert bench.ask()
    bench.run_ms(max(9 - work_ms, 4))
    assert bench.genuine() == 1 and len(bench.replies()) == 3


def test_a_frame_that_was_of_no_use_is_handed_over_with_each_copy(bench):
    """The second or third one may be: a key of another generation is made a step at a time."""
    bench.link.answers = False
    bench.ask()
    bench.run_ms(5)
    assert bench.genuine() == 3 and bench.replies() == []


def test_a_copy_between_frames_of_others_is_still_a_copy(bench):
    """Somebody else's frames fall between the copies of a burst."""
    for number in range(3):
        bench.inject(0.2 + 0.9 * number)
        bench.inject(0.65 + 0.9 * number, b"\x09" + bytes([number]) * 31)
    bench.link.work_ns = 3 * MS
    bench.run_ms(8)
    others = [frame for _, frame in bench.link.taken if frame != GENUINE]
    assert bench.genuine() == 1 and 1 <= len(others) <= 3


def test_a_frame_that_is_sent_again_is_handed_over_again(bench):
    """12 ms and more after a burst, when its answer was lost, the same frame comes in the next one."""
    for bursts in range(1, 4):
        bench.ask()
        bench.run_ms(12)
        assert bench.genuine() == bursts


# The pairing window.


@pytest.mark.parametrize("to", [addresses.PAIRING_STIMULATOR, addresses.PAIRING_REMOTE, PEER])
def test_without_the_window_there_is_no_answer_at_all_but_at_its_own_address(bench, to):
    assert bench.ask(), "it has sent to the peer before"
    bench.run_ms(10)
    bench.peer.power_down()
    bench.link.taken.clear(), bench.air.tap.clear()
    for number in range(4):
        bench.inject(0.2 + number, address=to)
    bench.run_ms(10)
    assert bench.link.taken == [] and len(bench.air.tap) == 4


def test_in_the_window_pairing_is_answered_softly_and_peers_aloud(bench):
    bench.port.open_pairing()
    bench.radios.run_ms(1)
    bench.link.kind = PAIR_REPLY
    assert bench.ask(addresses.PAIRING_STIMULATOR)
    bench.run_ms(12)
    sent = {(packet.address, packet.power_dbm) for packet in bench.replies()}
    assert sent == {(addresses.PAIRING_REMOTE, -18)}
    bench.link.kind = REPLY_KIND
    bench.air.tap.clear()
    assert bench.ask()
    bench.run_ms(5)
    assert {(packet.address, packet.power_dbm) for packet in bench.replies()} == {(PEER, 0)}
    bench.port.close_pairing()
    bench.radios.run_ms(12)
    assert not bench.ask(addresses.PAIRING_STIMULATOR)
    assert bench.ask()


def test_an_answer_in_the_window_does_not_end_it(bench):
    """The look at the air before the answer keeps pairing's address."""
    bench.port.open_pairing()
    bench.radios.run_ms(1)
    bench.air.jam(76, bench.clock.now_ns + 600_000, bench.clock.now_ns + 4 * MS)
    bench.inject(0.2)
    bench.run_ms(2)
    assert bench.port.deferred and not bench.replies()
    assert bench.radios.stimulator.part.register(2) == 3, "EN_RXADDR: both pipes"


def test_the_window_is_on_its_channel_and_stays_there(bench):
    now = bench.clock.now_ns
    bench.air.jam(addresses.PAIRING_CHANNEL, now, now + 2500 * MS)
    assert bench.check_channel(2) == [76, 50]
    hops = bench.port.hops
    bench.port.open_pairing()
    assert bench.radios.stimulator.part.register(5) == addresses.PAIRING_CHANNEL
    bench.air.jam(addresses.PAIRING_CHANNEL, bench.clock.now_ns, bench.clock.now_ns + 8000 * MS)
    for _ in range(10):
        bench.run_ms(1000)
        bench.port.check_channel(bench.radios.now_ms)
    assert bench.port.hops == hops and bench.port.channel == addresses.PAIRING_CHANNEL
    bench.air.stop_jamming(bench.clock.now_ns)
    assert bench.ask(addresses.PAIRING_STIMULATOR)


def test_the_window_opens_while_it_sends(bench):
    bench.inject()
    bench.run_ms(1.8)
    assert bench.replies()
    bench.port.open_pairing()
    assert bench.sending_reply and bench.radios.stimulator.part.register(0) == 0x0E, "still a sender"
    bench.run_ms(12)
    assert bench.ask(addresses.PAIRING_STIMULATOR)
    assert bench.radios.stimulator.part.spoilt == 0


# Listen before talk.


def test_an_answer_waits_for_a_free_channel(bench):
    bench.inject()
    bench.air.jam(76, bench.clock.now_ns + 560_000, bench.clock.now_ns + 2_900_000)
    bench.run_ms(6)
    assert 1 <= bench.port.deferred <= 3
    assert bench.replies()[0].t_start_ns > bench.air._jams[0].end_ns


def test_an_answer_does_not_wait_for_ever(bench):
    bench.inject()
    heard_ns = bench.clock.now_ns + 560_000
    bench.air.jam(76, heard_ns, heard_ns + 50 * MS)
    bench.run_ms(20)
    assert bench.port.deferred == 4
    assert 4 * MS <= bench.replies()[0].t_start_ns - heard_ns <= 6.5 * MS


def test_a_quick_answer_does_not_begin_in_the_burst_that_asked(bench):
    bench.link.work_ns = 0
    assert bench.ask()
    bench.run_ms(9)
    asked = [packet for packet in bench.air.tap if packet.payload == GENUINE]
    assert bench.replies()[0].t_start_ns > asked[-1].t_end_ns and len(asked) == 3


# Losses.


def test_three_of_ten_packets_lost(bench):
    """Of a burst of three 97 % arrive; the peer here is late and misses one copy of an answer: 91 %."""
    bench.air.seed, bench.air.loss = 11, 0.3
    bench.link.work_ns = 2 * MS
    answered = arrived = 0
    for _ in range(200):
        arrived += bench.ask()
        bench.run_ms(12)
        answered += REPLY in answers(bench)
    assert 188 <= arrived <= 199 and 165 <= answered <= 188
