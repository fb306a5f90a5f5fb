"""An interval in which a lead's circuit does not change."""

from __future__ import annotations

from collections.abc import Sequence
from math import expm1

import numpy as np
from numpy.typing import NDArray

from .network import Modes

__all__ = ("CircuitInterval", "values_at")

Vector = NDArray[np.float64]


def values_at(
    rates: Vector, start: float, weights: Sequence[float], t0_ns: int, times_ns: Sequence[int]
) -> list[float]:
    """An output at several times, none before `t0_ns`: start + the sum of weight * (exp(rate * t) - 1)."""
    seconds = (np.array(times_ns, dtype=np.float64) - t0_ns) * 1e-9
    found: list[float] = (start + np.expm1(np.outer(seconds, rates)) @ np.array(weights)).tolist()
    return found


class CircuitInterval:
    """The circuit from `t0_ns` on, driven by a constant; each output costs five exponentials.

    Args:
        modes: the solution of the circuit.
        state: the voltages on the five capacitors at the start, V.
        drive: what drives it: A or V, as `modes` was solved for.
        t0_ns: its start, ns of bench time.
        limited: true while the pump sits at its compliance limit.
    """

    __slots__ = ("_modes", "_now", "_rates", "_state", "_w", "_weights", "_z", "drive", "limited", "t0_ns")

    def __init__(self, modes: Modes, state: Vector, drive: float, t0_ns: int, limited: bool = False) -> None:
        self._modes, self._state = modes, state
        self.drive, self.t0_ns, self.limited = drive, t0_ns, limited
        z = modes.to_modes @ state
        w = z + modes.drive * drive
        self._z, self._w = z, w
        self._rates: list[float] = modes.rates.tolist()
        self._now: list[float] = (modes.rows @ z + modes.direct * drive).tolist()
        self._weights: list[list[float]] = (modes.rows * w).tolist()

    def volts(self, time_ns: int) -> float:
        """Source rail to sink rail, V."""
        return self._output(0, time_ns)

    def block_volts(self, time_ns: int) -> float:
        """On the blocking capacitor, V."""
        return self._output(1, time_ns)

    def amps(self, time_ns: int) -> float:
        """Through the blocking capacitor, A; positive into the source rail."""
        return self._output(2, time_ns)

    def flow_at(self, times_ns: Sequence[int]) -> tuple[list[float], list[float]]:
        """`amps` and `block_volts` at several times, none before the start, from one set of exponentials."""
        seconds = (np.array(times_ns, dtype=np.float64) - self.t0_ns) * 1e-9
        grown = np.expm1(np.outer(seconds, self._modes.rates))
        volts, amps = np.array(self._weights[1:3]) @ grown.T
        return (self._now[2] + amps).tolist(), (self._now[1] + volts).tolist()

    def volts_terms(self) -> tuple[Vector, float, list[float]]:
        """What makes `volts`: rates in 1/s, shape (5,), the value at the start, and a weight a rate."""
        return self._modes.rates, self._now[0], self._weights[0]

    def state(self, time_ns: int) -> Vector:
        """The voltages on the five capacitors, V."""
        if time_ns <= self.t0_ns:
            return self._state
        grown = np.expm1(self._modes.rates * ((time_ns - self.t0_ns) * 1e-9))
        end: Vector = self._modes.from_modes @ (self._z + grown * self._w)
        return end

    def _output(self, row: int, time_ns: int) -> float:
        value = self._now[row]
        if time_ns > self.t0_ns:
            seconds = (time_ns - self.t0_ns) * 1e-9
            for rate, weight in zip(self._rates, self._weights[row], strict=True):
                value += expm1(rate * seconds) * weight
        return value
