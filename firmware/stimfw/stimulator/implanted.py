"""An implanted stimulator's part of the composition: loaded by a board that is one, and by no other.

A board on the bench has no heap to spare for these modules (docs/decisions/0047-two-lives.md).
"""

from typing import TYPE_CHECKING

from stimfw.protocol import identity, journal_entries, messages, therapy_reasons
from stimfw.stimulator.conditions import Conditions
from stimfw.stimulator.journal_keeper import JournalKeeper
from stimfw.stimulator.journaled_log import JournaledLog
from stimfw.stimulator.therapy import Therapy
from stimfw.stimulator.therapy_requests import TherapyRequests, note_prescribed
from stimfw.stimulator.watched_session import WatchedSession
from stimfw.storage import journal_format, layout
from stimfw.storage.journal import Journal
from stimfw.storage.journal_format import SLOT_BYTES
from stimfw.storage.life import IMPLANTED, Life
from stimfw.storage.prescriptions import Prescriptions
from stimfw.storage.record import Record
from stimfw.therapy import prescription
from stimfw.therapy.care import Care
from stimfw.therapy.ranges import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from stimfw.clock.wall_clock import WallClock
    from stimfw.drivers.sense import Sense
    from stimfw.protocol.dispatcher import Dispatcher
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.log_keeper import LogKeeper
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.storage.blocks import BlockDevice

_RESTART_MS = 200
_MERGED_S = 60
_UNKNOWN_S = 0xFFFF
_NEWEST = 64


def make_log(uptime_s: "Callable[[], int]", first: int) -> JournaledLog:
    """In the place of a bench's log."""
    return JournaledLog(uptime_s, first)


class ImplantConditions(Conditions):
    """Tells the journal what was refused, at most one entry a minute. See Conditions."""

    is_implanted = True
    refused: "Refused | None" = None

    def outcome(self, reason: int) -> "Answer":
        """Done without a value, or refused."""
        if reason != messages.REASON_NONE and self.refused:
            self.refused.add(reason)
        return super().outcome(reason)


class Refused:
    """Refused requests, counted into one entry a minute: who asks again and again fills no journal."""

    def __init__(
        self, dispatcher: "Dispatcher", keeper: JournalKeeper, uptime_s: "Callable[[], int]"
    ) -> None:
        self._dispatcher = dispatcher
        self._keeper = keeper
        self._uptime_s = uptime_s
        self._noted_s = -_MERGED_S
        self._times = 0

    def add(self, reason: int) -> None:
        """A request was refused."""
        self._times = min(self._times + 1, 0xFFFF)
        now_s = self._uptime_s()
        if now_s - self._noted_s >= _MERGED_S:
            self._noted_s = now_s
            dispatcher = self._dispatcher
            self._keeper.add(
                journal_entries.REFUSED, dispatcher.sender, dispatcher.opcode, reason, self._times
            )
            self._times = 0


class Implant:
    """The modules of a therapy, made and joined. Made before anything is served.

    Attributes:
        groups: handlers that go before a bench's.
        polled: what the loop polls in the place of the log's keeper.
    """

    def __init__(
        self,
        flash: "BlockDevice",
        control: "Control",
        output: "Output",
        measurements: "Measurements",
        sense: "Sense",
        clock: "WallClock",
        log: JournaledLog,
        log_keeper: "LogKeeper",
        dispatcher: "Dispatcher",
        conditions: ImplantConditions,
        restart: "Callable[[int], None]",
        start_cause: int,
        is_called: "Callable[[], bool]",
    ) -> None:
        """Open the records of this life. Raises nothing, whatever is on flash.

        is_called: whether the radio waits to be read; a session lets the loop do so between two of its steps.
        """
        self._is_called = is_called
        self._flash = flash
        self._control = control
        self._output = output
        self._measurements = measurements
        self._sense = sense
        self._clock = clock
        self._restart = restart
        self._life = Life(flash)
        self._journal = Journal(flash)
        self._keeper = keeper = JournalKeeper(self._journal, self._entry_s, self._can_write)
        progress = Record(flash, layout.PROGRESS)
        self.prescriptions = Prescriptions(flash)
        self._is_new_to_progress = False
        care = self._open_care(progress)
        supply = lambda: (sense.supply_mv(), sense.temperature_dc())  # noqa: E731
        self._therapy = Therapy(control, care, keeper, log_keeper, measurements, clock, progress, supply)
        self.requests = TherapyRequests(
            self._therapy,
            control,
            conditions,
            dispatcher,
            keeper,
            self.prescriptions,
            measurements,
            output,
            clock,
            self._life.earliest_s,
        )
        conditions.refused = Refused(dispatcher, keeper, clock.uptime_s)
        self._join(log)
        self._note_start(start_cause)
        self._therapy.settle()
        if keeper.flush() and self._is_new_to_progress:
            self._therapy.save()
        self.groups = (self, self.requests)
        self.polled = self._therapy

    def explant(self) -> "Answer":
        """A board on the bench again, at the next start, which follows at once. The journal stays."""
        self._keeper.add(journal_entries.EXPLANTED, messages.FROM_USB)
        if not self._keeper.flush():
            return messages.WRONG_STATE, (self._control.state(), messages.REASON_STORAGE)
        try:
            self._life.explant()
        except OSError:
            return messages.WRONG_STATE, (self._control.state(), messages.REASON_STORAGE)
        self._restart(_RESTART_MS)
        return messages.OK, ()

    def implant(self, *_values: object) -> "Answer":
        """It is one already."""
        return messages.WRONG_STATE, (self._control.state(), therapy_reasons.IMPLANTED)

    def restore(self) -> None:
        """A factory reset forgets pairings; what a clinician prescribed stays."""

    def _entry_s(self) -> int:
        return self._clock.time_s() or self._clock.uptime_s()

    def _can_write(self) -> bool:
        state = self._control.state()
        return state == messages.REST or not self._control.busy()

    def _open_care(self, progress: Record) -> Care:
        """What is known of the therapy; what was lost is said, and keeps it from beginning."""
        note, life = self._keeper.add, self._life
        lost = []
        if life.life != IMPLANTED:
            lost.append(journal_entries.LOST_LIFE)
        times = (self._clock.time_s, self._clock.uptime_s)
        newest = self.prescriptions.history(0)
        try:
            care = Care(progress.load(), note, *times)
        except (OSError, ValueError):
            lost.append(journal_entries.LOST_PROGRESS)
            care = Care(None, note, *times)
            care.lose(newest[2] if newest else life.implanted_s)
        # A number below that in the record: the present one was lost, and no former one takes its place.
        if newest is not None and not 0 < (care.version - newest[0] & 0xFFFF) < 0x8000:
            try:
                kept, known = prescription.unpack(newest[3]), care.version
                care.hold(kept, newest[0])
                if newest[0] != known:  # a cut came before the journal could tell
                    self._is_new_to_progress = True
                    if not self._has_told(journal_entries.PRESCRIBED, 0, newest[0]):
                        note_prescribed(self._keeper, newest[1], newest[0], kept)
            except ParameterError:
                pass
        if care.version and care.prescription is None:
            lost.append(journal_entries.LOST_PRESCRIPTION)
        care.unsound = care.unsound or bool(lost)
        for what in lost:
            note(journal_entries.LOST, messages.FROM_NOBODY, what, 0)
        self._say_what_else_is_lost(care)
        return care

    def _say_what_else_is_lost(self, care: Care) -> None:
        """Entries of the journal, the newest ones too, and former prescriptions: nothing hangs on them."""
        note, gone = self._keeper.add, max(0, care.journal_number - self._journal.next_number)
        if gone:
            self._is_new_to_progress = True
        if self._journal.lost + gone:
            lost = self._journal.lost + gone
            note(journal_entries.LOST, messages.FROM_NOBODY, journal_entries.LOST_JOURNAL, lost)
        what, former = journal_entries.LOST_FORMER, self.prescriptions.lost()
        if former and (care.prescription is not None or not care.version):
            # Once: it stays on flash until other ones take its place.
            if not self._has_told(journal_entries.LOST, 0, what | former << 8):
                note(journal_entries.LOST, messages.FROM_NOBODY, what, former)

    def _has_told(self, kind: int, at: int, number: int) -> bool:
        """Whether a newest entry of the journal is of this kind, with this u16 `at` bytes into its body."""
        journal = self._journal
        _, slots = journal.read(max(0, journal.next_number - _NEWEST), _NEWEST)
        for begin in range(0, len(slots), SLOT_BYTES):
            _, _, known, _, body, _ = journal_format.fields(slots[begin : begin + SLOT_BYTES])
            if known == kind and body[at] | body[at + 1] << 8 == number:
                return True
        return False

    def _join(self, log: JournaledLog) -> None:
        control = self._control
        if self._therapy.care.prescription is not None:
            control.program = self._therapy.care.prescription  # type: ignore[assignment]
        control.make_session = self._make_session  # type: ignore[assignment]
        log.note = self._keeper.add
        log.on_measured = self._therapy.measured
        log.on_stopped = self._stopped
        log.has_ended_session = self._therapy.has_ended_session

    def _stopped(self, cause: int, sender: int) -> None:
        self.requests.train_ended(cause, sender)
        self._therapy.stopped(cause, sender)

    def _make_session(
        self,
        output: "Output",
        _program: "Any",
        enter: "Callable[[int], None]",
        _test_s: int,
        silent_ms: "Callable[[int], int]",
        lose_contact: "Callable[[], None]",
    ) -> WatchedSession:
        therapy = self._therapy
        plan = therapy.care.prescription or prescription.default()  # START is refused without one
        return WatchedSession(
            output, plan, enter, silent_ms, lose_contact, therapy.found, self._sense,
            self._measurements.base16, therapy.care.reference_ohm, therapy.paused, self._is_called,
        )  # fmt: skip

    def _note_start(self, start_cause: int) -> None:
        """The start, and what an unexpected one ended."""
        care = self._therapy.care
        text = identity.SOURCE_HASH
        digest = bytes([int(text[k : k + 2], 16) for k in (0, 2, 4, 6)]) if _is_hex(text) else bytes(4)
        self._keeper.add(
            journal_entries.BOOT, messages.FROM_NOBODY, start_cause, digest, self._control.failed_parts
        )
        day = care.schedule
        if day.was_interrupted:
            if not self._has_told(journal_entries.SESSION_BEGAN, 4, day.number):
                # The cut came between the record, which counts it, and the entry.
                planned_s = care.prescription.session_s if care.prescription else 0
                self._keeper.add(
                    journal_entries.SESSION_BEGAN, messages.FROM_NOBODY, day.version, planned_s, day.number,
                    day.sessions_today,
                )  # fmt: skip
            care.end(messages.STOPPED_FAULT, _UNKNOWN_S, 0, messages.FROM_NOBODY)
            self._keeper.flush()  # before the record that says that nothing runs
            self._therapy.save()


def _is_hex(text: str) -> bool:
    if len(text) < 8:
        return False
    for character in text[:8]:
        if character not in "0123456789abcdef":
            return False
    return True
