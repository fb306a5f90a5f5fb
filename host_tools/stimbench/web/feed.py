"""What the bench's process tells of the leads: taken from the parts' traces, which forget it then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stimbench.analysis import LEAD_SIGNALS
from stimbench.bench import wiring
from stimbench.web.pieces import as_pieces, straightened
from stimbench.web.record import LeadNews

if TYPE_CHECKING:
    from stimbench.bench import Bench

__all__ = ("Feed",)

_KEPT_NS = 120_000_000_000
"""Edges of digital signals are kept in the bench's process for so long: a saved file has them."""
_STRAIGHT_V = 10e-6
"""A joint of the voltage that is so near to a straight line is none: 0.01 of the converter's step."""
_FORGET_EVERY_NS = 10_000_000_000
_BOARD = "stimulator"


class Feed:
    """Takes what is new of both leads from a bench. It changes nothing that the bench goes by."""

    def __init__(self, bench: Bench) -> None:
        """Begin at the bench's present."""
        self._bench = bench
        self._leads = wiring.leads(bench.board(_BOARD))
        self._told_ns = 0
        self._forgot_ns = 0

    def news(self) -> tuple[dict[str, LeadNews], int]:
        """What is new of each lead since the last call, and the bench's time."""
        now_ns = self._bench.now_ns
        found = {}
        for name, lead in self._leads.items():
            current, voltage, rising = lead.trace.take()
            edges = [self._edges(signal, now_ns) for signal in LEAD_SIGNALS[name]]
            found[name] = LeadNews(
                as_pieces(current),
                straightened(as_pieces(voltage), _STRAIGHT_V),
                as_pieces(rising),
                lead.is_driven,
                (edges[0], edges[1], edges[2]),
            )
        self._told_ns = now_ns
        if now_ns - self._forgot_ns > _FORGET_EVERY_NS:
            self._bench.trace.forget_before(now_ns - _KEPT_NS)
            self._forgot_ns = now_ns
        return found, now_ns

    def _edges(self, signal: str, now_ns: int) -> Any:
        edges = self._bench.trace.edges(_BOARD, signal, self._told_ns, now_ns)
        return np.array([time_ns << 1 | level for time_ns, level in edges], np.int64)
