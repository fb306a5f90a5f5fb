"""The board's supply (VSYS, 5 V from USB) and its die temperature, both settable while it runs."""

from __future__ import annotations

from .adc import temperature_volts
from .interfaces import Scheduler

__all__ = ("Supply",)


class Supply:
    """VSYS through the Pico's divider by 3 (ADC3), and the RP2040's temperature sensor (ADC4)."""

    def __init__(self, scheduler: Scheduler, *, vsys_v: float = 5.0, celsius: float = 27.0) -> None:
        self._scheduler = scheduler
        self.vsys_v = vsys_v
        """The steady supply, V."""
        self.nominal_v = vsys_v
        """What it is with nothing wrong, V."""
        self.celsius = celsius
        """Die temperature, degrees C."""
        self._droop_v = 0.0
        self._droop_until_ns = 0

    def droop(self, to_v: float, duration_ms: float) -> None:
        """Let VSYS fall to `to_v` for a while from now on; a new droop replaces the last."""
        self._droop_v = to_v
        self._droop_until_ns = self._scheduler.now_ns + round(duration_ms * 1e6)

    def volts(self, time_ns: int) -> float:
        """VSYS, V."""
        return self._droop_v if time_ns < self._droop_until_ns else self.vsys_v

    def divided(self, time_ns: int) -> float:
        """At ADC3, V."""
        return self.volts(time_ns) / 3.0

    def temperature(self, time_ns: int) -> float:
        """At ADC4, V; the die is so slow that the time makes no difference."""
        return temperature_volts(self.celsius)
