"""What the stimulator does: it feeds what happens to the machine of states, and carries its effects out.

A procedure (a session, a measurement) is a generator that yields how many milliseconds it can wait. Dropping
it and calling `Output.off` is all that a stop needs.
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from micropython import const

from stimfw.protocol import messages
from stimfw.protocol.steps import all_of
from stimfw.stimulator.link_watch import LinkWatch
from stimfw.stimulator.session import Session
from stimfw.therapy import gate, machine
from stimfw.therapy.ranges import CONTACT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from machine import Pin

    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.therapy.program import Program

_IDLE_MS = 500  # often enough for the watchdog
_GATE_CLOSED = const(1 << 4 | 1 << 11)  # states of a session without pulses: messages.REST, INTERFERENCE
_NOBODY = messages.FROM_NOBODY
_HOLD_BACK_MS = 1100
"""A peer tries a request for 1 s; the rest is for its last frame on the way."""


class Control:
    """The one procedure that may run. Its state is the machine's: stimfw.therapy.machine.

    Attributes:
        program: what the next session does.
        session: the running one.
        cycles, missed: of the sessions since boot: contractions ended, periods without their measurements.
        stop_cause: why the output last went off, messages.STOPPED_....
        on_change: called with the state when it, or the pairing window, has changed. Nothing yet.
        on_stop: `on_stop(sender, now_ms)` (a slot, FROM_USB or FROM_NOBODY) is called at each stop, whatever
            its route, also of what was off already; the output is off by then. What others sent before must
            not begin anything.
        silent_ms: `silent_ms(now_ms)`: since when no paired peer was heard by radio (ms).
        link: of the peer that began the session.
        on_program: called with the sender before a programme is taken that differs in more than amplitudes.
        on_over: called with a session that is over, the output off.
        make_session, make_train: what runs, of an implanted stimulator another than of one on the bench.
        whole_test: makes the self-test of a session and of who asks for one; None: as before a measurement.
    """

    def __init__(
        self,
        output: "Output",
        measurements: "Measurements",
        magnet: "Pin",
        led: "Pin",
        program: "Program",
        failed_parts: int,
        note: "Callable[[int, int, int], None]",
    ) -> None:
        """`magnet`: input, low if one is near; `led`: lit with the output, blinks for a failed part.

        `note` is told all that happens, as EventLog.add is, and never before the output is off.
        """
        self._output = output
        self._measurements = measurements
        self._magnet = magnet
        self._led = led
        self.program = program
        self._note = note
        self._machine = machine.Machine(failed_parts)
        self.on_change: "Callable[[int], None]" = _nothing
        self.on_stop: "Callable[[int, int], None]" = _nobody_told
        self.silent_ms: "Callable[[int], int]" = _nobody_heard
        self.link = LinkWatch(note)
        self._held_back = False  # and for how long, because ticks wrap
        self._stopped_ms = 0
        self._stopped_by = _NOBODY
        self.on_program: "Callable[[int], None]" = _nothing
        self.on_over: "Callable[[Session], None]" = _nothing
        self.make_session: "Callable[..., Session]" = Session
        self.whole_test: "Callable[[], Generator[int, None, int]] | None" = None
        self.make_train: "Callable[[], Generator[int, None, int]] | None" = None
        self.session: "Session | None" = None
        self.cycles = 0
        self.missed = 0
        self.stop_cause = messages.STOPPED_NEVER_ON
        self._procedure: "Generator[int, None, int] | None" = None
        self._due_ms = 0
        self._kept_ms = 0
        self._note_parts(0, failed_parts)

    def state(self) -> int:
        """messages.READY, RAMP_UP, ... of this moment."""
        return self._machine.state

    @property
    def failed_parts(self) -> int:
        """messages.PART_... bits; while there are any but `spared` ones, no session starts."""
        return self._machine.failed_parts

    @property
    def spared(self) -> int:
        """Those of `failed_parts` that the board does without."""
        return self._machine.spared

    def spare(self, parts: int) -> None:
        """Do without these parts until they are `mended`; before anything is served."""
        self._machine.spare(parts)

    @property
    def pairing(self) -> bool:
        """The pairing window is open: nothing starts, and the LED is the window's."""
        return self._machine.window_open

    def busy(self) -> bool:
        """Whether a procedure runs; the converter is its own then."""
        return self._machine.is_on()

    def magnet_near(self) -> bool:
        """Whether a magnet holds the reed switch closed."""
        return not self._magnet()

    def refusal(self, event: int, sender: int = messages.FROM_USB) -> int:
        """Why what the machine's `event` asks for is refused at this moment: messages.REASON_....

        sender: who asks. Who asks by radio may have done so before somebody else stopped.
        """
        held_back = sender < messages.SLOTS and sender != self._stopped_by and self._just_stopped()
        return self._machine.refusal(
            event, self.magnet_near(), self.program.amplitude_ua != (0, 0), held_back
        )

    def _just_stopped(self) -> bool:
        if self._held_back and ticks_diff(ticks_ms(), self._stopped_ms) >= _HOLD_BACK_MS:
            self._held_back = False
        return self._held_back

    # What requests ask for. Each returns a messages.REASON_...; sender: a slot, FROM_USB or FROM_NOBODY.

    def start(self, test_s: int = 0, sender: int = _NOBODY) -> int:
        """Begin a session with the present programme; `test_s`: one contraction only, of so many seconds."""
        return self._ask(machine.TEST if test_s else machine.START, test_s, sender)

    def measure(self, sender: int = _NOBODY) -> int:
        """Begin to measure all electrode pairs; what was measured before is forgotten."""
        return self._ask(machine.MEASURE, 0, sender)

    def test_output(self, sender: int = _NOBODY) -> int:
        """Begin the output's self-test; if it ends, it may clear an earlier failure."""
        return self._ask(machine.SELF_TEST, 0, sender)

    def set_program(self, wanted: "Program", sender: int = _NOBODY) -> int:
        """Take a programme: while the output is on only other amplitudes; moved electrodes zero theirs."""
        return all_of(self.setting(wanted, sender))

    def setting(self, wanted: "Program", sender: int) -> "Generator[None, None, int]":
        """The same in steps. Between them only a STOP may come: stimfw.protocol.dispatcher."""
        alike = wanted.differs_only_in_amplitude(self.program)
        yield
        reason = self.refusal(machine.LEFT_AMPLITUDE if alike else machine.PROGRAM)
        if reason == messages.REASON_NONE:
            if not alike:
                self.on_program(sender)
            if self.session:
                self.session.retarget(wanted)
            before_ua = self.program.amplitude_ua
            self.program = wanted if alike else wanted.after(self.program)
            for lead, event in enumerate((machine.LEFT_AMPLITUDE, machine.RIGHT_AMPLITUDE)):
                ua = self.program.amplitude_ua[lead]
                if ua != before_ua[lead]:
                    yield
                    self._happened(event, -(-ua // messages.LOG_AMPLITUDE_STEP_UA), sender)
        return reason

    # What an implanted stimulator's therapy tells: stimfw.stimulator.therapy.

    def conditions(self) -> int:
        """The machine's CONDITION_... bits, as they were told last."""
        return self._machine.conditions

    def ask(self, event: int, sender: int) -> int:
        """Begin what `event` of the machine asks for; a messages.REASON_...."""
        return self._ask(event, 0, sender)

    def tell(self, event: int, detail: int) -> None:
        """Conditions, the watch, interference: an event of the machine that no request makes."""
        self._happened(event, detail, _NOBODY)

    # What happens.

    def stop(self, cause: int, sender: int = _NOBODY) -> None:
        """Output off, procedure dropped; `cause` is kept if the output was on."""
        self._output.trip()  # before the table is searched
        self._happened(machine.STOP, cause, sender)

    def magnet_came(self) -> None:
        """Output off: its interrupt handler has tripped it."""
        self._happened(machine.MAGNET, 0, _NOBODY)

    def fail(self, part: int) -> None:
        """A part was lost: nothing starts until it is `mended`, and what runs ends, but for PART_RANDOM."""
        if not self.failed_parts & part:
            event = machine.RANDOM_FAILED if part == messages.PART_RANDOM else machine.FAILED
            self._happened(event, part, _NOBODY)

    def mended(self, part: int) -> None:
        """The part works (again)."""
        if self.failed_parts & part:
            self._happened(machine.MENDED, part, _NOBODY)

    def window_opened(self) -> None:
        """The pairing window is open from now on."""
        self._happened(machine.WINDOW_OPENED, 0, _NOBODY)

    def window_closed(self, step: int) -> None:
        """It is closed; step: how far the pairing had got."""
        self._happened(machine.WINDOW_CLOSED, step, _NOBODY)

    def poll(self, now: int, called: bool) -> int:
        """Go on with the procedure if it is due or `called`; how long it can wait then, in ms."""
        self._just_stopped()  # before the ticks wrap
        if self._procedure is None:
            if self.failed_parts and not self.pairing:
                self._led(not self._led())
            return _IDLE_MS
        wait = ticks_diff(self._due_ms, now)
        if called or wait <= 0:
            try:
                wait = next(self._procedure)
            except StopIteration as end:
                # The magnet may have come in this very call, before the loop could tell.
                if self._output.tripped:
                    self.stop(messages.STOPPED_MAGNET)
                else:
                    self._happened(machine.ENDED, end.value, _NOBODY)
                return 0
            self._due_ms = ticks_add(ticks_ms(), wait)  # the call itself took time
        return max(wait, 0) if self._keep_alive() else 0

    def _keep_alive(self) -> bool:
        """A KEEPALIVE edge unless in a rest; False if the gate may have closed meanwhile: that was a stop."""
        now = ticks_ms()
        since, self._kept_ms = ticks_diff(now, self._kept_ms), now
        if _GATE_CLOSED >> self._machine.state & 1:
            return True
        if since > gate.STILL_OPEN_MS:
            self.stop(messages.STOPPED_FAULT)
            return False
        self._output.keep_alive()
        return True

    # Events in, effects out.

    def _ask(self, event: int, detail: int, sender: int) -> int:
        reason = self.refusal(event, sender)
        if reason == messages.REASON_NONE:
            self._happened(event, detail, sender)
        return reason

    def _happened(self, event: int, detail: int, sender: int) -> None:
        """Feed the machine, and carry its effects out: off first, notes after it."""
        effects = self._machine.feed(event, detail)
        if effects & machine.OFF:
            self._turn_off()
        if effects & machine.BEGIN_SESSION:
            self.session = self.make_session(
                self._output, self.program, self._enter, detail, self.silent_ms, self._lose_contact
            )
            self.link.begin(sender)
            self._begin(self._stimulate(self.session))
        if effects & machine.BEGIN_MEASURING:
            self._begin_measuring(event)
        if effects & machine.BEGIN_TRAIN and self.make_train:
            self._begin(self.make_train())
        if effects & machine.LIGHT:
            self._led(1)
        if effects & machine.NOTE:
            self._note(machine.logged_as(event), sender, detail)
        if effects & machine.CAUSE:
            self.stop_cause = machine.cause(event, detail)
            self._note(messages.EVENT_STOPPED, sender, self.stop_cause)
        if effects & machine.TELL:
            self.on_change(self._machine.state)
        if effects & machine.HOLD_BACK:
            # An older STOP of a peer, kept back and released now, does not undo that others stopped just now.
            again = self._just_stopped() and sender != self._stopped_by
            self._stopped_by = _NOBODY if again else sender
            self._held_back, self._stopped_ms = True, ticks_ms()
            self.on_stop(sender, self._stopped_ms)

    def _lose_contact(self) -> None:
        self._happened(machine.CONTACT_LOST, 0, _NOBODY)

    def _enter(self, state: int) -> None:
        """The session's contraction has come to `state`: RAMP_UP, HOLD, RAMP_DOWN or REST."""
        while self._machine.state != state:
            self._happened(self._machine.over(), 0, _NOBODY)

    def _turn_off(self) -> None:
        self._procedure = None
        self._output.off()
        if self.session:
            self.cycles += self.session.cycles
            self.missed += self.session.missed
            self.on_over(self.session)
        self.session = None
        self.link.end()
        self._led(0)

    def _begin_measuring(self, event: int) -> None:
        if event == machine.SELF_TEST:
            self._begin(self._test_output())
            return
        self._begin(self._measure_pairs())
        self._measurements.forget()

    def _begin(self, procedure: "Generator[int, None, int]") -> None:
        self._output.arm_trip()
        if self.magnet_near():  # it came since we looked; its interrupt may have been before arm_trip
            self._output.trip()
        self._procedure = procedure
        self._due_ms = self._kept_ms = ticks_ms()

    # Procedures: a session returns a messages.STOPPED_....

    def _stimulate(self, session: Session) -> "Generator[int, None, int]":
        if not (yield from self._passes(True)):
            return messages.STOPPED_FAULT
        return (yield from session.run())

    def _measure_pairs(self) -> "Generator[int, None, int]":
        if (yield from self._passes(False)):
            yield from self._measurements.pairs()
        return 0

    def _test_output(self) -> "Generator[int, None, int]":
        yield from self._passes(True)
        return 0

    def _passes(self, whole: bool) -> "Generator[int, None, bool]":
        """The output's self-test: what it finds takes the place of an earlier finding, if it ends."""
        if whole and self.whole_test:
            failed = yield from self.whole_test()
        else:
            failed = yield from self._measurements.self_test()
        if failed < 0:
            return False
        before = self.failed_parts & machine.OUTPUT_PARTS
        self._happened(machine.TESTED, failed, _NOBODY)
        self._note_parts(before, failed)
        return failed == 0

    def _note_parts(self, before: int, after: int) -> None:
        """What was lost and what works again, by messages.PART_... bits; a log's detail is a u8."""
        failed, mended, later = after & ~before, before & ~after, messages.LATER_PARTS
        for parts in (failed & 0xFF, failed & messages.PART_RANDOM):
            if parts:
                self._note(messages.EVENT_PART_FAILED, _NOBODY, parts)
        if failed >> later:
            self._note(messages.EVENT_LATER_PART_FAILED, _NOBODY, failed >> later)
        if mended & 0xFF:
            self._note(messages.EVENT_PART_MENDED, _NOBODY, mended & 0xFF)
        if mended >> later:
            self._note(messages.EVENT_LATER_PART_MENDED, _NOBODY, mended >> later)


def _nothing(_what: object) -> None:
    """What a state, a programme or a session means to whoever is not told."""


def _nobody_told(_sender: int, _now_ms: int) -> None:
    """What a stop means to whoever is not told."""


def _nobody_heard(_now_ms: int) -> int:
    """`Control.silent_ms` of a board without a radio protocol: never."""
    return 1000 * CONTACT_S.high
