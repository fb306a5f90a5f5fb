"""What the stimulator is doing: at rest, in a session, or measuring; begun by requests, ended by `stop`.

A procedure (a session, a measurement) is a generator that yields how many milliseconds it can wait. Dropping
it and calling `Output.off` is all that a stop needs.
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.protocol import messages
from stimfw.stimulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from machine import Pin

    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.therapy.program import Program

_IDLE_MS = 500  # often enough for the watchdog
_GATE_MS = 95  # without KEEPALIVE for 100 ms the gate closes; pulses must not come back when it opens again
_OUTPUT_PARTS = messages.PART_DAC | messages.PART_MATRIX | messages.PART_SENSE


class Control:
    """The one procedure that may run, and what allows it. `state()` alone says which it is.

    Attributes:
        program: what the next session does.
        failed_parts: messages.PART_... bits; while there are any, nothing is driven.
        session: the running one.
        cycles, missed: of the sessions since boot: contractions ended, periods without their measurements.
        stop_cause: why the output last went off, messages.STOPPED_....
        pairing: the pairing window is open: nothing starts, and the LED is the window's.
    """

    def __init__(
        self,
        output: "Output",
        measurements: "Measurements",
        magnet: "Pin",
        led: "Pin",
        program: "Program",
        failed_parts: int,
    ) -> None:
        """`magnet`: input, low if one is near; `led`: lit with the output, blinks for a failed part."""
        self._output = output
        self._measurements = measurements
        self._magnet = magnet
        self._led = led
        self.program = program
        self.failed_parts = failed_parts
        self.session: "Session | None" = None
        self.cycles = 0
        self.missed = 0
        self.stop_cause = messages.STOPPED_NEVER_ON
        self.pairing = False
        self._measuring = False
        self._procedure: "Generator[int, None, int] | None" = None
        self._due_ms = 0
        self._kept_ms = 0

    def state(self) -> int:
        """messages.READY, RAMP_UP, ... of this moment."""
        if self.session:
            return self.session.state
        if self._measuring:
            return messages.MEASURING
        return messages.FAULT if self.failed_parts else messages.READY

    def busy(self) -> bool:
        """Whether a procedure runs; the converter is its own then."""
        return self._procedure is not None

    def magnet_near(self) -> bool:
        """Whether a magnet holds the reed switch closed."""
        return not self._magnet()

    # What requests ask for. Each returns a messages.REASON_...

    def start(self, test_s: int = 0) -> int:
        """Begin a session with the present programme; `test_s`: one contraction only, of so many seconds."""
        reason = self._why_not()
        if reason == messages.REASON_NONE and self.program.amplitude_ua == (0, 0):
            reason = messages.REASON_NO_AMPLITUDE
        if reason == messages.REASON_NONE and self.session is None:
            self.session = Session(self._output, self.program, test_s)
            self._begin(self._stimulate(self.session))
        return reason

    def measure(self) -> int:
        """Begin to measure all electrode pairs; what was measured before is forgotten."""
        reason = self._begin_measuring(self._measure_pairs)
        if reason == messages.REASON_NONE:
            self._measurements.forget()
        return reason

    def test_output(self) -> int:
        """Begin the output's self-test; if it ends, it may clear an earlier failure."""
        return self._begin_measuring(self._test_output, _OUTPUT_PARTS)

    def stop(self, cause: int) -> None:
        """Output off, procedure dropped; `cause` is kept if the output was on."""
        was_on = self.busy()
        self._procedure = None
        self._output.off()
        if was_on:
            self.stop_cause = cause
        if self.session:
            self.cycles += self.session.cycles
            self.missed += self.session.missed
        self.session = None
        self._measuring = False
        self._led(0)

    def set_program(self, wanted: "Program") -> int:
        """Take a programme: while the output is on only other amplitudes; moved electrodes zero theirs."""
        if self._measuring:
            return messages.REASON_BUSY
        if self.session:
            if not wanted.differs_only_in_amplitude(self.program):
                return messages.REASON_LOCKED
            self.session.retarget(wanted)
        self.program = wanted.after(self.program)
        return messages.REASON_NONE

    def fail(self, part: int) -> None:
        """A part was lost: whatever runs ends, and nothing starts until it is `mended`."""
        if not self.failed_parts & part:
            self.stop(messages.STOPPED_FAULT)
            self.failed_parts |= part

    def mended(self, part: int) -> None:
        """The part works (again)."""
        self.failed_parts &= ~part

    def advance(self, now: int, called: bool) -> int:
        """Go on with the procedure if it is due or `called`; how long it can wait then, in ms."""
        if self._procedure is None:
            if self.failed_parts and not self.pairing:
                self._led(not self._led())
            return _IDLE_MS
        wait = ticks_diff(self._due_ms, now)
        if called or wait <= 0:
            try:
                wait = next(self._procedure)
            except StopIteration as end:
                # The magnet may have come in this very step, before the loop could tell.
                self.stop(messages.STOPPED_MAGNET if self._output.tripped else end.value)
                return 0
            self._due_ms = ticks_add(ticks_ms(), wait)  # the step itself took time
        return max(wait, 0) if self._keep_alive() else 0

    def _keep_alive(self) -> bool:
        """A KEEPALIVE edge unless in a rest; False if the gate has closed meanwhile: that was a stop."""
        now = ticks_ms()
        since, self._kept_ms = ticks_diff(now, self._kept_ms), now
        if self.state() == messages.REST:
            return True
        if since > _GATE_MS:
            self.stop(messages.STOPPED_FAULT)
            return False
        self._output.keep_alive()
        return True

    def _why_not(self, ignored_parts: int = 0) -> int:
        if self._measuring:
            return messages.REASON_BUSY
        if self.pairing:
            return messages.REASON_PAIRING
        if self.failed_parts & ~ignored_parts:
            return messages.REASON_SELF_TEST
        return messages.REASON_MAGNET if self.magnet_near() else messages.REASON_NONE

    def _begin_measuring(
        self, procedure: "Callable[[], Generator[int, None, int]]", ignored_parts: int = 0
    ) -> int:
        if self.session:
            return messages.REASON_LOCKED
        reason = self._why_not(ignored_parts)
        if reason == messages.REASON_NONE:
            self._measuring = True
            self._begin(procedure())
        return reason

    def _begin(self, procedure: "Generator[int, None, int]") -> None:
        self._output.arm_trip()
        if self.magnet_near():  # it came since we looked; its interrupt may have been before arm_trip
            self._output.trip()
        self._procedure = procedure
        self._led(1)
        self._due_ms = self._kept_ms = ticks_ms()

    # Procedures: each returns a messages.STOPPED_....

    def _stimulate(self, session: Session) -> "Generator[int, None, int]":
        if not (yield from self._passes()):
            return messages.STOPPED_FAULT
        return (yield from session.run())

    def _measure_pairs(self) -> "Generator[int, None, int]":
        if (yield from self._passes()):
            yield from self._measurements.pairs()
        return self.stop_cause

    def _test_output(self) -> "Generator[int, None, int]":
        yield from self._passes()
        return self.stop_cause

    def _passes(self) -> "Generator[int, None, bool]":
        """The output's self-test: what it finds takes the place of an earlier finding, if it ends."""
        failed = yield from self._measurements.self_test()
        if failed < 0:
            return False
        self.failed_parts = self.failed_parts & ~_OUTPUT_PARTS | failed
        return failed == 0
