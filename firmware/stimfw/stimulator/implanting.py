"""The step from a board on the bench to an implant, and what stays readable after the step back."""

from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages, refusals
from stimfw.storage import layout
from stimfw.storage.journal import Journal
from stimfw.storage.life import Life
from stimfw.storage.record import Record

if TYPE_CHECKING:
    from stimfw.protocol.refusals import Answer
    from stimfw.storage.blocks import BlockDevice

SLOTS_A_REPLY = 7
LEAST_TIME_S = 1_600_000_000
"""September 2020: a clock that says less was never set."""
MOST_HEALING_DAYS = 90
RESTART_MS = 200
"""The reply is read by then."""
_ROOM = 8


def implant(flash: "BlockDevice", device_id: bytes, healing_days: int, time_s: int) -> "Answer":
    """Check the values, then write what makes the board an implant.

    The life's record comes last, so a power cut leaves a board on the bench.

    Raises:
        StorageError: the flash did not take it.
    """
    if not any(device_id):
        return refusals.out_of_range(0)
    if healing_days > MOST_HEALING_DAYS:
        return refusals.out_of_range(healing_days)
    if time_s < LEAST_TIME_S:
        return refusals.out_of_range(time_s)
    Record(flash, layout.PROGRESS).forget()
    for block in range(layout.PRESCRIPTIONS, layout.LIFE, 2):
        Record(flash, block).forget()
    journal = Journal(flash)
    while journal.room() < _ROOM and journal.prepare():
        pass
    body = journal_entries.pack(journal_entries.IMPLANTED, device_id, healing_days)
    journal.append(journal_entries.IMPLANTED, messages.FROM_USB, time_s, body)
    Life(flash).implant(device_id, time_s, healing_days)
    return refusals.done()


def read_journal(flash: "BlockDevice", first: int) -> "tuple[int, int, int, bytes]":
    """The first slot's number, the oldest one's, the next one's, and slots from number `first` on."""
    journal = Journal(flash)
    number, slots = journal.read(first, SLOTS_A_REPLY)
    return number, journal.oldest, journal.next_number, slots
