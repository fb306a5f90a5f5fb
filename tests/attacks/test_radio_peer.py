"""The peer without a board, against the firmware's radio driver and channel on a fake board."""

import dataclasses
import types

import pytest
from stimbench.attacks.air import RadioPeer
from stimbench.attacks.loopback import START, STOP, LoopbackPairing, Table
from stimbench.parts.nrf24l01 import Nrf24L01
from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import StimulatorParts
from stimfw.drivers.nrf24l01 import NRF24L01
from stimfw.protocol import messages, requests, roles
from stimfw.radio.listener import RadioListener
from stimfw.telemetry import addresses
from stimfw.telemetry.responder import Responder
from support.parts_fakes import MS, US, FakeBoard, FakeClock

KEY = bytes(range(32))
LOOP_US = 300
TIMELY_MS = 20
OTHER_PARTS = [field.name for field in dataclasses.fields(StimulatorParts) if field.name != "radio"]


class Pin:
    def __init__(self, board, name, value):
        self._pin = board.pin(name)
        self._pin.out(bool(value))

    def __call__(self, value):
        self._pin.out(bool(value))


class Spi:
    def __init__(self, board):
        self._bus = board.buses[1]

    def write(self, data):
        self._bus.transfer(bytes(data))

    def read(self, count, write=0):
        return self._bus.transfer(bytes([write]) * count)

    def readinto(self, buffer, write=0):
        buffer[:] = self._bus.transfer(bytes([write]) * len(buffer))

    def write_readinto(self, out, into):
        into[:] = self._bus.transfer(bytes(out))


class Bench:
    """As much of a Bench as a RadioPeer uses: one stimulator whose main loop runs every 0.3 ms."""

    def __init__(self):
        self.clock, self.air = FakeClock(), AirChannel()
        board = FakeBoard(self.clock)
        pins = [board.pin(name) for name in ("RADIO_CSN", "RADIO_CE", "RADIO_IRQ")]
        part = Nrf24L01(self.clock, board.spi(1), *pins, self.air)
        parts = StimulatorParts(radio=part, **dict.fromkeys(OTHER_PARTS))
        self._board = types.SimpleNamespace(scheduler=self.clock, parts=parts)
        self.clock.run_to(101 * MS)
        table = Table({2: LoopbackPairing(roles.PATIENT, KEY)})
        self.pairing = types.SimpleNamespace(base=table.base, slot=2, key=KEY, role=roles.PATIENT)
        self.executed = []
        self.link = Responder(table, self._execute, 1, bytes)
        csn, ce = Pin(board, "RADIO_CSN", 1), Pin(board, "RADIO_CE", 0)
        radio = NRF24L01(Spi(board), csn, ce, lambda us: self.clock.run_for(us * US))
        self.port = RadioListener(radio, self.link, addresses.stimulator_address(table.base))
        assert self.port.revive()
        self.port.listen()
        self._turn()

    def _execute(self, message, role, slot):
        self.executed.append((message, slot, self.now_ns))
        return messages.reply(message[0], messages.OK)

    def _turn(self):
        self.port.poll(self.now_ns // MS)
        self.link.make_candidates()
        self.clock.call_at(self.now_ns + LOOP_US * US, self._turn)

    @property
    def now_ns(self):
        return self.clock.now_ns

    def board(self, name):
        assert name == "stimulator"
        return self._board

    def run_to(self, time_ns):
        self.clock.run_to(time_ns)


@pytest.fixture
def bench():
    return Bench()


def answers_in(bench):
    own = addresses.peer_address(bench.pairing.base, bench.pairing.slot)
    return [sniffed for sniffed in bench.air.tap if sniffed.address == own and sniffed.payload]


def test_it_asks_and_hears(bench):
    peer = RadioPeer(bench, bench.pairing)
    began = bench.now_ns
    assert peer.ask(START) == messages.reply(requests.START, messages.OK)
    assert bench.now_ns - began < TIMELY_MS * MS
    assert [(message, slot) for message, slot, _ in bench.executed] == [(START, 2)]
    assert len(peer.heard) == 2, "CHALLENGE and REPLY, their copies left out"


def test_each_frame_and_each_answer_is_a_burst_of_three(bench):
    peer = RadioPeer(bench, bench.pairing)
    for _ in range(5):
        assert peer.ask(START) is not None
        bench.clock.run_for(20 * MS)
    assert bench.port.sent == 6 and len(answers_in(bench)) == 18
    assert len(peer.sent) == 6 and len(bench.air.tap) == 36 and len(peer.heard) == 6
    assert {s.t_end_ns - s.t_start_ns for s in bench.air.tap} == {320 * US}, "no control field"
    assert not any(s.was_ack for s in bench.air.tap)


def test_a_packet_ends_at_a_chosen_time(bench):
    peer = RadioPeer(bench, bench.pairing)
    peer.ask(STOP)
    end_ns = bench.now_ns + 50 * MS + 123
    frame = peer.frame_at(end_ns, STOP)
    assert len(frame) == 32
    assert peer.finish() == messages.reply(requests.STOP, messages.OK)
    assert peer.sent[-1] == (frame, end_ns)
    assert [s.t_end_ns - end_ns for s in bench.air.tap if s.payload == frame] == [0, 450 * US, 900 * US]
    assert 0 < bench.executed[-1][2] - end_ns <= LOOP_US * US
    with pytest.raises(ValueError):
        peer.frame_at(bench.now_ns, STOP)


def test_losses_are_made_up_for(bench):
    peer = RadioPeer(bench, bench.pairing)
    bench.air.loss = 0.3
    for _ in range(30):
        assert peer.ask(START, 3000) is not None
    assert len(bench.executed) == 30


def test_it_follows_the_stimulators_channel_and_survives_a_restart(bench):
    peer = RadioPeer(bench, bench.pairing)
    peer.ask(STOP)
    bench.port.channel = addresses.CHANNELS[1]
    bench.port._set_receiver()
    bench.clock.run_for(1 * MS)
    peer.restart()
    assert peer.ask(STOP) is not None
    assert bench.air.tap[-1].channel == addresses.CHANNELS[1]


def test_raw_bytes_reach_the_stimulator_and_are_dropped(bench):
    peer = RadioPeer(bench, bench.pairing)
    end_ns = peer.inject(b"\x23\x02" + bytes(30), bench.now_ns + 5 * MS)
    assert end_ns > bench.now_ns
    bench.clock.run_for(10 * MS)
    assert bench.link.frames == 1 and bench.executed == []
