"""Requests of an implanted stimulator: what takes the place of a bench's, and what only it has."""

import binascii
import struct
from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages, refusals, requests, therapy_reasons
from stimfw.stimulator.train import Train, TrainPlan
from stimfw.therapy import care as care_of
from stimfw.therapy import limits, machine, prescription, rules
from stimfw.therapy.ranges import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from stimfw.clock.wall_clock import WallClock
    from stimfw.protocol.dispatcher import Dispatcher
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.conditions import Conditions
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.journal_keeper import JournalKeeper
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.stimulator.therapy import Therapy
    from stimfw.stimulator.watched_session import WatchedSession
    from stimfw.storage.prescriptions import Prescriptions
    from stimfw.therapy.prescription import Prescription

_PAIR_BYTES = struct.calcsize(requests.PAIR_RECORD)
_SLOTS_A_REPLY = 7
_CONTRACTIONS_A_REPLY = 14
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
        earliest_s: "Callable[[], int]",
    ) -> None:
        """Keep what the handlers need; earliest_s: when the healing time is over, seconds since 1970."""
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
        self._earliest_s = earliest_s
        self._train: "Train | None" = None
        self._train_noted = False  # that it is over
        control.make_train = self._make_train

    # In the place of a bench's.

    def start(self) -> "Answer":
        """Begin a session, if one is due."""
        return self._conditions.outcome(self._therapy.start(self._dispatcher.sender))

    def get_program(self) -> "Answer":
        """Not here: GET_PRESCRIPTION."""
        return self._conditions.outcome(therapy_reasons.IMPLANTED)

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

    def amplitude(self, left_ua: int, right_ua: int) -> "Answer | None":
        """Other amplitudes of the prescription: within its window, whoever asks."""
        held = self._care.prescription
        if held is None:
            return self._conditions.outcome(therapy_reasons.UNCONFIGURED)
        for lead, wanted_ua in enumerate((left_ua, right_ua)):
            if wanted_ua != held.amplitude_ua[lead] and not held.allows(lead, wanted_ua):
                return self._conditions.outcome(messages.REASON_WINDOW)
        return self._dispatcher.in_steps(self._choosing(held, left_ua, right_ua))

    def _choosing(self, held: "Prescription", left_ua: int, right_ua: int) -> "Generator[None, None, Answer]":
        yield
        wanted = held.with_amplitudes(left_ua, right_ua)
        self._care.hold(wanted, self._care.version)
        self._control.program = wanted  # type: ignore[assignment]
        if self._control.session:
            self._control.session.retarget(wanted)  # type: ignore[arg-type]
        yield
        self._keeper.add(journal_entries.AMPLITUDE, self._dispatcher.sender, left_ua, right_ua)
        return refusals.done()

    def set_time(self, time_s: int) -> "Answer":
        """A clinician sets the clock: forwards and backwards; a day that was used stays used."""
        return self._set_time(time_s, True)

    # Only an implanted one's.

    def kept_time(self, time_s: int) -> "Answer":
        """A paired remote has kept the time: taken only if it is lost here, and if it can be true."""
        if self._clock.time_s():
            return self._conditions.outcome(therapy_reasons.CLOCK_KNOWN)
        return self._set_time(time_s, False)

    def _set_time(self, time_s: int, by_clinician: bool) -> "Answer":
        before_s = self._clock.time_s() or self._clock.uptime_s()  # as of an entry's time
        try:
            self._care.schedule.clock_set(time_s, by_clinician)
        except ValueError:
            return refusals.out_of_range(time_s)
        self._clock.set(time_s)
        self._keeper.add(journal_entries.CLOCK_SET, self._dispatcher.sender, before_s, time_s)
        self._therapy.changed()
        return refusals.done()

    def therapy(self) -> "Answer":
        """What a remote shows."""
        control, care = self._control, self._care
        session, held = control.session, care.prescription
        state = control.state()
        time_s = self._clock.time_s()
        # While one runs the rest is not worked out: a STOP may wait.
        reason = next_s = 0
        if not session:
            reason = control.refusal(machine.START, self._dispatcher.sender) or care.refusal()
            next_s = care.next_s()
        return refusals.done(
            state,
            reason,
            care.schedule.sessions_left(time_s, held),
            held.sessions_a_day if held else 0,
            next_s,
            held.session_s if held else 0,
            min(session.elapsed_s(), _LONGEST_S) if session else 0,
            session.cycles & 0xFFFF if session else 0,
            care.last_cause,
            care.fault,
            care.fault_lead,
            care.schedule.battery.state,
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
        """Take a prescription: refused whole with every rule that it fails, or kept, clamped if need be."""
        sender, care = self._dispatcher.sender, self._care
        readings = rules.Readings(self._pairs(values), self._earliest_s())
        failed = rules.failed_bits(rules.failures(values, readings))
        if failed:
            self._keeper.add(
                journal_entries.REFUSED, sender, requests.SET_PRESCRIPTION, therapy_reasons.RULES, 1
            )
            return refusals.done(0, 0, 0, 0, 0, failed)
        kept, clamps = rules.accepted(values, readings)
        try:
            version = self._prescriptions.store(kept.pack(), sender, self._clock.time_s(), care.version)
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        care.hold(kept, version)
        care.unsound = False
        self._control.program = kept  # type: ignore[assignment]
        allowed, clamped_by = [], []
        for lead in (0, 1):
            _, ohm, capacitance_nf = readings.of(lead, kept.cathode[lead], kept.anode[lead])
            care.reference_ohm[lead] = ohm
            allowed.append(rules.allowed_ua(lead, kept, ohm, capacitance_nf)[0])
            clamped_by.append(rules.NONE)
        for lead, asked_ua, allowed_ua, rule in clamps:
            allowed[lead], clamped_by[lead] = allowed_ua, rule
            self._keeper.add(journal_entries.PRESCRIPTION_CLAMPED, sender, lead, asked_ua, allowed_ua, rule)
        note_prescribed(self._keeper, sender, version, kept)
        self._keeper.flush()
        if not self._therapy.save():
            return self._conditions.outcome(messages.REASON_STORAGE)
        self._therapy.settle()
        return refusals.done(version, allowed[0], allowed[1], clamped_by[0], clamped_by[1], 0)

    def _pairs(self, values: "tuple[int, ...]") -> "tuple[dict[tuple[int, int], tuple[int, int, int]], ...]":
        """Of each lead what was measured of the pair that `values` ask for, if it was."""
        found = []
        for lead in (0, 1):
            first = prescription.lead_index(lead, 0)
            wanted = (values[first + prescription.CATHODE], values[first + prescription.ANODE])
            records = self._measurements.pair_records(lead)
            known = {}
            for at in range(0, len(records), _PAIR_BYTES):
                pair, kind, ohm, capacitance_nf, _ua = struct.unpack_from(requests.PAIR_RECORD, records, at)
                if (pair >> 2, pair & 3) == wanted and kind != messages.KIND_NOT_MEASURED:
                    known[wanted] = (kind, ohm, capacitance_nf)
            found.append(known)
        return found[0], found[1]

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
        reason = self._control.refusal(machine.TRAIN, self._dispatcher.sender)
        if reason != messages.REASON_NONE:
            return self._conditions.outcome(reason)  # unseen: to check it takes 2 ms, and a STOP may wait
        try:
            plan = TrainPlan(*values)
        except ParameterError as refused:
            return refusals.out_of_range(refused.value)
        phase_nc = limits.charge_nc(plan.amplitude_ua, plan.width_us)
        if phase_nc > limits.CHARGE_NC or not limits.shannon_holds(phase_nc):
            return refusals.out_of_range(plan.amplitude_ua)
        self._train, self._train_noted = Train(self._output, plan), False
        return self._conditions.outcome(self._control.ask(machine.TRAIN, self._dispatcher.sender))

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
        if train is not None and not self._train_noted:
            self._train_noted = True
            plan = train.plan
            self._keeper.add(
                journal_entries.TEST_TRAIN, sender, plan.lead, plan.amplitude_ua, plan.width_us, plan.pair,
                _ENDS.get(cause, 1), train.delivered,
            )  # fmt: skip

    def journal(self, first: int) -> "Answer":
        """Slots of the journal from number `first` or the oldest one on."""
        journal = self._keeper.journal
        number, slots = journal.read(first, _SLOTS_A_REPLY)
        return refusals.done(number, self._keeper.oldest(), journal.next_number, slots)

    def ledger(self, lead: int) -> "Answer":
        """What the present or last session has delivered on a lead, beside what was prescribed."""
        if lead > 1:
            return refusals.out_of_range(lead)
        session = self._session()
        if session is None:
            return refusals.done(0, 0, 0, 0, 0, 0, 0)
        return messages.OK, session.ledger.figures(lead)

    def contractions(self, lead: int, first: int) -> "Answer":
        """What a lead has delivered in each contraction of the present or last session, from `first` on."""
        if lead > 1:
            return refusals.out_of_range(lead)
        session = self._session()
        if session is None:
            return refusals.done(0, 0, b"")
        return refusals.done(*session.ledger.each.read(lead, first, _CONTRACTIONS_A_REPLY))

    def watch(self, lead: int) -> "Answer":
        """The watch's last figures of a lead."""
        if lead > 1:
            return refusals.out_of_range(lead)
        session = self._session()
        if session is None:
            return refusals.done(0, 0, 0, 0, 0, 0, 0, 0, 0)
        return refusals.done(*session.watched(lead))

    def _session(self) -> "WatchedSession | None":
        return self._control.session or self._therapy.last  # type: ignore[return-value]


def note_prescribed(
    keeper: "JournalKeeper", sender: int, version: int, kept: "prescription.Prescription"
) -> None:
    """Whose prescription is in force; of its content the journal has a CRC-32."""
    checksum = struct.pack("<I", binascii.crc32(kept.pack()))
    keeper.add(journal_entries.PRESCRIBED, sender, version, checksum, kept.activation_s)


_TRAINING = 14  # messages.STATE_NAMES: test train
_ENDS = {
    messages.STOPPED_SESSION_OVER: 0,
    messages.STOPPED_REMOTE: 1,
    messages.STOPPED_HOST: 1,
    9: 2,
    messages.STOPPED_MAGNET: 3,
    messages.STOPPED_FAULT: 4,
}
