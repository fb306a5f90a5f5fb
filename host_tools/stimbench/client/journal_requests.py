"""The journal of an implanted stimulator, as the host asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from stimfw.protocol import asking, requests
from stimfw.storage.journal_format import SLOT_BYTES

from stimbench.client.board import Board

__all__ = ("JournalPage", "JournalRequests", "KeptPrescription")

HISTORY_DEPTH = 3
"""How many former prescriptions a stimulator keeps: stimfw.storage.layout."""


@dataclass(frozen=True)
class JournalPage:
    """A piece of the journal.

    Attributes:
        first: number of the first slot that is here; if there is none, of the next entry.
        oldest: number of the oldest slot that the board has.
        next: number that the next entry will have.
        slots: 32 bytes each, in the order of their numbers. Where the board has thinned, numbers are missing.
    """

    first: int
    oldest: int
    next: int
    slots: tuple[bytes, ...]

    @classmethod
    def unpack(cls, body: bytes) -> JournalPage:
        """From the body of a JOURNAL reply; ValueError if it is cut."""
        first, oldest, following, data = asking.unpack_reply(requests.row_of(requests.JOURNAL), body)
        if len(data) % SLOT_BYTES:
            raise ValueError(f"{len(data)} bytes are no whole number of entries")
        found = tuple(data[at : at + SLOT_BYTES] for at in range(0, len(data), SLOT_BYTES))
        return cls(first, oldest, following, found)


@dataclass(frozen=True)
class KeptPrescription:
    """A prescription that the board has or had.

    Attributes:
        version: counts up with each.
        sender: who set it: a slot, or messages.FROM_USB.
        set_s: when, in seconds since 1970, or since the board's start.
        payload: as the board packs it, requests.PRESCRIPTION.
    """

    version: int
    sender: int
    set_s: int
    payload: bytes


class JournalRequests(Board):
    """Requests for the journal; errors as of Board."""

    def journal(self, first: int) -> JournalPage:
        """The entries from number `first` on, as many as fit into a reply; of an explanted stimulator too."""
        return self._get(requests.JOURNAL, JournalPage.unpack, first)

    def kept_prescriptions(self) -> list[KeptPrescription]:
        """The present prescription and the former ones that the board still has, the newest first.

        Raises:
            WrongStateError: it is not implanted.
        """
        found = [KeptPrescription(*self._fields(requests.GET_PRESCRIPTION))]
        for back in range(1, HISTORY_DEPTH + 1):
            found.append(KeptPrescription(*self._fields(requests.HISTORY, back)))
        return [kept for kept in found if kept.version]
