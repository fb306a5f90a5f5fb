"""What a part model sees of the board that it is wired to, and nothing more.

A part is built with the ports it is soldered to (its pins, its bus, a clock) and never learns
whether an emulated RP2040 or a test drives them. All times are integer nanoseconds of bench time,
which starts at 0 when the bench is powered and never runs backwards, whatever a board does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = (
    "MISO",
    "MOSI",
    "SCK",
    "AnalogSource",
    "BoardPorts",
    "Handle",
    "PinPort",
    "Scheduler",
    "SpiBusPort",
    "SpiClock",
    "SpiDevice",
    "SpiLog",
)

MISO, SCK, MOSI = 0, 2, 3
"""The lines of an SPI bus: GPIO number modulo 4 (RP2040 datasheet 2.19.2)."""


class Handle(Protocol):
    """A scheduled call, which may still be cancelled."""

    def cancel(self) -> None:
        """Cancel it; does nothing a second time, or after it ran."""


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
    else what a part drives, else a pull resistor on the board, else the microcontroller's own, else low.
    Two drivers that disagree are an error in the board's log; the microcontroller's level counts, between two
    parts the low one.
    """

    @property
    def name(self) -> str:
        """The signal's name, as in pins.csv: `L_CATH`, `RADIO_CSN` ..."""

    @property
    def level(self) -> bool:
        """The present level."""

    def on_edge(self, action: Callable[[bool, int], None]) -> None:
        """Call `action(level, time_ns)` at every change of the level, whoever causes it."""

    def drive(self, level: bool | None, by: str = "a part") -> None:
        """Drive the net from outside the microcontroller; `None` lets it go (high impedance).

        Args:
            level: the driver's output.
            by: the driver's name; each name is one driver.
        """

    def pull(self, level: bool | None) -> None:
        """Fit a resistor to the supply (True) or to ground (False), or none: the level if nobody drives."""


@dataclass(frozen=True, slots=True)
class SpiClock:
    """How a bus is clocked: SCK in Hz, and the SPI mode 0-3 (2 x CPOL + CPHA)."""

    hz: float
    mode: int


class SpiDevice(Protocol):
    """A part on an SPI bus. It watches its own chip select."""

    @property
    def name(self) -> str:
        """What it is called in the board's log."""

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        """Take up to 8 bits at the end of their last clock; return the bits shifted out.

        Args:
            mosi: the bits, the first one the most significant.
            bits: how many, 1-8; 8 unless the peripheral's frames are not whole bytes.
            clock: the frequency and mode that they came with.

        Returns:
            As many bits, or `None` if the part leaves MISO alone: it is not selected, or has no output.
        """


class SpiLog(Protocol):
    """What a bus tells whoever records it."""

    carriers: dict[str, int]
    """By signal: which line of the bus it has carried, MISO, SCK or MOSI."""

    def bits(self, end_ns: float, mosi: int, miso: int, bits: int, clock: SpiClock) -> None:
        """Up to 8 bits have ended."""

    def idle(self, time_ns: int, mode: int) -> None:
        """The mode is `mode` from now on: SCK rests at the level of CPOL."""


class SpiBusPort(Protocol):
    """SCK, MOSI and MISO of one SPI peripheral. Each bit takes one clock of the programmed frequency."""

    def attach(self, device: SpiDevice) -> None:
        """Wire a device to the bus."""

    def report(self, part: str, text: str) -> None:
        """Put an error on the bus into the board's log, with the time."""


AnalogSource = Callable[[int], float]
"""What an ADC input is wired to: `source(time_ns) -> volts` at the moment of sampling."""


class BoardPorts(Protocol):
    """One board, seen from its connectors: what a wiring function attaches the parts to."""

    @property
    def scheduler(self) -> Scheduler:
        """The board's clock."""

    def pin(self, signal: str) -> PinPort:
        """The net of a signal named in the board's pins.csv; KeyError if there is none."""

    def spi(self, index: int) -> SpiBusPort:
        """SPI peripheral 0 or 1."""

    def wire_adc(self, channel: int, source: AnalogSource) -> None:
        """Connect ADC input 0-4; the board adds the converter's own errors."""
