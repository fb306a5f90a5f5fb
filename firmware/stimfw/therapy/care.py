"""What an implant knows of its therapy, and what follows from it: may a session begin, and why not.

Pure: no flash, no clock and no output of its own. stimfw.stimulator.therapy joins it to these. What has to
outlive a restart is `pack`ed into one record; who changes it stores it, before what it allows begins.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages, therapy_reasons
from stimfw.therapy import machine, schedule
from stimfw.therapy.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.therapy.prescription import Prescription

NORMAL = 0
MRI = 1
STORAGE = 2
MODE_NAMES = ("normal", "mri", "storage")
_MODE_BITS = (0, machine.CONDITION_MRI, machine.CONDITION_STORAGE)

VERSION = 1
_FORMAT = "<BBBBHHH"
_FORMAT_BYTES = struct.calcsize(_FORMAT)
_JOURNAL = "<I"
_JOURNAL_AT = _FORMAT_BYTES + schedule.PACKED_BYTES
PACKED_BYTES = _JOURNAL_AT + struct.calcsize(_JOURNAL)
_NO_LEAD = journal_entries.NO_LEAD


class Care:
    """The therapy's state beside the machine's: prescription, day, mode, fault, battery.

    Attributes:
        prescription: what a session does; None: there is none.
        version: of the prescription, 0 without one; before `hold`, that which the record names.
        mode: NORMAL, MRI or STORAGE.
        fault, fault_lead: what the watch found last and nobody has cleared (stimfw.therapy.watch_table), 0:
            nothing; the lead, or journal_entries.NO_LEAD.
        reference_ohm: of the prescribed pair of each lead when it was prescribed; 0: not measured.
        unsound: a record of its own was lost: nothing begins until a clinician has dealt with it.
        schedule: of the day; it has the battery, too.
        stopped: today's last session was ended before its time.
        last_cause: why the last session ended, messages.STOPPED_....
        journal_number: of the journal's next entry, when this was stored: a lower one at a start is a loss.
    """

    def __init__(
        self,
        payload: "bytes | None",
        note: "Callable[..., None]",
        time_s: "Callable[[], int]",
        uptime_s: "Callable[[], int]",
    ) -> None:
        """Begin with what the record held.

        Args:
            payload: of `pack`; None: a device that was implanted just now.
            note: `note(kind, sender, *fields)`, an entry of the journal.
            time_s: seconds since 1970, 0 if nobody knows.
            uptime_s: seconds since the start.

        Raises:
            ValueError: the payload is none of this version's.
        """
        self._note = note
        self._time_s = time_s
        self._uptime_s = uptime_s
        self.prescription: "Prescription | None" = None
        self.version = 0
        self.mode = NORMAL
        self.fault = 0
        self.fault_lead = _NO_LEAD
        self.reference_ohm = [0, 0]
        self.unsound = False
        self.stopped = False
        self.last_cause = messages.STOPPED_NEVER_ON
        self.journal_number = 0
        if payload is None:
            self.schedule = Schedule()
            return
        if len(payload) < _FORMAT_BYTES or payload[0] != VERSION or payload[1] >= len(_MODE_BITS):
            raise ValueError("no progress of version %d" % VERSION)
        _, self.mode, self.fault, self.fault_lead, left_ohm, right_ohm, self.version = struct.unpack(
            _FORMAT, payload[:_FORMAT_BYTES]
        )
        self.reference_ohm = [left_ohm, right_ohm]
        if len(payload) == PACKED_BYTES:
            self.journal_number = struct.unpack_from(_JOURNAL, payload, _JOURNAL_AT)[0]
            payload = payload[:_JOURNAL_AT]  # without it: written before this was kept
        self.schedule = Schedule(payload[_FORMAT_BYTES:])

    def lose(self, floor_s: int) -> None:
        """The record of it cannot be read: today is used up, and nothing begins until a clinician says so.

        floor_s: a time that has surely passed, seconds since 1970.
        """
        self.schedule = schedule.lost(floor_s)
        self.unsound = True

    def pack(self) -> bytes:
        """What has to outlive a restart."""
        head = struct.pack(
            _FORMAT, VERSION, self.mode, self.fault, self.fault_lead, self.reference_ohm[0],
            self.reference_ohm[1], self.version,
        )  # fmt: skip
        return head + self.schedule.pack() + struct.pack(_JOURNAL, self.journal_number)

    def hold(self, prescription: "Prescription | None", version: int) -> None:
        """This is the prescription from now on."""
        self.prescription = prescription
        self.version = version

    def is_healing(self) -> bool:
        """Whether the healing time is not over, as far as it is known: a lost clock stands still."""
        held = self.prescription
        return held is not None and (self._time_s() or self.schedule.floor_s) < held.activation_s

    def sessions_left(self) -> int:
        """Sessions that today still has; with a clock that was lost, those of the last day that was known."""
        return int(self.schedule.sessions_left(self._time_s(), self.prescription))

    def conditions(self) -> int:
        """The machine's CONDITION_... bits that hold now."""
        bits = _MODE_BITS[self.mode]
        if self.fault or self.unsound:
            bits |= machine.CONDITION_FAULT
        if self.prescription is None:
            return int(bits | machine.CONDITION_UNCONFIGURED)
        if self.is_healing():
            bits |= machine.CONDITION_HEALING
        elif not self.sessions_left():
            bits |= machine.CONDITION_COMPLETE
        if self.stopped:
            bits |= machine.CONDITION_STOPPED
        return bits

    def refusal(self) -> int:
        """Why a session may not begin now, besides what the machine's state says; 0: it may."""
        if self.unsound or self.fault:
            return therapy_reasons.FAULT
        return self.schedule.refusal(self._time_s(), self._uptime_s(), self.prescription)

    def next_s(self) -> int:
        """Seconds until a session may begin; 0: now; schedule.UNKNOWN_S: nobody can tell."""
        return int(self.schedule.next_s(self._time_s(), self._uptime_s(), self.prescription))

    # What happens.

    def begin(self, sender: int) -> int:
        """A session begins: it counts from now on, whatever becomes of it. Its number; store `pack` now."""
        prescription = self.prescription
        if prescription is None:
            raise ValueError("no prescription")
        number = self.schedule.began(self._time_s(), self._uptime_s(), prescription, self.version)
        self.stopped = False
        self._note(
            journal_entries.SESSION_BEGAN, sender, self.version, prescription.session_s, number,
            self.schedule.sessions_today,
        )  # fmt: skip
        return number

    def end(self, cause: int, elapsed_s: int, cycles: int, sender: int) -> None:
        """It is over; cause: messages.STOPPED_...; elapsed_s: since it began. Store `pack`."""
        number = self.schedule.number
        self.schedule.ended(self._time_s(), self._uptime_s(), elapsed_s)
        self.last_cause = cause
        self.stopped = cause != messages.STOPPED_SESSION_OVER
        self._note(
            journal_entries.SESSION_ENDED, sender, number, cause, min(elapsed_s, 0xFFFF), min(cycles, 0xFFFF),
            self.fault,
        )  # fmt: skip

    def found(self, fault: int, lead: int) -> None:
        """The watch found a fault that outlives the session. The first one stays. Store `pack`."""
        if not self.fault:
            self.fault, self.fault_lead = fault, lead

    def clear_fault(self, sender: int) -> None:
        """A clinician has dealt with it. Store `pack`."""
        if self.fault:
            self._note(journal_entries.FAULT_CLEARED, sender, self.fault)
        self.fault, self.fault_lead = 0, _NO_LEAD

    def set_mode(self, mode: int, sender: int) -> None:
        """NORMAL, MRI or STORAGE. Store `pack`."""
        if mode != self.mode:
            self._note(journal_entries.MODE, sender, self.mode, mode)
            self.mode = mode

    def read_supply(self, supply_mv: int) -> bool:
        """A reading with the output off; whether something changed that is to be kept: store `pack`."""
        battery = self.schedule.battery
        before = battery.state
        changed = battery.read(supply_mv, self._time_s(), self._uptime_s())
        if battery.state != before:
            self._note(journal_entries.BATTERY, messages.FROM_NOBODY, before, battery.state, supply_mv)
        return changed

    def look(self) -> None:
        """To be called once a second with the output off: a day may have begun."""
        before = self.schedule.day
        self.schedule.seen(self._time_s())
        if self.schedule.day != before:
            self.stopped = False  # what was stopped yesterday is over
