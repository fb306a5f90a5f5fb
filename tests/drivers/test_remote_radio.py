"""The requesting port against the radio's model and the other port: bursts, listen before talk, sleep.

Where it sends next is its client's business: see test_remote_app.
"""

import pytest
from stimfw.radio.listener import RadioListener
from stimfw.radio.searcher import RadioSender
from stimfw.telemetry import addresses

MS = 1_000_000
BASE = b"\x1c\xd2\x6b\x97"
THERE = addresses.stimulator_address(BASE)
OWN = addresses.peer_address(BASE, 0)
FRAME = b"\x03" + bytes(31)
CRYSTAL_NS = 4_500_000


class Stimulator:
    """A link that answers everything."""

    def __init__(self, clock):
        self.clock, self.taken, self.reply = clock, [], b"\x04" + bytes(31)

    def on_frame(self, view, now_ms):
        self.taken.append((self.clock.now_ns, bytes(view)))
        self.clock.run_for(2 * MS)
        return self.reply

    def address_for(self, frame):
        return OWN

    def pause_ms(self, now_ms):
        return 0

    def connected(self, now_ms):
        return True

    def flooded(self):
        return False

    def contested(self):
        return False


class Remote:
    """A link that keeps what it gets."""

    def __init__(self):
        self.heard, self.waits_for = [], None

    def on_frame(self, view, now_ms):
        self.heard.append(bytes(view))
        return bytes(view) == self.waits_for


class Bench:
    def __init__(self, radios):
        self.radios, self.clock, self.air = radios, radios.clock, radios.air
        self.link, self.remote = Stimulator(radios.clock), Remote()
        self.stimulator = RadioListener(radios.stimulator.radio, self.link, THERE)
        self.port = RadioSender(radios.remote.radio, self.remote)
        assert self.stimulator.revive() and self.port.revive()
        self.stimulator.listen()
        self.radios.run_ms(1)

    def move(self, channel):
        """The stimulator hopped."""
        self.stimulator.channel = channel
        self.stimulator.listen()
        self.radios.run_ms(1)

    def run_ms(self, span_ms):
        end_ns = self.clock.now_ns + round(span_ms * MS)
        while self.clock.now_ns < end_ns:
            self.port.poll(self.radios.now_ms)
            self.stimulator.poll(self.radios.now_ms)
            self.radios.run_ms(0.2)

    def send(self, frame=FRAME, to=THERE, channel=76, **options):
        """Send, and wait for the end of the burst; the time it took (ns)."""
        began_ns = self.clock.now_ns
        self.port.send(frame, to, options.pop("own", OWN), channel, self.radios.now_ms, **options)
        while self.port.state == RadioSender.SENDING:
            assert self.clock.now_ns < began_ns + 300 * MS
            self.run_ms(0.2)
        return self.clock.now_ns - began_ns

    def requests(self):
        return [packet for packet in self.air.tap if packet.payload == FRAME]

    def asleep(self):
        return self.radios.remote.part.mode.value == "power down"


@pytest.fixture
def bench(radios):
    return Bench(radios)


def test_a_burst_is_heard_and_its_answer_then_it_sleeps(bench):
    assert bench.asleep()
    bench.send()
    assert bench.port.state == RadioSender.LISTENING and bench.port.sent == 1
    bench.run_ms(8)
    assert bench.remote.heard == [bench.link.reply], "one of three"
    assert [packet.address for packet in bench.requests()] == [THERE] * 3 and len(bench.link.taken) == 1
    bench.port.sleep()
    assert bench.asleep() and bench.port.state == RadioSender.IDLE
    assert not bench.port.poll(bench.radios.now_ms) and bench.port.wait_ms(bench.radios.now_ms) == -1
    assert bench.radios.remote.part.spoilt == 0


def test_from_sleep_to_the_air_it_takes_the_crystal_and_a_look(bench):
    bench.stimulator.address(None)
    began_ns = bench.clock.now_ns
    assert bench.send() < CRYSTAL_NS + 3 * MS
    assert bench.requests()[0].t_start_ns - began_ns < CRYSTAL_NS + 1 * MS
    bench.run_ms(8)
    began_ns = bench.clock.now_ns
    assert bench.send() < 3 * MS
    assert bench.requests()[3].t_start_ns - began_ns < 1 * MS


@pytest.mark.parametrize(("waits_for", "heard"), [(b"\x04" + bytes(31), 1), (None, 3)])
def test_what_lies_behind_the_answer_that_is_waited_for_is_not_read(bench, waits_for, heard):
    bench.stimulator.address(None)
    bench.send()
    bench.remote.waits_for = waits_for
    for number, frame in enumerate((b"\x04" + bytes(31), b"\x05" + bytes(31), b"\x06" + bytes(31))):
        bench.air.inject(bench.clock.now_ns + (1 + number) * MS, 76, OWN, frame)
    bench.radios.run_ms(6)
    assert not bench.port.poll(bench.radios.now_ms) and len(bench.remote.heard) == heard
    bench.remote.waits_for = None
    assert not bench.port.poll(bench.radios.now_ms) and len(bench.remote.heard) == heard
    bench.air.inject(bench.clock.now_ns + 1 * MS, 76, OWN, b"\x07" + bytes(31))
    bench.run_ms(3)
    assert len(bench.remote.heard) == heard + 1, "and it goes on listening"


@pytest.mark.parametrize("channel", addresses.CHANNELS)
def test_it_sends_where_it_is_told_and_listens_there(bench, channel):
    bench.move(channel)
    bench.send(channel=channel)
    assert {packet.channel for packet in bench.requests()} == {channel}
    bench.run_ms(8)
    assert bench.remote.heard == [bench.link.reply]


def test_nobody_there_is_no_reason_to_send_more(bench):
    bench.stimulator.address(None)
    bench.send()
    bench.run_ms(50)
    assert len(bench.requests()) == 3 and bench.port.state == RadioSender.LISTENING
    assert bench.port.wait_ms(bench.radios.now_ms) == -1


def test_an_acknowledgement_means_nothing(bench):
    """Somebody answers each packet as a radio with auto-acknowledge does."""
    bench.stimulator.address(None)

    def acknowledge(packet):
        if packet.payload == FRAME:
            bench.air.inject(packet.end_ns + 130_000, 76, THERE, b"", is_ack=True, enhanced=True)

    bench.air.on_announce = acknowledge
    bench.send()
    bench.run_ms(20)
    assert bench.remote.heard == [] and bench.port.state == RadioSender.LISTENING


def test_an_occupied_channel_is_told_at_once_and_nothing_is_sent(bench):
    bench.air.jam(76, bench.clock.now_ns, bench.clock.now_ns + 100 * MS)
    assert bench.send() < CRYSTAL_NS + 1 * MS
    assert bench.port.state == RadioSender.BUSY and bench.port.deferred == 1 and bench.requests() == []
    bench.run_ms(5)
    bench.send(channel=50)
    assert bench.port.state == RadioSender.LISTENING and {p.channel for p in bench.requests()} == {50}


def test_an_occupied_channel_is_sent_on_if_one_insists(bench):
    bench.air.jam(76, bench.clock.now_ns, bench.clock.now_ns + 100 * MS)
    bench.send(force=True)
    assert bench.port.state == RadioSender.LISTENING and len(bench.requests()) == 3


def test_what_was_received_before_is_no_occupied_channel(bench):
    """RPD stays latched by the last answer (6.4)."""
    for number in range(3):
        bench.send(b"\x03" + bytes([number]) * 31)
        assert bench.port.state == RadioSender.LISTENING and bench.port.deferred == 0
        bench.run_ms(12)


def test_a_new_frame_takes_the_place_of_the_old_one(bench):
    old = b"\x03old" + bytes(28)
    bench.stimulator.address(None)
    bench.port.send(old, THERE, OWN, 50, bench.radios.now_ms)
    bench.radios.run_ms(0.3)
    bench.stimulator.address(THERE)
    bench.send()
    bench.run_ms(8)
    assert [frame for _, frame in bench.link.taken] == [FRAME]
    assert bench.radios.remote.part.spoilt == 0, "the copy in the air ended before the channel changed"
    assert sum(packet.payload == old for packet in bench.air.tap) == 1


def test_a_link_may_send_from_on_frame(bench):
    """A handshake: the answer to the first frame leads to the second."""
    second = b"\x03" + bytes(30) + b"2"

    def on_frame(view, now_ms):
        bench.remote.heard.append(bytes(view))
        if len(bench.remote.heard) == 1:
            bench.radios.run_ms(1)  # opening and sealing take longer than the answer's copies
            bench.port.send(second, THERE, OWN, 76, now_ms)

    bench.remote.on_frame = on_frame
    bench.send()
    bench.run_ms(25)
    assert [frame for _, frame in bench.link.taken] == [FRAME, second]


def test_pairing_frames_are_soft_and_the_next_ones_are_not(bench):
    bench.stimulator.open_pairing()
    bench.link.reply = b"\x06" + bytes(31)
    bench.radios.run_ms(1)
    bench.send(to=addresses.PAIRING_STIMULATOR, own=addresses.PAIRING_REMOTE, low_power=True)
    bench.run_ms(8)
    assert {(packet.channel, packet.power_dbm) for packet in bench.air.tap} == {(76, -18)}
    assert bench.remote.heard == [bench.link.reply]
    bench.send()
    assert {packet.power_dbm for packet in bench.requests()[-3:]} == {0}


def test_the_sleeping_remote_is_told_nothing(bench):
    bench.send()
    bench.port.sleep()
    bench.run_ms(20)
    assert bench.remote.heard == [] and bench.asleep()


def test_copies_of_the_last_answer_are_no_news_after_a_sleep(bench):
    bench.send()
    while not bench.remote.heard:
        bench.run_ms(0.2)
    bench.radios.run_ms(2)
    bench.port.sleep()
    bench.radios.run_ms(100)
    bench.stimulator.address(None)
    bench.send()
    bench.run_ms(20)
    assert bench.remote.heard == [bench.link.reply]


def test_a_radio_that_forgets_its_settings_is_revived(bench):
    bench.send()
    bench.port._radio._write(0, 0x08)  # CONFIG after a brown-out
    assert bench.port.revive()
    bench.send()
    assert bench.port.state == RadioSender.LISTENING


def test_a_radio_lost_while_it_sends_sent_nothing(bench):
    bench.port.send(FRAME, THERE, OWN, 76, bench.radios.now_ms)
    bench.port._radio._write(0, 0x08)
    assert bench.port.revive() and bench.port.state == RadioSender.BUSY


def test_a_radio_that_never_ends_sending_is_given_up(bench):
    bench.radios.remote.radio.poll = lambda: 1
    assert bench.send() < 25 * MS
    assert bench.port.state == RadioSender.BUSY and bench.port.tx_failed == 1 and bench.port.sent == 0


def test_an_empty_socket_is_told(empty_socket):
    port = RadioSender(empty_socket, None)
    assert not port.revive() and not port.works


def test_three_of_ten_packets_lost(bench):
    """Of a burst 1 - 0.3^3 = 97 % arrive."""
    bench.air.seed, bench.air.loss = 7, 0.3
    bench.link.reply = None
    for number in range(200):
        bench.send(b"\x03" + bytes([number]) * 31)
        bench.run_ms(12)
    assert 188 <= len({frame for _, frame in bench.link.taken}) <= 199
