"""The nets between the microcontroller's pins and the parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rp2040py.gpio_pin import FUNCTION_PWM, GPIOPinState

if TYPE_CHECKING:
    from rp2040py.gpio_pin import GPIOPin

    from stimbench.bench.board import EmulatedBoard

__all__ = ("Net", "read_pins_csv")

EdgeAction = Callable[[bool, int], None]


class Net:
    """One net: the PinPort of a signal.

    Its level is the microcontroller's output if it drives the pin (it wins over a part, as a contention
    is a fault of the design, not of the run), else what a part drives, else the pull resistor, else low.
    """

    def __init__(self, board: EmulatedBoard, name: str, gpio: GPIOPin) -> None:
        self._board = board
        self._name = name
        self._gpio = gpio
        self._driven: bool | None = None
        self._actions: list[EdgeAction] = []
        self._level = False
        self._mcu_drives = False
        gpio.add_listener(self._on_pin_state)

    @property
    def name(self) -> str:
        """The signal's name in pins.csv."""
        return self._name

    @property
    def level(self) -> bool:
        """The present level."""
        return self._level

    @property
    def mcu_drives(self) -> bool:
        """Whether the microcontroller drives this net now."""
        return self._mcu_drives

    def on_edge(self, action: EdgeAction) -> None:
        """Call `action(level, time_ns)` at every change of the level."""
        self._actions.append(action)

    def drive(self, level: bool | None) -> None:
        """Drive the net from outside the microcontroller; `None` lets it go."""
        if level == self._driven:
            return
        self._driven = level
        if self._mcu_drives:
            return
        if level is None:
            self._gpio.release_input()
        else:
            self._gpio.set_input_value(level)
        self.refresh()

    def refresh(self) -> None:
        """Find the level anew, after a reset or whatever else the chip tells no one of."""
        self._on_pin_state(self._gpio.value, GPIOPinState.INPUT)

    def _on_pin_state(self, state: GPIOPinState, _last: GPIOPinState) -> None:
        if not self._board.powered:
            state = GPIOPinState.INPUT
        drives = state is GPIOPinState.HIGH or state is GPIOPinState.LOW
        if drives:
            level = state is GPIOPinState.HIGH
        elif self._driven is not None:
            level = self._driven
        else:
            level = state is GPIOPinState.INPUT_PULL_UP
        if drives:
            self._loop_back(level)
        elif self._mcu_drives:
            self._restore_input()
        self._mcu_drives = drives
        if level is not self._level:
            self._level = level
            now_ns = self._board.now_ns
            for action in self._actions:
                action(level, now_ns)

    def _loop_back(self, level: bool) -> None:
        """An output is also seen by the pin's own input, which the emulator leaves out."""
        gpio = self._gpio
        gpio._driven = True
        if gpio._raw_input_value == level:
            return
        if gpio.irq_enable_mask or self._board.pio_watches_pins:
            gpio.set_input_value(level)
        elif gpio.function_select != FUNCTION_PWM:
            gpio._raw_input_value = level

    def _restore_input(self) -> None:
        if self._driven is None:
            self._gpio.release_input()
        else:
            self._gpio.set_input_value(self._driven)


def read_pins_csv(text: str) -> dict[str, int]:
    """Signal names and their GPIO numbers from a board's pins.csv.

    Args:
        text: lines of `NAME,GPIOn`; a leading `-` on either hides it from Python only; `#` starts a comment.

    Returns:
        GPIO number by name, in the file's order.

    Raises:
        ValueError: a line that is neither empty, a comment nor such a pair.
    """
    pins: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        name, _, pin = (field.strip().lstrip("-") for field in line.partition(","))
        if not pin.startswith("GPIO") or not pin[4:].isdigit():
            if pin.startswith("EXT_") or not name:
                continue
            raise ValueError(f"pins.csv line {number}: expected NAME,GPIOn, got {raw!r}")
        pins[name] = int(pin[4:])
    return pins
