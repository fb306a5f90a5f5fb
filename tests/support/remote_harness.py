"""A remote's application on a desk, all real but radio, buttons and lights; a stimulator's end."""

from itertools import pairwise

from stimfw.crypto.drbg import RandomError
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.protocol import messages, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.radio.searcher import RadioSender
from stimfw.remote.app import App
from stimfw.remote.frame_transport import FrameTransport
from stimfw.remote.modem import Modem
from stimfw.remote.pairing_state import PairingState, step
from stimfw.remote.panel import Display, Key
from stimfw.remote.requests import Conditions, ModemRequests, PairingRequests, ReadingRequests
from stimfw.remote.watch import Watch
from stimfw.storage import layout
from stimfw.storage.flash_requests import FlashRequests
from stimfw.storage.pairings import RemotePairing
from stimfw.storage.record import Record
from stimfw.telemetry import addresses, frames
from stimfw.telemetry.responder import Responder

from support import link_harness
from support.flash_fake import FlashFake

OWN_ID = b"rmte"
SLOT = 2
KEY = link_harness.key_of(SLOT)
BUTTONS = ("stop", "start", "status")
OPCODES = (requests.STOP, requests.START, requests.STATUS)


def status_body(state=messages.READY, flags=0):
    return requests.pack_reply(requests.row_of(requests.STATUS), (state, flags, 0, 0, 2000, 2000, 0, 5000))


class Random(link_harness.Rng):
    """As much of stimfw.crypto.drbg.KeyRandom as a remote uses. failed: its source has."""

    failed = False

    def take(self, count):
        if self.failed:
            raise RandomError("random source failed")
        return super().take(count)


class Button:
    """stimfw.drivers.button.Button."""

    def __init__(self):
        self.closed = self.edge = False

    def down(self):
        return self.closed

    def take_edge(self):
        edge, self.edge = self.edge, False
        return edge

    def release(self):
        self.edge = False


class Radio:
    """As much of RadioSender as a FrameTransport uses. A frame arrives and is answered at the next poll().

    Attributes:
        sent: (frame, to, own, channel, whether at low power).
        delivers: whether the stimulator hears it; answers: whether what it sends back arrives.
        busy: channels that are occupied; forced: how often a frame was sent on one of them all the same.
        held: answers that did not arrive, oldest first.
    """

    def __init__(self, carrier, stimulator):
        self._carrier, self._stimulator = carrier, stimulator
        self.works = self.delivers = self.answers = True
        self.needs_activate = False
        self.awake = False
        self.state = RadioSender.IDLE
        self.sent, self.held, self.busy = [], [], set()
        self.checked, self.copies = [], []
        self.tx_failed = self.forced = 0

    def revive(self):
        return self.works

    def wake(self):
        self.awake = True

    def send(self, frame, to, own, channel, now_ms, force=False, low_power=False, copies=3):
        assert self.works and len(frame) == 32
        self.awake = True
        self.checked.append(channel)
        if channel in self.busy and not force:
            self.state = RadioSender.BUSY
            return
        self.forced += channel in self.busy
        self.sent.append((frame, to, own, channel, low_power))
        self.copies.append(copies)
        self.state = RadioSender.SENDING

    def poll(self, now_ms):
        if self.state == RadioSender.SENDING:
            self.state = RadioSender.LISTENING
            answer = self._stimulator.hear(*self.sent[-1][:2], now_ms) if self.delivers else None
            if answer is not None:
                self.held.append(answer)
        if self.answers and self.held:
            self._carrier.on_frame(memoryview(self.held.pop(0)), now_ms)
        return bool(self.answers and self.held)

    def wait_ms(self, now_ms):
        return 1 if self.state == RadioSender.SENDING else -1

    def sleep(self):
        self.awake = False
        self.state = RadioSender.IDLE


class Stimulator:
    """Its end of the protocol and of a pairing; what it executes is noted, what it replies is set.

    Attributes:
        code, body: of a reply; codes, bodies: of those to one opcode.
        executed, asked: opcodes, and whole requests.
    """

    def __init__(self):
        rng = link_harness.Rng(7)
        self.table = link_harness.Table({SLOT: link_harness.Pairing(roles.PATIENT, KEY, OWN_ID)})
        self.responder = Responder(self.table, self._execute, 1, rng.take)
        self.window = PairingResponder(lambda: self.table.base, self._add, rng.take)
        self.executed = []
        self.code, self.body = messages.OK, b""
        self.bodies: dict[int, bytes] = {}
        self.codes: dict[int, int] = {}
        self.asked: list[bytes] = []
        self.slots = []

    def hear(self, frame, to, now_ms):
        if to == addresses.PAIRING_STIMULATOR:
            return self.window.on_frame(memoryview(frame), now_ms)
        assert to == addresses.stimulator_address(self.table.base)
        answer = self.responder.on_frame(frame, now_ms)
        self.responder.make_candidates()
        return answer

    def _execute(self, message, role, slot):
        opcode = message[0]
        self.executed.append(opcode)
        self.asked.append(bytes(message))
        self.slots.append(slot)
        code = self.codes.get(opcode, self.code)
        return messages.reply(opcode, code, self.bodies.get(opcode, self.body))

    def _add(self, peer_id, role, key):
        self.table.pairings[SLOT + 1] = link_harness.Pairing(role, key, peer_id)
        return SLOT + 1


class Remote:
    """The application, the time, and what one person presses, sees and hears."""

    def __init__(self, paired=True, before=None):
        """Args: before: it starts again, and has the flash, the stimulator and the time of that one."""
        self.now_ms = before.now_ms if before else 0
        self.epoch = before.epoch + 1 if before else 1
        self.supply_mv = 5000
        self.random = Random(3)
        self.buttons = {name: Button() for name in BUTTONS}
        self.shown = [(0, 0, 0)]  # (since ms, lights, tone)
        self._tone_hz = 0
        self.stimulator = before.stimulator if before else Stimulator()
        self.flash = before.flash if before else FlashFake(layout.END)
        record = RemotePairing(Record(self.flash, layout.PAIRINGS))
        if before:
            step(record)
        else:
            record.keep_id(OWN_ID)
            if paired:
                record.store(OWN_ID, link_harness.BASE, SLOT, roles.PATIENT, KEY)
        self.pairing = PairingState(record, OWN_ID, self.epoch, self.random)
        carrier, self.modem = FrameTransport(), Modem()
        self.radio = Radio(carrier, self.stimulator)
        carrier.attach(self.radio)
        keys = tuple(Key(self.buttons[name], opcode) for name, opcode in zip(BUTTONS, OPCODES, strict=True))
        self.link_watch = Watch(link_harness.Rng(5).take)
        self.app = App(
            keys,
            Display(self, self),
            carrier,
            self.pairing,
            self.modem,
            self.link_watch,
            lambda: self.supply_mv,
        )
        self.serve(areas=None, feed=lambda: None, restart=lambda ms: None)

    # Lights and sound.

    def show(self, lights):
        self._note(lights, self.shown[-1][2])

    def sound(self, tone_hz):
        self._note(self.shown[-1][1], tone_hz)

    def _note(self, lights, tone_hz):
        since_ms, *last = self.shown[-1]
        if last == [lights, tone_hz]:
            return
        if since_ms == self.now_ms:
            self.shown.pop()
        if not self.shown or list(self.shown[-1][1:]) != [lights, tone_hz]:
            self.shown.append((self.now_ms, lights, tone_hz))

    @property
    def lights(self):
        return self.shown[-1][1]

    @property
    def tone_hz(self):
        return self.shown[-1][2]

    def watch(self, span_ms=8000):
        """What is shown from the first light or tone on, as a pattern: (lights, tone, ms)."""
        first = len(self.shown)
        self.go(span_ms)
        marks = self.shown[first - 1 :]
        steps = [
            (lights, tone_hz, after[0] - since_ms) for (since_ms, lights, tone_hz), after in pairwise(marks)
        ]
        assert marks[-1][1:] == (0, 0), "it did not end"
        while steps and steps[0][:2] == (0, 0):
            del steps[0]
        return steps

    # Time and fingers.

    def go(self, span_ms):
        """Let time pass, as the main loop does."""
        end_ms = self.now_ms + span_ms
        while True:
            wait_ms = self.app.poll(self.now_ms)
            self.stimulator.window.compute()
            assert 0 <= wait_ms <= 1000
            if self.now_ms + max(1, wait_ms) > end_ms:
                self.now_ms = end_ms
                return
            self.now_ms += max(1, wait_ms)

    def down(self, *names):
        for name in names:
            self.buttons[name].closed = self.buttons[name].edge = True
        self.app.poll(self.now_ms)

    def up(self, *names):
        for name in names:
            self.buttons[name].closed, self.buttons[name].edge = False, True
        self.app.poll(self.now_ms)

    def press(self, *names, hold_ms=0):
        """Press and let go; the answer has not come yet if `hold_ms` is 0."""
        self.down(*names)
        if hold_ms:
            self.go(hold_ms)
        self.up(*names)

    def serve(self, areas, feed, restart):
        """Requests on USB; without areas none about them succeeds."""
        conditions = Conditions(self.app, self.pairing)
        self.requests = Dispatcher("remote", conditions)
        self.requests.serve(
            ReadingRequests(
                self.app,
                self.radio,
                self.pairing,
                lambda: self.supply_mv,
                lambda: 0,
                None,
                lambda: self.now_ms,
            ),
            PairingRequests(self.pairing, conditions),
            FlashRequests(areas, conditions, feed, restart),
            ModemRequests(self.app, self.modem, conditions, lambda: self.now_ms),
        )

    # What was said.

    def kinds(self):
        return [frames.kind_of(frame) for frame, *_ in self.radio.sent]

    def ask(self, opcode, body=b""):
        """The service console."""
        return messages.parse_reply(opcode, self.requests.from_host(messages.request(opcode, body)))


def merged(pattern):
    """A pattern as an eye sees it: equal neighbours are one, and dark at its end is its end."""
    steps = []
    for lights, tone_hz, span_ms in pattern:
        if steps and steps[-1][:2] == (lights, tone_hz):
            span_ms += steps.pop()[2]
        steps.append((lights, tone_hz, span_ms))
    while steps and steps[-1][:2] == (0, 0):
        steps.pop()
    return steps
