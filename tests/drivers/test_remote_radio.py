"""The requesting port against the radio's model and the other port: search, listen before talk, sleep."""

import pytest
from stimfw.radio.listener import RadioListener
from stimfw.radio.searcher import RadioSearcher
from stimfw.telemetry import addresses

MS = 1_000_000
BASE = b"\x1c\xd2\x6b\x97"
THERE = addresses.stimulator_address(BASE)
OWN = addresses.peer_address(BASE, 0)
FOREIGN = addresses.stimulator_address(b"\x77\x12\x5c\xe1")
FRAME = b"\x03" + bytes(31)
CRYSTAL_NS = 4_500_000
BURST_NS = 5 * MS
LISTEN_NS = 5 * MS  # listen before talk, all channels together


class Stimulator:
    """A link that answers everything."""

    def __init__(self, clock):
        self.clock, self.taken, self.reply = clock, [], b"\x04" + bytes(23)

    def on_frame(self, view, now_ms):
        self.taken.append((self.clock.now_ns, bytes(view)))
        self.clock.run_for(MS)
        return self.reply

    def address_for(self, frame):
        return OWN

    def pause_ms(self, now_ms):
        return 0

    def connected(self, now_ms):
        return True


class Remote:
    """A link that keeps what it gets."""

    def __init__(self):
        self.heard = []

    def on_frame(self, view, now_ms):
        self.heard.append(bytes(view))


class Bench:
    def __init__(self, radios):
        self.radios, self.clock, self.air = radios, radios.clock, radios.air
        self.link, self.remote = Stimulator(radios.clock), Remote()
        self.stimulator = RadioListener(radios.stimulator.radio, self.link, THERE)
        self.port = RadioSearcher(radios.remote.radio, self.remote)
        assert self.stimulator.revive() and self.port.revive()
        self.stimulator.listen()
        self.radios.run_ms(1)

    def move(self, channel):
        """The stimulator hopped."""
        self.stimulator.channel = channel
        self.stimulator.listen()
        self.radios.run_ms(1)

    def run_ms(self, span_ms, deaf=False):
        end_ns = self.clock.now_ns + round(span_ms * MS)
        while self.clock.now_ns < end_ns:
            if not deaf:
                self.stimulator.poll(self.radios.now_ms)
            self.port.poll(self.radios.now_ms)
            self.radios.run_ms(0.25)

    def search(self, frame=FRAME, **options):
        """Send and wait for the end of the search; the time it took (ns)."""
        began_ns = self.clock.now_ns
        self.port.send(frame, THERE, OWN, self.radios.now_ms, **options)
        while self.port.state == RadioSearcher.SEARCHING:
            assert self.clock.now_ns < began_ns + 300 * MS
            self.run_ms(0.25)
        return self.clock.now_ns - began_ns

    def jam(self, *jammed, span_ms=1000):
        for channel in jammed:
            self.air.jam(channel, self.clock.now_ns, self.clock.now_ns + span_ms * MS)

    def requests(self):
        return [packet for packet in self.air.tap if packet.payload == FRAME]

    def asleep(self):
        return self.radios.remote.part.mode.value == "power down"


@pytest.fixture
def bench(radios):
    return Bench(radios)


def test_a_frame_is_delivered_and_its_answer_heard_then_it_sleeps(bench):
    assert bench.asleep()
    bench.search()
    assert bench.port.state == RadioSearcher.DELIVERED and bench.port.sent == 1
    bench.run_ms(5)
    assert bench.remote.heard == [bench.link.reply]
    assert [packet.address for packet in bench.requests()] == [THERE]
    bench.port.sleep()
    assert bench.asleep() and bench.port.state == RadioSearcher.IDLE
    assert not bench.port.poll(bench.radios.now_ms) and bench.port.wait_ms(bench.radios.now_ms) == -1


def test_from_sleep_to_the_air_it_takes_the_crystal_and_a_look(bench):
    began_ns = bench.clock.now_ns
    bench.search()
    assert bench.requests()[0].t_start_ns - began_ns < CRYSTAL_NS + 1 * MS
    began_ns = bench.clock.now_ns
    bench.search()
    assert bench.requests()[1].t_start_ns - began_ns < 1 * MS


@pytest.mark.parametrize("channel", addresses.CHANNELS)
def test_it_is_found_wherever_it_is_and_there_first_next_time(bench, channel):
    bench.move(channel)
    assert bench.search() < CRYSTAL_NS + 12 * BURST_NS
    assert bench.port.state == RadioSearcher.DELIVERED and bench.port.channel == channel
    bench.run_ms(5)
    assert len(bench.remote.heard) == 1
    bench.air.tap.clear()
    bench.search()
    assert [packet.channel for packet in bench.requests()] == [channel]


def test_it_comes_back_to_the_last_channel_in_bursts_of_four_transmissions(bench):
    bench.stimulator.address(None)
    assert bench.search() < CRYSTAL_NS + 12 * BURST_NS
    assert [packet.channel for packet in bench.requests()] == [76] * 20 + [50] * 4 + [76] * 20 + [24] * 4
    assert bench.port.state == RadioSearcher.UNDELIVERED and bench.port.tx_failed == 12
    starts = [packet.t_start_ns for packet in bench.requests()]
    assert starts[3] - starts[0] < 4 * MS
    assert bench.port.wait_ms(bench.radios.now_ms) == -1


OCCUPIED = [((76,), 10, 2), ((50,), 1, 11), ((76, 50), 11, 1)]


@pytest.mark.parametrize(("jammed", "deferred", "bursts"), OCCUPIED)
def test_occupied_channels_are_passed_over(bench, jammed, deferred, bursts):
    bench.move(24)
    bench.jam(*jammed)
    assert bench.search() < CRYSTAL_NS + deferred * LISTEN_NS + bursts * BURST_NS
    assert bench.port.state == RadioSearcher.DELIVERED and bench.port.deferred == deferred
    assert not any(packet.channel in jammed for packet in bench.requests())


def test_occupied_channels_are_tried_in_the_end(bench):
    """The stimulator is on one that is, and its neighbour stops just in time."""
    bench.jam(76, span_ms=17)
    assert bench.search() < CRYSTAL_NS + LISTEN_NS + 3 * BURST_NS
    assert [packet.channel for packet in bench.requests()][:8] == [50] * 4 + [24] * 4
    assert bench.port.state == RadioSearcher.DELIVERED and bench.port.channel == 76


def test_nowhere_free_it_sends_anyway_after_five_milliseconds_of_listening(bench):
    bench.jam(None)
    began_ns = bench.clock.now_ns
    assert bench.search() < CRYSTAL_NS + LISTEN_NS + 12 * BURST_NS
    first = bench.requests()[0]
    assert first.t_start_ns - began_ns < CRYSTAL_NS + LISTEN_NS
    assert {packet.channel for packet in bench.requests()} == set(addresses.CHANNELS)
    assert bench.port.state == RadioSearcher.UNDELIVERED


def test_an_answer_to_a_frame_whose_acknowledgements_were_lost_is_heard_in_the_end(bench):
    bench.air.drop = lambda packet: packet.is_ack and packet.channel == 76
    bench.search()
    assert bench.port.state == RadioSearcher.UNDELIVERED and bench.link.taken
    bench.air.drop = None
    bench.air.inject(bench.clock.now_ns + MS, 76, OWN, bench.link.reply)
    bench.run_ms(3)
    assert bench.remote.heard == [bench.link.reply]


def test_a_new_frame_takes_the_place_of_the_old_one(bench):
    bench.stimulator.address(None)
    bench.port.send(b"\x03old" + bytes(20), THERE, OWN, bench.radios.now_ms)
    bench.run_ms(1)
    bench.stimulator.address(THERE)
    bench.search()
    bench.run_ms(5)
    assert [frame for _, frame in bench.link.taken] == [FRAME]


def test_a_link_may_send_from_on_frame(bench):
    """A handshake: the answer to the first frame leads to the second."""
    second = b"\x03" + bytes(23)

    def on_frame(view, now_ms):
        bench.remote.heard.append(bytes(view))
        if len(bench.remote.heard) == 1:
            bench.port.send(second, THERE, OWN, now_ms)

    bench.remote.on_frame = on_frame
    bench.search()
    bench.run_ms(15)
    assert [frame for _, frame in bench.link.taken] == [FRAME, second] and len(bench.remote.heard) == 2


def test_pairing_frames_stay_on_one_channel_and_are_soft(bench):
    bench.stimulator.open_pairing()
    bench.link.reply = b"\x06" + bytes(31)
    bench.radios.run_ms(1)
    bench.port.channel = 24
    now = bench.radios.now_ms
    fates = {addresses.PAIRING_STIMULATOR: RadioSearcher.DELIVERED, FOREIGN: RadioSearcher.UNDELIVERED}
    for to, state in fates.items():
        bench.air.tap.clear()
        bench.port.send(FRAME, to, addresses.PAIRING_REMOTE, now, search=False, channel=76, low_power=True)
        bench.run_ms(10)
        assert bench.port.state == state and {packet.channel for packet in bench.air.tap} == {76}
        assert {packet.power_dbm for packet in bench.air.tap if packet.payload} == {-18}
    assert bench.remote.heard == [bench.link.reply]
    assert bench.port.channel == 24, "where searches begin is not pairing's business"
    bench.search()
    assert {packet.power_dbm for packet in bench.requests()[-4:]} == {0}


def test_the_sleeping_remote_is_told_nothing(bench):
    bench.search()
    bench.port.sleep()
    bench.run_ms(20)
    assert bench.remote.heard == [] and bench.asleep()


def test_a_radio_that_forgets_its_settings_is_revived(bench):
    bench.search()
    bench.port._radio._write(0, 0x08)  # CONFIG after a brown-out
    assert bench.port.revive()
    bench.search()
    assert bench.port.state == RadioSearcher.DELIVERED


def test_a_radio_lost_in_a_search_ends_it(bench):
    bench.port.send(FRAME, THERE, OWN, bench.radios.now_ms)
    bench.port._radio._write(0, 0x08)
    assert bench.port.revive() and bench.port.state == RadioSearcher.UNDELIVERED


def test_a_radio_that_never_ends_sending_is_given_up(bench):
    bench.radios.remote.radio.poll = lambda: 1
    assert bench.search() < 12 * 21 * MS and bench.port.state == RadioSearcher.UNDELIVERED


def test_an_empty_socket_is_told(empty_socket):
    port = RadioSearcher(empty_socket, None)
    assert not port.revive() and not port.works


def test_three_of_ten_packets_lost(bench):
    """A burst is acknowledged with 1 - 0.51^4 = 93 %, one of four on the channel with all but 1 in 47 000."""
    bench.air.seed, bench.air.loss = 7, 0.3
    bench.link.reply = None
    delivered = 0
    for k in range(200):  # no two alike: the radio takes four searches of one frame for duplicates (7.3.3.2)
        bench.search(b"\x03" + bytes([k]) * 23)
        delivered += bench.port.state == RadioSearcher.DELIVERED
        bench.run_ms(2)
    assert delivered == 200 and len(bench.link.taken) >= 200


@pytest.mark.parametrize("channel", addresses.CHANNELS)
def test_three_of_ten_packets_lost_and_two_tries_of_a_link(bench, channel):
    """A search is repeated until it is delivered: at most a few, wherever the stimulator is."""
    bench.air.seed, bench.air.loss = 8, 0.3
    bench.link.reply = None
    searches = []
    for k in range(50):
        bench.move(channel)
        bench.port.channel = 76
        searches.append(0)
        while bench.port.state != RadioSearcher.DELIVERED or not searches[-1]:
            searches[-1] += 1
            bench.search(b"\x03" + bytes([k]) * 23)
            bench.run_ms(1)
    assert max(searches) <= 4 and searches.count(1) >= 40


def test_an_acknowledgement_with_a_payload_is_none(bench):
    """Somebody's packet to the stimulator falls into the time in which the radio waits for one (7.4.2)."""
    bench.stimulator.address(None)
    forged = []

    def after(packet):
        if packet.payload == FRAME and len(forged) < 3:
            forged.append(bench.air.inject(packet.end_ns + 135_000, packet.channel, THERE, bytes(32), pid=1))

    bench.air.on_announce = after
    bench.port.send(FRAME, THERE, OWN, bench.radios.now_ms)
    bench.run_ms(30)
    assert len(forged) == 3 and bench.port.state == RadioSearcher.SEARCHING
    assert bench.remote.heard == [], "nor is it anybody's frame"
    bench.stimulator.address(THERE)
    bench.run_ms(20)
    assert bench.port.state == RadioSearcher.DELIVERED and bench.link.taken
