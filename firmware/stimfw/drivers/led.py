"""LEDs from pins to ground."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine import Pin


class Leds:
    """Some LEDs as the bits of a number; the first is bit 0."""

    def __init__(self, *pins: "Pin") -> None:
        """Args: pins: outputs, low."""
        self._pins = pins

    def show(self, lights: int) -> None:
        """Light those whose bit is set, and no others."""
        for index, pin in enumerate(self._pins):
            pin(lights >> index & 1)
