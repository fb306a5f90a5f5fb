"""The stimulator's port against the radio's model: answers, back-off, listen before talk, hops, pairing."""

import pytest
from stimfw.drivers.nrf24l01 import FAILED, SENT
from stimfw.drivers.stimulator_radio import StimulatorRadio, prepare
from stimfw.telemetry import channels

MS = 1_000_000
BASE = b"\x1c\xd2\x6b\x97"
OWN = channels.stimulator_address(BASE)
PEER = channels.peer_address(BASE, 2)
REPLY_KIND, PAIR_REPLY = 4, 6
GENUINE = b"\x03" + bytes(31)
WORK_NS = 1 * MS  # less than opening and sealing take


class Link:
    """Answers what begins with 0x03, after a while; all else is refused as an attacker's would be."""

    def __init__(self, clock):
        self.clock, self.taken, self.contact, self.pause, self.kind = clock, [], False, 0, REPLY_KIND
        self.answers, self.refuse_ns = True, 0

    def on_frame(self, view, now_ms):
        self.taken.append((self.clock.now_ns, bytes(view)))
        if not self.answers or view[0] != 3:
            self.clock.run_for(self.refuse_ns)
            return None
        self.clock.run_for(WORK_NS)
        return bytes([self.kind]) + bytes(23)

    def address_for(self, frame):
        assert len(frame) == 24
        return PEER

    def pause_ms(self, now_ms):
        return self.pause

    def in_contact(self, now_ms):
        return self.contact


class Bench:
    """The port in a loop as the application's: called by the IRQ pin, by wait_ms(), or for more."""

    def __init__(self, radios):
        self.radios, self.clock, self.air = radios, radios.clock, radios.air
        self.link = Link(radios.clock)
        self.port = StimulatorRadio(radios.stimulator.radio, self.link, OWN)
        assert self.port.revive()
        self.port.listen()
        self.peer = radios.remote.radio
        assert self.peer.configure(PEER, retries=3, retry_us=500)
        self.peer.power_up()
        self.calls, self.reads = 0, []
        self.radios.run_ms(1)

    def run_ms(self, span_ms):
        falls, end_ns = self.radios.stimulator.falls, self.clock.now_ns + round(span_ms * MS)
        called, due_ms = True, None
        while self.clock.now_ns < end_ns:
            now = self.radios.now_ms
            if called or falls or (due_ms is not None and now >= due_ms):
                falls.clear()
                self.calls += 1
                before = len(self.link.taken)
                called = self.port.service(now)
                self.reads.append(len(self.link.taken) - before)
                wait = self.port.wait_ms(now)
                due_ms = None if wait < 0 else now + wait
            self.radios.run_ms(0.1)

    def inject(self, after_ms=0.2, payload=GENUINE, address=OWN, channel=None, **options):
        channel = self.port.channel if channel is None else channel
        return self.air.inject(self.clock.now_ns + round(after_ms * MS), channel, address, payload, **options)

    def replies(self):
        return [packet for packet in self.air.tap if packet.payload and packet.payload[0] in (4, 6)]

    def acks(self):
        return sum(packet.was_ack for packet in self.air.tap)

    def ask(self, to=OWN):
        """As a remote: one burst, then listen for the answer."""
        self.peer.send(GENUINE, to)
        for _ in range(40):
            self.run_ms(0.25)
            result = self.peer.poll()
            if result in (SENT, FAILED):
                self.peer.listen()
                return result == SENT
        raise AssertionError("the burst never ended")


@pytest.fixture
def bench(radios):
    return Bench(radios)


def answer(bench):
    length = bench.peer.waiting()
    buffer = bytearray(length)
    if length:
        bench.peer.receive_into(memoryview(buffer))
    return bytes(buffer)


def test_a_frame_is_taken_then_answered_at_the_peers_address(bench):
    assert bench.ask()
    bench.run_ms(5)
    assert [frame for _, frame in bench.link.taken] == [GENUINE]
    assert answer(bench) == b"\x04" + bytes(23) and bench.port.sent == 1
    reply = bench.replies()[0]
    assert reply.address == PEER and reply.power_dbm == 0 and reply.t_start_ns > bench.link.taken[0][0]
    assert bench.ask(), "it listens again"


def test_an_answer_that_nobody_takes_is_given_up_after_six_transmissions(bench):
    bench.inject()
    bench.run_ms(15)
    assert len(bench.replies()) == 6 and bench.port.tx_failed == 1
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
    port = StimulatorRadio(empty_socket, None, OWN)
    assert not port.revive() and not port.works
    port.listen()
    port.service(0), port.look(0)


# The pairing window.


@pytest.mark.parametrize("to", [channels.PAIRING_STIMULATOR, channels.PAIRING_REMOTE, PEER])
def test_without_the_window_there_is_no_answer_at_all_but_at_its_own_address(bench, to):
    assert bench.ask(), "it has sent to the peer before"
    bench.run_ms(10)
    bench.peer.power_down()
    bench.link.taken.clear(), bench.air.tap.clear()
    for pid in range(4):
        bench.inject(0.2 + pid, address=to, pid=pid)
    bench.run_ms(10)
    assert bench.link.taken == [] and len(bench.air.tap) == 4


def test_in_the_window_pairing_is_answered_softly_and_peers_aloud(bench):
    bench.port.open_pairing()
    bench.radios.run_ms(1)
    bench.link.kind = PAIR_REPLY
    assert bench.ask(channels.PAIRING_STIMULATOR)
    bench.run_ms(12)
    sent = {(packet.address, packet.power_dbm) for packet in bench.replies()}
    assert sent == {(channels.PAIRING_REMOTE, -18)}
    bench.link.kind = REPLY_KIND
    bench.air.tap.clear()
    assert bench.ask()
    bench.run_ms(5)
    assert {(packet.address, packet.power_dbm) for packet in bench.replies()} == {(PEER, 0)}
    acks = [packet for packet in bench.air.tap if packet.was_ack and packet.address != PEER]
    assert {packet.power_dbm for packet in acks} == {-18}
    bench.port.close_pairing()
    bench.radios.run_ms(1)
    assert not bench.ask(channels.PAIRING_STIMULATOR)
    assert bench.ask()


def test_the_window_is_on_its_channel_and_stays_there(bench):
    now = bench.clock.now_ns
    bench.air.jam(channels.PAIRING_CHANNEL, now, now + 2500 * MS)
    assert look_for(bench, 2) == [76, 50]
    hops = bench.port.hops
    bench.port.open_pairing()
    assert bench.radios.stimulator.part.register(5) == channels.PAIRING_CHANNEL
    bench.air.jam(channels.PAIRING_CHANNEL, bench.clock.now_ns, bench.clock.now_ns + 8000 * MS)
    for _ in range(10):
        bench.run_ms(1000)
        bench.port.look(bench.radios.now_ms)
    assert bench.port.hops == hops and bench.port.channel == channels.PAIRING_CHANNEL
    assert bench.ask(channels.PAIRING_STIMULATOR)


def test_the_window_opens_while_it_sends(bench):
    bench.inject()
    bench.run_ms(2)
    assert bench.replies()
    bench.port.open_pairing()
    assert bench.port._sending and bench.radios.stimulator.part.register(0) == 0x0E, "still a sender"
    bench.run_ms(12)
    assert bench.ask(channels.PAIRING_STIMULATOR)


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


# Hops.


def look_for(bench, seconds):
    """Looks once a second; the channels on which it was afterwards."""
    seen = []
    for _ in range(seconds):
        bench.run_ms(1000)
        bench.port.look(bench.radios.now_ms)
        seen.append(bench.port.channel)
    return seen


def driven_away(bench):
    """From the first channel to the second."""
    now = bench.clock.now_ns
    bench.air.jam(76, now, now + 2500 * MS)
    assert look_for(bench, 2) == [76, 50]


def test_without_contact_it_comes_back_after_four_seconds(bench):
    assert look_for(bench, 10) == [76] * 10
    driven_away(bench)
    assert look_for(bench, 6) == [50, 50, 50, 76, 76, 76] and bench.port.hops == 2
    assert bench.ask(), "on the channel that it is on"


def test_in_contact_it_stays(bench):
    bench.link.contact = True
    driven_away(bench)
    assert look_for(bench, 10) == [50] * 10
    bench.link.contact = False
    assert look_for(bench, 5) == [50, 50, 50, 76, 76]


def test_frames_that_are_not_authentic_do_not_hold_it(bench):
    driven_away(bench)
    seen = []
    for k in range(9):
        bench.inject(payload=bytes(32), pid=k & 3)
        seen += look_for(bench, 1)
    assert seen[-1] == 76 and len(bench.link.taken) == 9


def test_a_flood_is_no_reason_to_hop(bench):
    bench.link.pause = 20
    flood(bench, 2500)
    assert look_for(bench, 4) == [76] * 4 and bench.port.hops == 0


def test_in_contact_it_leaves_a_channel_that_is_taken_twice(bench):
    bench.link.contact = True
    now = bench.clock.now_ns
    bench.air.jam(76, now, now + 100_000 * MS)
    bench.air.jam(50, now, now + 100_000 * MS)
    assert look_for(bench, 6) == [76, 50, 50, 24, 24, 24]
    assert bench.port.hops == 2


def test_a_channel_that_is_taken_now_and_then_is_kept(bench):
    bench.link.contact = True
    now = bench.clock.now_ns
    for k in range(0, 10, 2):
        bench.air.jam(76, now + k * 1000 * MS + 500 * MS, now + (k + 1) * 1000 * MS + 300 * MS)
    assert look_for(bench, 10) == [76] * 10


def test_one_packet_that_latched_the_detector_is_no_occupied_channel(bench):
    """Without an acknowledgement RPD stays latched (6.4)."""
    bench.link.contact = True
    bench.inject(no_ack=True, payload=bytes(32))
    assert look_for(bench, 4) == [76] * 4


def test_it_never_hops_while_an_answer_is_on_its_way(bench):
    bench.inject()
    bench.run_ms(2)
    assert bench.port._sending
    for now_ms in (0, 5000, 10000):
        bench.port.look(now_ms)
    assert bench.port.hops == 0


# Under attack.


def flood(bench, frames, first_ms=1.0, every_ms=2.0, **options):
    for k in range(frames):
        bench.inject(first_ms + k * every_ms, bytes([0x0F, k & 0xFF]) + bytes(30), pid=k & 3, **options)


@pytest.mark.parametrize("pause_ms", [10, 20, 40])
def test_a_flood_costs_three_frames_and_two_calls_a_pause(bench, pause_ms):
    """500 frames/s; the link pauses after each reading."""
    bench.link.pause = pause_ms
    bench.run_ms(1)
    bench.calls, bench.reads = 0, []
    flood(bench, 500)
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
        assert bench.port.service(bench.radios.now_ms)
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
    assert bench.port.tx_failed == 1 and not bench.port._sending
    assert bench.port.wait_ms(bench.radios.now_ms) > 20


# Losses.


def test_three_of_ten_packets_lost(bench):
    """A burst of four: 1 - 0.3^4 = 99 % arrive, 1 - 0.51^4 = 93 % are known to have arrived."""
    bench.air.seed, bench.air.loss = 11, 0.3
    bench.link.answers = False
    acknowledged = 0
    for _ in range(200):
        acknowledged += bench.ask()
        bench.run_ms(1)
    assert len(bench.link.taken) >= 196
    assert 174 <= acknowledged <= 197


def test_in_a_pause_nothing_is_acknowledged_and_then_what_comes_is_read_at_once(bench):
    bench.link.pause = 40
    flood(bench, 3)
    bench.run_ms(8)
    assert bench.port.paused
    taken = len(bench.link.taken)
    assert not bench.ask() and len(bench.link.taken) == taken
    bench.run_ms(42 - 8)
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
        if bench.port.paused and not bench.port._ears:
            assert fifo.register(0x17) & 1, "FIFO_STATUS: RX_EMPTY"
