"""Records of calibrations to try things with."""

from stimfw.pulses.calibration_record import CODES, CalibrationRecord, LeadCalibration

CALIBRATED_S = 1_796_000_000
DAY = "2026-11-30"


def lead(permil: int = 1000, v_gain_ppm: int = 1_000_000, i_gain_ppm: int = 1_000_000) -> LeadCalibration:
    """A lead whose pump gives so much of what it should."""
    currents = [code * 2500 * permil // 1000 // 200 for code in CODES]
    return LeadCalibration(v_gain_ppm, 0, i_gain_ppm, 0, 5000, currents)


def record(left: LeadCalibration | None = None, right: LeadCalibration | None = None) -> CalibrationRecord:
    """A board's, ideal but for the leads that are given."""
    return CalibrationRecord("desk 7", CALIBRATED_S, 500_000, (left or lead(), right or lead()))
