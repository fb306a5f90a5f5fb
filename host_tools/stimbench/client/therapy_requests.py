"""What an implanted stimulator is asked for: prescription, therapy, modes, test trains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from stimfw.protocol import requests
from stimfw.therapy.ranges import LEADS

from stimbench.client.board import Board
from stimbench.client.therapy_records import (
    Accepted,
    ContractionFigures,
    ContractionPage,
    KeptPrescription,
    LedgerFigures,
    TherapyState,
    WatchFigures,
)

__all__ = ("TherapyRequests",)


class TherapyRequests(Board):
    """Requests of stimfw.protocol.requests that only an implanted stimulator answers; errors as of Board.

    A stimulator on the bench refuses all but `implant` with WrongStateError.
    """

    def implant(self, device_id: bytes, healing_days: int, time_s: int) -> None:
        """Make the board a therapy device; over USB only. It restarts a moment later.

        Args:
            device_id: 8 bytes, not all zero, that name nobody.
            healing_days: 0-90, in which no therapy begins.
            time_s: now, seconds since 1970.

        Raises:
            WrongStateError: it is one already, the output is on, or the flash did not take it.
            OutOfRangeError: a value is none.
        """
        self._ask(requests.IMPLANT, device_id, healing_days, time_s)

    def explant(self) -> None:
        """Make it a board on the bench again; over USB only. It restarts then; the journal stays."""
        self._ask(requests.EXPLANT)

    def prescription(self) -> KeptPrescription | None:
        """The prescription that is in force; None: there is none."""
        return self._get(requests.GET_PRESCRIPTION, KeptPrescription.unpack)

    def prescription_history(self, back: int) -> KeptPrescription | None:
        """The prescription that was in force `back` ones ago (0: the present one), or None."""
        return self._get(requests.HISTORY, KeptPrescription.unpack, back)

    def set_prescription(self, values: Sequence[int]) -> Accepted:
        """Send a whole prescription, its values in the order of prescription.FIELD_NAMES.

        Returns:
            What became of it: `version` is 0 if it fails a rule, and then nothing has changed.

        Raises:
            WrongStateError: the output is on, or the flash did not take it.
        """
        return self._get(requests.SET_PRESCRIPTION, Accepted.unpack, *values)

    def therapy(self) -> TherapyState:
        """What the therapy does, and when a session may begin."""
        return self._get(requests.THERAPY, TherapyState.unpack)

    def set_mode(self, mode: int) -> None:
        """Set the mode: an index in therapy_records.MODE_NAMES.

        Raises:
            WrongStateError: the output is on, or the flash did not take it.
        """
        self._ask(requests.MODE, mode)

    def train(
        self,
        lead: int,
        cathode: int,
        anode: int,
        amplitude_ua: int,
        width_us: int,
        gap_us: int,
        rate_hz: int,
        pulses: int,
    ) -> None:
        """Begin a test train. It goes on only while `train_on` is asked at least every 400 ms.

        Args:
            lead: 0 left, 1 right.
            cathode: an electrode, 0-3.
            anode: another one.
            amplitude_ua: 0-10 000 in steps of 25.
            width_us: of a phase, 20-1000.
            gap_us: between the phases, 0-500.
            rate_hz: 1-50.
            pulses: 1-200.

        Raises:
            OutOfRangeError: a value is none, or passes a limit of charge.
            WrongStateError: the board is not ready for it.
        """
        values = (lead, cathode, anode, amplitude_ua, width_us, gap_us, rate_hz, pulses)
        # Once only: if just the reply was lost, a second request would be refused as "already on".
        self._ask(requests.TRAIN, *values, tries=1)

    def train_on(self) -> int:
        """The clinician still holds the train: it goes on. How many pulses were delivered."""
        (pulses,) = self._fields(requests.TRAIN_ON)
        return int(pulses)

    def ledger(self) -> tuple[LedgerFigures, ...]:
        """What both leads have delivered in the present or last session."""
        leads = range(len(LEADS))
        return tuple(self._get(requests.LEDGER, partial(LedgerFigures.unpack, lead), lead) for lead in leads)

    def contractions(self) -> tuple[ContractionFigures, ...]:
        """What each contraction of the present or last session has delivered, by number, left before right.

        The board keeps the newest 64, until its next session or restart. One that ends while they are asked
        for may be there on one lead only.
        """
        found: list[ContractionFigures] = []
        for lead in range(len(LEADS)):
            first, ended = 0, 1
            while first < ended:
                page = self._get(requests.CONTRACTIONS, partial(ContractionPage.unpack, lead), lead, first)
                if not page.figures:
                    break
                found += page.figures
                first, ended = page.figures[-1].number + 1, page.ended
        return tuple(sorted(found, key=lambda one: (one.number, one.lead)))

    def watch_figures(self) -> tuple[WatchFigures, ...]:
        """What the watch last looked at on both leads."""
        leads = range(len(LEADS))
        return tuple(self._get(requests.WATCH, partial(WatchFigures.unpack, lead), lead) for lead in leads)

    def keep_time(self, time_s: int) -> None:
        """Tell the time that was kept, seconds since 1970, as a paired remote does.

        Raises:
            WrongStateError: the board knows the time already.
            OutOfRangeError: it cannot be true.
        """
        self._ask(requests.KEPT_TIME, time_s)

    def clear_fault(self) -> None:
        """A clinician has dealt with what the watch found, or with what was lost.

        Raises:
            WrongStateError: the output is on, or the flash did not take it.
        """
        self._ask(requests.CLEAR_FAULT)
