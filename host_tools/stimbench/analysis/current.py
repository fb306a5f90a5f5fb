"""Current through a lead: amplitudes, charges and direct current, integrated exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimbench.analysis.pulses import Pulses
from stimbench.capture.channels import Segments

__all__ = ("Current",)

Floats = NDArray[np.float64]
_NC_PER_UA_NS = 1e-6
_NS_PER_S = 1e9


class Current:
    """The current of one lead over time; cathodic is negative."""

    def __init__(self, segments: Segments) -> None:
        """Take the pieces."""
        self._t0, self._t1 = segments.t0_ns.astype(np.float64), segments.t1_ns.astype(np.float64)
        self._i0, self._i1 = segments.i0_ua, segments.i1_ua
        pieces = (self._i0 + self._i1) / 2 * (self._t1 - self._t0) * _NC_PER_UA_NS
        self._before = np.concatenate(([0.0], np.cumsum(pieces)))

    def at(self, times_ns: ArrayLike) -> Floats:
        """The current at `times_ns` in uA, same shape; at a jump, the value after it."""
        times = np.asarray(times_ns, dtype=np.float64)
        if not len(self._t0):
            return np.zeros(times.shape)
        index, inside = self._locate(times)
        share = (times - self._t0[index]) / (self._t1[index] - self._t0[index])
        values = self._i0[index] + (self._i1[index] - self._i0[index]) * share
        return np.where(inside & (times < self._t1[index]), values, 0.0)

    def charge_nc(self, from_ns: ArrayLike, to_ns: ArrayLike) -> Floats:
        """The net charge between two times (arrays of the same shape) in nC, exact for straight pieces."""
        return self._charge_until(np.asarray(to_ns)) - self._charge_until(np.asarray(from_ns))

    def cathodic_ua(self, pulses: Pulses) -> Floats:
        """Mean magnitude in the cathodic phase of each pulse, uA, shape (n,)."""
        start = pulses["start_ns"]
        return -self._mean_ua(start, start + pulses["cathodic_ns"])

    def anodic_ua(self, pulses: Pulses) -> Floats:
        """Mean magnitude in the anodic phase of each pulse, uA, shape (n,); 0 where there was none."""
        start = pulses["start_ns"] + pulses["cathodic_ns"] + pulses["gap_ns"]
        return self._mean_ua(start, start + pulses["anodic_ns"])

    def imbalance_nc(self, pulses: Pulses) -> Floats:
        """Net charge of each pulse, nC, shape (n,): what passive recharge has to take back."""
        start = pulses["start_ns"]
        end = start + pulses["cathodic_ns"] + np.maximum(pulses["gap_ns"], 0) + pulses["anodic_ns"]
        return self.charge_nc(start, end)

    def net_dc_na(self, from_ns: int, to_ns: int) -> float:
        """Net charge of a window over its duration, in nA.

        Raises:
            ValueError: the window is empty.
        """
        if to_ns <= from_ns:
            raise ValueError("an empty window has no direct current")
        return float(self.charge_nc(from_ns, to_ns)) / ((to_ns - from_ns) / _NS_PER_S)

    def _mean_ua(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> Floats:
        duration = np.maximum(end - start, 1)  # a phase of no duration has no charge either
        mean: Floats = self.charge_nc(start, end) / (duration * _NC_PER_UA_NS)
        return mean

    def _locate(self, times: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Index of the last piece that begins at or before each time, and whether there is one."""
        index = np.searchsorted(self._t0, times, side="right") - 1
        return np.maximum(index, 0).astype(np.int64), index >= 0

    def _charge_until(self, times: NDArray[np.generic]) -> Floats:
        moments = np.asarray(times, dtype=np.float64)
        if not len(self._t0):
            return np.zeros(moments.shape)
        index, inside = self._locate(moments)
        duration = self._t1[index] - self._t0[index]
        elapsed = np.clip(moments - self._t0[index], 0.0, duration)
        slope = (self._i1[index] - self._i0[index]) / duration
        partial = (self._i0[index] + slope * elapsed / 2) * elapsed * _NC_PER_UA_NS
        return np.where(inside, self._before[index] + partial, 0.0)
