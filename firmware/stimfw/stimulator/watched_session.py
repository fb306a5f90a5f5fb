"""A session of an implanted stimulator: as stimfw.stimulator.session, each lead as prescribed, every pulse watched.

What the watch finds is acted upon in the same look: the lead ramps down, or all is off. Which part it was is
found out with the output's test pulses behind that (stimfw.stimulator.diagnosis).
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import adg714, heap
from stimfw.protocol import messages
from stimfw.pulses import pair_sampling
from stimfw.pulses.calibration import microamps, millivolts
from stimfw.pulses.impedance import SWITCHES_OHM
from stimfw.stimulator import pulse_watch
from stimfw.stimulator.diagnosis import Diagnosis
from stimfw.stimulator.probe import Probe
from stimfw.therapy import gate, watch_table
from stimfw.therapy.contraction import Contraction
from stimfw.therapy.ledger import Ledger
from stimfw.therapy.watch import Watch, kept_mv

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from stimfw.drivers.sense import Sense
    from stimfw.pulses.impedance import Reading
    from stimfw.stimulator.output import Output
    from stimfw.therapy.prescription import Prescription

    OnFault = Callable[[int, int, int, tuple[int, ...]], None]

STOPPED_WATCH = 8  # messages.STOP_NAMES
STOPPED_INTERFERENCE = 10
PAUSE_BEGAN, PAUSE_OVER, PAUSE_GIVEN_UP = 0, 1, 2  # journal_entries.INTERFERENCE_NAMES

SUPPLY_LOW_MV = 4400  # as of stimfw.stimulator.boot_test
TOO_WARM_DC = 500
HISTORY_PERCENT = 30
CLEAN_LOOKS = 3
LOOK_MS = 1000
GIVE_UP_S = 120
_SLOW_RATE_HZ = 50
_FAST_LOOK_MS = 8
_PULSE_MS = 3  # the longest pulse and what leads to it
_STALLED_PERIODS = 3
_ASLEEP_MS = 500
_GOES_ON = -1


class WatchedSession:
    """One session of one prescription on one Output.

    Attributes:
        amplitude_ua: of each lead, now.
        cycles, missed: contractions ended; pulses of both leads that were made and not measured.
        ledger: what was delivered.
        impedance: of the programmed pairs at the start: a Reading a lead, or None.
        fault, fault_lead: the last fault that ended something, 0: none.
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
    ) -> None:
        """Nothing runs yet.

        Args:
            output: off.
            plan: what is prescribed. While it runs only its amplitudes change: `retarget`.
            enter: told the part of the cycle that has come: messages.RAMP_UP, HOLD, RAMP_DOWN or REST.
            silent_ms: `silent_ms(now_ms)`: since when no paired peer was heard by radio (ms).
            lose_contact: called once, if that becomes the plan's `contact_s`.
            on_fault: `on_fault(fault, lead, action, figures)`: numbers of watch_table, lead 2: the device; figures:
                pulse, set_ua, cathodic_ua, anodic_ua, early_mv, late_mv. Called with what the watch saw, after the
                action, and again if the diagnosis names another one.
            sense: the converter.
            base16: of the board's start (Measurements.base16).
            history_ohm: of each lead's programmed pair before this session; 0: not known.
            on_pause: `on_pause(what, current_ua, voltage_mv)`: interference: PAUSE_BEGAN, PAUSE_OVER (the state
                becomes REST by `enter`) or PAUSE_GIVEN_UP.
        """
        self._output = output
        self._plan = plan
        self._enter = enter
        self._silent_ms = silent_ms
        self._lose_contact = lose_contact
        self._on_fault = on_fault
        self._on_pause = on_pause
        self._history_ohm = history_ohm
        self._switches = (
            adg714.select(plan.cathode[0], plan.anode[0]),
            adg714.select(plan.cathode[1], plan.anode[1]),
        )
        self._sense = sense
        self._probe = Probe(output, sense, base16)
        self._diagnosis = Diagnosis(output, self._probe, self._switches)
        self._watch = Watch(microamps, millivolts)
        self.ledger = Ledger(plan.width_us, plan.period_us, microamps)
        self._pulses = pulse_watch.PulseWatch(output, self._watch, self.ledger)
        self._contraction = Contraction(plan)  # type: ignore[arg-type]
        self._target_ua = plan.amplitude_ua
        self._off = [False, False]  # by lead: it has no amplitude for the rest of the session
        self._down_from = [0, 0]
        self._down_ua = [0, 0]
        self._down_steps = 0
        self._going_down = [False, False]
        self._suspect = 0
        self._suspect_lead = 0
        self._contact_lost = False
        self.impedance: "list[Reading | None]" = [None, None]
        self.amplitude_ua = [0, 0]
        self.cycles = 0
        self.fault = self.fault_lead = 0
        self.ended_s = 0
        self._began_ms = ticks_ms()
        self._contact_due_ms = ticks_add(self._began_ms, plan.contact_s * 1000)

    @property
    def missed(self) -> int:
        """Pulses of both leads that were made and not measured."""
        return self.ledger.missed[0] + self.ledger.missed[1]

    def elapsed_s(self) -> int:
        """Seconds since the session began."""
        return ticks_diff(ticks_ms(), self._began_ms) // 1000

    def _left_ms(self) -> int:
        return self._plan.session_s * 1000 - ticks_diff(ticks_ms(), self._began_ms)

    def retarget(self, plan: "Prescription") -> None:
        """Go on with another amplitude; all else of `plan` must be as before."""
        self._target_ua = plan.amplitude_ua
        self._contraction.retarget(plan.amplitude_ua)

    def run(self) -> "Generator[int, None, int]":
        """Yields waits in ms; returns why it ended.

        messages.STOPPED_SESSION_OVER, _CONTACT, _FAULT, or STOPPED_WATCH, STOPPED_INTERFERENCE. A contraction that has
        begun is completed; if contact is lost, it ramps down at once.
        """
        cause = yield from self._check()
        if cause != _GOES_ON:
            return cause
        while self._left_ms() > 0 and not self._out_of_contact():
            cause = yield from self._contract()
            self._output.pause()
            if cause == _GOES_ON:
                self.cycles += 1
            if cause != messages.STOPPED_FAULT:
                self._enter(messages.REST)
                found = yield from self._after()
                cause = found if found != _GOES_ON else cause
            if cause != _GOES_ON:
                return cause
            yield from self._rest()
        return messages.STOPPED_CONTACT if self._contact_lost else messages.STOPPED_SESSION_OVER

    # Before the first pulse, and between contractions.

    def _check(self) -> "Generator[int, None, int]":
        """The inputs at rest, supply, temperature, stuck switches, and the impedance of the programmed pairs."""
        probe, output = self._probe, self._output
        fault = self._of_board()
        if fault:
            return self._end(fault, watch_table.BOTH)
        kept = [self._kept_mv(lead) for lead in (0, 1)]
        probe.kept_codes = (kept[0] // 8, kept[1] // 8)  # 8.06 mV a code; an earlier session may have left them
        yield from probe.ready()
        rest = yield from probe.rest(self._switches)
        if not rest.is_quiet():
            fault, lead = yield from self._diagnosis.find(watch_table.INTERFERENCE, watch_table.BOTH)
            if fault != watch_table.INTERFERENCE:
                return self._end(fault, lead)
            if not (yield from self._wait_until_clean()):
                return STOPPED_INTERFERENCE
            yield from probe.ready()
        stuck = yield from self._diagnosis.closed_switches()
        if stuck:
            return self._end(stuck[0], stuck[1])
        measured = yield from probe.pair(self._switches)
        output.idle()
        if measured is None or output.tripped:
            return messages.STOPPED_FAULT
        ohm = [0, 0]
        for lead in (0, 1):
            ohm[lead] = self._early_ohm(lead, measured[0][lead])
            if self._target_ua[lead]:
                yield from self._judge_pair(lead, measured[0][lead])
        if not self._any_lead():
            return STOPPED_WATCH
        kept = [self._kept_mv(lead) for lead in (0, 1)]
        probe.kept_codes = (kept[0] // 8, kept[1] // 8)
        self._watch.begin(probe.base16, ohm, kept)
        return _GOES_ON

    def _kept_mv(self, lead: int) -> int:
        plan, reading = self._plan, self.impedance[lead]
        return kept_mv(
            max(self._target_ua[lead], plan.most_ua[lead]), plan.width_us[lead], plan.gap_us[lead], plan.period_us, reading.capacitance_nf if reading else 0
        )

    def _early_ohm(self, lead: int, reading: "Reading") -> int:
        """What the early sample of voltage sees: switches, and what double layers take until then."""
        self.impedance[lead] = reading
        if reading.kind != messages.KIND_OK:
            return 0
        early_us = pair_sampling.times_us(self._plan.width_us[lead], self._plan.gap_us[lead])[2]
        slope = early_us * 1000 // reading.capacitance_nf if reading.capacitance_nf else 0
        return reading.ohm + SWITCHES_OHM + slope

    def _judge_pair(self, lead: int, reading: "Reading") -> "Generator[int, None, None]":
        """The programmed pair, before the first pulse."""
        figures = (0, 0, reading.current_ua, 0, reading.ohm, reading.last_mv)
        if reading.kind != messages.KIND_OK:
            fault = watch_table.OPEN if reading.kind == messages.KIND_OPEN else watch_table.SHORT
            fault, where = yield from self._diagnosis.find(fault, lead)
            self._tell(fault, where, figures)
            self._off[lead] = True
            if watch_table.action_of(fault) == watch_table.STOP_ALL:
                self._off[1 - lead] = True
            return
        before = self._history_ohm[lead]
        if before and abs(reading.ohm - before) * 100 > before * HISTORY_PERCENT:
            self._tell(watch_table.DRIFT, lead, figures)

    def _any_lead(self) -> bool:
        """Whether there is a lead that stimulates."""
        for lead in (0, 1):
            if self._target_ua[lead] and not self._off[lead]:
                return True
        return False

    def _of_board(self) -> int:
        """Supply and temperature; with no train."""
        if self._sense.supply_mv() < SUPPLY_LOW_MV:
            return watch_table.SUPPLY
        return watch_table.TEMPERATURE if self._sense.temperature_dc() > TOO_WARM_DC else watch_table.NONE

    def _after(self) -> "Generator[int, None, int]":
        """Behind a contraction: what the suspicion is about, supply and temperature. _GOES_ON, or the cause."""
        suspect, lead = self._suspect, self._suspect_lead
        self._suspect = 0
        if suspect:
            was_off = watch_table.action_of(suspect) != watch_table.RAMP_DOWN_LEAD
            fault, where = yield from self._diagnosis.find(suspect, lead)
            if self._output.tripped:
                return messages.STOPPED_FAULT
            if fault != suspect or where != lead and where != watch_table.BOTH:
                self._tell(fault, where, self._figures(lead))
            if fault == watch_table.INTERFERENCE:
                return _GOES_ON if (yield from self._wait_until_clean()) else STOPPED_INTERFERENCE
            if suspect == watch_table.DRIFT and fault == watch_table.DRIFT:
                return _GOES_ON
            if was_off or watch_table.action_of(fault) == watch_table.STOP_ALL or not self._any_lead():
                return STOPPED_WATCH
        fault = self._of_board()
        if fault:
            return self._end(fault, watch_table.BOTH)
        return _GOES_ON

    def _end(self, fault: int, lead: int) -> int:
        """A fault that was found with the output off."""
        self._output.idle()
        self._tell(fault, lead, (0, 0, 0, 0, 0, 0))
        return STOPPED_WATCH

    def _wait_until_clean(self) -> "Generator[int, None, bool]":
        """Interference: the output stays off until nothing was there in CLEAN_LOOKS looks; False: given up."""
        self._pause(PAUSE_BEGAN)
        due = ticks_add(ticks_ms(), GIVE_UP_S * 1000)
        clean = 0
        while clean < CLEAN_LOOKS:
            if self._output.tripped or ticks_diff(due, ticks_ms()) <= 0 or self._left_ms() <= 0:
                self._pause(PAUSE_GIVEN_UP)
                return False
            yield LOOK_MS // 2
            yield LOOK_MS // 2
            rest = yield from self._probe.rest(self._switches)
            clean = clean + 1 if rest.is_quiet() else 0
        self._pause(PAUSE_OVER)
        self._enter(messages.REST)
        return True

    def _pause(self, what: int) -> None:
        if self._on_pause:
            current_ua, voltage_mv = self._watch.rest_figures(self._pulses.lead)
            self._on_pause(what, current_ua, voltage_mv)

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
        """One contraction; _GOES_ON, or why the session ends."""
        output, plan, pulses = self._output, self._plan, self._pulses
        contraction = self._contraction = Contraction(plan)  # type: ignore[arg-type]
        contraction.retarget(self._target_ua)
        pulse_watch.load(output, plan)
        output.zero()
        output.keep_alive()
        output.connect(self._switches[0], self._switches[1])
        yield gate.SETTLE_MS
        heap.settle()  # 10 ms that no STOP shall meet
        self._going_down[0] = self._going_down[1] = False
        self._down_steps = plan.ramp_down_ms * 1000 // plan.period_us
        self._enter(contraction.state(0))
        pulses.begin()
        self._set_amplitude(0, 0)
        output.tell_periods(True)
        if not output.start(True):
            return messages.STOPPED_FAULT
        cause = yield from self._follow(contraction)
        if cause != _GOES_ON:
            return cause
        ended = yield from output.finish()
        if self._found():
            return STOPPED_WATCH
        for lead in (0, 1):
            self.ledger.missed[lead] += max(0, contraction.periods - pulses.looked_at(lead))
            if not self._off[lead] and self._target_ua[lead]:
                self.ledger.contractions[lead] += 1
        return _GOES_ON if ended and not output.tripped else messages.STOPPED_FAULT

    def _follow(self, contraction: Contraction) -> "Generator[int, None, int]":
        """Watch and steer until the last period has begun; allocates nothing while the amplitudes hold."""
        output, period_us = self._output, self._plan.period_us
        slow = self._plan.rate_hz <= _SLOW_RATE_HZ
        began = ticks_ms()
        wait = gate.PAUSE_MS
        while True:
            yield wait
            if self._found():
                return STOPPED_WATCH
            left = output.begun(0)
            late_us = ticks_diff(ticks_ms(), began) * 1000 - left * period_us
            if late_us > _STALLED_PERIODS * period_us + gate.PAUSE_MS * 1000:
                self._stop(watch_table.TIMING, watch_table.BOTH)
                return STOPPED_WATCH
            if self._out_of_contact():
                contraction.end_from(left)
            part = contraction.state(max(0, left - 1))
            self._enter(part)
            self._set_amplitude(left, output.begun(1))
            if left >= contraction.periods:
                return _GOES_ON
            if not slow:
                wait = _FAST_LOOK_MS
                output.tell_periods(part != messages.HOLD or self._ends_soon(left))
            else:
                # A period that has few divisors tells the CPU early: the right lead's pulse is not over then.
                wait = _PULSE_MS if self._pulses.looked_at(1) < output.begun(1) else gate.PAUSE_MS

    def _ends_soon(self, begun: int) -> bool:
        """Whether the hold ends so soon that each period must wake the CPU."""
        return self._contraction.held_after(begun) * self._plan.period_us < 2000 * gate.PAUSE_MS

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

    def _found(self) -> bool:
        """Look at what came, and act; whether the contraction is over."""
        while True:
            fault = self._pulses.look()
            if fault == watch_table.NONE:
                return False
            lead = self._pulses.lead
            action = watch_table.action_of(fault)
            if action == watch_table.STOP_ALL or action == watch_table.PAUSE:
                self._stop(fault, lead)
                return True
            if action == watch_table.RAMP_DOWN_LEAD:
                self._ramp_down(lead)
            self._suspect, self._suspect_lead = fault, lead
            self._tell(fault, lead, self._figures(lead))

    def _stop(self, fault: int, lead: int) -> None:
        """All off, in this look; electrodes open."""
        self._output.idle()
        self._suspect, self._suspect_lead = fault, lead
        if watch_table.row_of(fault)[watch_table.SIDE] == watch_table.DEVICE:
            lead = watch_table.BOTH
        self._tell(fault, lead, self._figures(self._pulses.lead))

    def _ramp_down(self, lead: int) -> None:
        """This lead goes down from its next pulse on, and stays down; the other one goes on."""
        self._off[lead] = self._going_down[lead] = self._watch.muted[lead] = True
        self._down_from[lead] = self._pulses.pulse + 1
        self._down_ua[lead] = self.amplitude_ua[lead]
        if not self._any_lead():
            self._contraction.end_from(self._output.begun(0))

    def _figures(self, lead: int) -> "tuple[int, ...]":
        cathodic, anodic, early, late = self._watch.figures(lead & 1)
        return self._pulses.pulse, self.amplitude_ua[lead & 1], cathodic, anodic, early, late

    def _tell(self, fault: int, lead: int, figures: "tuple[int, ...]") -> None:
        action = watch_table.action_of(fault)
        if action != watch_table.WARN:
            self.fault, self.fault_lead = fault, lead
        self._on_fault(fault, lead, action, figures)

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
