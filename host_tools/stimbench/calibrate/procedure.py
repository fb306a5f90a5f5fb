"""The course of a calibration: which currents are held, what is read, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stimfw.drivers import adg1414
from stimfw.pulses.calibration_record import CODES, CalibrationError, LeadCalibration
from stimfw.pulses.impedance import KINDS
from stimfw.therapy.ranges import LEADS

from stimbench.calibrate.meters import BackError, Meter
from stimbench.calibrate.readings import (
    LSB_UA,
    Check,
    LeadReadings,
    Point,
    evaluated,
    interpolated_ua,
    misfit,
    scales_of,
)
from stimbench.errors import EXIT_CHECK_FAILED, StimbenchError
from stimbench.statics.output import StaticOutput

__all__ = ("CHECKED_UA", "CalibrationFailedError", "LeadResult", "calibrated")

CHECKED_UA = (500, 2000, 8000)
_SWITCHES_UA, _SWITCHES_PULSES = 5000, 100
_SWITCHES_CODE = 2000
_READS = 4
"""Each the mean of 256 conversions: noise of 1.4 steps becomes 0.05."""
_SETTLE_S = 0.01
"""Relays close within 3 ms of Q; the DAC takes 4.5 us."""
_GATE_S = 0.02
_OPEN_CODES = 1000
"""V moves by so much with no resistor: the pump is at its limit, beyond 8 V."""
_ONE_ELECTRODE = adg1414.select(0, 0)


class CalibrationFailedError(StimbenchError):
    """The readings do not fit together; nothing was stored."""

    exit_code = EXIT_CHECK_FAILED


@dataclass(frozen=True)
class LeadResult:
    """What came out for a lead."""

    lead: int
    readings: LeadReadings
    calibration: LeadCalibration
    checks: tuple[Check, ...] = field(default=())


def calibrated(
    statics: StaticOutput,
    meter: Meter,
    resistor_ohm: float,
    leads: Sequence[int] = (0, 1),
    step: Callable[[str], None] = lambda text: None,
) -> list[LeadResult]:
    """Measure these leads, and check the result with the same meter.

    Args:
        statics: open; everything off. Everything is off again at the end, and after an error.
        meter: reads across the resistor.
        resistor_ohm: what the resistor has.
        leads: 0 left, 1 right.
        step: told what is done now.

    Raises:
        CalibrationFailedError: a value that no such board has, or a check that is off.
        StimbenchError: the board or the meter does not answer.
    """
    points, checks, rest = {}, {}, {}
    try:
        statics.switches(adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        statics.keepalive(True)
        statics.hold(_GATE_S)
        for lead in leads:
            meter.join(lead)
            step(f"{LEADS[lead]} lead: {len(CODES)} currents")
            points[lead] = _points(statics, meter, resistor_ohm, lead)
            rest[lead] = _rest(statics, lead)
            step(f"{LEADS[lead]} lead: check")
            checks[lead] = _checked(statics, meter, resistor_ohm, lead, points[lead], rest[lead])
        meter.part()
        step("switches of both leads")
        _require_parted(statics)
        moved = _switches(statics)
    finally:
        _off(statics)
    found = []
    for lead in leads:
        readings = LeadReadings(points[lead], *rest[lead], _SWITCHES_CODE, moved[lead])
        found.append(LeadResult(lead, readings, _evaluated(lead, readings, resistor_ohm), checks[lead]))
    return found


def _off(statics: StaticOutput) -> None:
    """As far as the board still answers; else it has switched off by itself, or does within 0.5 s."""
    try:
        for lead in (0, 1):
            statics.bridge(lead, "off")
            statics.code(lead, 0)
        statics.keepalive(False)
    except StimbenchError:
        pass


def _points(statics: StaticOutput, meter: Meter, ohm: float, lead: int) -> tuple[Point, ...]:
    found: list[Point] = []
    while len(found) < len(CODES):
        code = CODES[len(found)]
        try:
            found.append(_point(statics, meter, ohm, lead, code))
        except BackError:
            found = found[:-1]
            continue
        wrong = misfit(found, ohm)
        if wrong is not None:
            meter.doubt(lead, wrong.code, wrong.meter_v)
            found = found[:-2]
    return tuple(found)


def _point(statics: StaticOutput, meter: Meter, ohm: float, lead: int, code: int) -> Point:
    """The converter is read right behind the edge: what the capacitor takes up later is not in it."""
    channel = LEADS[lead]
    statics.bridge(lead, "off")
    statics.code(lead, code)
    statics.hold(_SETTLE_S)
    rest_v, rest_i = _mean(statics, channel), _mean(statics, "current")
    statics.bridge(lead, "cathodic")
    statics.hold(_SETTLE_S)
    v_codes, i_codes = rest_v - _mean(statics, channel), rest_i - _mean(statics, "current")
    with statics.held():
        volts = meter.read_v(lead, code, code * LSB_UA * 1e-6 * ohm)
    statics.bridge(lead, "off")
    return Point(code, volts, v_codes, i_codes)


def _mean(statics: StaticOutput, channel: str) -> float:
    return sum(statics.read(channel) for _ in range(_READS)) / _READS


def _rest(statics: StaticOutput, lead: int) -> tuple[float, float]:
    statics.code(lead, 0)
    statics.hold(_SETTLE_S)
    return _mean(statics, LEADS[lead]), _mean(statics, "current")


def _checked(
    statics: StaticOutput,
    meter: Meter,
    ohm: float,
    lead: int,
    points: tuple[Point, ...],
    rest: tuple[float, float],
) -> tuple[Check, ...]:
    """Amplitudes through the new table, read with the same meter."""
    # The switches are not known yet, and no current depends on them.
    calibration = _evaluated(lead, LeadReadings(points, *rest, _SWITCHES_CODE, 1.0), ohm)
    scales = scales_of(calibration)
    found: list[Check] = []
    while len(found) < len(CHECKED_UA):
        wanted = CHECKED_UA[len(found)]
        try:
            point = _point(statics, meter, ohm, lead, scales.dac_code(wanted))
        except BackError:
            found = found[:-1]
            continue
        before = interpolated_ua(points, ohm, round(wanted / LSB_UA))
        found.append(Check(wanted, before, point.current_ua(ohm)))
    wrong = [check for check in found if not check.good]
    if wrong:
        raise CalibrationFailedError(
            f"{LEADS[lead]} lead: {wrong[0].amplitude_ua} uA by the new calibration are "
            f"{wrong[0].after_ua:.1f} uA by the meter: a reading was wrong, or the resistor moved. "
            "Nothing was stored."
        )
    return tuple(found)


def _require_parted(statics: StaticOutput) -> None:
    """With the resistor still there V stays low, and the switches' resistance would come out wrong."""
    for lead in (0, 1):
        statics.code(lead, 400)
        before = statics.read(LEADS[lead])
        statics.bridge(lead, "cathodic")
        statics.hold(_SETTLE_S)
        moved = before - statics.read(LEADS[lead])
        statics.bridge(lead, "off")
        statics.code(lead, 0)
        if moved < _OPEN_CODES:
            s = LEADS[lead][0].upper()
            raise CalibrationFailedError(
                f"Something is still joined between {s}_X and {s}_B. Nothing was stored."
            )


def _switches(statics: StaticOutput) -> list[float]:
    """How far V moves with both rails on electrode 0, by lead."""
    found = []
    for codes in statics.train((_ONE_ELECTRODE, _ONE_ELECTRODE), _SWITCHES_UA, _SWITCHES_PULSES):
        means = {
            kind: sum(code for code, of in zip(codes, KINDS, strict=True) if of == kind) / KINDS.count(kind)
            for kind in "BV"
        }
        found.append(means["B"] - means["V"])
    return found


def _evaluated(lead: int, readings: LeadReadings, ohm: float) -> LeadCalibration:
    try:
        return evaluated(readings, ohm)
    except CalibrationError as error:
        raise CalibrationFailedError(
            f"{LEADS[lead]} lead: no working board has a {error}. Nothing was stored."
        ) from error
