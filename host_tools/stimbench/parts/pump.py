"""The current pump of one lead: DAC volts in, lead current out (docs/circuit.md, decision 50).

Two stages, a sink and a mirror: 750 ohm / (3 kohm x 100 ohm) is 2.5 mA per volt, so 2.5 uA for each 1 mV step
of the DAC and 10.2375 mA at code 4095. It only sources, from +15 V: a code of 0 cannot push the wrong way.
Its output is a drain behind 100 ohm; with 50 ohm of bridge switches and the shunt of 15 ohm that is 170 ohm
(LIMIT_OHM) between +15 V and the lead. When electrodes, switches and blocking capacitor need more than that
leaves, the current is what 15 V drive through it: 13.3 V at 10 mA, less with parts at their worst.

Modelled: gain error (three resistors of 0.1 %: up to 0.3 %), the op-amps' offsets as a small current, the
limit, what an idle leg that stays open does to it (parts.idle_leg). Left out: the 0.25 us of gates and
switches and the 0.1 to 0.7 us in which the current rises into 196 pF of switches and wires, so the first
microsecond of a phase (what the pins show of it is in parts.sense); the drain's megohms.
tests/hardware/check_models.py holds the rest against ngspice.
"""

from __future__ import annotations

from .mcp4922 import Mcp4922
from .seeds import spread

__all__ = ("LIMIT_MOST_OHM", "LIMIT_OHM", "SUPPLY_V", "Pump")

SUPPLY_V = 15.0
LIMIT_OHM, LIMIT_MOST_OHM = 170.0, 198.0
"""100 ohm of the pump's, the transistor's 3 (8), two switches of 25 ohm (35; DG412), the shunt's 15."""
_AMPS_PER_VOLT = 2.5e-3
_OFFSET_A = 0.5e-6
"""Two op-amps of 0.1 mV (OPA2197, 6.6), one before a gain of 2.5 mA/V, one on 100 ohm: up to 1.25 uA; half of
it is usual."""
_SATURATED_A = 0.1
"""Of an op-amp whose output sits at its rail: more than any load takes, so the limit decides."""


class Pump:
    """The pump on one DAC output. The bridge sets the sign of its current."""

    def __init__(
        self, dac: Mcp4922, channel: int, *, seed: int = 0, name: str = "pump", ideal: bool = False
    ) -> None:
        rng = spread(seed, name)
        self._dac, self.channel = dac, channel
        self._gain = 1.0 if ideal else 1.0 + rng.uniform(-0.003, 0.003)
        self._offset_a = 0.0 if ideal else rng.uniform(-_OFFSET_A, _OFFSET_A)
        self.supply_v = SUPPLY_V
        """The positive supply, V."""
        self.limit_ohm = LIMIT_OHM
        """Between the supply and the lead while the pump is at its limit."""
        self.gain_fault = 1.0
        """What a broken resistor does: its current is this many times as high. 0: the pump is dead."""
        self.saturated = False
        """Its op-amp's output is at a rail (an open feedback)."""

    def amps(self, time_ns: int) -> float:
        """The current that it tries to deliver, in A; never negative."""
        if self.saturated:
            return _SATURATED_A
        own = self._dac.volts(self.channel, time_ns) * _AMPS_PER_VOLT * self._gain + self._offset_a
        return max(0.0, own * self.gain_fault)

    def tolerance(
        self,
        gain: float,
        *,
        supply_v: float = SUPPLY_V,
        limit_ohm: float = LIMIT_OHM,
        offset_a: float | None = None,
    ) -> None:
        """These values in place of the seed's; `offset_a` None: the seed's stays."""
        self._gain, self.supply_v, self.limit_ohm = gain, supply_v, limit_ohm
        if offset_a is not None:
            self._offset_a = offset_a

    def limit_v(self, amps: float) -> float:
        """The most that it can put on electrodes, switches and blocking capacitor at a current, V."""
        return max(0.0, self.supply_v - amps * self.limit_ohm)

    def step_ohm(self, volts: float, amps: float, time_ns: int) -> float:
        """What the current of a step of V and A sees. An open lead is full with 15 V in its wires."""
        if amps == 0.0:
            return 0.0
        ohm, pushed = abs(volts / amps), self.amps(time_ns)
        return min(ohm, self.supply_v / pushed) if pushed > 0.0 else ohm

    def settled_ns(self) -> int:
        """From when on the current is constant."""
        return self._dac.settled_ns(self.channel)
