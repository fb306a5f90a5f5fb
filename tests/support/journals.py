"""Journals as an implanted stimulator keeps them, made up, and a board that answers JOURNAL from one."""

import binascii
import struct
from bisect import bisect_left

from stimbench.client.journal_requests import JournalPage
from stimbench.client.records import Identity
from stimbench.client.therapy_records import KeptPrescription
from stimbench.errors import WrongStateError
from stimfw.protocol import journal_entries as kinds
from stimfw.protocol import messages
from stimfw.storage import journal_format
from stimfw.therapy.prescription import default

DEVICE = bytes.fromhex("a1b2c3d4e5f60718")
OTHER_DEVICE = bytes.fromhex("00112233445566ff")
EPOCH_S = 1_800_000_000 - 1_800_000_000 % 86_400
"""The midnight (UTC) at which made-up journals begin."""
DAY_S = 86_400
A_PAGE = 7
IMPLANTED_S = EPOCH_S - 3600


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
        begin = bisect_left(slots, first, key=journal_format.number_of)
        page = tuple(slots[begin : begin + A_PAGE])
        at = journal_format.number_of(page[0]) if page else self.journal_of.number
        oldest = journal_format.number_of(slots[0]) if slots else 0
        return JournalPage(at, oldest, self.journal_of.number, page)

    def prescription_history(self, back):
        if not self.prescriptions:
            raise WrongStateError("The board refused.", messages.WRONG_STATE, 0, 14)
        return self.prescriptions[back] if back < len(self.prescriptions) else None


def implanted(entries=0, device=DEVICE):
    """A journal that begins with an implantation, and `entries` more."""
    journal = MadeUpJournal()
    journal.add(kinds.BOOT, IMPLANTED_S - 1, 1, b"\1\2\3\4", 0)
    journal.add(kinds.IMPLANTED, IMPLANTED_S, device, 14, sender=messages.FROM_USB)
    for index in range(entries):
        journal.add(kinds.DAILY_CHECK, EPOCH_S + 60 * (index + 1), 0, 3000, 250)
    return journal


def prescription(**changes):
    """A prescription of two sessions a day, 2 mA on both leads; changes by field name, `left.` for leads."""
    base = {"left.amplitude_ua": 2000, "right.amplitude_ua": 2000}
    return default().replaced(base | changes)


def kept(version, given, set_s=EPOCH_S):
    """As a board tells a prescription that it has."""
    return KeptPrescription(version, messages.FROM_USB, set_s, given)


class Year:
    """A life of a device, day by day, written as its journal tells it.

    Attributes:
        journal: of it.
        number: of the newest session.
        day: since the implantation.
    """

    def __init__(self, device=DEVICE, version=1, healing_days=14):
        self.journal = implanted(device=device)
        self.version, self.number = version, 0
        self.activation_s = EPOCH_S + healing_days * DAY_S
        self.prescribe(EPOCH_S + 3600, version, self.activation_s)

    def prescribe(self, at_s, version, activation_s):
        self.version = version
        self.journal.add(kinds.PRESCRIBED, at_s, version, b"\1\2\3\4", activation_s, sender=messages.FROM_USB)

    def at(self, day, hour=8):
        """Seconds since 1970 of an hour of a day after activation."""
        return self.activation_s + day * DAY_S + hour * 3600

    def impedance(self, at_s, lead=0, ohm=800, kind=0):
        self.journal.add(kinds.IMPEDANCE, at_s, lead, 1, kind, ohm, 100, kinds.WHY_SESSION)

    def session(self, at_s, cause=messages.STOPPED_SESSION_OVER, elapsed_s=1800, known=True, ends=True):
        """One session; `known`: with a clock, else `at_s` is the uptime."""
        self.number += 1
        add = self.journal.add
        add(kinds.SESSION_BEGAN, at_s, self.version, 1800, self.number, 1, sender=1)
        if not ends:
            return
        add(kinds.SESSION_ENDED, at_s + elapsed_s, self.number, cause, elapsed_s, elapsed_s // 34, 0)
        contractions = elapsed_s // 34
        for lead in (0, 1):
            pulses = contractions * 280
            add(kinds.DELIVERED, at_s + elapsed_s, lead, pulses, pulses * 2000 * 214 // 10**6, contractions)
            add(kinds.CURRENT, at_s + elapsed_s, lead, 2000, 1990 + lead, 2050, 0)

    def both(self, day):
        """A day as it should be."""
        self.session(self.at(day, 8))
        self.session(self.at(day, 18))
