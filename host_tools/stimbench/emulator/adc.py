"""The RP2040's analogue-to-digital converter, wired to the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rp2040py.peripherals.adc import RPADC

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

    from stimbench.parts.interfaces import AnalogSource

__all__ = ("AdcModel", "BoardAdc", "IdealAdc")

_CONVERSION_NS = 2000
"""96 clocks of 48 MHz (datasheet 4.9)."""
_RROBIN_SHIFT, _RROBIN_MASK = 16, 0x1F
_AINSEL_SHIFT, _AINSEL_MASK = 12, 0x7
_CHANNELS = 5


class AdcModel(Protocol):
    """The converter's errors."""

    def convert(self, volts: float, channel: int) -> int:
        """The 12-bit code for a voltage at the pin."""


class IdealAdc:
    """12 bits of 3.3 V without any error."""

    def convert(self, volts: float, channel: int) -> int:
        """The nearest code, 0-4095."""
        return max(0, min(4095, round(volts * 4096 / 3.3)))


class BoardAdc(RPADC):
    """Samples its source at the start of a conversion, and gives the code 2 us later."""

    def __init__(self, rp2040: RP2040) -> None:
        super().__init__(rp2040, "ADC")
        self.model: AdcModel = IdealAdc()
        self.sources: dict[int, AnalogSource] = {}
        self.conversions = 0
        self._code = 0
        self._finish = rp2040.clock.create_alarm(self._finished)
        self.on_adc_read = self._sample

    def _sample(self, channel: int) -> None:
        self.conversions += 1
        source = self.sources.get(channel)
        volts = source(round(self.rp2040.clock.nanos)) if source else 0.0
        self._code = self.model.convert(volts, channel)
        self._finish.schedule(_CONVERSION_NS)

    def _finished(self) -> None:
        # Rotate here: the emulator's own round robin skips channels.
        mask = self.cs >> _RROBIN_SHIFT & _RROBIN_MASK
        if mask:
            channel = self.cs >> _AINSEL_SHIFT & _AINSEL_MASK
            following = ((channel + step) % _CHANNELS for step in range(1, _CHANNELS + 1))
            channel = next(index for index in following if mask >> index & 1)
            self.cs &= ~(_AINSEL_MASK << _AINSEL_SHIFT | _RROBIN_MASK << _RROBIN_SHIFT)
            self.cs |= channel << _AINSEL_SHIFT
        self.complete_adc_read(self._code, False)
        self.cs |= mask << _RROBIN_SHIFT

    def reset(self) -> None:
        """Registers to their power-on values; a conversion in flight is lost."""
        super().reset()
        self._finish.cancel()
