"""An SPI peripheral's SCK, MOSI and MISO, and the devices on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rp2040py.peripherals.spi import RPSPI
    from rp2040py.rp2040 import RP2040

    from stimbench.parts.ports import SpiDevice

__all__ = ("SpiBus",)

_SLOWEST_HZ = 125e6 / (254 * 256)


class SpiBus:
    """Carries bytes between the peripheral and its devices in the time that they take on the wire.

    SCK and MOSI do not toggle: a byte is handed over whole at the end of its 8th clock.
    """

    def __init__(self, rp2040: RP2040, index: int) -> None:
        self._spi: RPSPI = rp2040.spi[index]
        self._devices: list[SpiDevice] = []
        self._alarm = rp2040.clock.create_alarm(self._byte_done)
        self._out: list[int] = []
        self._in = 0
        self.bytes_sent = 0
        self._spi.on_transmit = self._start_frame

    def attach(self, device: SpiDevice) -> None:
        """Wire a device to the bus."""
        self._devices.append(device)

    def cancel(self) -> None:
        """Forget the frame in flight: the peripheral was reset."""
        self._alarm.cancel()
        self._out.clear()

    def _start_frame(self, value: int) -> None:
        count = (self._spi.data_bits + 7) // 8
        self._out = list(value.to_bytes(count, "big"))
        self._in = 0
        self._schedule()

    def _schedule(self) -> None:
        bits = self._spi.data_bits if self._spi.data_bits < 8 else 8
        self._alarm.schedule(bits * 1e9 / (self._spi.clock_frequency or _SLOWEST_HZ))

    def _byte_done(self) -> None:
        if not self._out:
            return
        mosi = self._out.pop(0)
        miso = 0
        for device in self._devices:
            answer = device.exchange(mosi)
            if answer is not None:
                miso |= answer
        self.bytes_sent += 1
        self._in = self._in << 8 | miso
        if self._out:
            self._schedule()
        else:
            self._spi.complete_transmit(self._in)
