"""The RP2040's converter: 12 bits wide, about 8.7 of them good (RP2040 datasheet 4.9.2-4.9.3).

Modelled: the four over-wide codes 512, 1536, 2560 and 3584 (erratum RP2040-E11: about 10 steps wide, from
mismatched capacitors), the sawtooth of integral error that they make, noise of 1.4 steps (what a Pico with
its switching regulator shows), a small offset and gain error, and the temperature sensor (4.9.5).
Left out: the Pico's 200 ohm in its reference (a bench is wired with a 3.3 V reference at ADC_VREF),
source impedance and sample time, the distortion that grows with frequency.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from .seeds import spread

__all__ = ("VREF_V", "WIDE_CODES", "Rp2040Adc", "temperature_volts")

VREF_V = 3.3
WIDE_CODES = (512, 1536, 2560, 3584)
_CODES = 4096
_WIDE_EXTRA = 8.9
_NOISE_STEPS = 1.4


def temperature_volts(celsius: float) -> float:
    """The sensor on channel 4: 0.706 V at 27 C, -1.721 mV per degree (4.9.5)."""
    return 0.706 - 0.001721 * (celsius - 27.0)


class Rp2040Adc:
    """One chip's converter. The same seed and the same order of conversions give the same codes.

    Args:
        seed: of the bench.
        name: tells two boards of one bench apart.
    """

    def __init__(self, seed: int, name: str = "adc") -> None:
        rng = spread(seed, name)
        self._rng = rng
        extra = [_WIDE_EXTRA * rng.uniform(0.9, 1.1) for _ in WIDE_CODES]
        ordinary = (_CODES - sum(extra) - len(extra)) / (_CODES - len(extra))
        widths = [ordinary] * _CODES
        for code, wide in zip(WIDE_CODES, extra, strict=True):
            widths[code] = 1.0 + wide
        # thresholds[k] is where code k ends and k + 1 begins, in ideal steps.
        self._thresholds = list(accumulate(widths[:-1]))
        self._offset = rng.uniform(-4.0, 4.0)
        self._gain = 1.0 + rng.uniform(-0.001, 0.001)
        self.vref_v = VREF_V
        """The reference at ADC_VREF, V: another one makes every code wrong by the same share."""
        self.stuck_code: int | None = None
        """What every conversion gives, if the converter is stuck."""

    def tolerance(self, gain: float, offset: float) -> None:
        """These errors in place of the seed's; offset in steps."""
        self._gain, self._offset = gain, offset

    def clean(self, volts: float) -> float:
        """The mean code of many conversions of a voltage, to half a step."""
        steps = volts * (_CODES / self.vref_v) * self._gain + self._offset
        return bisect_right(self._thresholds, steps) + 0.0

    def codes(self, volts: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Many conversions at once, with the noise of `rng`; the same shape."""
        steps = volts * (_CODES / self.vref_v) * self._gain + self._offset
        steps += rng.normal(0.0, _NOISE_STEPS, volts.shape)
        found: NDArray[np.int64] = np.searchsorted(self._thresholds, steps, side="right")
        return found

    def convert(self, volts: float, channel: int) -> int:
        """One conversion.

        Args:
            volts: at the input when it is sampled.
            channel: 0-4; all share one converter, so it makes no difference to the errors.

        Returns:
            The code, 0-4095.

        Raises:
            ValueError: there is no such channel.
        """
        if not 0 <= channel <= 4:
            raise ValueError(f"the RP2040 has ADC channels 0-4, not {channel}")
        if self.stuck_code is not None:
            return self.stuck_code
        steps = volts * (_CODES / self.vref_v) * self._gain + self._offset
        steps += self._rng.gauss(0.0, _NOISE_STEPS)
        return bisect_right(self._thresholds, steps)
