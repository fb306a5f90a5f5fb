"""What an implanted stimulator is asked for: prescription, therapy, modes, test trains."""

from __future__ import annotations

from stimbench.client.board import Board

__all__ = ("TherapyRequests",)


class TherapyRequests(Board):
    """Requests of stimfw.protocol.requests that only an implanted stimulator answers; errors as of Board."""
