"""What the codes of one lead stand for: the reference bench's factors, or those of a calibrated board.

Every lead has its own. A calibration (stimfw.storage.calibration_record) replaces them at the start.
"""

from typing import TYPE_CHECKING

from stimfw.pulses.calibration import (
    MV_PER_1024_CODES,
    NA_PER_CODE,
    UA_PER_1024_CODES,
    UV_PER_CODE,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

try:
    import micropython  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython
    from types import SimpleNamespace

    micropython = SimpleNamespace(native=lambda function: function)  # type: ignore[assignment,unused-ignore]

SWITCHES_OHM = 19
"""Two closed switches in the path (ADG1414 datasheet, table 1: 9.5 ohm each), if nobody measured them."""

# DAC: 4.096 V over 4096 codes is 1 mV a code. The pump makes 2.5 mA of 1 V: 2.5 uA a code.
MOST_CODE = 4095
GRID_BITS = 9
"""A calibrated lead's codes are known at each multiple of 512 uA, and are straight lines in between."""
GRID_POINTS = 21
"""0 to 10240 uA: one step beyond therapy.ranges.AMPLITUDE_UA."""


@micropython.native  # type: ignore[untyped-decorator,unused-ignore]
def dac_code(codes16: "Sequence[int] | None", amplitude_ua: int) -> int:
    """The DAC code for an amplitude of 0-10000 uA, to the nearest; 0 is always 0. Allocates nothing.

    A ramp asks for two a period, in which a STOP may wait: so it is compiled to machine code.

    Args:
        codes16: LeadScales.codes16.
        amplitude_ua: 0-10000.
    """
    if codes16 is None or amplitude_ua <= 0:
        return (amplitude_ua * 2 + 2) // 5  # 2.5 uA a code; + 2: to the nearest
    at = amplitude_ua >> 9
    low = codes16[at]
    code = low + ((codes16[at + 1] - low) * (amplitude_ua & 511) >> 9) + 8 >> 4
    if code < 0:
        return 0
    return MOST_CODE if code > MOST_CODE else code


class LeadScales:
    """One lead's factors.

    Attributes:
        mv_per_1024, ua_per_1024: electrode voltage and delivered current of 1024 codes of the converter.
        uv_per_code, na_per_code: the same of one code.
        switches_ohm: the two closed switches in a pair's path.
        codes16: 16 times the DAC's code at multiples of 512 uA, GRID_POINTS of them; None: not calibrated.
    """

    def __init__(self) -> None:
        """The reference bench's."""
        self.mv_per_1024 = MV_PER_1024_CODES
        self.ua_per_1024 = UA_PER_1024_CODES
        self.uv_per_code = UV_PER_CODE
        self.na_per_code = NA_PER_CODE
        self.switches_ohm = SWITCHES_OHM
        self.codes16: "Sequence[int] | None" = None

    def dac_code(self, amplitude_ua: int) -> int:
        """The DAC code for an amplitude of 0-10000 uA, to the nearest."""
        code: int = dac_code(self.codes16, amplitude_ua)
        return code

    def millivolts(self, codes: int) -> int:
        """Electrode voltage in mV of a difference of converter codes, up to 16 times 4096 of them."""
        return codes * self.mv_per_1024 // 1024

    def microamps(self, codes: int) -> int:
        """Delivered current in uA of a difference of converter codes, up to 16 times 4096 of them."""
        return codes * self.ua_per_1024 // 1024
