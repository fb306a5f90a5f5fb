"""The sense amplifiers: what the ADC inputs are wired to.

V_LEFT, V_RIGHT: 1.65 V + V/10 of the voltage between a lead's rails. I_SENSE: 1.65 V + 0.15 V per mA of both
leads: each has a shunt and an amplifier, and the left one's output is the right one's reference. Outputs clip
at 0 and 3.3 V.
Modelled: input offset, gain error (of each lead), how a pin follows an edge, the current amplifiers' slew
rate and input range, amplifiers without their +-15 V.
Left out: amplifier noise (the ADC's is far larger), common-mode rejection.

How a pin follows: after an edge of a bridge's line comes a dead time, then one pole, whose slope is limited.
They stand for gates, switches, the load's resistance with the wires' capacitance, amplifiers, 1 kohm and
220 pF at the pin. Two poles become one with the same mean delay and the same spread: tau^2 is the sum of
both tau^2, and the dead time has the rest (Elmore 1948).
tests/hardware/check_models.py holds it against ngspice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import exp, hypot, inf

from .lead import Lead
from .rails import Rails
from .seeds import spread

__all__ = ("WIRES_F", "CurrentSense", "VoltageSense")

MIDDLE_V, RAIL_V = 1.65, 3.3
WIRES_F, LEFT_F = 196e-12, 80e-12
"""Beside the load: the bridge's and the matrix' switches, 5 pF a breadboard row, wires (docs/circuit.md); and
what of it is left once the bridge has opened. Both fitted to ngspice with 2 and 10 kohm."""
V_DEAD_NS, V_TAU_NS = 370.0, 200.0
I_DEAD_NS, I_TAU_NS = 520.0, 260.0
"""Fitted to ngspice with 19 ohm. Gates and switches are 250 ns of each dead time; two amplifiers of 1.5 MHz
in a chain make the current's pin the slower one."""
V_SLEW_V_PER_NS = 20e-3
"""The buffers on the rails, OPA2197 (SBOS737, 6.6)."""
I_SLEW_A_PER_NS = 2e-3 / 150.0
"""The INA821's 2 V/us (SBOS893, 6.5), over 150 V/A."""
_FORGOTTEN = 40.0
"""Time constants after which nothing is left of a step."""


class _Lag:
    """The part of its input's steps that a pin has not followed yet, in units of the input."""

    __slots__ = ("_behind", "_dead_ns", "_due", "_since_ns", "_slew", "_tau_now_ns", "_tau_ns")

    def __init__(self, dead_ns: float, tau_ns: float, slew_per_ns: float = inf) -> None:
        self._dead_ns, self._tau_ns, self._slew = dead_ns, tau_ns, slew_per_ns
        self._behind = 0.0
        self._since_ns = 0
        self._tau_now_ns = tau_ns
        self._due: list[tuple[int, float, float]] = []

    def step(self, time_ns: int, change: float, rise_ns: float) -> None:
        """The input jumped, into a load whose own time constant is `rise_ns`.

        Between jumps it moves so slowly that the pin keeps up.
        """
        if change == 0.0:
            return
        self._behind, self._since_ns, self._tau_now_ns = self._state(time_ns)
        self._due = [each for each in self._due if each[0] > time_ns]
        tau_ns = hypot(self._tau_ns, rise_ns)
        dead_ns = self._dead_ns + self._tau_ns + rise_ns - tau_ns
        self._due.append((time_ns + round(dead_ns), change, tau_ns))
        self._due.sort()

    def value(self, time_ns: int) -> float:
        """What is still missing at `time_ns`."""
        behind, since_ns, tau_ns = self._state(time_ns)
        waiting = sum(change for due_ns, change, _ in self._due if due_ns > time_ns)
        return waiting + self._decayed(behind, time_ns - since_ns, tau_ns)

    def _state(self, time_ns: int) -> tuple[float, int, float]:
        """What is missing of the steps whose dead time is over, from when on, and its time constant."""
        behind, since_ns, tau_ns = self._behind, self._since_ns, self._tau_now_ns
        for due_ns, change, new_tau_ns in self._due:
            if due_ns <= time_ns:
                behind = self._decayed(behind, due_ns - since_ns, tau_ns) + change
                since_ns, tau_ns = due_ns, new_tau_ns
        return behind, since_ns, tau_ns

    def _decayed(self, behind: float, elapsed_ns: float, tau_ns: float) -> float:
        """First as fast as the slew rate allows, then as the pole does."""
        if behind == 0.0 or elapsed_ns <= 0:
            return behind
        high, sign = abs(behind), 1.0 if behind > 0.0 else -1.0
        knee = self._slew * tau_ns
        if high > knee:
            slewing_ns = (high - knee) / self._slew
            if elapsed_ns < slewing_ns:
                return sign * (high - self._slew * elapsed_ns)
            high, elapsed_ns = knee, elapsed_ns - slewing_ns
        return sign * high * exp(-elapsed_ns / tau_ns) if elapsed_ns < _FORGOTTEN * tau_ns else 0.0


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
        self.rails: Rails | None = None
        """The +-15 V of its buffers; None: always there."""
        self._lag = _Lag(V_DEAD_NS, V_TAU_NS, V_SLEW_V_PER_NS)
        lead.on_step(self._on_step)
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

    def _on_step(self, time_ns: int, v0: float, _i0: float, v1: float, _i1: float) -> None:
        farad = WIRES_F if self._lead.is_driven else LEFT_F
        self._lag.step(time_ns, v1 - v0, self._lead.step_ohm * farad * 1e9)

    def __call__(self, time_ns: int) -> float:
        """Volts at the ADC input at `time_ns`."""
        if self.rails is not None and not self.rails.up:
            return self._errors.output(0.0)
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
        self._lag = _Lag(I_DEAD_NS, I_TAU_NS, I_SLEW_A_PER_NS)
        for lead in leads:
            lead.on_step(partial(self._on_step, lead))
        self.pickup: Callable[[int], float] | None = None
        """What a field makes the amplifier show while electrodes are joined, A of bench time in ns."""

    def shift(self, volts: float) -> None:
        """A fault: another offset at the output, V; 0: none."""
        self._errors.fault_v = volts

    def tolerance(self, gain: float, offset_v: float) -> None:
        """These errors in place of the seed's."""
        self._errors.gain, self._errors.offset_v = gain, offset_v

    def _on_step(self, lead: Lead, time_ns: int, _v0: float, i0: float, _v1: float, i1: float) -> None:
        farad = WIRES_F if lead.is_driven else 0.0  # the shunt is off the wires once the bridge has opened
        self._lag.step(time_ns, i1 - i0, lead.step_ohm * farad * 1e9)

    def __call__(self, time_ns: int) -> float:
        """Volts at the ADC input at `time_ns`."""
        if self.rails is not None and not self.rails.up:
            return 0.0
        pairs = zip(self._leads, self.shares, strict=True)
        amps = sum(share * lead.sensed_amps(time_ns) for lead, share in pairs) - self._lag.value(time_ns)
        if self.pickup is not None and any(lead.is_joined for lead in self._leads):
            amps += self.pickup(time_ns)
        return self._errors.output(amps * 150.0)

    def shown(self, amps: Sequence[float]) -> float:
        """Volts at the ADC input for a steady current in each lead's shunt, A."""
        if self.rails is not None and not self.rails.up:
            return 0.0
        total = sum(share * each for share, each in zip(self.shares, amps, strict=True))
        return self._errors.output(total * 150.0)
