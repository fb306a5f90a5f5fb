"""A contraction, counted in stimulation periods: which part of it a period belongs to, and its amplitude."""

from stimfw.protocol import messages
from stimfw.therapy.program import Program


class Contraction:
    """Ramp up, hold and ramp down of one programme. Pure arithmetic: no clock, no state."""

    def __init__(self, program: Program) -> None:
        self._target_ua = program.amplitude_ua
        period = program.period_us
        self._up = program.ramp_up_ms * 1000 // period
        self._down_from = self._up + program.on_ms * 1000 // period
        self._down = program.ramp_down_ms * 1000 // period
        self.periods = self._down_from + self._down
        """Stimulation periods from the first pulse to the last one."""

    def state(self, period: int) -> int:
        """The state (messages.RAMP_UP ...) in period number `period`, from 0; REST from `periods` on."""
        if period < self._up:
            return messages.RAMP_UP
        if period < self._down_from:
            return messages.HOLD
        if period < self.periods:
            return messages.RAMP_DOWN
        return messages.REST

    def held_after(self, period: int) -> int:
        """Periods of the hold that come after `period`; negative behind it."""
        return self._down_from - period - 1

    def amplitude_ua(self, lead: int, period: int) -> int:
        """Amplitude in uA of a lead (0 left, 1 right) in a period: linear ramps, 0 outside them."""
        target = self._target_ua[lead]
        if period < self._up:
            return target * (period + 1) // (self._up + 1)
        if period < self._down_from:
            return target
        if period < self.periods:
            return target * (self.periods - period) // (self._down + 1)
        return 0
