"""Requests of an implanted stimulator: what takes the place of a bench's, and what only it has."""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages, refusals, requests, therapy_reasons
from stimfw.stimulator.train import Train, TrainPlan
from stimfw.therapy import care as care_of
from stimfw.therapy import machine, rules
from stimfw.therapy.prescription import FIELD_NAMES, Prescription
from stimfw.therapy.ranges import ParameterError

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.clock.wall_clock import WallClock
    from stimfw.protocol.dispatcher import Dispatcher
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.conditions import Conditions
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.journal_keeper import JournalKeeper
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.stimulator.therapy import Therapy
    from stimfw.storage.prescriptions import Prescriptions

_PAIR_BYTES = struct.calcsize(requests.PAIR_RECORD)
_SLOTS_A_REPLY = 7
_LONGEST_S = 0xFFFF


class TherapyRequests:
    """Handlers, named as in stimfw.protocol.requests.TABLE."""

    def __init__(
        self,
        therapy: "Therapy",
        control: "Control",
        conditions: "Conditions",
        dispatcher: "Dispatcher",
        keeper: "JournalKeeper",
        prescriptions: "Prescriptions",
        measurements: "Measurements",
        output: "Output",
        clock: "WallClock",
    ) -> None:
        self._therapy = therapy
        self._care = therapy.care
        self._control = control
        self._conditions = conditions
        self._dispatcher = dispatcher
        self._keeper = keeper
        self._prescriptions = prescriptions
        self._measurements = measurements
        self._output = output
        self._clock = clock
        self._train: "Train | None" = None
        control.make_train = self._make_train

    # In the place of a bench's.

    def start(self) -> "Answer":
        """Begin a session, if one is due."""
        return self._conditions.outcome(self._therapy.start(self._dispatcher.sender))

    def set_program(self, *_values: int) -> "Answer":
        """Not here: SET_PRESCRIPTION."""
        return self._conditions.outcome(therapy_reasons.IMPLANTED)

    def set_window(self, *_window_ua: int) -> "Answer":
        """Not here: the window is the prescription's."""
        return self._conditions.outcome(therapy_reasons.IMPLANTED)

    def test_stimulation(self, _seconds: int) -> "Answer":
        """Not here: TRAIN."""
        return self._conditions.outcome(therapy_reasons.IMPLANTED)

    def get_window(self) -> "Answer":
        """The amplitudes that a patient may choose."""
        held = self._care.prescription
        if held is None:
            return refusals.done(0, 0, 0, 0)
        return refusals.done(held.least_ua[0], held.most_ua[0], held.least_ua[1], held.most_ua[1])

    def amplitude(self, left_ua: int, right_ua: int) -> "Answer":
        """Other amplitudes of the prescription: within its window, whoever asks."""
        held = self._care.prescription
        if held is None:
            return self._conditions.outcome(therapy_reasons.UNCONFIGURED)
        for lead, wanted_ua in enumerate((left_ua, right_ua)):
            if not held.least_ua[lead] <= wanted_ua <= held.most_ua[lead] or not held.most_ua[lead]:
                if wanted_ua != held.amplitude_ua[lead]:
                    return self._conditions.outcome(messages.REASON_WINDOW)
        try:
            wanted = held.replaced({"left.amplitude_ua": left_ua, "right.amplitude_ua": right_ua})
        except ParameterError as refused:
            return refusals.out_of_range(refused.value)
        self._care.hold(wanted, self._care.version)
        self._control.program = wanted  # type: ignore[assignment]
        if self._control.session:
            self._control.session.retarget(wanted)  # type: ignore[arg-type]
        self._keeper.add(journal_entries.AMPLITUDE, self._dispatcher.sender, left_ua, right_ua)
        return refusals.done()

    def set_time(self, time_s: int) -> "Answer":
        """A clinician sets the clock: forwards and backwards; a day that was used stays used."""
        return self._set_time(time_s)

    # Only an implanted one's.

    def kept_time(self, time_s: int) -> "Answer":
        """A paired remote has kept the time: taken only if it is lost here, and if it can be true."""
        if self._clock.time_s():
            return self._conditions.outcome(therapy_reasons.CLOCK_KNOWN)
        if not self._care.schedule.is_plausible(time_s):
            return refusals.out_of_range(time_s)
        return self._set_time(time_s)

    def _set_time(self, time_s: int) -> "Answer":
        before_s = self._clock.time_s()
        self._clock.set(time_s)
        self._care.schedule.clock_set(before_s, time_s)
        self._keeper.add(journal_entries.CLOCK_SET, self._dispatcher.sender, before_s, time_s)
        self._therapy.changed()
        return refusals.done()

    def therapy(self) -> "Answer":
        """What a remote shows."""
        control, care = self._control, self._care
        session = control.session
        state = control.state()
        time_s = self._clock.time_s()
        reason = 0 if session else control.refusal(machine.START, self._dispatcher.sender) or care.refusal()
        per_day = care.prescription.sessions_a_day if care.prescription else 0
        return refusals.done(
            state,
            reason,
            care.sessions_left(),
            per_day,
            care.next_s(),
            care.prescription.session_s if care.prescription else 0,
            min(session.elapsed_s(), _LONGEST_S) if session else 0,
            session.cycles & 0xFFFF if session else 0,
            care.last_cause,
            care.fault,
            care.fault_lead,
            care.battery.state,
            1 if time_s else 0,
            time_s,
        )

    def get_prescription(self) -> "Answer":
        """The present one; without one, version 0."""
        return self._history(0)

    def history(self, back: int) -> "Answer":
        """The one that was in force `back` prescriptions ago."""
        return self._history(back)

    def _history(self, back: int) -> "Answer":
        found = self._prescriptions.history(back)
        if found is None:
            return refusals.done(0, messages.FROM_NOBODY, 0, b"")
        version, sender, set_s, payload = found
        return refusals.done(version, sender, set_s, payload)

    def set_prescription(self, *values: int) -> "Answer":
        """Take a whole prescription: it is refused whole, with every rule that it fails, or clamped and kept."""
        readings = self._readings()
        failed = rules.failures(values, readings, self._earliest_s())
        if failed:
            bits = 0
            for rule, _field, _value, _limit in failed:
                bits |= 1 << rule
            self._keeper.add(
                journal_entries.REFUSED, self._dispatcher.sender, 0x33, therapy_reasons.RULES, 1
            )
            return refusals.done(0, 0, 0, 0, 0, bits)
        wanted = Prescription(values)
        allowed, clamped_by = [], []
        for lead in (0, 1):
            kind, ohm, capacitance_nf = readings[lead][wanted.cathode[lead] << 2 | wanted.anode[lead]]
            most_ua, rule = rules.allowed_ua(lead, wanted, ohm, capacitance_nf)
            allowed.append(most_ua)
            clamped_by.append(rule)
        kept = wanted.clamped(allowed[0], allowed[1])
        return self._keep(wanted, kept, allowed, clamped_by, readings)

    def _keep(
        self,
        wanted: Prescription,
        kept: Prescription,
        allowed: "list[int]",
        clamped_by: "list[int]",
        readings: "list[dict[int, tuple[int, int, int]]]",
    ) -> "Answer":
        sender, care = self._dispatcher.sender, self._care
        try:
            version = self._prescriptions.store(kept.pack(), sender, self._clock.time_s())
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        care.hold(kept, version)
        care.unsound = False
        for lead in (0, 1):
            pair = kept.cathode[lead] << 2 | kept.anode[lead]
            care.reference_ohm[lead] = readings[lead][pair][1]
            if kept.amplitude_ua[lead] != wanted.amplitude_ua[lead]:
                self._keeper.add(
                    journal_entries.PRESCRIPTION_CLAMPED, sender, lead, wanted.amplitude_ua[lead],
                    kept.amplitude_ua[lead], clamped_by[lead],
                )  # fmt: skip
        self._control.program = kept  # type: ignore[assignment]
        self._keeper.add(journal_entries.PRESCRIBED, sender, version, self._prescriptions.checksum(), care.starts_s())
        if not self._therapy.save():
            return self._conditions.outcome(messages.REASON_STORAGE)
        self._keeper.flush()
        self._therapy.settle()
        return refusals.done(version, allowed[0], allowed[1], clamped_by[0], clamped_by[1], 0)

    def _earliest_s(self) -> int:
        return self._care.activation_s

    def _readings(self) -> "list[dict[int, tuple[int, int, int]]]":
        """Of each lead: pair -> kind, ohm, nF, of the pairs that were measured."""
        found = []
        for lead in (0, 1):
            records = self._measurements.pair_records(lead)
            known = {}
            for at in range(0, len(records), _PAIR_BYTES):
                pair, kind, ohm, capacitance_nf, _ua = struct.unpack_from(requests.PAIR_RECORD, records, at)
                if kind != messages.KIND_NOT_MEASURED:
                    known[pair] = (kind, ohm, capacitance_nf)
            found.append(known)
        return found

    def mode(self, mode: int) -> "Answer":
        """NORMAL, MRI or STORAGE."""
        if mode >= len(care_of.MODE_NAMES):
            return refusals.out_of_range(mode)
        self._care.set_mode(mode, self._dispatcher.sender)
        if not self._therapy.save():
            return self._conditions.outcome(messages.REASON_STORAGE)
        self._therapy.settle()
        return refusals.done()

    def clear_fault(self) -> "Answer":
        """A clinician has dealt with what the watch found."""
        self._care.clear_fault(self._dispatcher.sender)
        self._care.unsound = False
        if not self._therapy.save():
            return self._conditions.outcome(messages.REASON_STORAGE)
        self._therapy.settle()
        return refusals.done()

    def train(self, *values: int) -> "Answer":
        """Begin a test train; it goes on only while TRAIN_ON comes."""
        try:
            plan = TrainPlan(*values)
        except ParameterError as refused:
            return refusals.out_of_range(refused.value)
        if rules.exceeds_limits(plan.amplitude_ua, plan.width_us):
            return refusals.out_of_range(plan.amplitude_ua)
        reason = self._control.refusal(machine.TRAIN, self._dispatcher.sender)
        if reason == messages.REASON_NONE:
            self._train = Train(self._output, plan)
            reason = self._control.ask(machine.TRAIN, self._dispatcher.sender)
        return self._conditions.outcome(reason)

    def _make_train(self) -> "Generator[int, None, int]":
        assert self._train is not None
        return self._train.run()

    def train_on(self) -> "Answer":
        """The clinician still holds it; how many pulses were delivered."""
        train = self._train
        if train is None:
            return refusals.done(0)
        if self._control.state() == _TRAINING:
            train.hold()
        return refusals.done(train.delivered)

    def train_ended(self, cause: int, sender: int) -> None:
        """A train is over: what it was, and why it ended."""
        train = self._train
        if train is not None:
            plan = train.plan
            self._keeper.add(
                journal_entries.TEST_TRAIN, sender, plan.lead, plan.amplitude_ua, plan.width_us, plan.pair,
                _ENDS.get(cause, 1), train.delivered,
            )  # fmt: skip

    def journal(self, first: int) -> "Answer":
        """Slots of the journal from number `first` or the oldest one on."""
        journal = self._keeper.journal
        number, slots = journal.read(first, _SLOTS_A_REPLY)
        return refusals.done(number, journal.oldest, journal.next_number, slots)

    def ledger(self, lead: int) -> "Answer":
        """What the present or last session has delivered on a lead."""
        if lead > 1:
            return refusals.out_of_range(lead)
        session = self._control.session or self._therapy.last
        return refusals.done(*(session.ledger.figures(lead) if session else (0, 0, 0, 0, 0, 0, 0)))  # type: ignore[attr-defined]

    def watch(self, lead: int) -> "Answer":
        """The watch's last figures of a lead."""
        if lead > 1:
            return refusals.out_of_range(lead)
        session = self._control.session or self._therapy.last
        return refusals.done(*(session.watch_figures(lead) if session else (0,) * 9))  # type: ignore[attr-defined]


_TRAINING = 14  # messages.STATE_NAMES: test train
_ENDS = {
    messages.STOPPED_SESSION_OVER: 0,
    messages.STOPPED_REMOTE: 1,
    messages.STOPPED_HOST: 1,
    9: 2,
    messages.STOPPED_MAGNET: 3,
    messages.STOPPED_FAULT: 4,
}
