"""A board's calibration as the host asks for it, and how reports name it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from stimfw.protocol import requests
from stimfw.pulses import calibration_record
from stimfw.pulses.calibration_record import CalibrationError, CalibrationRecord

from stimbench.client.board import Board
from stimbench.client.console import Console
from stimbench.client.records import Status
from stimbench.errors import RefusedError

__all__ = ("NOT_CALIBRATED", "Calibration", "CalibrationRequests")

NOT_CALIBRATED = "not calibrated"


@dataclass(frozen=True)
class Calibration:
    """What a board goes by.

    Attributes:
        state: of Status.calibration: `calibrated`, `none` or `damaged`.
        record: None if there is none that can be read, or if it may not be asked for (by radio).
    """

    state: str
    record: CalibrationRecord | None = None

    @property
    def date(self) -> str:
        """The day (UTC) of the calibration, 2026-11-30; empty if it is not known."""
        if self.record is None:
            return ""
        return datetime.datetime.fromtimestamp(self.record.calibrated_s, datetime.UTC).date().isoformat()

    def __str__(self) -> str:
        """`no 7, 2026-11-30`, `not calibrated`, or why it is not: as it stands in every report."""
        if self.state == "damaged":
            return f"{NOT_CALIBRATED}: the record on its flash is damaged"
        if self.state != "calibrated":
            return NOT_CALIBRATED
        return f"{self.record.serial}, {self.date}" if self.record else "calibrated"

    def as_data(self) -> dict[str, str | None]:
        """For JSON: state, serial, date."""
        serial = self.record.serial if self.record else None
        return {"state": self.state, "serial": serial, "date": self.date or None}


class CalibrationRequests(Board):
    """The requests about a stimulator's calibration; errors as of Board."""

    def status(self) -> Status:
        """The present state."""
        raise NotImplementedError

    def calibration(self) -> Calibration:
        """What the board goes by; by radio without its record. A firmware without calibrations has none."""
        state = self.status().calibration
        if state != "calibrated" or not isinstance(self._console, Console):
            return Calibration(state)  # by radio nobody may ask: the board would log it as forbidden
        try:
            (payload,) = self._fields(requests.GET_CALIBRATION)
            return Calibration(state, calibration_record.unpack(payload))
        except (RefusedError, CalibrationError):
            return Calibration(state)

    def set_calibration(self, record: CalibrationRecord) -> None:
        """Keep a calibration on the board's flash; over USB only. The board restarts a moment later.

        Raises:
            OutOfRangeError: the board takes a value for a mistake.
            WrongStateError: the output is on, or the flash did not take it: the former one holds.
        """
        self._ask(requests.SET_CALIBRATION, record.pack())

    def forget_calibration(self) -> None:
        """Erase it; over USB only. The board restarts a moment later, with nominal factors."""
        self._ask(requests.FORGET_CALIBRATION)
