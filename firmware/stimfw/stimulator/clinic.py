"""Requests of the clinic: amplitudes and a patient's window for them, tests, the log, the clock."""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, roles
from stimfw.therapy import program, ranges
from stimfw.therapy.ranges import LEADS, ParameterError

if TYPE_CHECKING:
    from stimfw.clock.wall_clock import WallClock
    from stimfw.stimulator.commands import Commands, Handler
    from stimfw.stimulator.control import Control
    from stimfw.therapy.event_log import EventLog

TEST_S = ranges.Range("seconds", 1, 30, "s")
_EVENTS_A_REPLY = 16
_NO_FIELD = 0xFF


class Clinic:
    """Answers what its `handlers()` name. The window is closed at each start."""

    def __init__(self, control: "Control", commands: "Commands", log: "EventLog", clock: "WallClock") -> None:
        self._control = control
        self._commands = commands
        self._log = log
        self._clock = clock
        self.window_ua = (0, 0, 0, 0)
        """Left lowest, left highest, right lowest, right highest."""

    def close(self) -> None:
        """As a board leaves the factory: the window closed, the default programme."""
        self.window_ua = (0, 0, 0, 0)
        self._control.program = program.default()

    def handlers(self) -> "dict[int, Handler]":
        """For Commands.add."""
        return {
            messages.AMPLITUDE: self._amplitude,
            messages.GET_WINDOW: self._get_window,
            messages.SET_WINDOW: self._set_window,
            messages.TEST_STIMULATION: self._test,
            messages.LOG: self._read_log,
            messages.GET_TIME: self._get_time,
            messages.SET_TIME: self._set_time,
        }

    def _amplitude(self, body: bytes) -> "tuple[int, bytes]":
        wanted_ua = struct.unpack("<HH", body)
        if self._commands.role == roles.PATIENT and not self._allows(wanted_ua):
            return self._commands.outcome(messages.REASON_WINDOW)
        names = [lead + ".amplitude_ua" for lead in LEADS]
        try:
            wanted = self._control.program.replaced(dict(zip(names, wanted_ua)))
        except ParameterError as refused:
            return _out_of_range(8 if refused.field == names[0] else 11, refused.value)
        return self._commands.outcome(self._control.set_program(wanted, self._commands.sender))

    def _allows(self, wanted_ua: "tuple[int, ...]") -> bool:
        low_high = self.window_ua
        for lead, amplitude_ua in enumerate(wanted_ua):
            if not low_high[2 * lead] <= amplitude_ua <= low_high[2 * lead + 1]:
                return False
        return any(self.window_ua)

    def _get_window(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, struct.pack(messages.AMPLITUDE_WINDOW, *self.window_ua)

    def _set_window(self, body: bytes) -> "tuple[int, bytes]":
        window = struct.unpack(messages.AMPLITUDE_WINDOW, body)
        for index, value in enumerate(window):
            if not ranges.AMPLITUDE_UA.holds(value) or (index & 1 and value < window[index - 1]):
                return _out_of_range(_NO_FIELD, value)
        self.window_ua = window
        self._log.add(messages.EVENT_WINDOW_SET, self._commands.sender, 0)
        return messages.OK, b""

    def _test(self, body: bytes) -> "tuple[int, bytes]":
        if not TEST_S.holds(body[0]):
            return _out_of_range(_NO_FIELD, body[0])
        if self._control.session:
            return self._commands.outcome(messages.REASON_LOCKED)
        return self._commands.outcome(self._control.start(body[0], self._commands.sender))

    def _read_log(self, body: bytes) -> "tuple[int, bytes]":
        first, records = self._log.read(struct.unpack("<I", body)[0], _EVENTS_A_REPLY)
        return messages.OK, struct.pack("<I", first) + records

    def _get_time(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, struct.pack("<I", self._clock.time_s())

    def _set_time(self, body: bytes) -> "tuple[int, bytes]":
        self._clock.set(struct.unpack("<I", body)[0])
        self._log.add(messages.EVENT_TIME_SET, self._commands.sender, 0)
        return messages.OK, b""


def _out_of_range(field: int, value: object) -> "tuple[int, bytes]":
    return messages.OUT_OF_RANGE, struct.pack("<Bi", field, value if isinstance(value, int) else 0)
