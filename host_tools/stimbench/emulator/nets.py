"""The nets between the microcontroller's pins and the parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from rp2040py.gpio_pin import FUNCTION_PWM, GPIOPinState

if TYPE_CHECKING:
    from rp2040py.gpio_pin import GPIOPin

__all__ = ("Net", "read_pins_csv")

EdgeAction = Callable[[bool, int], None]


class _Log(Protocol):
    def bus_error(self, where: str, text: str, time_ns: int) -> None: ...


class _Board(Protocol):
    """What a net asks of its board."""

    @property
    def log(self) -> _Log: ...

    @property
    def powered(self) -> bool: ...

    @property
    def now_ns(self) -> int: ...

    @property
    def pio_watches_pins(self) -> bool: ...


class Net:
    """One net: the PinPort of a signal.

    Its level is the microcontroller's output if it drives the pin, else what a part drives, else a resistor
    on the board, else the chip's own pull, else low (a choice: a real pin with none of them floats).

    Two drivers with opposite levels are a contention: an error in the board's log, once until it is over. The
    real level is then undetermined. Here the microcontroller's counts, and between two parts the low one.
    """

    def __init__(self, board: _Board, name: str, gpio: GPIOPin) -> None:
        self._board = board
        self._name = name
        self._gpio = gpio
        self._drivers: dict[str, bool] = {}
        self._driven: bool | None = None
        self._resistor: bool | None = None
        self._in_contention = False
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
        """Whether the microcontroller drives this net now, as a plain output or from PIO or PWM."""
        return self._mcu_drives

    @property
    def drivers(self) -> dict[str, bool]:
        """Who drives this net from outside the microcontroller, and to which level."""
        return dict(self._drivers)

    def on_edge(self, action: EdgeAction) -> None:
        """Call `action(level, time_ns)` at every change of the level."""
        self._actions.append(action)

    def drive(self, level: bool | None, by: str = "a part") -> None:
        """Drive the net from outside the microcontroller; `None` lets it go. Each name is one driver."""
        if level == self._drivers.get(by):
            return
        if level is None:
            del self._drivers[by]
        else:
            self._drivers[by] = level
        self._driven = all(self._drivers.values()) if self._drivers else None
        self._outside_changed()

    def pull(self, level: bool | None) -> None:
        """Fit a resistor to the supply (True) or to ground (False), or none. It works without power too."""
        self._resistor = level
        self._outside_changed()

    def refresh(self) -> None:
        """Find the level again, after a reset or another change that the chip does not announce."""
        self._on_pin_state(self._gpio.value, GPIOPinState.INPUT)

    def _outside_changed(self) -> None:
        before = self._level
        self.refresh()
        if self._level is before and not self._mcu_drives:
            self._set_input()

    def _on_pin_state(self, state: GPIOPinState, _last: GPIOPinState) -> None:
        if not self._board.powered:
            state = GPIOPinState.INPUT
        drives = state is GPIOPinState.HIGH or state is GPIOPinState.LOW
        level = state is GPIOPinState.HIGH if drives else self._level_without_output(state)
        if self._drivers or self._in_contention:
            self._look_for_contention(level if drives else None)
        if drives:
            self._loop_back(level)
        elif self._mcu_drives or level is not self._level:
            self._set_input()
        self._mcu_drives = drives
        if level is not self._level:
            self._level = level
            now_ns = self._board.now_ns
            for action in self._actions:
                action(level, now_ns)

    def _level_without_output(self, state: GPIOPinState) -> bool:
        if self._driven is not None:
            return self._driven
        if self._resistor is not None:
            return self._resistor
        if state is GPIOPinState.INPUT_BUS_KEEPER:
            return self._level
        return state is GPIOPinState.INPUT_PULL_UP

    def _look_for_contention(self, output: bool | None) -> None:
        levels = dict(self._drivers)
        if output is not None:
            levels["the RP2040"] = output
        if len(set(levels.values())) < 2:
            self._in_contention = False
        elif not self._in_contention:
            self._in_contention = True
            who = ", ".join(f"{name} {'high' if level else 'low'}" for name, level in levels.items())
            taken = all(self._drivers.values()) if output is None else output
            text = f"two drivers disagree: {who}; taken as {'high' if taken else 'low'}"
            self._board.log.bus_error(self._name, text, self._board.now_ns)

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

    def _set_input(self) -> None:
        """What the pin's input sees while the chip does not drive it."""
        outside = self._resistor if self._driven is None else self._driven
        if outside is None:
            self._gpio.release_input()
        else:
            self._gpio.set_input_value(outside)


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
