"""A contraction, counted in stimulation periods: which part of it a period belongs to, and its amplitude."""

from stimfw.protocol import messages
from stimfw.therapy.program import Program


class Contraction:
    """Ramp up, hold and ramp down of one programme. Pure arithmetic: no clock."""

    def __init__(self, program: Program) -> None:
        self._target_ua = program.amplitude_ua
        period = program.period_us
        self._up = program.ramp_up_ms * 1000 // period
        self._down_from = self._up + program.on_ms * 1000 // period
        self._down = program.ramp_down_ms * 1000 // period
        self.periods = self._down_from + self._down
        """Stimulation periods from the first pulse to the last one."""

    def retarget(self, amplitude_ua: "tuple[int, int]") -> None:
        """Other amplitudes of the hold, in uA; all else stays."""
        self._target_ua = amplitude_ua

    def end_from(self, period: int) -> None:
        """Ramp down from `period` on, whatever was to come; a ramp down that has begun goes on as it was.

        The ramp is the programme's, from where it is next below the amplitude of the pulse before: of a
        contraction that is halfway up, half of the ramp down is left.
        """
        if period >= self._down_from:
            return
        begun = min(period, self._up + 1)
        left = max(0, ((self._down + 1) * begun - 1) // (self._up + 1))
        self._down_from = period
        self.periods = period + left

    def state(self, period: int) -> int:
        """The state (messages.RAMP_UP ...) in period number `period`, from 0; REST from `periods` on."""
        if period >= self.periods:
            return messages.REST
        if period >= self._down_from:
            return messages.RAMP_DOWN
        return messages.RAMP_UP if period < self._up else messages.HOLD

    def held_after(self, period: int) -> int:
        """Periods of the hold that come after `period`; negative behind it."""
        return self._down_from - period - 1

    def amplitude_ua(self, lead: int, period: int) -> int:
        """Amplitude in uA of a lead (0 left, 1 right) in a period: linear ramps, 0 outside them."""
        target = self._target_ua[lead]
        if period >= self._down_from:
            return target * max(0, self.periods - period) // (self._down + 1)
        if period < self._up:
            return target * (period + 1) // (self._up + 1)
        return target
