"""What each contraction of a session has delivered, beside what was prescribed: the newest PLACES of them.

It is in RAM: until the next session, or a restart. The journal keeps the session's sums.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import requests

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACES = 64
"""A session of 30 minutes by the usual programme has 60."""
_BYTES = struct.calcsize(requests.CONTRACTION_RECORD)
_MOST_U16 = 0xFFFF
_MOST_U32 = 0xFFFFFFFF


class Contractions:
    """A ring of both leads' records.

    Attributes: ended: contractions since the session began, those without any pulse left out.
    """

    def __init__(self) -> None:
        self.ended = 0
        self._ring = bytearray(PLACES * 2 * _BYTES)
        self._pulses = [0, 0]  # as they were after the last one
        self._silent = [0, 0]
        self._charge_pc = ([0, 0, 0], [0, 0, 0])

    def is_new(self, pulses: "Sequence[int]", silent: "Sequence[int]") -> bool:
        """Whether a pulse came since the last one was closed; of the session, by lead."""
        return list(pulses) != self._pulses or list(silent) != self._silent

    def add(
        self, lead: int, pulses: int, width_us: int, charge_pc: "Sequence[int]", most_ua: int
    ) -> None:
        """A lead's part of the contraction that is over.

        Args:
            lead: 0 left, 1 right.
            pulses: with an amplitude, of the whole session until now.
            width_us: of a phase.
            charge_pc: of the whole session until now: cathodic, anodic, prescribed; pC (uA us).
            most_ua: the highest cathodic current of this contraction.
        """
        before = self._charge_pc[lead]
        came = pulses - self._pulses[lead]
        whole_us = came * width_us
        mean_ua = [
            (charge_pc[k] - before[k] + whole_us // 2) // whole_us if whole_us else 0 for k in (0, 2)
        ]
        # Each is the difference of two sums that were rounded down: so the records add up to the session's.
        charge_nc = [charge_pc[k] // 1000 - before[k] // 1000 for k in (0, 1)]
        struct.pack_into(
            requests.CONTRACTION_RECORD, self._ring, self._place(self.ended, lead),
            min(_MOST_U16, came), _within(mean_ua[1], _MOST_U16), _within(mean_ua[0], _MOST_U16),
            _within(most_ua, _MOST_U16), _within(charge_nc[0], _MOST_U32), _within(charge_nc[1], _MOST_U32),
        )  # fmt: skip
        self._charge_pc[lead][:] = charge_pc

    def close(self, pulses: "Sequence[int]", silent: "Sequence[int]") -> None:
        """Both leads' parts were added; pulses, silent: of the session until now, by lead."""
        self._pulses[:] = pulses
        self._silent[:] = silent
        self.ended += 1

    def read(self, lead: int, first: int, most: int) -> "tuple[int, int, bytes]":
        """Number of the first record, how many contractions have ended, and up to `most` records.

        They begin at number `first`, or at the oldest that is kept; numbers count from 0.
        """
        first = min(self.ended, max(first, self.ended - PLACES))
        found = bytearray()
        for number in range(first, min(self.ended, first + most)):
            at = self._place(number, lead)
            found += self._ring[at : at + _BYTES]
        return first, self.ended, bytes(found)

    @staticmethod
    def _place(number: int, lead: int) -> int:
        return (2 * (number % PLACES) + lead) * _BYTES


def _within(value: int, most: int) -> int:
    """A measured sum can be below 0 by what noise adds."""
    return max(0, min(most, value))
