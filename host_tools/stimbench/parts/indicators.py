"""LEDs and the buzzer: logs of what a person would have seen and heard."""

from __future__ import annotations

from dataclasses import dataclass

from .interfaces import PinPort

__all__ = ("Buzzer", "Led", "Tone")


class Led:
    """An LED from a pin to ground."""

    def __init__(self, pin: PinPort) -> None:
        self._pin = pin
        self.log: list[tuple[int, bool]] = []
        """(time_ns, on) at every change."""
        pin.on_edge(lambda level, time_ns: self.log.append((time_ns, level)))

    @property
    def on(self) -> bool:
        """Lit now."""
        return self._pin.level


@dataclass(frozen=True, slots=True)
class Tone:
    """A stretch of sound: bench time in ns, and the mean frequency in Hz."""

    start_ns: int
    end_ns: int
    frequency_hz: float


class Buzzer:
    """A piezo disc driven by PWM. Below 20 Hz it only clicks, so that ends a tone."""

    _SILENCE_NS = 50_000_000
    _CHANGE = 0.02

    def __init__(self, pin: PinPort) -> None:
        self._done: list[Tone] = []
        self._start_ns = self._last_ns = 0
        self._periods = 0
        self._period_ns = 0
        self._any = False
        pin.on_edge(self._on_edge)

    @property
    def tones(self) -> list[Tone]:
        """All tones so far, the one that may still sound included; fewer than 2 periods are no tone."""
        tail = self._current()
        return [*self._done, tail] if tail else list(self._done)

    def _on_edge(self, level: bool, time_ns: int) -> None:
        if not level:
            return
        gap = time_ns - self._last_ns
        if not self._any or gap > self._SILENCE_NS:
            self._begin(time_ns)
        elif self._periods and abs(gap - self._period_ns) > self._CHANGE * self._period_ns:
            self._begin(self._last_ns)
            self._periods, self._period_ns = 1, gap
        else:
            self._periods += 1
            self._period_ns = gap
        self._any = True
        self._last_ns = time_ns

    def _begin(self, time_ns: int) -> None:
        tone = self._current()
        if tone:
            self._done.append(tone)
        self._start_ns, self._periods = time_ns, 0

    def _current(self) -> Tone | None:
        if self._periods < 2:
            return None
        span = self._last_ns - self._start_ns
        return Tone(self._start_ns, self._last_ns + span // self._periods, self._periods * 1e9 / span)
