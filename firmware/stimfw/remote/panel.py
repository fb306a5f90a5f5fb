"""The remote's panel: buttons that each ask for something, LEDs and a buzzer that play patterns."""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import requests
from stimfw.ui import feedback
from stimfw.ui.button import Debouncer

if TYPE_CHECKING:
    from stimfw.drivers.button import Button
    from stimfw.drivers.buzzer import Buzzer
    from stimfw.drivers.led import Leds

HOLD_MS = 3000
"""A button that is down for so long is held: STATUS asks for PAIR then."""


class Key:
    """A button and what it asks for."""

    def __init__(self, button: "Button", opcode: int) -> None:
        self.button = button
        self.opcode = opcode
        self.is_stop = opcode == requests.STOP
        self.debouncer = Debouncer(button.down(), edge_is_enough=self.is_stop)
        self._held_ms = -1

    def pressed(self, now_ms: int) -> bool:
        """Whether it was pressed since the last call."""
        edge = self.button.take_edge()
        pressed = self.debouncer.update(self.button.down(), edge, now_ms)
        if pressed:
            self._held_ms = now_ms
        elif not self.debouncer.down:
            self._held_ms = -1
        return pressed

    def held(self, now_ms: int) -> bool:
        """Whether it has been down for HOLD_MS since a press: true once."""
        if self._held_ms < 0 or elapsed_ms(now_ms, self._held_ms) < HOLD_MS:
            return False
        self._held_ms = -1
        return True

    def wait_ms(self, now_ms: int) -> int:
        """Time until it has to be read without an edge; -1 if only an edge can tell."""
        wait = self.debouncer.wait_ms(now_ms)
        if wait < 0 and self._held_ms >= 0:
            wait = max(0, HOLD_MS - elapsed_ms(now_ms, self._held_ms))
        return wait


class Display:
    """The LEDs and the buzzer, playing patterns of stimfw.ui.feedback."""

    def __init__(self, leds: "Leds", buzzer: "Buzzer") -> None:
        self._leds = leds
        self._buzzer = buzzer
        self._player = feedback.Player()
        self._lamp = -1

    def play(self, pattern: "feedback.Pattern", now_ms: int) -> None:
        """Show this from now on; () is dark and silent."""
        self._player.play(pattern, now_ms)
        self._apply()

    def add(self, pattern: "feedback.Pattern", now_ms: int) -> None:
        """Show this behind what is shown now."""
        self._player.add(pattern, now_ms)
        self._apply()

    def update(self, now_ms: int) -> int:
        """Show what is due; the time until the next change in ms, or -1."""
        if self._player.wait_ms(now_ms) == 0:
            self._player.update(now_ms)
            self._apply()
        return self._player.wait_ms(now_ms)

    def playing(self) -> bool:
        """Whether a pattern has not ended."""
        return self._player.playing()

    def lamp(self, lights: int, takes_over: bool) -> None:
        """Show these lights in place of the pattern's while it `takes_over`."""
        lights = lights if takes_over else -1
        if lights != self._lamp:
            self._lamp = lights
            self._apply()

    def _apply(self) -> None:
        self._leds.show(self._player.lights if self._lamp < 0 else self._lamp)
        self._buzzer.sound(self._player.tone_hz)
