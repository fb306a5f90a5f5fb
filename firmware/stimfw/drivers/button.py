"""A push button to ground whose edges wake the main loop."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from machine import Pin


class Button:
    """The contact's level, and whether it moved. Debouncing: stimfw.ui.button."""

    def __init__(self, pin: "Pin", wake: "Callable[[], None]") -> None:
        """Args: pin: input with pull-up; wake: called from the interrupt, must not allocate."""
        self._pin = pin
        self._wake = wake
        self._edge = False
        self.irq: "Any" = pin.irq(self._on_edge, pin.IRQ_FALLING | pin.IRQ_RISING, hard=True)

    def down(self) -> bool:
        """Whether the contact is closed now."""
        return not self._pin.value()

    def take_edge(self) -> bool:
        """Whether there was an edge since the last call."""
        edge = self._edge
        self._edge = False
        return edge

    def release(self) -> None:
        """No more interrupts."""
        self._pin.irq(None)

    def _on_edge(self, _pin: "Pin") -> None:
        self._edge = True
        self._wake()
