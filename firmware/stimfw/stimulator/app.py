"""The stimulator's application: one loop that serves radio, console and the present procedure, then sleeps.

A procedure (a session, a measurement) is a generator that yields how many milliseconds it can wait. Dropping
it and calling `Output.off` is all that a stop needs. KEEPALIVE edges and watchdog feeding happen here, in the
loop, and only while it turns: whatever hangs, the output falls off.
"""

import gc
from time import ticks_add, ticks_diff, ticks_ms

import machine
import micropython

from stimfw.drivers import console as console_driver
from stimfw.logic import messages
from stimfw.stimulator.commands import Commands
from stimfw.stimulator.session import KINDS, Session

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from collections.abc import Callable, Generator

    from machine import Pin

    from stimfw.drivers.console import Console
    from stimfw.drivers.radio_port import RadioPort
    from stimfw.drivers.sense import Sense
    from stimfw.drivers.wake import Waiter, Wake
    from stimfw.drivers.watchdog import Watchdog
    from stimfw.logic.link import Responder
    from stimfw.logic.program import Program
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output

_IDLE_MS = 500  # often enough for the watchdog
_RADIO_MS = 1000  # look after the radio, and for an edge that was missed
_BUSY_MS = 5  # the host has not read all that it asked for
_PULSE_SAMPLES = len(KINDS)


class App:
    """State of the stimulator and its main loop. `state()` alone says what it is doing."""

    def __init__(
        self,
        output: "Output",
        measurements: "Measurements",
        sense: "Sense",
        magnet: "Pin",
        led: "Pin",
        wake: "Wake",
        program: "Program",
        failed_parts: int,
    ) -> None:
        """Take the parts; `console`, and `radio` with its `responder`, are set before `run`.

        `magnet` is an input, low while a magnet is near; `led` is lit while the output is on and blinks after
        a failed self-test; `failed_parts` are the messages.PART_... bits that the boot found wanting.
        """
        self._output = output
        self.measurements = measurements
        self._sense = sense
        self._magnet = magnet
        self._led = led
        self._wake = wake
        self.program = program
        self.failed_parts = failed_parts
        self.commands = Commands(self)
        self._procedure: "Generator[int, None, int] | None" = None
        self._due_ms = 0
        self._session: "Session | None" = None
        self._measuring = False
        self._stop_cause = messages.STOPPED_NEVER_ON
        self._cycles_before = 0
        self._missed = 0
        self._magnet_hit = False
        self._period_began = False
        self._radio_called = True
        self._radio_due_ms = 0
        self._magnet_stops = 0
        self._supply_mv = 0
        self._temperature_dc = 0
        self.boot_us = 0
        self.radio: "RadioPort | None" = None
        self.responder: "Responder | None" = None
        self.console: "Console | None" = None
        self._console_busy = True

    # Interrupt handlers: no allocation.

    def on_magnet(self, _pin: object) -> None:
        """The magnet came: output off here and now; the loop does the rest."""
        self._output.off_now()
        self._magnet_hit = True
        self._wake.pending = True

    def on_period(self, _pio: object) -> None:
        """A stimulation period began."""
        self._period_began = True
        self._wake.pending = True

    def on_radio(self, _pin: object) -> None:
        """The radio has something to say."""
        self._radio_called = True
        self._wake.pending = True

    # What requests ask for. Each returns a messages.REASON_...

    def start(self) -> int:
        """Begin a session with the present programme."""
        reason = self._why_not()
        if reason == messages.REASON_NONE and self.program.amplitude_ua == (0, 0):
            reason = messages.REASON_NO_AMPLITUDE
        if reason == messages.REASON_NONE and self._session is None:
            self._session = Session(self._output, self.program)
            self._begin(self._stimulate(self._session))
        return reason

    def measure(self) -> int:
        """Begin to measure all electrode pairs."""
        return self._begin_measuring(self._measure_pairs)

    def test_output(self) -> int:
        """Begin the output's self-test; it may clear an earlier failure."""
        output_parts = messages.PART_DAC | messages.PART_MATRIX | messages.PART_SENSE
        before = self.failed_parts
        self.failed_parts &= ~output_parts
        reason = self._begin_measuring(self._test_output)
        if reason != messages.REASON_NONE:
            self.failed_parts = before
        return reason

    def stop(self, cause: int) -> None:
        """Output off, procedure dropped; `cause` is kept if the output was on."""
        was_on = self._procedure is not None
        self._procedure = None
        self._output.off()
        if was_on:
            self._stop_cause = cause
            if self._session:
                self._cycles_before += self._session.cycles
                self._missed += self._session.missed
        self._session = None
        self._measuring = False
        self._led(0)

    def set_program(self, wanted: "Program") -> int:
        """Take a programme: while the output is on only other amplitudes; moved electrodes zero theirs."""
        if self._measuring:
            return messages.REASON_BUSY
        if self._session:
            if not wanted.differs_only_in_amplitude(self.program):
                return messages.REASON_LOCKED
            self._session.retarget(wanted)
        self.program = wanted.after(self.program)
        return messages.REASON_NONE

    def _why_not(self) -> int:
        if self._measuring:
            return messages.REASON_BUSY
        if self.failed_parts:
            return messages.REASON_SELF_TEST
        if not self._magnet():
            return messages.REASON_MAGNET
        return messages.REASON_NONE

    def _begin_measuring(self, procedure: "Callable[[], Generator[int, None, int]]") -> int:
        if self._session:
            return messages.REASON_LOCKED
        reason = self._why_not()
        if reason == messages.REASON_NONE:
            self._measuring = True
            self._begin(procedure())
        return reason

    def _begin(self, procedure: "Generator[int, None, int]") -> None:
        self._read_supply()
        self._output.arm_trip()
        if not self._magnet():  # it came since we looked; its interrupt may have been before arm_trip
            self._output.off_now()
        self._procedure = procedure
        self._led(1)
        self._due_ms = ticks_ms()

    # Procedures.

    def _stimulate(self, session: Session) -> "Generator[int, None, int]":
        failed = yield from self.measurements.self_test()
        if failed:
            self.failed_parts |= failed
            return messages.STOPPED_FAULT
        return (yield from session.run())

    def _measure_pairs(self) -> "Generator[int, None, int]":
        yield from self._test_output()
        if not self.failed_parts:
            yield from self.measurements.pairs()
        return self._stop_cause

    def _test_output(self) -> "Generator[int, None, int]":
        self.failed_parts |= yield from self.measurements.self_test()
        return self._stop_cause

    # The loop.

    def run(self, waiter: "Waiter", watchdog: "Watchdog") -> None:
        """Serve for ever; whatever ends it, the output is off. Ctrl-C also stops the watchdog."""
        readable = True
        try:
            while True:
                readable = waiter.wait(self.turn(readable))
                watchdog.feed()
        except KeyboardInterrupt:
            micropython.kbd_intr(-1)  # hosts send Ctrl-C twice
            self._output.off_now()
            watchdog.disable()
            self.stop(messages.STOPPED_REPL)
            micropython.kbd_intr(3)
            print("stimulator stopped: output off")
        finally:
            self._output.off_now()
            self.stop(messages.STOPPED_FAULT)

    def turn(self, readable: bool = True) -> int:
        """One pass over what there is to do; how long it can sleep then, in ms.

        `readable`: the host may have sent something.
        """
        now = ticks_ms()
        if self._magnet_hit:
            self._magnet_hit = False
            self._magnet_stops += 1
            self.stop(messages.STOPPED_MAGNET)
        if self.radio and (self._radio_called or ticks_diff(now, self._radio_due_ms) >= 0):
            if not self._radio_called:
                self._look_after_radio(self.radio)
            self._radio_called = False
            self._radio_due_ms = ticks_add(now, _RADIO_MS)
            self.radio.service(now)
        if self.console and (readable or self._console_busy):
            self._console_busy = self.console.service()
            now = ticks_ms()
        wait = self._advance(now)
        return min(wait, _BUSY_MS) if self._console_busy else wait

    def _look_after_radio(self, radio: "RadioPort") -> None:
        """A radio that lost its settings gets them again; without a radio no STOP, so no output."""
        if radio.revive(requester=False):
            self.failed_parts &= ~messages.PART_RADIO
        elif not self.failed_parts & messages.PART_RADIO:
            self.stop(messages.STOPPED_FAULT)
            self.failed_parts |= messages.PART_RADIO

    def _advance(self, now: int) -> int:
        if self._procedure is None:
            if self.failed_parts:
                self._led(not self._led())
            return _IDLE_MS
        wait = ticks_diff(self._due_ms, now)
        if self._period_began or wait <= 0:
            self._period_began = False
            try:
                wait = next(self._procedure)
            except StopIteration as end:
                self.stop(end.value)
                return 0
            self._due_ms = ticks_add(now, wait)
        if self.state() != messages.REST:
            self._output.keep_alive()
        return max(wait, 0)

    # What it tells.

    def state(self) -> int:
        """messages.READY, RAMP_UP, ... of this moment."""
        if self._session:
            return self._session.state
        if self._measuring:
            return messages.MEASURING
        return messages.FAULT if self.failed_parts else messages.READY

    def status(self) -> "tuple[int, ...]":
        """messages.STATUS_FIELDS."""
        session = self._session
        left, right = session.amplitude_ua if session else (0, 0)
        if not self._procedure:
            self._read_supply()
        return (
            self.state(),
            0 if self._magnet() else messages.FLAG_MAGNET,
            self._stop_cause,
            self.failed_parts,
            left,
            right,
            session.elapsed_s() if session else 0,
            self._supply_mv,
        )

    def details(self) -> "tuple[int, ...]":
        """messages.DETAILS_FIELDS; the heap is collected first, unless the output is on."""
        if not self._procedure:
            gc.collect()
        pulses = self._output.sampler.taken() // _PULSE_SAMPLES if self._output.plan else 0
        cycles = self._cycles_before + (self._session.cycles if self._session else 0)
        return (
            ticks_ms(),
            (pulses + 1) // 2,
            pulses // 2,
            cycles & 0xFFFF,
            machine.reset_cause(),
            self._temperature_dc,
            gc.mem_free(),
            self.boot_us,
        )

    def counters(self) -> "tuple[int, ...]":
        """messages.COUNTER_NAMES."""
        radio = self.responder
        frames, bad, duplicates = (radio.frames, radio.bad, radio.duplicates) if radio else (0, 0, 0)
        failed = self.radio.tx_failed if self.radio else 0
        console = console_driver.counters(self.console) if self.console else (0, 0, 0, 0)
        return console + (
            frames,
            bad,
            duplicates,
            failed,
            self.commands.refused,
            self._magnet_stops,
            self._missed + (self._session.missed if self._session else 0),
        )

    def pulses(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` measured pulses of the present or last session, from `first` or the oldest kept on."""
        sampler = self._output.sampler
        if not self._output.plan or self._output.plan.count != _PULSE_SAMPLES:
            return first, b""
        total = sampler.taken() // _PULSE_SAMPLES
        first = max(first, total - sampler.KEPT // _PULSE_SAMPLES)
        return first, self.measurements.records(first, min(total, first + most), _PULSE_SAMPLES)

    def _read_supply(self) -> None:
        self._supply_mv = self._sense.supply_mv()
        self._temperature_dc = self._sense.temperature_dc()

