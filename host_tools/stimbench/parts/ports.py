"""What a part model sees of the board that it is wired to, and nothing more.

A part is built with the ports it is soldered to (its pins, its bus, a clock) and never learns
whether an emulated RP2040 or a test drives them. All times are integer nanoseconds of bench time,
which starts at 0 when the bench is powered and never runs backwards, whatever a board does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ("AnalogSource", "BoardPorts", "Handle", "PinPort", "Scheduler", "SpiBusPort", "SpiDevice")


class Handle(Protocol):
    """A call that was scheduled and may still be called off."""

    def cancel(self) -> None:
        """Call it off; a second time, or after it ran, does nothing."""


class Scheduler(Protocol):
    """The clock of the board that a part is wired to."""

    @property
    def now_ns(self) -> int:
        """Bench time in ns, exact inside a callback."""

    def call_at(self, time_ns: int, action: Callable[[], None]) -> Handle:
        """Run `action` at `time_ns` (at once, before returning to the CPU, if that has passed)."""


class PinPort(Protocol):
    """One net between the microcontroller and the parts.

    The level is what a voltmeter would see: the microcontroller's output if it drives the pin,
    else what a part drives, else the pull resistor, else low.
    """

    @property
    def name(self) -> str:
        """The signal's name, as in pins.csv: `L_CATH`, `RADIO_CSN` ..."""

    @property
    def level(self) -> bool:
        """The present level."""

    def on_edge(self, action: Callable[[bool, int], None]) -> None:
        """Call `action(level, time_ns)` at every change of the level, whoever causes it."""

    def drive(self, level: bool | None) -> None:
        """Drive the net from outside the microcontroller; `None` lets it go (high impedance)."""


class SpiDevice(Protocol):
    """A part on an SPI bus. It watches its own chip select."""

    def exchange(self, mosi: int) -> int | None:
        """Take one byte at the end of its 8th clock; the byte shifted out meanwhile.

        Returns:
            0-255, or `None` if the part is not selected and leaves MISO alone.
        """


class SpiBusPort(Protocol):
    """SCK, MOSI and MISO of one SPI peripheral. Each byte takes 8 clocks of the programmed frequency."""

    def attach(self, device: SpiDevice) -> None:
        """Wire a device to the bus."""


AnalogSource = Callable[[int], float]
"""What an ADC input is wired to: `source(time_ns) -> volts` at the moment of sampling."""


class BoardPorts(Protocol):
    """One board, seen from its connectors: what a wiring function gets to solder parts to."""

    @property
    def scheduler(self) -> Scheduler:
        """The board's clock."""

    def pin(self, signal: str) -> PinPort:
        """The net of a signal named in the board's pins.csv; KeyError if there is none."""

    def spi(self, index: int) -> SpiBusPort:
        """SPI peripheral 0 or 1."""

    def wire_adc(self, channel: int, source: AnalogSource) -> None:
        """Connect ADC input 0-4; the board adds the converter's own errors."""
