"""A session of an implanted stimulator: each lead as prescribed, every pulse watched.

Otherwise it is as stimfw.stimulator.session.

What the watch finds is acted upon in the same look: the lead ramps down, or all is off. Which part it was is
found out with the output's test pulses behind that (stimfw.stimulator.diagnosis).
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import heap
from stimfw.protocol import messages
from stimfw.stimulator import pulse_watch
from stimfw.stimulator.session_checks import GOES_ON, OF_REST, STOPPED_WATCH, SessionChecks
from stimfw.therapy import gate, watch_table
from stimfw.therapy.contraction import Contraction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from stimfw.drivers.sense import Sense
    from stimfw.stimulator.output import Output
    from stimfw.stimulator.session_checks import OnFault
    from stimfw.therapy.prescription import Prescription

_PULSE_MS = 3  # the longest pulse and what leads to it
_STALLED_PERIODS = 3
_STEERED = 2  # periods at a hold's end that are steered again
_OVER, _MORE = 1, 2
_ASLEEP_MS = 500  # in a rest: often enough for the watchdog


class WatchedSession(SessionChecks):
    """One session of one prescription on one Output.

    Attributes, beside those of SessionChecks:
        amplitude_ua: of each lead, now.
        cycles, missed: contractions ended; pulses of both leads that were made and not measured.
        ended_s: for who keeps it: how long it lasted.
    """

    is_test = False

    def __init__(
        self,
        output: "Output",
        plan: "Prescription",
        enter: "Callable[[int], None]",
        silent_ms: "Callable[[int], int]",
        lose_contact: "Callable[[], None]",
        on_fault: "OnFault",
        sense: "Sense",
        base16: "list[int]",
        history_ohm: "Sequence[int]" = (0, 0),
        on_pause: "Callable[[int, int, int], None] | None" = None,
        is_called: "Callable[[], bool]" = lambda: False,
    ) -> None:
        """Nothing runs yet.

        Args:
            output: off.
            plan: what is prescribed. While it runs only its amplitudes change: `retarget`.
            enter: told the part of the cycle that has come: messages.RAMP_UP, HOLD, RAMP_DOWN or REST.
            silent_ms: `silent_ms(now_ms)`: since when no paired peer was heard by radio (ms).
            lose_contact: called once, if that becomes the plan's `contact_s`.
            on_fault: see SessionChecks, as all that follow.
            sense: the converter.
            base16: of the board's start.
            history_ohm: of each lead's programmed pair before this session; 0: not known.
            on_pause: told of interference.
            is_called: whether the radio waits to be read, which may be a STOP.
        """
        super().__init__(output, plan, enter, on_fault, sense, base16, history_ohm, on_pause, is_called)
        self._silent_ms = silent_ms
        self._lose_contact = lose_contact
        self._contraction = Contraction(plan)  # type: ignore[arg-type]
        self._down_from = [0, 0]
        self._down_ua = [0, 0]
        self._down_steps = 0
        self._going_down = [False, False]
        self._contact_lost = False
        self._told_early = False
        self._steady = False  # the hold's amplitudes are set, and no lead goes down
        self.cycles = 0
        self.ended_s = 0
        self._contact_due_ms = ticks_add(self._began_ms, plan.contact_s * 1000)

    @property
    def missed(self) -> int:
        """Pulses of both leads that were made and not measured."""
        return self.ledger.missed[0] + self.ledger.missed[1]

    def retarget(self, plan: "Prescription") -> None:
        """Go on with another amplitude; all else of `plan` must be as before."""
        self._target_ua = plan.amplitude_ua
        self._steady = False
        self._contraction.retarget(plan.amplitude_ua)

    def watched(self, lead: int) -> "tuple[int, ...]":
        """A lead's last pulse, as WATCH answers.

        The fault, set_ua, cathodic_ua, anodic_ua, early_mv, late_mv, rest_mv, ohm of this session's start,
        pulse of this contraction.
        """
        reading = self.impedance[lead]
        fault = self.fault if self.fault_lead in (lead, watch_table.BOTH) else 0
        ohm, pulse = reading.ohm if reading else 0, max(0, self._pulses.looked_at(lead) - 1)
        rest_mv = self._watch.rest_figures(lead)[1]
        return (fault, self.amplitude_ua[lead]) + self._watch.figures(lead) + (rest_mv, ohm, pulse)

    def run(self) -> "Generator[int, None, int]":
        """Yields waits in ms; returns why it ended.

        messages.STOPPED_SESSION_OVER, _CONTACT, _FAULT, or STOPPED_WATCH, STOPPED_INTERFERENCE. A contraction
        that has begun is completed; if contact is lost, it ramps down at once.
        """
        cause = yield from self._check()
        if cause != GOES_ON:
            return cause
        while self._left_ms() > 0 and not self._out_of_contact():
            cause = yield from self._contract()
            self._output.pause()
            if cause == GOES_ON:
                self.cycles += 1
            if cause != messages.STOPPED_FAULT:
                self._enter(messages.REST)
                found = yield from self._after()
                if found != GOES_ON or cause == STOPPED_WATCH:
                    cause = found  # a pause that is over ends nothing
            if cause != GOES_ON:
                return cause
            yield from self._rest()
        return messages.STOPPED_CONTACT if self._contact_lost else messages.STOPPED_SESSION_OVER

    def _rest(self) -> "Generator[int, None, None]":
        """Output off, KEEPALIVE silent: the gate closes until the next contraction, or the session's end."""
        self.amplitude_ua[0] = self.amplitude_ua[1] = 0
        self._output.zero()
        began = ticks_ms()
        while True:
            left = min(self._plan.off_ms - ticks_diff(ticks_ms(), began), self._left_ms())
            if left <= 0 or self._out_of_contact():
                return
            if self._plan.contact_s:
                left = min(left, max(1, ticks_diff(self._contact_due_ms, ticks_ms())))
            yield min(left, _ASLEEP_MS)

    # A contraction.

    def _contract(self) -> "Generator[int, None, int]":
        """One contraction; GOES_ON, or why the session ends."""
        output, plan, pulses = self._output, self._plan, self._pulses
        contraction = self._contraction = Contraction(plan)  # type: ignore[arg-type]
        contraction.retarget(self._target_ua)
        self.ledger.close_contraction()
        self._told_early = pulse_watch.load(output, plan)
        output.zero()
        output.keep_alive()
        output.connect(self._switches[0], self._switches[1])
        yield gate.SETTLE_MS
        heap.settle()  # 10 ms that no STOP shall meet
        self._going_down[0] = self._going_down[1] = False
        # Why a lead is off was told, and it gets no current.
        self._watch.muted[0], self._watch.muted[1] = self._off
        self._down_steps = plan.ramp_down_ms * 1000 // plan.period_us
        self._enter(contraction.state(0))
        pulses.begin()
        self._set_amplitude(0, 0)
        output.tell_periods(True)
        output.prepare(True)
        yield 0  # a STOP that came meanwhile
        if not output.start():
            return messages.STOPPED_FAULT
        cause = yield from self._follow(contraction)
        if cause != GOES_ON:
            return cause
        ended = yield from output.finish()
        while (found := self._found()) == _MORE:
            yield 0
        if found:
            return STOPPED_WATCH
        for lead in (0, 1):
            self.ledger.missed[lead] += max(0, contraction.periods - pulses.looked_at(lead))
            if not self._off[lead] and self._target_ua[lead]:
                self.ledger.contractions[lead] += 1
        self.ledger.close_contraction()
        return GOES_ON if ended and not output.tripped else messages.STOPPED_FAULT

    def _follow(self, contraction: Contraction) -> "Generator[int, None, int]":
        """Watch and steer until the last period has begun; allocates nothing while the amplitudes hold."""
        output = self._output
        began = ticks_ms()
        self._steady = again = False
        while True:
            yield _PULSE_MS if again else gate.PAUSE_MS
            while (found := self._found()) == _MORE:
                yield 0
            if found:
                return STOPPED_WATCH
            # Told before the right lead's pulse is over: one more look for it, the left one's cannot wait.
            again = not again and self._told_early and self._pulses.halfway()
            if again:
                continue
            if self._pulses.is_called():
                yield 0  # it may be a STOP, and what follows takes as long as a look
            left = output.begun(0)
            if self._stalls(began, left):
                return STOPPED_WATCH
            self._heed_contact(left)
            # In a hold there is nothing to steer; what is left out here, a STOP need not wait for.
            if self._steady and contraction.held_after(left) > _STEERED:
                continue
            part = contraction.state(max(0, left - 1))
            self._enter(part)
            if self._pulses.is_called():
                yield 0  # the radio is read first: it may be a STOP
                left = output.begun(0)
            self._set_amplitude(left, output.begun(1))
            if left >= contraction.periods:
                return GOES_ON
            self._steady = part == messages.HOLD and True not in self._going_down

    def _heed_contact(self, begun: int) -> None:
        """Without its remote a session ramps down."""
        if self._out_of_contact():
            self._contraction.end_from(begun)

    def _stalls(self, began_ms: int, periods: int) -> bool:
        """Whether the train is behind its time; then all is off."""
        period_us = self._plan.period_us
        late_us = ticks_diff(ticks_ms(), began_ms) * 1000 - periods * period_us
        if late_us <= _STALLED_PERIODS * period_us + gate.PAUSE_MS * 1000:
            return False
        self._stop(watch_table.TIMING, watch_table.BOTH)
        return True

    def _set_amplitude(self, left_period: int, right_period: int) -> None:
        amplitude, output = self.amplitude_ua, self._output
        left, right = self._amplitude(0, left_period), self._amplitude(1, right_period)
        if left == amplitude[0] and right == amplitude[1] and left_period:
            return
        amplitude[0], amplitude[1] = left, right
        self._pulses.set(0, left_period, left)
        self._pulses.set(1, right_period, right)
        output.amplitude(left, right)
        if output.pulser.running():
            self._pulses.doubt(0, output.begun(0))
            self._pulses.doubt(1, output.begun(1))

    def _amplitude(self, lead: int, period: int) -> int:
        if self._off[lead] and not self._going_down[lead]:
            return 0
        ua = self._contraction.amplitude_ua(lead, period)
        if not self._going_down[lead]:
            return ua
        left = self._down_steps - (period - self._down_from[lead])
        return min(ua, self._down_ua[lead] * max(0, left) // (self._down_steps + 1))

    # What the watch finds while pulses come.

    def _found(self) -> int:
        """Look at what came, and act: 0; _OVER if the contraction is; _MORE if the radio waits."""
        while True:
            fault = self._pulses.look()
            if fault == watch_table.NONE:
                return _MORE if self._pulses.more else 0
            lead = self._pulses.lead
            action = watch_table.action_of(fault)
            if action == watch_table.STOP_ALL or action == watch_table.PAUSE:
                self._stop(fault, lead)
                return _OVER
            if action == watch_table.RAMP_DOWN_LEAD:
                self._ramp_down(lead)
            self._suspect, self._suspect_lead = fault, lead
            self._tell(fault, lead, self._figures(lead))

    def _stop(self, fault: int, lead: int) -> None:
        """All off, in this look; electrodes open.

        What came from a look at rest is told when the diagnosis knows whether it is the device's own or a
        field's: 80 ms later.
        """
        self._output.idle()
        self._suspect, self._suspect_lead = fault, lead
        if fault in OF_REST:
            return
        if watch_table.row_of(fault)[watch_table.SIDE] == watch_table.DEVICE:
            lead = watch_table.BOTH
        self._tell(fault, lead, self._figures(self._pulses.lead))

    def _ramp_down(self, lead: int) -> None:
        """This lead goes down from its next pulse on, and stays down; the other one goes on."""
        self._steady = False
        self._off[lead] = self._going_down[lead] = self._watch.muted[lead] = True
        self._down_from[lead] = self._pulses.pulse + 1
        self._down_ua[lead] = self.amplitude_ua[lead]
        if not self._any_lead():
            self._contraction.end_from(self._output.begun(0))

    def _out_of_contact(self) -> bool:
        """Whether no remote was heard for the plan's `contact_s`; then it stays so.

        The radio is asked only when the time that was left at the last look is over.
        """
        limit_ms = self._plan.contact_s * 1000
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
