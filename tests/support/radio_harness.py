"""The stimulator's port in a loop as the application's, and a peer's radio: models on a fake clock."""

from stimfw.drivers.nrf24l01 import SENT
from stimfw.radio import listener
from stimfw.radio.listener import RadioListener
from stimfw.telemetry import addresses

MS = 1_000_000
BASE = b"\x1c\xd2\x6b\x97"
OWN = addresses.stimulator_address(BASE)
PEER = addresses.peer_address(BASE, 2)
REPLY_KIND, PAIR_REPLY = 4, 6
GENUINE = b"\x03" + bytes(31)
WORK_NS = 1 * MS  # less than opening and sealing take


class Link:
    """Answers what begins with 0x03, after a while; all else is refused as an attacker's would be."""

    def __init__(self, clock):
        self.clock, self.taken, self.contact, self.pause, self.kind = clock, [], False, 0, REPLY_KIND
        self.answers, self.refuse_ns, self.work_ns = True, 0, WORK_NS
        self.hurried = False

    def on_frame(self, view, now_ms):
        assert len(view) == 32
        self.taken.append((self.clock.now_ns, bytes(view)))
        if not self.answers or view[0] != 3:
            self.clock.run_for(self.refuse_ns)
            return None
        self.clock.run_for(self.work_ns)
        return bytes([self.kind]) + bytes(31)

    def address_for(self, frame):
        assert len(frame) == 32
        return PEER

    def pause_ms(self, now_ms):
        return self.pause

    def flooded(self):
        return self.pause > 0

    def contested(self):
        return self.hurried

    def connected(self, now_ms):
        return self.contact


class Bench:
    """The port in a loop as the application's: called by the IRQ pin, by wait_ms(), or for more."""

    def __init__(self, radios):
        self.radios, self.clock, self.air = radios, radios.clock, radios.air
        self.link = Link(radios.clock)
        self.port = RadioListener(radios.stimulator.radio, self.link, OWN)
        assert self.port.revive()
        self.port.listen()
        self.peer = radios.remote.radio
        assert self.peer.configure(PEER)
        self.peer.power_up()
        self.calls, self.reads = 0, []
        self.radios.run_ms(1)

    @property
    def sending_reply(self):
        return self.port._send_state == listener._SENDING_REPLY

    @property
    def in_listen_slot(self):
        return self.port._receive_state == listener._LISTEN_SLOT

    def run_ms(self, span_ms):
        falls, end_ns = self.radios.stimulator.falls, self.clock.now_ns + round(span_ms * MS)
        called, due_ms = True, None
        while self.clock.now_ns < end_ns:
            now = self.radios.now_ms
            if self.port.paused:
                falls.clear()  # as the application's interrupt handler does
            if called or falls or (due_ms is not None and now >= due_ms):
                falls.clear()
                self.calls += 1
                before = len(self.link.taken)
                called = self.port.poll(now)
                self.reads.append(len(self.link.taken) - before)
                wait = self.port.wait_ms(now)
                due_ms = None if wait < 0 else now + wait
            self.radios.run_ms(0.1)

    def inject(self, after_ms=0.2, payload=GENUINE, address=OWN, channel=None, **options):
        channel = self.port.channel if channel is None else channel
        return self.air.inject(self.clock.now_ns + round(after_ms * MS), channel, address, payload, **options)

    def replies(self):
        return [packet for packet in self.air.tap if packet.payload[0] in (4, 6)]

    def genuine(self):
        """How many genuine frames were handed over."""
        return sum(frame == GENUINE for _, frame in self.link.taken)

    def ask(self, to=OWN):
        """As a remote: one burst, then listen for the answer; whether the frame was handed over by then."""
        before = self.genuine()
        self.peer.send(GENUINE, to)
        for _ in range(40):
            self.run_ms(0.25)
            if self.peer.poll() == SENT:
                self.peer.listen()
                self.run_ms(0.5)
                return self.genuine() > before
        raise AssertionError("the burst never ended")

    def check_channel(self, seconds, lost=False):
        """Check once a second; the channels on which it was afterwards. lost: its peer is silent."""
        seen = []
        for _ in range(seconds):
            self.run_ms(1000)
            self.port.check_channel(self.radios.now_ms, lost)
            seen.append(self.port.channel)
        return seen
