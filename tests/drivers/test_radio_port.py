"""Link, port, driver and the radios' models together: a request's way there and back."""

import pytest
from stimfw.drivers.radio_port import CHANNEL, STIMULATOR_ADDRESS, RadioPort
from stimfw.logic import radio_frame
from stimfw.logic.link import Requester, Responder


class Bench:
    """A remote and a stimulator whose loops look every 0.25 ms; `executed` holds (time, message)."""

    def __init__(self, radios):
        self.radios, self.executed = radios, []
        self.requester = Requester(radio_frame, 0x1233)
        self.responder = Responder(radio_frame, self.execute)
        self.remote = RadioPort(radios.remote.radio, self.requester)
        self.stimulator = RadioPort(radios.stimulator.radio, self.responder)
        assert self.remote.revive(requester=True) and self.stimulator.revive(requester=False)
        self.stimulator.listen()
        radios.run_ms(1)
        self.ask(b"first")  # after it both ends are in step
        self.run_ms(20)
        assert self.requester.reply == b"done first"
        self.executed.clear()
        radios.air.tap.clear()
        self.remote.sent = self.stimulator.sent = 0

    def execute(self, message):
        self.executed.append((self.radios.clock.now_ns, message))
        return b"done " + message

    def ask(self, message, tries=5):
        now = self.radios.now_ms
        self.remote.send(self.requester.begin(message, tries, now), now)

    def run_ms(self, span_ms, stimulator_deaf=False):
        end = self.radios.clock.now_ns + span_ms * 1_000_000
        while self.radios.clock.now_ns < end:
            now = self.radios.now_ms
            if not stimulator_deaf:
                self.stimulator.service(now)
            self.remote.service(now)
            again = self.requester.poll(now)
            if again:
                self.remote.send(again, now)
            self.radios.run_ms(0.25)


@pytest.fixture
def bench(radios):
    return Bench(radios)


def test_a_request_is_executed_and_answered(bench):
    bench.ask(b"STOP")
    bench.run_ms(20)
    assert [message for _, message in bench.executed] == [b"STOP"]
    assert bench.requester.state == Requester.ANSWERED and bench.requester.reply == b"done STOP"
    assert bench.stimulator.sent == bench.remote.sent == 1


def test_a_request_is_executed_before_anything_is_sent_back(bench):
    bench.ask(b"STOP")
    bench.run_ms(20)
    replies = [packet for packet in bench.radios.air.tap if packet.payload[1:2] == b"\x02"]
    assert bench.executed[0][0] < replies[0].t_start_ns


@pytest.mark.parametrize("lost", range(1, 60, 4))
def test_lost_packets_of_any_kind_cost_time_only(bench, lost):
    """The first packet or acknowledgement is lost, the first five are, and so on."""
    count = []
    bench.radios.air.drop = lambda packet: count.append(packet) or len(count) <= lost
    bench.ask(b"STOP", tries=20)
    bench.run_ms(400)
    assert [message for _, message in bench.executed] == [b"STOP"]
    assert bench.requester.reply == b"done STOP"


def test_every_second_packet_lost(bench):
    bench.radios.air.seed, bench.radios.air.loss = 5, 0.5
    for k in range(10):
        bench.ask(b"request %d" % k, tries=50)
        bench.run_ms(500)
        assert bench.requester.reply == b"done request %d" % k
    assert len(bench.executed) == 10


def test_a_stimulator_that_was_busy_executes_the_last_word_last(bench):
    bench.ask(b"START")
    bench.run_ms(3, stimulator_deaf=True)
    bench.ask(b"STOP")
    bench.run_ms(3, stimulator_deaf=True)
    bench.run_ms(20)
    assert [message for _, message in bench.executed] == [b"START", b"STOP"]
    assert bench.requester.reply == b"done STOP"


def test_no_answer_ends_and_is_counted(bench):
    bench.stimulator.sleep()
    bench.ask(b"STOP", tries=3)
    bench.run_ms(200, stimulator_deaf=True)
    assert bench.requester.state == Requester.UNANSWERED and bench.remote.tx_failed == 3


def test_a_remote_that_goes_away_does_not_keep_the_stimulator_from_listening(bench):
    bench.ask(b"START")
    bench.run_ms(1, stimulator_deaf=True)
    bench.remote.sleep()  # nobody will acknowledge the reply
    for _ in range(60):
        bench.stimulator.service(bench.radios.now_ms)
        bench.radios.run_ms(0.25)
    assert bench.stimulator.tx_failed == 1
    bench.ask(b"STOP")
    bench.run_ms(20)
    assert bench.requester.reply == b"done STOP"


def test_a_radio_that_forgets_its_settings_is_revived(bench):
    bench.radios.stimulator.radio._write(0, 0x08)  # CONFIG after a brown-out
    assert bench.stimulator.revive(requester=False)
    bench.ask(b"STOP")
    bench.run_ms(20)
    assert bench.requester.reply == b"done STOP"


def test_an_empty_socket_is_told(empty_socket):
    port = RadioPort(empty_socket, Responder(radio_frame, lambda message: b"x"))
    assert not port.revive(requester=False) and not port.works
    port.service(0)


def test_forged_and_damaged_packets_change_nothing(bench):
    """Whatever is sent to the stimulator's address by others, as packets that the radio takes for good."""
    genuine = radio_frame.encode(radio_frame.REQUEST, 9, b"START")
    frames = [genuine[:k] for k in range(1, len(genuine))] + [bytes(32), b"\xff" * 32, genuine + b"\x00"]
    for pid, frame in enumerate(frames):
        at = bench.radios.clock.now_ns + 200_000
        bench.radios.air.inject(at, CHANNEL, STIMULATOR_ADDRESS, frame, pid=pid & 3)
        bench.run_ms(2)
    assert bench.executed == [] and bench.responder.bad == len(frames)
    bench.ask(b"STOP")
    bench.run_ms(20)
    assert bench.requester.reply == b"done STOP"


def test_a_recorded_request_is_never_executed_again(bench):
    bench.ask(b"START")
    bench.run_ms(20)
    heard = next(p.payload for p in bench.radios.air.tap if p.payload[1:2] == b"\x01")
    bench.ask(b"STOP")
    bench.run_ms(20)
    for pid in range(4):
        at = bench.radios.clock.now_ns + 200_000
        bench.radios.air.inject(at, CHANNEL, STIMULATOR_ADDRESS, heard, pid=pid)
        bench.run_ms(30)
    assert [message for _, message in bench.executed] == [b"START", b"STOP"]
    assert bench.responder.stale == 4
