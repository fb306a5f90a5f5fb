"""The Howland current pump of one lead: DAC volts in, lead current out.

2.5 mA per volt, so 2.5 uA for each 1 mV step of the DAC and 10.2375 mA at code 4095. It runs from +-15 V and
cannot push the voltage at its output (electrodes, switches and blocking capacitor together) beyond that.
Modelled: gain error (0.1 % resistors, matched: up to 0.3 %), the op-amp's offset as a small current.
Left out: finite output resistance and bandwidth (the current follows its input at once), headroom that
depends on load.
"""

from __future__ import annotations

from .mcp4922 import Mcp4922
from .seeds import spread

__all__ = ("COMPLIANCE_V", "Pump")

COMPLIANCE_V = 15.0
_AMPS_PER_VOLT = 2.5e-3
_SATURATED_A = 0.1
"""Of an op-amp whose output sits at its rail: more than any load takes, so the compliance limit decides."""


class Pump:
    """The pump on one DAC output. The bridge sets the sign of its current."""

    def __init__(
        self, dac: Mcp4922, channel: int, *, seed: int = 0, name: str = "pump", ideal: bool = False
    ) -> None:
        rng = spread(seed, name)
        self._dac, self.channel = dac, channel
        self._gain = 1.0 if ideal else 1.0 + rng.uniform(-0.003, 0.003)
        self._offset_a = 0.0 if ideal else rng.uniform(-0.5e-6, 0.5e-6)
        self.gain_fault = 1.0
        """What a broken resistor does: its current is this many times as high. 0: the pump is dead."""
        self.saturated = False
        """Its op-amp's output is at a rail (an open feedback)."""

    def amps(self, time_ns: int) -> float:
        """The current that it tries to deliver, in A."""
        if self.saturated:
            return _SATURATED_A
        own = self._dac.volts(self.channel, time_ns) * _AMPS_PER_VOLT * self._gain + self._offset_a
        return own * self.gain_fault

    def tolerance(self, gain: float) -> None:
        """This gain in place of the seed's."""
        self._gain = gain

    def settled_ns(self) -> int:
        """From when on the current is constant."""
        return self._dac.settled_ns(self.channel)
