"""A calibration from beginning to end on one board: asked whether it may, measured, stored, read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimfw.protocol import messages
from stimfw.pulses.calibration_record import CODES, CURRENT_NA, CalibrationRecord, LeadCalibration
from stimfw.pulses.lead_scales import SWITCHES_OHM

from stimbench.calibrate.meters import Meter
from stimbench.calibrate.procedure import LeadResult, calibrated
from stimbench.client.ready import connect_when_ready
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.device import Device
from stimbench.errors import ProtocolError, WrongStateError
from stimbench.statics.output import StaticOutput

__all__ = ("Calibrated", "calibrate")

_BOOT_S = 15.0
_RESTARTS_S = 0.4
"""The board restarts 0.2 s after it has answered."""


@dataclass(frozen=True)
class Calibrated:
    """What came out.

    Attributes: record: as it is kept; leads: of each one that was measured; stored: whether the board has it.
    """

    record: CalibrationRecord
    leads: tuple[LeadResult, ...]
    stored: bool


def calibrate(
    device: Device,
    meter: Meter,
    resistor_ohm: float,
    *,
    serial: str,
    calibrated_s: int,
    leads: Sequence[int] = (0, 1),
    store: bool = True,
    step: Callable[[str], None] = lambda text: None,
) -> Calibrated:
    """Calibrate the stimulator of an open device; its application runs again afterwards.

    Args:
        device: open.
        meter: across the resistor.
        resistor_ohm: what the resistor has.
        serial: of the board, 1-16 plain characters.
        calibrated_s: now, seconds since 1970.
        leads: which ones are measured; the other one keeps what it has, or is nominal.
        store: False: measure only.
        step: told what is done now.

    Raises:
        WrongStateError: the board is not at rest, or is implanted.
        CalibrationError: the serial number is none.
        CalibrationFailedError: the readings do not fit together; nothing was stored.
        StimbenchError: board or meter do not answer; nothing was stored.
    """
    stimulator = connect(device.console)
    _require_at_rest(stimulator)
    before = stimulator.calibration().record
    CalibrationRecord(serial, calibrated_s, 0, (_nominal(), _nominal()))  # the serial number is told at once
    with StaticOutput(device) as statics:
        found = calibrated(statics, meter, resistor_ohm, leads, step)
    parts = list(before.leads if before else (_nominal(), _nominal()))
    for result in found:
        parts[result.lead] = result.calibration
    record = CalibrationRecord(serial, calibrated_s, round(resistor_ohm * 1000), (parts[0], parts[1]))
    stimulator = connect_when_ready(device, connect, _BOOT_S)
    if store:
        step("the board's flash")
        _store(device, stimulator, record)
    return Calibrated(record, tuple(found), store)


def _require_at_rest(stimulator: Stimulator) -> None:
    status = stimulator.status()
    if status.implanted:
        raise WrongStateError(
            "The stimulator is implanted: only a board on the bench is calibrated (`stimbench explant`).",
            messages.WRONG_STATE, status.state, messages.REASON_NONE,
        )  # fmt: skip
    if status.state != messages.READY:
        raise WrongStateError(
            f"The stimulator is in the state '{status.state_name}': only one that is ready is calibrated. "
            "`stimbench stop` turns its output off; `stimbench status --self-test` says what failed.",
            messages.WRONG_STATE, status.state, messages.REASON_NONE,
        )  # fmt: skip


def _nominal() -> LeadCalibration:
    """A lead's factors without a calibration."""
    currents = [code * 2500 // CURRENT_NA for code in CODES]
    return LeadCalibration(1_000_000, 0, 1_000_000, 0, SWITCHES_OHM * 1000, currents)


def _store(device: Device, stimulator: Stimulator, record: CalibrationRecord) -> None:
    stimulator.set_calibration(record)
    device.console.wait(_RESTARTS_S)
    device.reconnect()
    kept = connect_when_ready(device, connect, _BOOT_S).calibration()
    if kept.record is None or kept.record.pack() != record.pack():
        raise ProtocolError(f"The board keeps another calibration than it was given: it is {kept}.")
