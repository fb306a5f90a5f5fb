"""The idle leg of one lead: two switches that take the pump's current to ground between phases.

While one of them works it changes nothing that a lead or a pin shows, so the models have none. When both stay
open, the pump's current has no way between phases: its output rises to the supply, and then the second op-amp
winds its output down to 0 V, because no drop across 100 ohm answers it. The next phase begins with all that
the transistor lets through, 22 mA into 500 ohm, until the op-amp is back: after 0.4 us into 19 ohm, 3 us at
4 mA into 2 kohm.

How fast it moves: the feedback network of 1 kohm and 47 pF makes an integrator of the error across the
100 ohm, no faster than the op-amp's slew rate. Its transistor follows it as a source follower.
tests/hardware/check_models.py holds the spike against ngspice.
"""

from __future__ import annotations

from math import sqrt

__all__ = ("IdleLeg",)

_OUTPUT_F = 59e-12
"""At the pump's output: 45 pF, from ngspice with one switch (250 uA lift it by 15 V in 2.7 us); of the second
one 9 pF, and 5 pF of its row."""
_SUPPLY_V = 15.0
_SENSE_OHM = 100.0
_INTEGRATOR_NS = 70.0
"""1 kohm x (47 pF + the op-amp's 6.4 pF), and its 10 MHz: 16 ns, fitted together to 68-72 ns in ngspice."""
_SLEW_V_PER_NS = 20e-3
"""OPA2197 (SBOS737, 6.6)."""
_FIRST_NS = 100.0
"""So long it slews before the network's capacitor holds it back; fitted."""
_THRESHOLD_V, _A_PER_V2 = 2.5, 0.12
"""ZVP3306A: typical threshold, and twice the current over the square of the overdrive."""
_STEP_NS = 50
"""The piece in which the current falls back; the fall lasts 0.1 to 0.4 us."""
_DONE_SHARE, _DONE_A = 0.01, 1e-6
"""So near to what is wanted it regulates."""


class IdleLeg:
    """What the second op-amp's output does; only told of time while the leg `is_open`."""

    def __init__(self) -> None:
        self.is_open = False
        """Neither switch ever closes."""
        self._gate_v = _gate_v(0.0)
        self._output_v = 0.0
        self._slope = 0.0
        self._want_a = 0.0
        self._resting = True
        self._since_ns = 0

    def rest(self, now_ns: int, want_a: float) -> None:
        """From now on the pump's current has no way, or `want_a` (A) is another one there."""
        self._advance(now_ns)
        if not self._resting:
            self._resting, self._output_v = True, 0.0
        self._slope, self._want_a = 0.0, want_a

    def piece(self, now_ns: int, want_a: float, most_a: float) -> tuple[float, int] | None:
        """How the phase goes on.

        Args:
            now_ns: bench time; the phase's begin, or the end of the last piece.
            want_a: what the DAC asks for, A.
            most_a: what the supply drives through all resistances, A.

        Returns:
            The current in A and for how long, ns; `most_a` itself while the transistor is all on. None: the
            pump regulates, or is at its limit for good.
        """
        self._advance(now_ns)
        begins, self._resting = self._resting, False
        self._slope = 0.0
        slope = self._slope_at(want_a, most_a)
        if begins and slope > 0.0:
            self._gate_v += (_SLEW_V_PER_NS - slope) * _FIRST_NS
            slope = self._slope_at(want_a, most_a)
        if slope == 0.0:
            if want_a < most_a:  # it regulates
                self._gate_v = _gate_v(want_a)
            return None
        self._slope = slope
        follows = _amps(self._gate_v)
        if follows < most_a:
            return follows, _STEP_NS
        return most_a, max(1, round((_gate_v(most_a) - self._gate_v) / slope))

    def _slope_at(self, want_a: float, most_a: float) -> float:
        """How fast the output rises, V/ns, while more flows than is wanted; 0 if no more does."""
        too_much_a = min(most_a, _amps(self._gate_v)) - want_a
        if too_much_a < _DONE_SHARE * want_a + _DONE_A:
            return 0.0
        return min(_SLEW_V_PER_NS, too_much_a * _SENSE_OHM / _INTEGRATOR_NS)

    def _advance(self, now_ns: int) -> None:
        elapsed_ns, self._since_ns = now_ns - self._since_ns, now_ns
        if self._slope > 0.0:
            self._gate_v = min(_gate_v(0.0), self._gate_v + self._slope * elapsed_ns)
        elif self._resting and self._want_a > 0.0:
            left_ns = (_SUPPLY_V - self._output_v) * _OUTPUT_F / self._want_a * 1e9
            if elapsed_ns < left_ns:
                self._output_v += self._want_a * elapsed_ns * 1e-9 / _OUTPUT_F
                return
            self._output_v = _SUPPLY_V
            falls = self._want_a * _SENSE_OHM / _INTEGRATOR_NS * (elapsed_ns - left_ns)
            self._gate_v = max(0.0, self._gate_v - falls)


def _gate_v(amps: float) -> float:
    """The transistor's gate at a current, V: below the supply by drop, threshold and overdrive."""
    return _SUPPLY_V - _SENSE_OHM * amps - _THRESHOLD_V - sqrt(2.0 * amps / _A_PER_V2)


def _amps(gate_v: float) -> float:
    """The current that a gate's voltage lets through, A: the inverse of `_gate_v`."""
    over = sqrt(2.0 / _A_PER_V2)
    room_v = max(0.0, _SUPPLY_V - _THRESHOLD_V - gate_v)
    root = (sqrt(over * over + 4.0 * _SENSE_OHM * room_v) - over) / (2.0 * _SENSE_OHM)
    return root * root
