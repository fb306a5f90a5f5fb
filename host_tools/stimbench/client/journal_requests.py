"""The journal of an implanted stimulator, as the host asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from stimfw.protocol import asking, requests
from stimfw.storage.journal_format import SLOT_BYTES

from stimbench.client.board import Board

__all__ = ("JournalPage", "JournalRequests")


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


class JournalRequests(Board):
    """Requests for the journal; errors as of Board."""

    def journal(self, first: int) -> JournalPage:
        """The entries from number `first` on, as many as fit into a reply; of an explanted stimulator too."""
        return self._get(requests.JOURNAL, JournalPage.unpack, first)
