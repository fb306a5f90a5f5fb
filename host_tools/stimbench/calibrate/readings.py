"""From readings to a lead's calibration. Pure: numbers in, numbers out.

The meter says what flows (Ohm's law across the resistor); the board's converter says what it made of that.
Gains are fitted where the converter is straight: between its wide codes 1536 and 2560 (RP2040-E11), as all
that is measured for an impedance lies there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from stimfw.pulses.calibration import MV_PER_1024_CODES, UA_PER_1024_CODES
from stimfw.pulses.calibration_record import CODES, CURRENT_NA, LeadCalibration
from stimfw.pulses.lead_scales import LeadScales

__all__ = ("LSB_UA", "Check", "LeadReadings", "Point", "evaluated", "interpolated_ua", "misfit", "scales_of")

LSB_UA = 2.5
"""One step of the DAC, nominal."""
MV_PER_CODE = MV_PER_1024_CODES / 1024
UA_PER_CODE = UA_PER_1024_CODES / 1024
_MIDDLE = 2048
_STRAIGHT_CODES = 470
"""From the converter's middle: the wide code lies 512 away, offsets and noise in between."""
_LEAST_CODES = 60
_PPM = 1e6
MISFIT_UA = 20.0


@dataclass(frozen=True)
class Point:
    """One steady current.

    Attributes:
        code: of the DAC.
        meter_v: across the resistor, V, positive.
        v_codes, i_codes: how far the converter's inputs moved from their rest, positive.
    """

    code: int
    meter_v: float
    v_codes: float
    i_codes: float

    def current_ua(self, resistor_ohm: float) -> float:
        """What flowed, uA."""
        return self.meter_v / resistor_ohm * 1e6


@dataclass(frozen=True)
class LeadReadings:
    """All of one lead.

    Attributes:
        points: one for each of calibration_record.CODES.
        rest_v_codes, rest_i_codes: the converter's inputs with no current.
        switches_code: the DAC's code while both rails were on one electrode.
        switches_v_codes: how far V moved then.
    """

    points: tuple[Point, ...]
    rest_v_codes: float
    rest_i_codes: float
    switches_code: int
    switches_v_codes: float


@dataclass(frozen=True)
class Check:
    """An amplitude set by the new calibration, and what the meter says of it.

    Attributes: amplitude_ua: wanted; before_ua: what the nominal code gives; after_ua: what flowed.
    """

    amplitude_ua: int
    before_ua: float
    after_ua: float

    @property
    def allowed_ua(self) -> float:
        """How far it may be off: 0.5 % from 2 mA on, 10 uA below (docs/calibration.md)."""
        return max(10.0, self.amplitude_ua * 0.005)

    @property
    def good(self) -> bool:
        """Whether it is not off by more."""
        return abs(self.after_ua - self.amplitude_ua) <= self.allowed_ua


def evaluated(readings: LeadReadings, resistor_ohm: float) -> LeadCalibration:
    """A lead's calibration.

    Raises:
        CalibrationError: a value that no bench of these parts has; the text names it.
        ValueError: the points are not those of CODES.
    """
    if tuple(point.code for point in readings.points) != CODES:
        raise ValueError("one point for each of CODES")
    v_gain = _gain([(p.v_codes, p.meter_v * 1000 / MV_PER_CODE) for p in readings.points])
    i_gain = _gain([(p.i_codes, p.current_ua(resistor_ohm) / UA_PER_CODE) for p in readings.points])
    switches_ua = interpolated_ua(readings.points, resistor_ohm, readings.switches_code)
    switches_mv = readings.switches_v_codes * MV_PER_CODE / v_gain if v_gain else 0.0  # told as a gain of 0
    return LeadCalibration(
        v_gain_ppm=round(v_gain * _PPM),
        v_offset_uv=round((readings.rest_v_codes - _MIDDLE) * MV_PER_CODE * 1000),
        i_gain_ppm=round(i_gain * _PPM),
        i_offset_na=round((readings.rest_i_codes - _MIDDLE) * UA_PER_CODE * 1000),
        switches_mohm=max(0, round(switches_mv / switches_ua * 1e6)),
        currents=[round(p.current_ua(resistor_ohm) * 1000 / CURRENT_NA) for p in readings.points],
    )


def _gain(pairs: Sequence[tuple[float, float]]) -> float:
    """Least squares through the rest: codes that were read over codes that the nominal factor expects."""
    used = [(read, nominal) for read, nominal in pairs if _LEAST_CODES <= read <= _STRAIGHT_CODES]
    total = sum(nominal * nominal for _, nominal in used)
    return sum(read * nominal for read, nominal in used) / total if total else 0.0


def interpolated_ua(points: Sequence[Point], resistor_ohm: float, code: int) -> float:
    """The current of a code between two points, on the straight line."""
    codes = [point.code for point in points]
    return float(np.interp(code, codes, [point.current_ua(resistor_ohm) for point in points]))


def misfit(points: Sequence[Point], resistor_ohm: float) -> Point | None:
    """The last point but one, if it is farther from the line between its neighbours than a DAC bends.

    Integral errors of 12 steps, smooth over the range, are 3 steps (8 uA) off such a line; a slip in a
    reading is more than MISFIT_UA. None: it fits, or there are fewer than three points.
    """
    if len(points) < 3:
        return None
    ua = [point.current_ua(resistor_ohm) for point in points[-3:]]
    codes = [point.code for point in points[-3:]]
    line = ua[0] + (ua[2] - ua[0]) * (codes[1] - codes[0]) / (codes[2] - codes[0])
    if abs(ua[1] - line) <= MISFIT_UA:
        return None
    return points[-2]


def scales_of(lead: LeadCalibration) -> LeadScales:
    """The factors that a board with this calibration goes by."""
    scales = LeadScales()
    lead.apply(scales)
    return scales
