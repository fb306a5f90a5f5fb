"""A piezo buzzer on a PWM output."""

from typing import TYPE_CHECKING

from micropython import const

if TYPE_CHECKING:
    from machine import PWM

_HALF = const(32768)


class Buzzer:
    """One tone or silence."""

    def __init__(self, pwm: "PWM") -> None:
        """Args: pwm: at duty 0."""
        self._pwm = pwm
        self._tone_hz = 0

    def sound(self, tone_hz: int) -> None:
        """Sound `tone_hz` from now on; 0 is silence."""
        if tone_hz == self._tone_hz:
            return
        self._tone_hz = tone_hz
        if tone_hz:
            self._pwm.freq(tone_hz)
        self._pwm.duty_u16(_HALF if tone_hz else 0)
