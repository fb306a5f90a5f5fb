"""A session: contraction after contraction until it is stopped or its time is over.

A generator like those of stimfw.stimulator.measure: it yields how many milliseconds it can wait.
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import adg1414, heap
from stimfw.protocol import messages
from stimfw.pulses.sampling import evenly
from stimfw.therapy import gate
from stimfw.therapy.contraction import Contraction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from stimfw.stimulator.output import Output
    from stimfw.therapy.program import Program

KINDS = "IVIV"
_SLOW_RATE_HZ = 50  # up to here the CPU is woken in each period, above only while it ramps
_STALLED_PERIODS = 3
_ASLEEP_MS = 500  # in a rest: often enough for the watchdog


class Session:
    """One session of one programme on one Output."""

    def __init__(
        self,
        output: "Output",
        program: "Program",
        enter: "Callable[[int], None]",
        test_s: int,
        silent_ms: "Callable[[int], int]",
        lose_contact: "Callable[[], None]",
    ) -> None:
        """Nothing runs yet.

        Args:
            output: off.
            program: what it does. While it runs only its amplitudes change: `retarget`.
            enter: told the part of the cycle that has come: messages.RAMP_UP, HOLD, RAMP_DOWN or REST.
            test_s: one contraction only, held for so many seconds; 0: what the programme says.
            silent_ms: `silent_ms(now_ms)`: since when no paired peer was heard by radio (ms).
            lose_contact: called once, if that becomes the programme's `contact_s`.
        """
        self._output = output
        self._enter = enter
        self._silent_ms = silent_ms
        self._lose_contact = lose_contact
        self._contact_lost = False
        self.is_test = test_s > 0
        if self.is_test:
            program = program.replaced({"on_ms": test_s * 1000})
        self._program = program
        self._contraction = Contraction(program)
        self.amplitude_ua = [0, 0]
        self.cycles = 0
        self.missed = 0
        """Periods of ended contractions whose measurements did not all arrive."""
        self._began_ms = ticks_ms()
        # The session's begin counts as heard, for one that began over USB.
        self._contact_due_ms = ticks_add(self._began_ms, program.contact_s * 1000)

    def elapsed_s(self) -> int:
        """Seconds since the session began."""
        return ticks_diff(ticks_ms(), self._began_ms) // 1000

    def _left_ms(self) -> int:
        return self._program.session_s * 1000 - ticks_diff(ticks_ms(), self._began_ms)

    def retarget(self, program: "Program") -> None:
        """Go on with another amplitude; all else of `program` must be as before."""
        self._contraction.retarget(program.amplitude_ua)

    def run(self) -> "Generator[int, None, int]":
        """Yields waits in ms; returns why it ended: messages.STOPPED_SESSION_OVER, _CONTACT or _FAULT.

        A contraction that has begun is completed; if contact is lost, it ramps down at once.
        """
        output, program = self._output, self._program
        times_us = evenly(program.width_us, len(KINDS))
        output.load(program.width_us, program.gap_us, program.period_us, KINDS, times_us)
        output.zero()
        switches = [adg1414.select(program.cathode[k], program.anode[k]) for k in (0, 1)]
        fresh = True
        while self._left_ms() > 0 and not self._out_of_contact():
            output.keep_alive()
            output.connect(*switches)  # in each cycle: a rest is long, and they may have been lost
            yield gate.SETTLE_MS
            if not (yield from self._contract(fresh)):
                return messages.STOPPED_FAULT
            fresh = False
            self.cycles += 1
            self._enter(messages.REST)
            if self.is_test:
                break
            yield from self._rest()
        return messages.STOPPED_CONTACT if self._contact_lost else messages.STOPPED_SESSION_OVER

    def _contract(self, fresh: bool) -> "Generator[int, None, bool]":
        """One contraction; returns whether every period of it came in time."""
        output, contraction, program = self._output, self._contraction, self._program
        before = 0 if fresh else output.periods()
        heap.settle()  # 10 ms that no STOP shall meet
        self._enter(contraction.state(0))
        self._set_amplitude(0, 0)
        output.tell_periods(True)
        output.prepare(fresh)
        yield 0  # a STOP that came meanwhile
        if not output.start():
            return False
        slow = program.rate_hz <= _SLOW_RATE_HZ
        began = ticks_ms()
        while True:
            yield gate.PAUSE_MS
            left = output.begun(0) - before
            late_us = ticks_diff(ticks_ms(), began) * 1000 - left * program.period_us
            if late_us > _STALLED_PERIODS * program.period_us + gate.PAUSE_MS * 1000:
                return False
            if self._out_of_contact():
                contraction.end_from(left)
            part = contraction.state(max(0, left - 1))
            self._enter(part)
            self._set_amplitude(left, output.begun(1) - before)
            if left >= contraction.periods:
                break
            if not slow:
                output.tell_periods(part != messages.HOLD or self._ends_soon(left))
        ended = yield from output.finish()
        self.missed += max(0, contraction.periods - (output.periods() - before))
        return ended and not output.tripped

    def _ends_soon(self, begun: int) -> bool:
        """Whether the hold ends so soon that each period must wake the CPU."""
        return self._contraction.held_after(begun) * self._program.period_us < 2000 * gate.PAUSE_MS

    def _set_amplitude(self, left_period: int, right_period: int) -> None:
        contraction, amplitude = self._contraction, self.amplitude_ua
        amplitude[0] = contraction.amplitude_ua(0, left_period)
        amplitude[1] = contraction.amplitude_ua(1, right_period)
        self._output.amplitude(amplitude[0], amplitude[1])

    def _rest(self) -> "Generator[int, None, None]":
        """Output off, KEEPALIVE silent: the gate closes until the next contraction, or the session's end."""
        self.amplitude_ua[0] = self.amplitude_ua[1] = 0
        self._output.zero()
        began = ticks_ms()
        while True:
            left = min(self._program.off_ms - ticks_diff(ticks_ms(), began), self._left_ms())
            if left <= 0 or self._out_of_contact():
                return
            if self._program.contact_s:
                left = min(left, max(1, ticks_diff(self._contact_due_ms, ticks_ms())))
            yield min(left, _ASLEEP_MS)

    def _out_of_contact(self) -> bool:
        """Whether no remote was heard for the programme's `contact_s`; then it stays so.

        The radio is asked only when the time that was left at the last look is over.
        """
        limit_ms = self._program.contact_s * 1000
        if not limit_ms or self._contact_lost:
            return self._contact_lost
        now = ticks_ms()
        if ticks_diff(self._contact_due_ms, now) <= 0:
            left = limit_ms - self._silent_ms(now)
            self._contact_due_ms = ticks_add(now, max(0, left))
            if left <= 0:
                self._contact_lost = True
                self._lose_contact()
        return self._contact_lost
