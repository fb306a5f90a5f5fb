"""The journal of an implanted stimulator, as the host asks for it."""

from __future__ import annotations

from stimbench.client.board import Board

__all__ = ("JournalRequests",)


class JournalRequests(Board):
    """Requests for the journal; errors as of Board."""
