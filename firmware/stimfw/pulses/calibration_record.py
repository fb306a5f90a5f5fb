"""What a board was calibrated with, as it lies on its flash and as it travels: see docs/calibration.md.

    0        1..16                   17..20                   21..24
    version  serial number, ASCII,   seconds since 1970       the resistor, mohm
             zeros behind it         (u32)                    (u32)

Then of the left lead, and of the right one (LEAD):

    0..3           4..7           8..11          12..15         16..19              20..53
    gain of V,     offset of V,   gain of I,     offset of I,   both switches of    currents at CODES,
    ppm (u32)      uV (i32)       ppm (u32)      nA (i32)       a pair, mohm (u32)  in 200 nA (17 x u16)

A gain of 1 003 000 ppm: the converter shows 0.3 % more codes than its nominal factor says. The offsets are
told, and not used: each start measures them again (Measurements.take_baseline). Loaded by a board that has a
record, and by no other: it costs heap.
"""

import array
import struct
from typing import TYPE_CHECKING

from stimfw.pulses.calibration import MV_PER_1024_CODES, UA_PER_1024_CODES
from stimfw.pulses.lead_scales import GRID_BITS, GRID_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stimfw.pulses.lead_scales import LeadScales

VERSION = 1
CODES = (64, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304, 2560, 2816, 3072, 3328, 3584, 3840, 4095)
"""DAC codes whose currents are measured; at 64 the output is off its floor (MCP4922: 10 mV, offset 1 %)."""
CURRENT_NA = 200
HEAD = "<B16sII"
LEAD = "<IiIiI17H"
SERIAL_BYTES = 16
HEAD_BYTES, LEAD_BYTES = 25, 54
RECORD_BYTES = 133
_NOMINAL_PPM = 1_000_000
# Beyond these a value is a mistake, no tolerance.
_MOST_OFF_PPM = 100_000
_MOST_SWITCHES_MOHM = 200_000
_NOMINAL_NA_PER_CODE = 2500
_MOST_OFF_PERCENT = 15
_MOST_OFF_NA = 250_000


class CalibrationError(ValueError):
    """A record that no board can have."""


class LeadCalibration:
    """One lead's part of a record; attributes as in LEAD, `currents` in units of CURRENT_NA."""

    def __init__(
        self,
        v_gain_ppm: int,
        v_offset_uv: int,
        i_gain_ppm: int,
        i_offset_na: int,
        switches_mohm: int,
        currents: "Sequence[int]",
    ) -> None:
        """Check the values.

        Raises:
            CalibrationError: the first one that no bench of these parts can have.
        """
        _require(abs(v_gain_ppm - _NOMINAL_PPM) <= _MOST_OFF_PPM, "gain of V", v_gain_ppm)
        _require(abs(i_gain_ppm - _NOMINAL_PPM) <= _MOST_OFF_PPM, "gain of I", i_gain_ppm)
        _require(0 <= switches_mohm <= _MOST_SWITCHES_MOHM, "resistance of switches", switches_mohm)
        _require(len(currents) == len(CODES), "number of currents", len(currents))
        for k, current in enumerate(currents):
            self._check_current(k, current * CURRENT_NA, currents[k - 1] * CURRENT_NA if k else -1)
        self.v_gain_ppm = v_gain_ppm
        self.v_offset_uv = v_offset_uv
        self.i_gain_ppm = i_gain_ppm
        self.i_offset_na = i_offset_na
        self.switches_mohm = switches_mohm
        self.currents = tuple(currents)

    def _check_current(self, k: int, now_na: int, before_na: int) -> None:
        """Near what the code should give, and above the one before by about as much as the codes say."""
        nominal_na = CODES[k] * _NOMINAL_NA_PER_CODE
        _require(
            abs(now_na - nominal_na) <= _MOST_OFF_NA + nominal_na * _MOST_OFF_PERCENT // 100,
            "current at code %d" % CODES[k], now_na,
        )  # fmt: skip
        if k:
            step_na = (CODES[k] - CODES[k - 1]) * _NOMINAL_NA_PER_CODE
            off_na = abs(now_na - before_na - step_na)
            _require(off_na * 100 <= step_na * _MOST_OFF_PERCENT, "step to code %d" % CODES[k], now_na)

    def codes16(self) -> "array.array[int]":
        """16 times the code at each multiple of 512 uA (LeadScales.codes16): straight lines between CODES.

        Below the first current and above the last one the line goes on.
        """
        found = array.array("i", [0] * GRID_POINTS)
        k = 1
        for point in range(GRID_POINTS):
            wanted = (point << GRID_BITS) * 1000 // CURRENT_NA
            while k < len(CODES) - 1 and self.currents[k] < wanted:
                k += 1
            low, high = self.currents[k - 1], self.currents[k]
            step16 = 16 * (CODES[k] - CODES[k - 1])
            above = 2 * (wanted - low) * step16 + high - low  # + half a unit: to the nearest
            found[point] = 16 * CODES[k - 1] + above // (2 * (high - low))
        return found

    def apply(self, scales: "LeadScales") -> None:
        """Let `scales` be this lead's."""
        scales.mv_per_1024 = _divided(MV_PER_1024_CODES, self.v_gain_ppm)
        scales.ua_per_1024 = _divided(UA_PER_1024_CODES, self.i_gain_ppm)
        scales.uv_per_code = _divided(MV_PER_1024_CODES * 1000, self.v_gain_ppm, 1024)
        scales.na_per_code = _divided(UA_PER_1024_CODES * 1000, self.i_gain_ppm, 1024)
        scales.switches_ohm = (self.switches_mohm + 500) // 1000
        scales.codes16 = self.codes16()


def _divided(nominal: int, gain_ppm: int, by: int = 1) -> int:
    """A factor behind an amplifier of this gain, to the nearest."""
    return (2 * nominal * _NOMINAL_PPM + gain_ppm * by) // (2 * gain_ppm * by)


def _require(holds: bool, what: str, value: int) -> None:
    if not holds:
        raise CalibrationError("%s of %d" % (what, value))


class CalibrationRecord:
    """A whole record: serial (1-16 characters), calibrated_s, resistor_mohm, leads (left, right)."""

    def __init__(
        self,
        serial: str,
        calibrated_s: int,
        resistor_mohm: int,
        leads: "tuple[LeadCalibration, LeadCalibration]",
    ) -> None:
        """Check what is not checked yet.

        Raises:
            CalibrationError: the serial number is none.
        """
        is_plain = all([" " <= character <= "~" for character in serial])
        _require(is_plain and 0 < len(serial) <= SERIAL_BYTES, "serial number", len(serial))
        self.serial = serial
        self.calibrated_s = calibrated_s
        self.resistor_mohm = resistor_mohm
        self.leads = leads

    def pack(self) -> bytes:
        """RECORD_BYTES bytes."""
        head = struct.pack(HEAD, VERSION, self.serial.encode(), self.calibrated_s, self.resistor_mohm)
        return head + b"".join(
            [
                struct.pack(
                    LEAD, one.v_gain_ppm, one.v_offset_uv, one.i_gain_ppm, one.i_offset_na, one.switches_mohm,
                    *one.currents,
                )
                for one in self.leads
            ]
        )  # fmt: skip


def unpack(payload: bytes) -> CalibrationRecord:
    """The record of `payload`.

    Raises:
        CalibrationError: it is of another length or version, or has a value that no board can have.
    """
    _require(len(payload) == RECORD_BYTES, "length", len(payload))
    _require(payload[0] == VERSION, "version", payload[0])
    _, serial, calibrated_s, resistor_mohm = struct.unpack_from(HEAD, payload, 0)
    leads = []
    for lead in range(2):
        values = struct.unpack_from(LEAD, payload, HEAD_BYTES + lead * LEAD_BYTES)
        leads.append(
            LeadCalibration(values[0], values[1], values[2], values[3], values[4], values[5:])
        )
    try:
        text = str(serial.rstrip(b"\0"), "utf-8")
    except (UnicodeError, ValueError):
        text = ""
    return CalibrationRecord(text, calibrated_s, resistor_mohm, (leads[0], leads[1]))
