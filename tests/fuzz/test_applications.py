"""Requests of every role to both boards' real handlers: each is answered, and nothing is raised.

The stimulator is the one on the desk, whose peripherals and clock are fakes; between requests time passes,
magnets come and go, and sessions run. The remote has its real application.
"""

import gc
import struct
import types

from support.pairing_desk import PairingDesk  # before the firmware: it brings the ticks

# isort: split
import pytest
from stimbench.fuzz.rounds import rounds
from stimbench.fuzz.script import Script
from stimfw.clock.wall_clock import WallClock
from stimfw.protocol import asking, messages, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.stimulator.cache_requests import CacheRequests
from stimfw.stimulator.clinician_requests import ClinicianRequests
from stimfw.stimulator.conditions import Conditions
from stimfw.stimulator.log_keeper import LogKeeper
from stimfw.stimulator.pairing_requests import PairingRequests
from stimfw.stimulator.reading_requests import ReadingRequests
from stimfw.stimulator.session_requests import SessionRequests
from stimfw.storage import layout
from stimfw.storage.event_store import EventStore
from stimfw.storage.flash_requests import FlashRequests
from stimfw.therapy import program
from stimfw.therapy.stranger_log import StrangerLog
from support.flash_fake import FlashFake
from support.link_harness import Rng
from support.remote_harness import Remote
from support.stimulator_harness import CLOCK

ROUNDS = 150
SENDERS = ((roles.PATIENT, 0), (roles.CLINICIAN, 1), (roles.SERVICE, messages.FROM_USB))


class _Flash:
    """As much of storage.areas.Areas as is asked for."""

    works = True

    def diagnose(self):
        return [0, 3, 5]

    def repair(self, overwrite_later, feed):
        feed()
        if not self.works:
            raise OSError("the flash did not take it")
        return int(overwrite_later)


class _Counters:
    """Of console and radio."""

    receiver = types.SimpleNamespace(frames=1, bad=2, oversized=3)
    tx_dropped = tx_failed = sent = hops = deferred = 0
    needs_activate = False

    def address(self, own):
        assert own is None or len(own) == 5


def _stimulator(board):
    """The dispatcher of a desk's stimulator, as the composition root makes it."""
    harness = board.harness
    conditions = Conditions(harness.control, board.table)
    dispatcher = Dispatcher("stimulator", conditions, harness.log)
    keeper = LogKeeper(
        harness.log, EventStore(FlashFake(2), 0), harness.control.busy, lambda: dispatcher.asked
    )
    strangers = StrangerLog(lambda: CLOCK.now_us // 1_000_000)
    clinician = ClinicianRequests(
        harness.control, conditions, dispatcher, harness.log, WallClock(lambda: CLOCK.now_us // 1000),
        keeper, strangers, FlashFake(layout.BLOCKS), lambda _ms: None,
    )  # fmt: skip
    counters = _Counters()
    readings = ReadingRequests(
        harness.control, harness.output, harness.measurements, _Sense(), dispatcher, harness.app,
        counters, counters, board.responder,
    )  # fmt: skip
    dispatcher.serve(
        SessionRequests(harness.control, conditions, dispatcher, harness.log),
        readings,
        clinician,
        PairingRequests(
            board.controller, board.table, conditions, board.responder, counters, Rng(7).take, harness.log,
            clinician.restore,
        ),
        FlashRequests(_Flash(), conditions, lambda: None, lambda _ms: None, lambda: b"\0"),
        CacheRequests(lambda clear: (1, 2)),
    )  # fmt: skip
    return dispatcher


class _Sense:
    def supply_mv(self):
        return 5000

    def temperature_dc(self):
        return 250

    def mean16(self, channel, readings):
        return 16 * 2048


def _message(script, board):
    """A request that is well formed, nearly so, or neither; often a programme that is valid or nearly."""
    rows = requests.answered_by(board)
    row = rows[script.below(len(rows))]
    if board == "stimulator" and script.below(4) == 0:
        row = requests.row_of((requests.SET_PROGRAM, requests.START)[script.below(2)])
    size = struct.calcsize(row[requests.BODY].split("|")[0])
    if row[requests.OPCODE] == requests.SET_PROGRAM and script.below(4):
        body = program.default().replaced({"left.amplitude_ua": 1000}).pack()
        body = body if script.below(2) else script.mutated(body)
    else:
        body = script.take(size) if script.below(4) else script.chunk(messages.MAX_BODY)
    return bytes((row[requests.OPCODE] if script.below(16) else script.byte(),)) + body


def _check(reply, message, board):
    assert len(reply) >= 2 and len(reply) <= messages.MAX_BODY + 2
    assert reply[1] < len(messages.CODE_NAMES)
    if reply[1] == messages.OK:
        asking.unpack_reply(requests.row_of(message[0], board), reply[2:])


def stimulator(data):
    script = Script(data)
    desk = PairingDesk()
    dispatcher = _stimulator(desk)
    harness = desk.harness
    while script.left():
        message = _message(script, "stimulator")
        role, sender = SENDERS[script.below(3)]
        _check(dispatcher.execute(message, role, sender), message, "stimulator")
        what = script.below(12)
        if what == 0:
            harness.magnet(script.below(2) == 1)
        elif what == 1:
            harness.control.fail(1 << script.below(9))
        elif what in (2, 3):
            harness.control.mended(1 << script.below(9))
        if what < 6:
            harness.run_ms((1, 20, 200)[script.below(3)])


def remote(data):
    script = Script(data)
    one = Remote()
    one.serve(_Flash(), lambda: None, lambda _ms: None)
    while script.left():
        message = _message(script, "remote")
        _check(one.requests.execute(message, roles.SERVICE, messages.FROM_USB), message, "remote")
        what = script.below(8)
        if what == 0:
            one.press(("stop", "start", "status")[script.below(3)])
        elif what == 1:
            one.random.failed = not one.random.failed
        elif what < 5:
            one.go((1, 30, 400)[script.below(3)])


@pytest.mark.parametrize("target", [stimulator, remote])
@pytest.mark.parametrize("seed", [1, 2])
def test_any_request_is_answered_and_raises_nothing(target, seed, monkeypatch):
    monkeypatch.setattr(gc, "mem_free", lambda: 100_000, raising=False)
    told = rounds(target, seed, 0, ROUNDS)
    assert (told["error"], told["executions"]) == ("", ROUNDS), told


def test_what_it_sends_gets_through_to_handlers(monkeypatch):
    """Most codes are seen, and sessions run: otherwise it would test nothing."""
    monkeypatch.setattr(gc, "mem_free", lambda: 100_000, raising=False)
    codes, states = set(), set()
    execute = Dispatcher.execute

    def watched(self, message, role, sender):
        reply = execute(self, message, role, sender)
        codes.add(reply[1])
        states.add(self._conditions._control.state())
        return reply

    monkeypatch.setattr(Dispatcher, "execute", watched)
    rounds(stimulator, 3, 0, 60)
    assert codes == set(range(len(messages.CODE_NAMES)))
    assert {messages.READY, messages.MEASURING, messages.RAMP_UP, messages.FAULT} <= states
