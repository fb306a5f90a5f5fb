"""The sense amplifiers: what the ADC inputs are wired to.

V_LEFT, V_RIGHT: 1.65 V + V/10 of the voltage between a lead's rails. I_SENSE: 1.65 V + 0.15 V per mA of both
leads: each has a shunt and an amplifier, and the left one's output is the right one's reference. Outputs clip
at 0 and 3.3 V. Modelled: input offset, gain error (of each lead), bandwidth as one pole in closed form from
edge to edge, the current amplifiers without their +-15 V. Left out: amplifier noise (the ADC's is far
larger), common-mode rejection, slew rate, the current amplifiers' input range (13 V: in the last 0.3 V of the
pump's range they show too little).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, pi

from .lead import Lead
from .rails import Rails
from .seeds import spread

__all__ = ("CurrentSense", "VoltageSense")

MIDDLE_V, RAIL_V = 1.65, 3.3
BANDWIDTH_HZ = 800e3
_TAU_NS = 1e9 / (2.0 * pi * BANDWIDTH_HZ)


class _Lag:
    """The part of a step that a single-pole amplifier has not followed yet, decaying since `since_ns`."""

    __slots__ = ("_behind", "_since_ns")

    def __init__(self) -> None:
        self._behind = 0.0
        self._since_ns = 0

    def step(self, time_ns: int, before: float, after: float) -> None:
        """The input jumped; between jumps it moves so slowly that the output keeps up."""
        self._behind = self.value(time_ns) + after - before
        self._since_ns = time_ns

    def value(self, time_ns: int) -> float:
        """What is still missing at `time_ns`, in units of the input."""
        elapsed = time_ns - self._since_ns
        return self._behind * exp(-elapsed / _TAU_NS) if 0 <= elapsed < 40 * _TAU_NS else 0.0


class _Errors:
    """Gain 0.1-0.5 % either way, offset at the output within +-3 mV."""

    def __init__(self, seed: int, name: str, ideal: bool) -> None:
        rng = spread(seed, name)
        self.gain = 1.0 if ideal else 1.0 + rng.choice((-1.0, 1.0)) * rng.uniform(0.001, 0.005)
        self.offset_v = 0.0 if ideal else rng.uniform(-0.003, 0.003)
        self.fault_v = 0.0

    def output(self, ideal_v: float) -> float:
        """What the pin shows for an ideal deviation from the middle, in V, clipped to the rails."""
        return min(RAIL_V, max(0.0, MIDDLE_V + self.offset_v + self.fault_v + ideal_v * self.gain))


class VoltageSense:
    """One lead's voltage amplifier; calling it gives the volts at the ADC input."""

    def __init__(self, lead: Lead, *, seed: int = 0, ideal: bool = False) -> None:
        self._lead = lead
        self._errors = _Errors(seed, f"{lead.name}/v_sense", ideal)
        self._lag = _Lag()
        lead.on_step(lambda t, v0, _i0, v1, _i1: self._lag.step(t, v0, v1))
        self.pickup: Callable[[int], float] | None = None
        """What a field induces between electrodes that are joined to both rails, V of bench time in ns."""
        self.rest_v = 0.0
        """Between the rails while no electrodes join them, V: not 0 without a bleed."""

    def shift(self, volts: float) -> None:
        """A fault: another offset at the output, V; 0: none."""
        self._errors.fault_v = volts

    def tolerance(self, gain: float, offset_v: float) -> None:
        """These errors in place of the seed's."""
        self._errors.gain, self._errors.offset_v = gain, offset_v

    def __call__(self, time_ns: int) -> float:
        """Volts at the ADC input at `time_ns`."""
        volts = self._lead.volts(time_ns) - self._lag.value(time_ns)
        if not self._lead.is_joined:
            volts += self.rest_v
        elif self.pickup is not None:
            volts += self.pickup(time_ns)
        return self.shown(volts)

    def shown(self, volts: float) -> float:
        """Volts at the ADC input for a steady voltage between the rails, V."""
        return self._errors.output(volts / 10.0)


class CurrentSense:
    """The amplifiers on both shunts, in a chain; calling it gives the volts at the ADC input."""

    def __init__(self, leads: tuple[Lead, ...], *, seed: int = 0, ideal: bool = False) -> None:
        self._leads = leads
        self._errors = _Errors(seed, "i_sense", ideal)
        rng = spread(seed, "i_sense/shunts")
        self.shares = [1.0 if ideal else 1.0 + rng.uniform(-0.001, 0.001) for _ in leads]
        """What each lead's shunt and gain resistor (0.1 % each) make of its current, besides the chain's
        gain."""
        self.rails: Rails | None = None
        """Its +-15 V; None: always there."""
        self._lag = _Lag()
        for lead in leads:
            lead.on_step(lambda t, _v0, i0, _v1, i1: self._lag.step(t, i0, i1))
        self.pickup: Callable[[int], float] | None = None
        """What a field makes the amplifier show while electrodes are joined, A of bench time in ns."""

    def shift(self, volts: float) -> None:
        """A fault: another offset at the output, V; 0: none."""
        self._errors.fault_v = volts

    def tolerance(self, gain: float, offset_v: float) -> None:
        """These errors in place of the seed's."""
        self._errors.gain, self._errors.offset_v = gain, offset_v

    def __call__(self, time_ns: int) -> float:
        """Volts at the ADC input at `time_ns`."""
        if self.rails is not None and not self.rails.up:
            return 0.0
        pairs = zip(self._leads, self.shares, strict=True)
        amps = sum(share * lead.shunt_amps(time_ns) for lead, share in pairs) - self._lag.value(time_ns)
        if self.pickup is not None and any(lead.is_joined for lead in self._leads):
            amps += self.pickup(time_ns)
        return self._errors.output(amps * 150.0)

    def shown(self, amps: Sequence[float]) -> float:
        """Volts at the ADC input for a steady current in each lead's shunt, A."""
        if self.rails is not None and not self.rails.up:
            return 0.0
        total = sum(share * each for share, each in zip(self.shares, amps, strict=True))
        return self._errors.output(total * 150.0)
