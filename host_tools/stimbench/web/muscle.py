"""A muscle that contracts with the delivered pulses: a model for teaching, no measurement of any muscle.

The force is given as a share of the greatest tetanic force of the rested muscle, 0 to 1. Four steps:

1. *Recruitment*: a motor unit answers a pulse whose cathodic charge reaches its threshold. Thresholds are
   spread normally over charge, so that the share of units that answer is a sigmoid (the steep, saturating
   recruitment of P. E. Crago et al., IEEE Trans. Biomed. Eng. 27 (1980) 679; W. K. Durfee and K. I. Palmer,
   IEEE Trans. Biomed. Eng. 41 (1994) 205). The unit with the lowest threshold answers first, also here.
2. *Twitch*: a unit's answer to one pulse is that of a critically damped system of second order,
   t / T * exp(1 - t / T) (H. S. Milner-Brown, R. B. Stein, R. Yemm, J. Physiol. 228 (1973) 285).
3. *Fusion*: answers add up to an activation u. The force of a unit saturates with it, u**2 / (1 + u**2):
   as a Hill function, in the place of the Michaelis-Menten function of J. Ding et al. below.
4. *Fatigue*: what a unit can give, A, falls with its force and comes back to 1 with a time constant:
   dA/dt = (1 - A) / tau - k * force (J. Ding, A. S. Wexler, S. A. Binder-Macleod, J. Appl. Physiol. 88 (2000)
   1322 and Muscle Nerve 27 (2003): their first equation, with their tau of 127 s).

Assumed, not measured: a median threshold of 400 nC with a standard deviation of 150 nC; a contraction time T
of 90 ms, slow, at the upper end of the 30 to 100 ms of Milner-Brown et al., who measured a hand muscle; a
single twitch of a fifth of the tetanic force; k, such that 10 s of every 30 s at 20 Hz cost about a fifth of
the force. Left out: length and speed, electrode position, the delay of the nerve, potentiation, and that
recruitment by stimulation differs from voluntary recruitment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ("GRID_NS", "Muscle", "MuscleModel", "recruited")

GRID_NS = 20_000_000
"""The force is noted each 20 ms; so often is fatigue reckoned, too."""


@dataclass(frozen=True)
class MuscleModel:
    """The model's numbers; see the module for where they come from.

    Attributes:
        median_nc, spread_nc: of the units' thresholds, nC of the cathodic phase: mean and standard deviation.
        contraction_s: from the pulse to the twitch's peak, s.
        twitch: force of a single twitch of a rested unit, a share of its tetanic force.
        recovery_s: time constant of recovery, s.
        fatigue_per_s: how fast full force takes force away, 1/s.
        units: how many groups of motor units are reckoned with.
    """

    median_nc: float = 400.0
    spread_nc: float = 150.0
    contraction_s: float = 0.09
    twitch: float = 0.2
    recovery_s: float = 127.0
    fatigue_per_s: float = 0.008
    units: int = 64

    @property
    def step(self) -> float:
        """What one pulse adds to the activation, so that a twitch alone peaks at `twitch`."""
        return math.sqrt(self.twitch / (1.0 - self.twitch)) * math.e

    @property
    def thresholds_nc(self) -> NDArray[np.float64]:
        """Shape (units,), rising: the charge that a group answers to; none is below a tenth of the median."""
        normal = NormalDist(self.median_nc, self.spread_nc)
        found = [normal.inv_cdf((k + 0.5) / self.units) for k in range(self.units)]
        return np.maximum(found, self.median_nc / 10)


def recruited(model: MuscleModel, charge_nc: float) -> float:
    """The share of motor units that answer a pulse of this charge, 0 to 1."""
    return float(np.count_nonzero(model.thresholds_nc <= charge_nc)) / model.units


class Muscle:
    """One muscle, from pulse to pulse. What it does depends on the pulses alone, not on when it is asked."""

    def __init__(self, model: MuscleModel | None = None) -> None:
        """Begin rested, at 0 ns."""
        self.model = model or MuscleModel()
        self._thresholds_nc = self.model.thresholds_nc
        units = self.model.units
        self._near = np.zeros(units)
        self._far = np.zeros(units)
        self._able = np.ones(units)
        self._at_ns = 0
        self._grid_ns = 0

    @property
    def now_ns(self) -> int:
        """How far it has come: a multiple of GRID_NS."""
        return self._grid_ns

    @property
    def force(self) -> float:
        """The force at `now_ns`, 0 to 1."""
        return float(np.mean(self._able * self._share()))

    @property
    def able(self) -> float:
        """What it could give at most with all units, 0 to 1: 1 is rested."""
        return float(np.mean(self._able))

    def advance(
        self, starts_ns: NDArray[np.int64], charges_nc: NDArray[np.float64], until_ns: int
    ) -> list[float]:
        """Let time pass.

        Args:
            starts_ns: shape (n,), rising: the pulses that begin between `now_ns` and the last multiple of
                GRID_NS that is not beyond `until_ns`; later ones are to be given again.
            charges_nc: shape (n,): of their cathodic phases, as they crossed tissue, 0 or more.
            until_ns: how far.

        Returns:
            The force, 0 to 1, at each multiple of GRID_NS on the way.
        """
        forces = []
        at = 0
        while self._grid_ns + GRID_NS <= until_ns:
            end_ns = self._grid_ns + GRID_NS
            while at < len(starts_ns) and starts_ns[at] < end_ns:
                self._decay(max(int(starts_ns[at]), self._at_ns))
                self._near[: self._count(float(charges_nc[at]))] += self.model.step
                at += 1
            self._decay(end_ns)
            self._tire()
            self._grid_ns = end_ns
            forces.append(self.force)
        return forces

    def _count(self, charge_nc: float) -> int:
        return int(np.searchsorted(self._thresholds_nc, charge_nc, "right"))

    def _decay(self, time_ns: int) -> None:
        """The exact solution of the second-order system between pulses."""
        passed = (time_ns - self._at_ns) / (self.model.contraction_s * 1e9)
        kept = math.exp(-passed)
        self._far = (self._far + self._near * passed) * kept
        self._near = self._near * kept
        self._at_ns = time_ns

    def _share(self) -> NDArray[np.float64]:
        square = self._far * self._far
        return square / (1.0 + square)

    def _tire(self) -> None:
        """Fatigue over one step of the grid; exact for a force that stays, so A never leaves 0 to 1."""
        model = self.model
        rate = 1.0 / model.recovery_s + model.fatigue_per_s * self._share()
        rest = 1.0 / (model.recovery_s * rate)
        self._able = rest + (self._able - rest) * np.exp(-rate * GRID_NS / 1e9)
