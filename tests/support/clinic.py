"""A stimulator on a harness, and a clinician who has opened a patient's window of amplitudes."""

import struct

from stimfw.clock.wall_clock import WallClock
from stimfw.protocol import messages, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.storage import layout
from stimfw.therapy.stranger_log import StrangerLog

from support.flash_fake import FlashFake
from support.stimulator_harness import StimulatorHarness

from stimfw.stimulator.clinician_requests import ClinicianRequests  # isort: skip
from stimfw.stimulator.conditions import Conditions  # isort: skip
from stimfw.stimulator.session_requests import SessionRequests  # isort: skip

HOLD = {"left__amplitude_ua": 2000, "right__amplitude_ua": 3000, "ramp_up_ms": 0, "ramp_down_ms": 0}
WINDOW_UA = (500, 4000, 0, 3000)
CLOSED = (0, 0, 0, 0)
PATIENT, CLINICIAN, USB = 0, 1, messages.FROM_USB


class Others:
    """Handlers of the requests that these tests do not send."""

    def __init__(self):
        for row in requests.answered_by("stimulator"):
            setattr(self, row[requests.NAME], None)


class Clinic:
    """A stimulator whose window a clinician has opened."""

    def __init__(self, **changes):
        self.harness = StimulatorHarness(**{**HOLD, **changes})
        control, log = self.harness.control, self.harness.log
        conditions = Conditions(control, None)
        self.dispatcher = Dispatcher("stimulator", conditions, log)
        self.clinician = ClinicianRequests(
            control, conditions, self.dispatcher, log, WallClock(lambda: 0), log, StrangerLog(lambda: 0),
            FlashFake(layout.BLOCKS), lambda _ms: None,
        )  # fmt: skip
        self.dispatcher.serve(
            SessionRequests(control, conditions, self.dispatcher, log), self.clinician, Others()
        )
        assert self.set_window(WINDOW_UA)[0] == messages.OK

    def ask(self, opcode, body=b"", role=roles.CLINICIAN, sender=CLINICIAN):
        return messages.parse_reply(
            opcode, self.dispatcher.execute(messages.request(opcode, body), role, sender)
        )

    def set_window(self, window_ua, **sender):
        return self.ask(requests.SET_WINDOW, struct.pack(requests.AMPLITUDE_WINDOW, *window_ua), **sender)

    def window(self):
        return struct.unpack(requests.AMPLITUDE_WINDOW, self.ask(requests.GET_WINDOW)[1])

    def program_with(self, **changes):
        wanted = self.harness.control.program.replaced({k.replace("__", "."): v for k, v in changes.items()})
        return wanted.pack()

    def patient_may(self, left_ua, right_ua):
        body = struct.pack("<HH", left_ua, right_ua)
        return self.ask(requests.AMPLITUDE, body, roles.PATIENT, PATIENT)[0] == messages.OK

    def window_events(self):
        """Sender and detail of each."""
        _, raw = self.harness.log.read(0, 100)
        events = struct.iter_unpack(requests.LOG_RECORD, raw)
        return [event[2:4] for event in events if event[1] == messages.EVENT_WINDOW_SET]
