"""An SPI peripheral's SCK, MOSI and MISO, and the devices on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from rp2040py.peripherals.spi import BSY, RFF, RNE, RPSPI, SSPCR0, SSPRXINTR, SSPSR, SSPTXINTR, TFE, TNF

from stimbench.parts.interfaces import MISO, MOSI, SCK, SpiClock

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

    from stimbench.emulator.nets import Net
    from stimbench.parts.interfaces import SpiDevice, SpiLog

__all__ = ("BoardSpi", "SpiBus", "line_of")

_CPOL, _CPHA = 1 << 6, 1 << 7
_FUNCTION_SPI = 1
_FIFO_WORDS = 8
_BASES = (0x4003C, 0x40040)


def line_of(gpio: int) -> tuple[int, int]:
    """The SPI peripheral that a GPIO can belong to, and as which line: MISO, SCK, MOSI, or 1 for its CS."""
    return gpio >> 3 & 1, gpio & 3


class BusLog(Protocol):
    """Where errors go."""

    def bus_error(self, where: str, text: str, time_ns: int) -> None:
        """Keep one."""


class BoardSpi(RPSPI):
    """The emulator's peripheral, with the right mode numbers, and with a word when the format changes."""

    bus: SpiBus | None = None

    @property
    def spi_mode(self) -> int:
        """The SPI mode, 2 x CPOL + CPHA (the emulator's own swaps 2 and 3)."""
        return (2 if self._control0 & _CPOL else 0) + (1 if self._control0 & _CPHA else 0)

    # The firmware polls these registers in each transfer: what the emulator's own code does in many calls is
    # done in one here, with the same result.

    def _fifos_updated(self) -> None:
        sending, received = self.tx_fifo._used, self.rx_fifo._used
        raw = self._int_raw & ~(SSPTXINTR | SSPRXINTR)
        if sending <= _FIFO_WORDS // 2:
            raw |= SSPTXINTR
        if received >= _FIFO_WORDS // 2:
            raw |= SSPRXINTR
        changed = (raw ^ self._int_raw) & self._int_enable
        self._int_raw = raw
        if changed:
            self.check_interrupts()
        self._request(self.dreq.tx, sending < _FIFO_WORDS)
        self._request(self.dreq.rx, received > 0)

    def _request(self, line: int, wanted: bool) -> None:
        dma = self.rp2040.dma
        if dict.get(dma.dreq, line, False) is not wanted:
            if wanted:
                dma.set_dreq(line)
            else:
                dma.clear_dreq(line)

    def read_uint32(self, offset: int) -> int:
        """A register read."""
        if offset != SSPSR:
            return int(super().read_uint32(offset))
        sending, received = self.tx_fifo._used, self.rx_fifo._used
        status = BSY if self._busy or sending else 0
        if not sending:
            status |= TFE
        if sending < _FIFO_WORDS:
            status |= TNF
        if received:
            status |= RNE
        return status | RFF if received == _FIFO_WORDS else status

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write."""
        super().write_uint32(offset, value)
        if offset == SSPCR0 and self.bus is not None:
            self.bus.format_changed()

    @classmethod
    def install(cls, rp2040: RP2040, index: int) -> BoardSpi:
        """Put it in the place of a chip's SPI peripheral 0 or 1."""
        old = rp2040.spi[index]
        new = rp2040.spi[index] = cls(rp2040, old.name, old.irq, old.dreq)
        rp2040.peripherals[_BASES[index]] = new
        return new


class SpiBus:
    """Carries bytes between the peripheral and its devices in the time that they take on the wire.

    A byte is handed over whole at the end of its 8th clock. SCK, MOSI and MISO do not move on their nets; a
    record keeps what is needed to draw them. Not modelled: the peripheral as a slave, its loop back, TI and
    Microwire formats, its own chip select, the pauses that it makes between frames.
    """

    def __init__(self, rp2040: RP2040, index: int, log: BusLog) -> None:
        self._spi = BoardSpi.install(rp2040, index)
        self._spi.bus = self
        self._spi.on_transmit = self._start_frame
        self._rp2040 = rp2040
        self._index = index
        self._log = log
        self._devices: list[SpiDevice] = []
        self._lines: list[tuple[int, int, Net | None]] = [
            (line, gpio, None)
            for gpio in range(30)
            for peripheral, line in (line_of(gpio),)
            if peripheral == index and line in (MISO, SCK, MOSI)
        ]
        self._alarm = rp2040.clock.create_alarm(self._bits_done)
        self._clock = SpiClock(0.0, 0)
        self._out: list[tuple[int, int]] = []
        self._in = 0
        self._fights: set[str] = set()
        self.bytes_sent = 0
        self.record: SpiLog | None = None
        """Where to keep what goes over the wires, if anybody wants it."""

    @property
    def index(self) -> int:
        """Which peripheral, 0 or 1."""
        return self._index

    @property
    def mode(self) -> int:
        """The SPI mode that is set."""
        return self._spi.spi_mode

    @property
    def clock(self) -> SpiClock:
        """How the last frame was clocked."""
        return self._clock

    def connect(self, nets: Mapping[int, Net]) -> None:
        """Tell it the board's nets by GPIO number."""
        self._lines = [(line, gpio, nets.get(gpio)) for line, gpio, _ in self._lines]

    def attach(self, device: SpiDevice) -> None:
        """Wire a device to the bus."""
        self._devices.append(device)

    def report(self, part: str, text: str) -> None:
        """Put an error into the board's log, with the time."""
        self._log.bus_error(f"SPI{self._index}, {part}", text, round(self._rp2040.clock.nanos))

    def cancel(self) -> None:
        """Forget the frame in flight: the peripheral was reset."""
        self._alarm.cancel()
        self._out.clear()
        self.format_changed()

    def format_changed(self) -> None:
        """The mode may be another one, and with it the level of SCK between frames."""
        if self.record is not None:
            self.record.idle(round(self._rp2040.clock.nanos), self._spi.spi_mode)

    def _start_frame(self, value: int) -> None:
        hz, mode = self._spi.clock_frequency, self._spi.spi_mode
        if hz <= 0:
            # As on the chip: without a clock the frame never ends, and BSY stands.
            self.report("the RP2040", "a frame without a clock: clk_peri is off, or the prescaler is 0")
            return
        if hz != self._clock.hz or mode != self._clock.mode:
            self._clock = SpiClock(hz, mode)
        bits = self._spi.data_bits
        self._out = [(value >> max(0, bits - 8 - done), min(8, bits - done)) for done in range(0, bits, 8)]
        self._in = 0
        self._schedule()

    def _schedule(self) -> None:
        self._alarm.schedule(self._out[0][1] * 1e9 / self._clock.hz)

    def _bits_done(self) -> None:
        if not self._out:
            return
        value, bits = self._out.pop(0)
        mosi = value & (1 << bits) - 1
        miso = self._exchange(mosi, bits)
        self.bytes_sent += 1
        if self.record is not None:
            self.record.bits(self._rp2040.clock.nanos, mosi, miso, bits, self._clock)
        self._in = self._in << bits | miso
        if self._out:
            self._schedule()
        else:
            self._spi.complete_transmit(self._in)

    def _exchange(self, mosi: int, bits: int) -> int:
        answers: list[tuple[str, int]] = []
        for device in self._devices:
            answer = device.exchange(mosi, bits, self._clock)
            if answer is not None:
                answers.append((device.name, answer))
        idle = self._look_at_lines(answers)
        if len(answers) > 1:
            told = ", ".join(f"{name} 0x{answer:02x}" for name, answer in answers)
            self._fight("MISO", f"two drivers at once: {told}; taken bit by bit, low wins")
        else:
            self._fights.discard("MISO")
        if not answers:
            return (1 << bits) - 1 if idle else 0
        miso = (1 << bits) - 1
        for _, answer in answers:
            miso &= answer
        return miso

    def _look_at_lines(self, answers: list[tuple[str, int]]) -> bool:
        """Note who uses the lines besides the bus; MISO's level while no device drives it."""
        level = False
        for line, number, net in self._lines:
            gpio = self._rp2040.gpio[number]
            if gpio.function_select != _FUNCTION_SPI:
                continue
            if line == MISO:
                level = gpio.input_value
            if net is None:
                continue
            if self.record is not None:
                self.record.carriers[net.name] = line
            if net.drivers and (line != MISO or answers):
                who = ", ".join(net.drivers)
                self._fight(net.name, f"two drivers at once: the bus and {who}; the bus's bits are taken")
            else:
                self._fights.discard(net.name)
        return level

    def _fight(self, line: str, text: str) -> None:
        if line not in self._fights:
            self._fights.add(line)
            self.report(line, text)
