"""Journals as an implanted stimulator keeps them, made up, and a board that answers JOURNAL from one."""

import binascii
import struct

from stimbench.client.journal_requests import JournalPage
from stimbench.client.records import Identity
from stimbench.errors import WrongStateError
from stimfw.protocol import journal_entries as kinds
from stimfw.protocol import messages
from stimfw.storage import journal_format

DEVICE = bytes.fromhex("a1b2c3d4e5f60718")
OTHER_DEVICE = bytes.fromhex("00112233445566ff")
EPOCH_S = 1_800_000_000 - 1_800_000_000 % 86_400
"""The midnight (UTC) at which made-up journals begin."""
DAY_S = 86_400
A_PAGE = 7


class MadeUpJournal:
    """Slots in order; `add` chains one more.

    Attributes:
        slots: 32 bytes each.
        gone: how many of the oldest the board does not tell any more.
    """

    def __init__(self):
        self.slots = []
        self.number = 0
        self.chain = bytes(8)

    def add(self, kind, time_s, *values, sender=messages.FROM_NOBODY):
        body = kinds.pack(kind, *values)
        return self.add_body(kind, time_s, body, sender)

    def add_body(self, kind, time_s, body, sender=messages.FROM_NOBODY):
        self.slots.append(journal_format.pack(self.number, time_s, kind, sender, body, self.chain))
        self.chain = journal_format.chain_of(self.slots[-1])
        self.number += 1
        return self.number - 1

    def thin(self, first, last, clinical=0):
        """Replace the slots at these places by one that says so."""
        count = journal_format.number_of(self.slots[last]) - journal_format.begin_of(self.slots[first]) + 1
        self.slots[first : last + 1] = [journal_format.marker(self.slots[last], count, clinical)]

    def copy(self):
        other = MadeUpJournal()
        other.slots, other.number, other.chain = list(self.slots), self.number, self.chain
        return other


def sealed(slot):
    """With the checksum."""
    return slot + struct.pack("<H", binascii.crc_hqx(slot, 0xFFFF))


class JournalBoard:
    """Answers as a stimulator with this journal."""

    def __init__(self, journal, prescriptions=()):
        self.journal_of, self.prescriptions = journal, list(prescriptions)
        self.identity = Identity("stimulator", "0.4.0", "abcdef0123456789")
        self.asked = []
        self.on_ask = lambda first: None

    def journal(self, first):
        self.asked.append(first)
        self.on_ask(first)
        slots = self.journal_of.slots
        numbers = [struct.unpack("<I", slot[:4])[0] for slot in slots]
        page = tuple(slot for slot, number in zip(slots, numbers, strict=True) if number >= first)[:A_PAGE]
        at = struct.unpack("<I", page[0][:4])[0] if page else self.journal_of.number
        return JournalPage(at, numbers[0] if numbers else 0, self.journal_of.number, page)

    def kept_prescriptions(self):
        if not self.prescriptions:
            raise WrongStateError("The board refused.", messages.WRONG_STATE, 0, 14)
        return self.prescriptions


def implanted(entries=0, device=DEVICE):
    """A journal that begins with an implantation, and `entries` more."""
    journal = MadeUpJournal()
    journal.add(kinds.BOOT, EPOCH_S, 1, b"\1\2\3\4", 0)
    journal.add(kinds.IMPLANTED, EPOCH_S + 1, device, 14, sender=messages.FROM_USB)
    for index in range(entries):
        journal.add(kinds.DAILY_CHECK, EPOCH_S + 60 * (index + 1), 0, 3000, 250)
    return journal
