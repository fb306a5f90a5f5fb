"""What a watched session does while no train runs: the checks before it, and what a stop was about.

The base of stimfw.stimulator.watched_session, in a file of its own.
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import adg1414
from stimfw.protocol import messages
from stimfw.pulses import pair_sampling
from stimfw.pulses.sampling import CHANNEL_I, CHANNEL_V
from stimfw.stimulator import pulse_watch
from stimfw.stimulator.diagnosis import Diagnosis
from stimfw.stimulator.probe import Probe
from stimfw.therapy import watch_table
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
GOES_ON = -1
OF_REST = (watch_table.INTERFERENCE, watch_table.DIRECT, watch_table.REFERENCE)
"""Seen with the bridge off: told once the diagnosis knows whether it is the device's own or a field's."""

SUPPLY_LOW_MV = 3300  # as of a battery at the end of its service (stimfw.therapy.battery)
TOO_WARM_DC = 500  # 50.0 degrees; the sensor is good to some degrees (RP2040 datasheet, 4.9.5)
HISTORY_PERCENT = 30
CLEAN_LOOKS = 3
LOOK_MS = 1000
GIVE_UP_S = 120


class SessionChecks:
    """The parts of a session, and what is done with them between trains.

    Attributes:
        ledger: what was delivered.
        impedance: of the programmed pairs at the start: a Reading a lead, or None.
        amplitude_ua: of each lead, now.
        fault, fault_lead: the last fault that ended something, 0: none.
    """

    def __init__(
        self,
        output: "Output",
        plan: "Prescription",
        enter: "Callable[[int], None]",
        on_fault: "OnFault",
        sense: "Sense",
        base16: "list[int]",
        history_ohm: "Sequence[int]",
        on_pause: "Callable[[int, int, int], None] | None",
        is_called: "Callable[[], bool]",
    ) -> None:
        """Nothing runs yet.

        Args:
            output: off.
            plan: what is prescribed.
            enter: told the part of the cycle that has come: messages.REST.
            on_fault: `on_fault(fault, lead, action, figures)`: numbers of watch_table, lead 2: the device;
                figures: pulse, set_ua, cathodic_ua, anodic_ua, early_mv, late_mv. Called with what the watch
                saw, after the action, and again if the diagnosis names another one.
            sense: the converter.
            base16: of the board's start (Measurements.base16).
            history_ohm: of each lead's programmed pair before this session; 0: not known.
            on_pause: `on_pause(what, current_ua, voltage_mv)`: interference: PAUSE_BEGAN, PAUSE_OVER (the
                state becomes REST by `enter`) or PAUSE_GIVEN_UP.
            is_called: whether the radio waits to be read.
        """
        self._output = output
        self._plan = plan
        self._enter = enter
        self._on_fault = on_fault
        self._on_pause = on_pause
        self._history_ohm = history_ohm
        self._switches = (
            adg1414.select(plan.cathode[0], plan.anode[0]),
            adg1414.select(plan.cathode[1], plan.anode[1]),
        )
        self._sense = sense
        self._probe = Probe(output, sense, base16)
        self._diagnosis = Diagnosis(output, self._probe, self._switches)
        self._watch = Watch(output.scales)
        self.ledger = Ledger(plan.width_us, plan.period_us, output.scales)
        self._pulses = pulse_watch.PulseWatch(output, self._watch, self.ledger, is_called)
        self._target_ua = plan.amplitude_ua
        self._off = [False, False]  # by lead: it has no amplitude for the rest of the session
        self._suspect = 0
        self._suspect_lead = 0
        self.impedance: "list[Reading | None]" = [None, None]
        self.amplitude_ua = [0, 0]
        self.fault = self.fault_lead = 0
        self._began_ms = ticks_ms()

    def elapsed_s(self) -> int:
        """Seconds since the session began."""
        return ticks_diff(ticks_ms(), self._began_ms) // 1000

    def _left_ms(self) -> int:
        return self._plan.session_s * 1000 - ticks_diff(ticks_ms(), self._began_ms)

    def _check(self) -> "Generator[int, None, int]":
        """Supply, temperature, the inputs at rest, stuck switches, the programmed pairs' impedance."""
        probe, output = self._probe, self._output
        fault = self._of_board()
        if fault:
            return self._end(fault, watch_table.BOTH)
        kept = [self._kept_mv(lead) for lead in (0, 1)]
        probe.kept_codes = (kept[0] // 8, kept[1] // 8)  # 8.06 mV a code; of an earlier session
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
        return GOES_ON

    def _kept_mv(self, lead: int) -> int:
        plan, reading = self._plan, self.impedance[lead]
        return kept_mv(
            max(self._target_ua[lead], plan.most_ua[lead]), plan.width_us[lead], plan.gap_us[lead],
            plan.period_us, reading.capacitance_nf if reading else 0
        )

    def _early_ohm(self, lead: int, reading: "Reading") -> int:
        """What the early sample of voltage sees: switches, and what double layers take until then."""
        self.impedance[lead] = reading
        if reading.kind != messages.KIND_OK:
            return 0
        early_us = pair_sampling.times_us(self._plan.width_us[lead], self._plan.gap_us[lead])[2]
        slope = early_us * 1000 // reading.capacitance_nf if reading.capacitance_nf else 0
        return reading.ohm + self._output.scales[lead].switches_ohm + slope

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
        low, warm = self._sense.supply_mv() < SUPPLY_LOW_MV, self._sense.temperature_dc() > TOO_WARM_DC
        if (low or warm) and self._reads_one_code():
            return watch_table.ADC
        if low:
            return watch_table.SUPPLY
        return watch_table.TEMPERATURE if warm else watch_table.NONE

    def _reads_one_code(self) -> bool:
        """Whether the converter gives one code for voltage and current at rest, which is half its range."""
        read = self._sense.mean16
        first16 = read(CHANNEL_V[0], 1)
        return first16 == read(CHANNEL_I, 1) == read(CHANNEL_V[1], 1) == read(CHANNEL_V[0], 4)

    def _after(self) -> "Generator[int, None, int]":
        """Behind a contraction: what a suspicion is about, supply, temperature. GOES_ON, or the cause."""
        suspect, lead = self._suspect, self._suspect_lead
        self._suspect = 0
        if suspect:
            was_off = watch_table.action_of(suspect) != watch_table.RAMP_DOWN_LEAD
            fault, where = yield from self._diagnosis.find(self._asked(suspect, lead), lead)
            if self._output.tripped:
                return messages.STOPPED_FAULT
            if suspect in OF_REST or fault != suspect or where != lead and where != watch_table.BOTH:
                self._tell(fault, where, self._figures(lead))
            if fault == watch_table.INTERFERENCE:
                return GOES_ON if (yield from self._wait_until_clean()) else STOPPED_INTERFERENCE
            if suspect == watch_table.DRIFT and fault == watch_table.DRIFT:
                return GOES_ON
            if was_off or watch_table.action_of(fault) == watch_table.STOP_ALL or not self._any_lead():
                return STOPPED_WATCH
        fault = self._of_board()
        if fault:
            return self._end(fault, watch_table.BOTH)
        return GOES_ON

    def _asked(self, suspect: int, lead: int) -> int:
        """What the diagnosis is asked: a contact that was not seen to close again may be open for good."""
        if suspect == watch_table.INTERMITTENT and not self._watch.closed_again[lead]:
            return watch_table.OPEN
        return suspect

    def _end(self, fault: int, lead: int) -> int:
        """A fault that was found with the output off."""
        self._output.idle()
        self._tell(fault, lead, (0, 0, 0, 0, 0, 0))
        return STOPPED_WATCH

    def _wait_until_clean(self) -> "Generator[int, None, bool]":
        """Interference: off until nothing was there in CLEAN_LOOKS looks; False: given up."""
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

    def _figures(self, lead: int) -> "tuple[int, ...]":
        cathodic, anodic, early, late = self._watch.figures(lead & 1)
        return self._pulses.pulse, self.amplitude_ua[lead & 1], cathodic, anodic, early, late

    def _tell(self, fault: int, lead: int, figures: "tuple[int, ...]") -> None:
        action = watch_table.action_of(fault)
        if action != watch_table.WARN:
            self.fault, self.fault_lead = fault, lead
        self._on_fault(fault, lead, action, figures)
