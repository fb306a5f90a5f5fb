"""The therapy of an implant: joins what is known (stimfw.therapy.care) to output, flash and clock.

Whatever erases flash stops the CPU for 45 ms (400 at most). So it happens with the output off, and never in
the call that turned it off: `poll` does it in a later pass.
"""

import struct
from time import ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages, requests, therapy_reasons
from stimfw.therapy import machine, watch_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stimfw.clock.wall_clock import WallClock
    from stimfw.pulses.impedance import Reading
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.journal_keeper import JournalKeeper
    from stimfw.stimulator.log_keeper import LogKeeper
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.watched_session import WatchedSession
    from stimfw.storage.record import Record
    from stimfw.therapy.care import Care

_LOOK_MS = 1000
_POLL_MS = 20  # a pass of the loop that serves a host need not look each time
_DAY_S = 86_400
_FIRST_CHECK_S = 600  # after a start: whoever restarts it to begin a session does not wait for the leads
_NOBODY = messages.FROM_NOBODY
_PAUSE_BEGAN = 0  # journal_entries.INTERFERENCE_NAMES
_MOST_I16 = 0x7FFF
_PAIR_BYTES = struct.calcsize(requests.PAIR_RECORD)
_NO_PAIR = 0xFF
_BAD = (messages.KIND_OPEN, messages.KIND_SHORT)
_SESSION_STATES = machine.SESSION
_PULSING = 1 << messages.RAMP_UP | 1 << messages.HOLD | 1 << messages.RAMP_DOWN


class Therapy:
    """One implanted stimulator's therapy.

    Attributes:
        care: what it knows.
        last: the last session, for LEDGER; None since the start.
    """

    def __init__(
        self,
        control: "Control",
        care: "Care",
        keeper: "JournalKeeper",
        log_keeper: "LogKeeper",
        measurements: "Measurements",
        clock: "WallClock",
        progress: "Record",
        supply: "Callable[[], tuple[int, int]]",
    ) -> None:
        """Join them; `settle` is to be called once everything is there.

        Args:
            control: its state is the machine's.
            care: what the record held.
            keeper: the journal's.
            log_keeper: the log's, which goes on beside the journal.
            measurements: the last impedances.
            clock: of the board.
            progress: where `care.pack` is stored.
            supply: reads supply (mV) and temperature (tenths of a degree), with the output off.
        """
        self.care = care
        self._control = control
        self._keeper = keeper
        self._log_keeper = log_keeper
        self._measurements = measurements
        self._clock = clock
        self._progress = progress
        self._supply = supply
        self.last: "WatchedSession | None" = None
        self._over: "WatchedSession | None" = None
        self._ended: "tuple[int, int] | None" = None  # cause and sender of what is still to be written
        self._to_save = False
        self._looked_ms = self._polled_ms = ticks_ms()
        self._checked_s = _FIRST_CHECK_S - _DAY_S  # uptime of the last daily check
        self._checking = False
        control.on_over = self._note_over  # type: ignore[assignment]

    # What requests ask for. Each returns a messages.REASON_....

    def start(self, sender: int) -> int:
        """Begin a session. It counts, on flash, before the output goes on."""
        control = self._control
        if _SESSION_STATES >> control.state() & 1:
            return control.start(sender=sender)
        self.write_end()
        reason = control.refusal(machine.START, sender) or self.care.refusal()
        if reason == messages.REASON_NONE and not self._keeper.ready():
            reason = therapy_reasons.JOURNAL
        if reason != messages.REASON_NONE:
            return reason
        self.care.begin(sender)
        if self.save() and self._keeper.flush():
            reason = control.start(sender=sender)
        else:
            reason = therapy_reasons.JOURNAL
        if reason != messages.REASON_NONE:  # a magnet came meanwhile, or the flash failed
            self.care.end(messages.STOPPED_FAULT, 0, 0, sender)
            self._to_save = True
        return reason

    def save(self) -> bool:
        """Store what has to outlive a restart; whether the flash took it. With the output off only."""
        self.care.journal_number = self._keeper.journal.next_number
        try:
            self._progress.store(self.care.pack())
        except OSError:
            self._to_save = True
            return False
        self._to_save = False
        return True

    def settle(self) -> None:
        """Tell the machine what holds now. To be called after whatever changes it."""
        self._control.tell(machine.SETTLED, self.care.conditions())

    def changed(self) -> None:
        """The clock was set: store what follows from it, and tell the machine."""
        if self._control.busy():
            self._to_save = True
        else:
            self.save()
        self.settle()

    # What the watch of a session tells.

    def found(self, fault: int, lead: int, action: int, figures: "Sequence[int]") -> None:
        """A fault of watch_table, acted upon already; figures: pulse, then those of FAULT_FIGURES."""
        side = lead if lead < watch_table.BOTH else journal_entries.NO_LEAD
        if fault == watch_table.DRIFT:
            before = self.care.reference_ohm[lead]
            self._keeper.add(journal_entries.WARNING, _NOBODY, fault, side, figures[4], before)
            return
        self._keeper.add(journal_entries.FAULT, _NOBODY, fault, side, action, max(0, figures[0]))
        codes = [max(-_MOST_I16, min(_MOST_I16, value)) for value in figures[1:]]
        self._keeper.add(journal_entries.FAULT_FIGURES, _NOBODY, side, *codes)
        if watch_table.latches(fault):
            self.care.found(fault, side)
            self._to_save = True

    def paused(self, what: int, current_ua: int, voltage_mv: int) -> None:
        """Something disturbs the measurements: the session waits, goes on or is given up."""
        self._keeper.add(
            journal_entries.INTERFERENCE, _NOBODY, what, journal_entries.NO_LEAD, current_ua, voltage_mv
        )
        if what == _PAUSE_BEGAN:
            self._control.tell(machine.PAUSED, 0)

    def has_ended_session(self) -> bool:
        """Whether a session has ended, and `stopped` was not called yet."""
        return self._over is not None and self._ended is None

    # What the log tells.

    def stopped(self, cause: int, sender: int) -> None:
        """What ran was ended: a session, a train or a measurement. The output is off."""
        if self._over:
            self._ended = (cause, sender)
        self._checking = False

    def measured(self) -> None:
        """A measurement of impedances, or a self-test, ended by itself."""
        why = journal_entries.WHY_DAILY if self._checking else journal_entries.WHY_ASKED
        self._checking = False
        held = self.care.prescription
        for lead in (0, 1):
            prescribed = held.cathode[lead] << 2 | held.anode[lead] if held else _NO_PAIR
            records = self._measurements.pair_records(lead)
            for at in range(0, len(records), _PAIR_BYTES):
                pair, kind, ohm, capacitance_nf, _ua = struct.unpack_from(requests.PAIR_RECORD, records, at)
                if pair == prescribed or (why == journal_entries.WHY_ASKED and kind in _BAD):
                    self._keeper.add(
                        journal_entries.IMPEDANCE,
                        messages.FROM_NOBODY,
                        lead,
                        pair,
                        kind,
                        ohm,
                        capacitance_nf,
                        why,
                    )

    # The loop.

    def poll(self, now_ms: int) -> None:
        """What can wait for a pass: the end of a session, entries, and once a second what holds now."""
        if _PULSING >> self._control.state() & 1:
            return  # nothing is written now, and whatever takes time keeps a STOP waiting
        if ticks_diff(now_ms, self._polled_ms) < _POLL_MS and not self._has_to_write():
            return
        self._polled_ms = now_ms
        control = self._control
        off = not control.busy()
        if off:
            self.write_end()
            if self._to_save:
                self.save()
        self._keeper.poll(now_ms, off)
        if off and ticks_diff(now_ms, self._looked_ms) >= _LOOK_MS:
            self._looked_ms = now_ms
            self._look()
        self._log_keeper.poll(now_ms)

    def _has_to_write(self) -> bool:
        return self._to_save or self._ended is not None or self._keeper.waiting() > 0

    def flush(self) -> None:
        """Write all that waits: before a restart, with the output off. Raises nothing."""
        self.write_end()
        if self._to_save:
            self.save()
        self._keeper.flush()
        self._log_keeper.flush()

    def write_end(self) -> None:
        """The end of a session, if it is not written yet: what was planned, what was delivered, and why."""
        if self._ended is None or self._over is None:
            return
        (cause, sender), session = self._ended, self._over
        self._ended = self._over = None
        self.last = session
        for lead, reading in enumerate(session.impedance):
            if reading is not None:
                self._note_impedance(lead, reading)
        for entry in session.ledger.entries():
            self._keeper.add(entry[0], messages.FROM_NOBODY, *entry[1:])
        self._name_fault(session)
        self.care.end(cause, session.ended_s, session.cycles, sender)
        self._keeper.flush()  # before the record that says that nothing runs: a cut then only repeats the end
        self.save()
        self.settle()

    def _name_fault(self, session: "WatchedSession") -> None:
        """What stands is the last word of the diagnosis, not what the watch saw first; a field is none."""
        fault, lead = session.fault, session.fault_lead
        if watch_table.latches(fault):
            self.care.fault = fault
            self.care.fault_lead = lead if lead < watch_table.BOTH else journal_entries.NO_LEAD
        elif fault == watch_table.INTERFERENCE:
            self.care.fault, self.care.fault_lead = 0, journal_entries.NO_LEAD

    def _note_impedance(self, lead: int, reading: "Reading") -> None:
        """Of the prescribed pair, as the session measured it before its first pulse."""
        held = self.care.prescription
        pair = held.cathode[lead] << 2 | held.anode[lead] if held else _NO_PAIR
        self._keeper.add(
            journal_entries.IMPEDANCE, _NOBODY, lead, pair, reading.kind, reading.ohm, reading.capacitance_nf,
            journal_entries.WHY_SESSION,
        )  # fmt: skip

    def _note_over(self, session: "WatchedSession") -> None:
        session.ended_s = session.elapsed_s()
        session.ledger.close_contraction()
        self._over = session

    def _look(self) -> None:
        """Once a second, with the output off."""
        self.care.look()
        self._daily()
        if self._control.conditions() != self.care.conditions():
            self.settle()

    def _daily(self) -> None:
        """Supply and temperature, once a day; the impedances of all pairs follow."""
        now_s = self._clock.uptime_s()
        if now_s - self._checked_s < _DAY_S:
            return
        self._checked_s = now_s
        supply_mv, temperature_dc = self._supply()
        self.care.read_supply(supply_mv)
        self._keeper.add(journal_entries.DAILY_CHECK, messages.FROM_NOBODY, 0, supply_mv, temperature_dc)
        self._to_save = True
        if self._control.ask(machine.MEASURE, messages.FROM_NOBODY) == messages.REASON_NONE:
            self._checking = True
