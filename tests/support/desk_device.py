"""An implanted stimulator on the desk: all real from the request's bytes to the flash's pages, but the chip.

Real are the machine, Control, the therapy with its care, schedule, rules and battery, the dispatcher with its
roles and conditions, the journal and its keeper, and every record. In the place of pulses, leads, radio and
converter are those of support.desk_parts. Time is support.stimulator_harness's clock, which only
`pass_ms` moves.
"""

import struct
import sys
import types

from support.desk_parts import (
    STOPPED_WATCH,
    DeskFlash,
    DeskMeasurements,
    DeskOutput,
    DeskSession,
    Leads,
    Sense,
)
from support.flash_fake import PowerCut
from support.stimulator_harness import CLOCK, Pin

# isort: split
# What they bring, MicroPython's time, comes first.
import stimfw.stimulator
from stimfw.clock.wall_clock import WallClock
from stimfw.protocol import messages, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.stimulator import implanting
from stimfw.stimulator.clinician_requests import ClinicianRequests
from stimfw.stimulator.control import Control
from stimfw.stimulator.log_keeper import LogKeeper
from stimfw.stimulator.session_requests import SessionRequests
from stimfw.storage import layout
from stimfw.storage.event_store import EventStore
from stimfw.therapy import machine, program

_SESSION = "stimfw.stimulator.watched_session"


def _load_implanted():
    """stimfw.stimulator.implanted, without the session that needs a chip; other tests load their own."""
    before = sys.modules.get(_SESSION)
    stand_in = types.ModuleType(_SESSION)
    stand_in.__getattr__ = lambda _name: object
    sys.modules[_SESSION] = stand_in
    from stimfw.stimulator import implanted

    del sys.modules[implanted.__name__], sys.modules[_SESSION], stimfw.stimulator.implanted
    if before:
        sys.modules[_SESSION] = before
    return implanted


implanted = _load_implanted()
PATIENT_SLOT, CLINICIAN_SLOT = 1, 0
PATIENT = (roles.PATIENT, PATIENT_SLOT)
CLINICIAN = (roles.CLINICIAN, CLINICIAN_SLOT)
SERVICE = (roles.SERVICE, messages.FROM_USB)
ROWS = {row[requests.NAME]: row for row in requests.answered_by("stimulator")}
IDLE_MS = 1_800_000
"""With the output off the loop comes round this often; a board's does twice a second, for its watchdog."""
BOOT_MS = 1000


class Refused(Exception):
    """A request was refused: `code`, and of WRONG_STATE the `reason`."""

    def __init__(self, code, reason):
        super().__init__(f"code {code}, reason {reason}")
        self.code, self.reason = code, reason


class Quiet:
    """What is not here: pairings, the bench's log, other handlers."""

    base = b"desk"

    def __getattr__(self, name):
        return lambda *_values: None


class DeskImplant(implanted.Implant):
    """Its sessions are DeskSessions."""

    def _make_session(self, output, _program, enter, _test_s, silent_ms, lose_contact):
        therapy, leads = self.polled, self._measurements.leads
        return DeskSession(
            output, therapy.care.prescription, enter, silent_ms, lose_contact, therapy.found, therapy.paused,
            leads,
        )  # fmt: skip


class Desk:
    """One device, from its implantation on.

    Attributes:
        flash, leads, sense, magnet: outlive a restart; `silent`: no remote is in reach.
        on_state: called with each new state; on_off: called when the supply fails.
        starts: how often it has started; cuts: how often the supply failed inside a flash operation.
    """

    def __init__(self, now_s, healing_days=14, with_log=False):
        CLOCK.now_us = 0
        self._zero_s = self.implanted_s = now_s
        self._with_log = with_log
        self.flash = DeskFlash()
        self.leads, self.sense, self.magnet = Leads(), Sense(), Pin(1)
        self.silent = False
        self.starts = self.cuts = 0
        self.on_state = lambda _state: None
        self.on_off = lambda: None
        implanting.implant(self.flash, b"desk-001", healing_days, now_s)
        self.boot()

    def true_s(self):
        """What time it is, seconds since 1970, whatever the device believes."""
        return self._zero_s + CLOCK.now_us // 1_000_000

    @property
    def measured(self):
        """(kind, ohm, nF) of each lead, as it was measured last; None: not since the start."""
        return self.measurements.known

    # Supply.

    def boot(self, cut=None):
        """The supply comes; as often as it fails again in the start. `cut`: as of DeskFlash.cut."""
        while True:
            self.flash.power()
            if cut:
                self.flash.cut(*cut)
                cut = None
            try:
                self._start(1)
                return
            except PowerCut:
                self.cuts += 1

    def restart(self, cut=None):
        """The supply fails, and comes again."""
        self.on_off()
        self.boot(cut)

    def _start(self, cause):
        CLOCK.now_us += BOOT_MS * 1000
        self.starts += 1
        flash = self.flash
        output = self.output = DeskOutput()
        measurements = self.measurements = DeskMeasurements(output, self.leads)
        clock = self.clock = WallClock(CLOCK.ms)
        store = EventStore(flash, layout.EVENTS) if self._with_log else None
        log = implanted.make_log(clock.uptime_s, store.next_number if store else 0)
        control = self.control = Control(
            output, measurements, self.magnet, Pin(), program.default(), self.leads.failing, log.add
        )
        conditions = implanted.ImplantConditions(control, Quiet())
        dispatcher = self.dispatcher = Dispatcher("stimulator", conditions, log)
        busy = lambda: control.busy() or control.pairing  # noqa: E731
        keeper = LogKeeper(log, store, busy, lambda: dispatcher.asked) if store else Quiet()
        control.silent_ms = lambda _now_ms: 1 << 29 if self.silent else 0
        control.link.silent_ms = lambda _slot, _now_ms: 0
        clinician = ClinicianRequests(
            control, conditions, dispatcher, log, clock, keeper, Quiet(), flash, lambda _ms: None
        )
        self.implant = DeskImplant(
            flash, control, output, measurements, self.sense, clock, log, keeper, dispatcher, conditions,
            lambda _ms: None, cause, lambda: False,
        )  # fmt: skip
        self.therapy, self.care = self.implant.polled, self.implant.polled.care
        control.on_change = self._changed
        dispatcher.serve(
            *self.implant.groups, SessionRequests(control, conditions, dispatcher, log), clinician, Quiet()
        )
        self._changed(control.state())

    def _changed(self, state):
        self.on_state(state)

    # Time.

    def turn(self):
        """The loop comes round; how long it can wait then, in ms."""
        now = CLOCK.ms()
        wait = self.control.poll(now, False)
        self.therapy.poll(now)
        return self.control.poll(now, False) if self.control.busy() else wait

    def pass_ms(self, ms):
        """Time passes, and the loop goes on: at least once, at the end."""
        end_us = CLOCK.now_us + ms * 1000
        control = self.control
        wait = control.poll(CLOCK.ms(), False)
        while True:
            longest = max(1, wait) if control.busy() else IDLE_MS
            CLOCK.now_us = min(end_us, CLOCK.now_us + longest * 1000)
            control._kept_ms = CLOCK.ms()  # a board's loop gives the gate its edges meanwhile
            wait = self.turn()
            if CLOCK.now_us >= end_us:
                return

    # Requests.

    def raw(self, peer, name, *values):
        """The reply's bytes."""
        row = ROWS[name]
        form = row[requests.BODY].split("|")[0]
        body = struct.pack(form, *values) if form else b""
        return self.dispatcher.execute(messages.request(row[requests.OPCODE], body), *peer)

    def ask(self, peer, name, *values):
        """The reply's values; raises Refused."""
        reply = self.raw(peer, name, *values)
        if reply[1] != messages.OK:
            raise Refused(reply[1], reply[3] if reply[1] == messages.WRONG_STATE else 0)
        if self.control.busy():
            self.control.poll(CLOCK.ms(), False)  # what was begun begins
        form = ROWS[name][requests.REPLY]
        return struct.unpack_from(form, reply, 2) if form else ()

    def journal(self):
        """Every slot, as a host pulls them: with the output off, so what runs is stopped."""
        if self.control.busy():
            self.raw(SERVICE, "stop")
        slots, first = [], 0
        while True:
            reply = self.raw(SERVICE, "journal", first)
            _number, _oldest, following = struct.unpack_from("<III", reply, 2)
            found = reply[14:]
            if not found:
                return slots
            slots += [found[at : at + 32] for at in range(0, len(found), 32)]
            first = struct.unpack_from("<I", slots[-1])[0] + 1
            if first >= following:
                return slots

    # What happens to it.

    def magnet_comes(self):
        """A magnet holds the reed switch: its interrupt, then the loop."""
        self.magnet.level = 0
        self.output.trip()
        self.control.magnet_came()

    def magnet_goes(self):
        self.magnet.level = 1

    def fault(self, number, lead, at_once):
        """The watch of a running session finds a fault; `at_once`: and it stops all in that moment."""
        self.control.session.find(number, lead)
        if at_once:
            self.control.tell(machine.WATCHED, STOPPED_WATCH)

    def disturb(self):
        """Something disturbs the measurements of a running session."""
        self.control.session.disturbed = True

    def calm(self):
        """It is over."""
        self.control.session.disturbed = False

    def lose_clock(self):
        """The oscillator failed: nobody has set the clock."""
        self.clock._set_s = 0
