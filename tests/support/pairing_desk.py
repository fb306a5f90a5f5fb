"""A stimulator's pairing on a desk: its loop, its table on a flash in RAM, and a remote that speaks to it."""

import struct

from support.stimulator_harness import CLOCK, StimulatorHarness  # before the firmware: it brings the ticks

# isort: split
from stimfw.pairing.remote_end import PairingRequester
from stimfw.protocol import messages, requests, roles
from stimfw.stimulator.conditions import Conditions
from stimfw.stimulator.pairing_controller import PairingController
from stimfw.stimulator.pairing_requests import PairingRequests
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record
from stimfw.telemetry.keys import next_key
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder
from stimfw.ui.magnet import MagnetHold

from support.flash_fake import FlashFake
from support.link_harness import Rng
from support.pairing_harness import QuickCurve

BASE = b"\x11\x22\x33\x44"
REMOTE_ID = b"rmte"
STEP_MS = 5


class Radio:
    """Of the RadioListener what a controller and its requests use."""

    def __init__(self):
        self.window = False

    def open_pairing(self):
        self.window = True

    def close_pairing(self):
        self.window = False


class PairingDesk:
    """A stimulator, the person with the magnet, and a remote within its reach.

    Attributes:
        lights: (time in ms, level) of each change of the LED.
    """

    def __init__(self, flash=None, **program):
        self.harness = StimulatorHarness(**program)
        self.flash = flash or FlashFake(2)
        self.table = PairingTable(Record(self.flash, 0))
        if not self.table.base:
            self.table.create(BASE)
        rng = Rng(1)
        harness, self.radio = self.harness, Radio()
        self.responder = Responder(self.table, self._execute, 1, rng.take, harness.log.add)
        self.controller = PairingController(
            harness.control, self.table, self.responder, self.radio, rng.take, MagnetHold(),
            harness.led, harness.log,
        )  # fmt: skip
        make = self.controller._make

        def quick():
            window = make()
            window._curve = QuickCurve()
            return window

        self.controller._make = quick  # type: ignore[method-assign]
        harness.app._pairing = self.controller
        self.requests = PairingRequests(
            self.controller, self.table, Conditions(harness.control, self.table), self.responder, self.radio,
            rng.take, harness.log, lambda: None,
        )  # fmt: skip
        self.kept = []
        self.epoch = 0  # of the peers, a new one for each use
        self.remote = PairingRequester(REMOTE_ID, self._keep, Rng(2).take, QuickCurve())
        self.lights = []

    def _execute(self, message, _role, _slot):
        return messages.reply(message[0], messages.OK, b"")

    def _keep(self, **new):
        self.kept.append(new)

    @property
    def now_ms(self):
        return CLOCK.now_us // 1000

    def go(self, span_ms):
        """Let time pass; the remote asks, and hears what it is answered."""
        end_ms = self.now_ms + span_ms
        while self.now_ms < end_ms:
            self.harness.run_ms(min(STEP_MS, end_ms - self.now_ms))
            self._note_light()
            while self.remote.compute():
                pass
            frame = self.remote.poll(self.now_ms)
            window = self.responder.pairing
            answer = frame and window and window.on_frame(frame, self.now_ms)
            if answer:
                self.remote.on_frame(answer, self.now_ms)

    def pass_hours(self, hours):
        """Let the loop run now and then: nothing happens for so long."""
        for _ in range(round(hours * 60)):
            CLOCK.now_us += 60_000_000
            self.harness.run_ms(1)

    def _note_light(self):
        level = self.harness.led.level
        if not self.lights or self.lights[-1][1] != level:
            self.lights.append((self.now_ms, level))

    def spans(self, since_ms):
        """(level, how long in ms) of the LED from then on; the last one goes on."""
        marks = [mark for mark in self.lights if mark[0] >= since_ms]
        return [(marks[at][1], marks[at + 1][0] - marks[at][0]) for at in range(len(marks) - 1)]

    # Hands.

    def hold(self, span_ms):
        """The magnet comes, stays for so long, and leaves."""
        self.harness.magnet(True)
        self.go(span_ms)
        self.harness.magnet(False)

    def open(self):
        """Open the window; the magnet has just been taken away."""
        self.go(100)
        self.hold(3100)

    def to_the_code(self):
        """Open the window and pair, until both sides show the code."""
        self.open()
        self.remote.begin(self.now_ms)
        for _ in range(400):
            if self.remote.state == self.remote.COMPARING:
                return
            self.go(STEP_MS)
        raise AssertionError("no code")

    def to_the_gesture(self):
        """Until the stimulator asks for the magnet."""
        self.to_the_code()
        self.go(4000)
        assert self.remote.accept(self.now_ms)
        self.go(50)

    # What has become of it.

    def events(self):
        """(kind, sender, detail) of all that was logged."""
        _, raw = self.harness.log.read(0, 100)
        return [event[1:4] for event in struct.iter_unpack(requests.LOG_RECORD, raw)]

    def window(self):
        """Whether the pairing window is open."""
        return self.harness.control.pairing

    def paired(self):
        """Whether both sides have the key."""
        return len(self.kept) == 1 and self.stored() == 1

    def stored(self):
        """How many pairings the stimulator has."""
        return len(self.table.slots())

    def says_hello(self, slot, key):
        """A peer that has this key says so; whether it is answered."""
        self.epoch += 1
        peer = Requester(slot, roles.CLINICIAN, key, self.epoch, Rng(self.epoch).take)
        peer.begin(messages.request(requests.STATUS), 1000, self.now_ms)
        return self.responder.on_frame(peer.poll(self.now_ms), self.now_ms) is not None

    def use(self, slot, ahead=0):
        """The peer of a slot asks with its key, or one so many generations ahead; whether it is answered."""
        its = self.table.get(slot)
        key = its.key
        for _ in range(ahead):
            key = next_key(key)
        self.epoch += 1
        random, generation = Rng(self.epoch).take, its.generation + ahead
        peer = Requester(slot, its.role, key, self.epoch, random, generation=generation)
        peer.begin(messages.request(requests.STATUS), 1000, self.now_ms)
        while peer.state == peer.WAITING:
            frame = peer.poll(self.now_ms)
            if frame is not None:
                peer.sent(True, self.now_ms)
                answer = self.responder.on_frame(frame, self.now_ms)
                self.responder.make_candidates()
                if answer is not None:
                    peer.on_frame(answer, self.now_ms)
            self.go(1)
        self.go(10)
        return peer.state == peer.ANSWERED


def reason(answer):
    """Of a request that was refused: messages.REASON_...; None if it was done."""
    code, body = answer[0], answer[1]
    return body[1] if code == messages.WRONG_STATE else None
