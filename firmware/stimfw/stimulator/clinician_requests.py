"""Requests of the clinic: amplitudes and a patient's window for them, one contraction, the log, the clock."""

from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals, roles
from stimfw.storage import layout
from stimfw.storage.record import Record
from stimfw.therapy import program, ranges
from stimfw.therapy.ranges import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from stimfw.clock.wall_clock import WallClock
    from stimfw.protocol.dispatcher import Dispatcher
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.conditions import Conditions
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.log_keeper import LogKeeper
    from stimfw.storage.blocks import BlockDevice
    from stimfw.therapy.event_log import EventLog
    from stimfw.therapy.stranger_log import StrangerLog

    Steps = Generator[None, None, Answer]

TEST_S = ranges.Range("seconds", 1, 30, "s")
_EVENTS_A_REPLY = 16
_RESTART_MS = 200  # the reply is read by then


class ClinicianRequests:
    """Handlers, named as in stimfw.protocol.requests.TABLE.

    The window was chosen for one programme. It is closed at each start, and by every change of the programme
    that is more than one of amplitudes, whoever makes it.
    """

    def __init__(
        self,
        control: "Control",
        conditions: "Conditions",
        dispatcher: "Dispatcher",
        log: "EventLog",
        clock: "WallClock",
        kept: "EventLog | LogKeeper",
        strangers: "StrangerLog",
        flash: "BlockDevice",
        restart: "Callable[[int], None]",
    ) -> None:
        """Args: log: is told what changes; kept: what LOG reads; strangers: what STRANGERS does.

        flash, restart: for a life as an implant; restart: after so many ms.
        """
        self._control = control
        self._conditions = conditions
        self._dispatcher = dispatcher
        self._log = log
        self._clock = clock
        self._kept = kept
        self._strangers = strangers
        self._flash = flash
        self._restart = restart
        self.window_ua: "tuple[int, ...]" = (0, 0, 0, 0)
        """Left lowest, left highest, right lowest, right highest."""
        control.on_program = self.close_window

    def restore(self) -> None:
        """As a board leaves the factory: the window closed, the default programme."""
        self.close_window(self._dispatcher.sender)
        self._control.program = program.default()

    def close_window(self, sender: int) -> None:
        """Allow a patient nothing; in the log it is the doing of `sender`, if the window was open."""
        if any(self.window_ua):
            self.window_ua = (0, 0, 0, 0)
            self._log.add(messages.EVENT_WINDOW_SET, sender, 0)

    def amplitude(self, left_ua: int, right_ua: int) -> "Answer | None":
        """Set both amplitudes, a patient only within the window."""
        if self._dispatcher.role < roles.CLINICIAN and not self._is_in_window((left_ua, right_ua)):
            return self._conditions.outcome(messages.REASON_WINDOW)
        return self._dispatcher.in_steps(self._setting(left_ua, right_ua))

    def _setting(self, left_ua: int, right_ua: int) -> "Steps":
        try:
            wanted = self._control.program.with_amplitudes(left_ua, right_ua)
            yield
            wanted.check_net_current()
        except ParameterError as refused:
            return _refused(refused)
        yield
        reason = yield from self._control.setting(wanted, self._dispatcher.sender)
        return self._conditions.outcome(reason)

    def _is_in_window(self, wanted_ua: "tuple[int, ...]") -> bool:
        low_high = self.window_ua
        for lead, amplitude_ua in enumerate(wanted_ua):
            if not low_high[2 * lead] <= amplitude_ua <= low_high[2 * lead + 1]:
                return False
        return any(self.window_ua)

    def get_window(self) -> "Answer":
        """The amplitudes that a patient may choose."""
        return refusals.done(*self.window_ua)

    def set_window(self, *window_ua: int) -> "Answer | None":
        """Allow a patient these amplitudes; all zero: none."""
        return self._dispatcher.in_steps(self._setting_window(window_ua))

    def _setting_window(self, window_ua: "tuple[int, ...]") -> "Steps":
        for index, value in enumerate(window_ua):
            if not ranges.AMPLITUDE_UA.holds(value) or (index & 1 and value < window_ua[index - 1]):
                return refusals.out_of_range(value)
        yield
        try:
            self._control.program.with_amplitudes(window_ua[1], window_ua[3]).check_net_current()
        except ParameterError as refused:
            return _refused(refused)
        yield
        self.window_ua = window_ua
        self._log.add(messages.EVENT_WINDOW_SET, self._dispatcher.sender, 1 if any(window_ua) else 0)
        return refusals.done()

    def test_stimulation(self, seconds: int) -> "Answer":
        """One contraction, held for so long, then the output is off."""
        if not TEST_S.holds(seconds):
            return refusals.out_of_range(seconds)
        try:
            self._control.program.replaced({"on_ms": seconds * 1000})
        except ParameterError as refused:
            return _refused(refused)
        return self._conditions.outcome(self._control.start(seconds, self._dispatcher.sender))

    def log(self, first: int) -> "Answer | None":
        """Events from number `first` or the oldest that is kept."""
        return self._dispatcher.in_steps(self._reading(first))

    def _reading(self, first: int) -> "Steps":
        number, events = yield from self._kept.reading(first, _EVENTS_A_REPLY)
        yield
        return refusals.done(number, events)

    def strangers(self, first: int) -> "Answer":
        """What came from senders without a key: counts since the start, and the newest from `first` on."""
        number, records = self._strangers.read(first)
        return refusals.done(number, *self._strangers.counts(), records)

    def get_time(self) -> "Answer":
        """Seconds since 1970, 0 if nobody set the clock since the start."""
        return refusals.done(self._clock.time_s())

    def set_time(self, time_s: int) -> "Answer":
        """Set the clock; seconds since 1970."""
        self._clock.set(time_s)
        self._log.add(messages.EVENT_TIME_SET, self._dispatcher.sender, 0)
        return refusals.done()

    def get_calibration(self) -> "Answer":
        """The record on flash, empty if there is none that can be read. Whether it is used, STATUS says."""
        try:
            return refusals.done(Record(self._flash, layout.CALIBRATION).peek() or b"")
        except OSError:
            return refusals.done(b"")

    def forget_calibration(self) -> "Answer":
        """Erase the record, whatever is there; the board restarts with the nominal factors."""
        try:
            Record(self._flash, layout.CALIBRATION).forget()
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        self._restart(_RESTART_MS)
        return refusals.done()

    # A board on the bench has no room to keep what these take: it is loaded when somebody asks.

    def set_calibration(self, record: bytes) -> "Answer":
        """Keep a calibration; the board restarts and uses it."""
        from stimfw.stimulator import calibrating

        try:
            answer = calibrating.store(self._flash, record)
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        finally:
            calibrating.unload()
        if answer[0] == messages.OK:
            self._restart(_RESTART_MS)
        return answer

    def implant(self, device_id: bytes, healing_days: int, time_s: int) -> "Answer":
        """Become an implant at the next start, which follows at once."""
        from stimfw.stimulator import implanting

        try:
            answer = implanting.implant(self._flash, device_id, healing_days, time_s)
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        if answer[0] == messages.OK:
            self._restart(implanting.RESTART_MS)
        return answer

    def journal(self, first: int) -> "Answer":
        """Slots of the journal of an earlier life."""
        from stimfw.stimulator import implanting

        return refusals.done(*implanting.read_journal(self._flash, first))


def _refused(error: ParameterError) -> "Answer":
    """One of a programme's fields is why."""
    return refusals.out_of_range(error.value, program.FIELD_NAMES.index(error.field))
