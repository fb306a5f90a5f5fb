"""A board's USB console, seen from the host.

The emulator's own host answers an idle OUT endpoint with empty packets, which keeps the firmware awake.
A real host sends bytes when it has some, and the device's controller answers NAK to whatever else without
telling the firmware. Likewise a host that does not read, or has the port closed, sends no IN tokens: the
device's packet waits. And a host ends one control transfer before it begins the next (USB 2.0, 5.5.5): a
second SETUP in the first one's status stage makes TinyUSB panic, which no real port does to a board.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rp2040py.usb.cdc import USBCDC

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("ConsolePort",)

_PACKET_NS = 50_000
"""One bulk packet of 64 bytes with its tokens and the host's pace (about 19 a frame at best)."""
_BUFFER_CONTROL_FIRST = 0x80
_AVAILABLE = 1 << 10


class ConsolePort:
    """Bytes to and from the firmware's CDC console, and how the host behaves."""

    def __init__(self, rp2040: RP2040) -> None:
        self._usb = rp2040.usb_ctrl
        self._clock = rp2040.clock
        self._cdc = USBCDC(self._usb)
        self._cdc.on_serial_data = self._received_data
        self._cdc.on_device_connected = self._on_connected
        self._received = bytearray()
        self._to_send = bytearray()
        self._out_size: int | None = None
        self._held: list[tuple[int, int]] = []
        self._host_reads = True
        self._connected = False
        self._dtr = True
        self._lines_due = False
        self._control_busy = False
        self._in_alarm = self._clock.create_alarm(self._release_in)
        self._cdc_endpoint_read = self._usb.on_endpoint_read
        self._usb.on_endpoint_read = self._endpoint_read
        self._cdc_endpoint_write = self._usb.on_endpoint_write
        self._usb.on_endpoint_write = self._endpoint_write
        self._cdc_reset = self._usb.on_reset
        self._usb.on_reset = self._reset
        self._dpram_updated = self._usb.dpram_updated
        self._usb.dpram_updated = self._buffer_control  # type: ignore[method-assign]

    @property
    def connected(self) -> bool:
        """Whether the firmware has enumerated on the host's bus."""
        return self._connected

    @property
    def host_reads(self) -> bool:
        """Whether the host reads an open port; if not, the device's FIFO fills and its writes wait."""
        return self._host_reads

    @host_reads.setter
    def host_reads(self, reads: bool) -> None:
        self._host_reads = reads
        self._poll_in()

    def _poll_in(self) -> None:
        """A host's driver sends IN tokens while the port is open and its reader keeps up."""
        if self._held and self._host_reads and self._dtr:
            self._in_alarm.schedule(_PACKET_NS)
        else:
            self._in_alarm.cancel()

    @property
    def pending(self) -> int:
        """Bytes received from the firmware and not read yet."""
        return len(self._received)

    @property
    def unsent(self) -> int:
        """Bytes written by the host that the firmware has not taken yet."""
        return len(self._to_send)

    def write(self, data: bytes) -> None:
        """Send bytes to the firmware; they wait, without limit, until it takes them."""
        self._to_send += data
        self._deliver()

    def read(self, size: int | None = None) -> bytes:
        """Take what has been received, at most `size` bytes; empty if there is nothing."""
        size = len(self._received) if size is None else size
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def set_dtr(self, on: bool) -> None:
        """Open (True) or close (False) the port, as far as the firmware can see."""
        self._dtr = on
        self._poll_in()
        self._lines_due = True
        self._tell_lines()

    def _tell_lines(self) -> None:
        """SET_CONTROL_LINE_STATE, now or when the control transfer that is under way has ended."""
        if self._lines_due and self._connected and not self._control_busy:
            self._lines_due, self._control_busy = False, True
            self._cdc.set_control_lines(dtr=self._dtr, rts=self._dtr)

    def _endpoint_write(self, endpoint: int, data: bytes | bytearray) -> None:
        ended = self._control_busy and endpoint == 0 and not data
        if self._cdc_endpoint_write:
            self._cdc_endpoint_write(endpoint, data)
        if ended:
            self._control_busy = False
            self._tell_lines()

    @property
    def dtr(self) -> bool:
        """Whether the host has the port open."""
        return self._dtr

    def drop(self) -> None:
        """Throw away what is under way in either direction: the cable or the supply is gone."""
        self._received.clear()
        self._to_send.clear()

    def _on_connected(self) -> None:
        self._connected = True
        self._lines_due, self._control_busy = False, True  # the emulator's host has just raised DTR
        if not self._dtr:
            # The emulator's host raises DTR at the end of every enumeration; put it right one frame later.
            self._clock.create_alarm(lambda: self.set_dtr(self._dtr)).schedule(1_000_000)

    def _received_data(self, data: bytes | bytearray) -> None:
        self._received += data

    def _endpoint_read(self, endpoint: int, size: int) -> None:
        if endpoint != self._cdc._out_endpoint:
            if self._cdc_endpoint_read:
                self._cdc_endpoint_read(endpoint, size)
            return
        self._out_size = size
        self._deliver()

    def _deliver(self) -> None:
        if self._out_size is None or not self._to_send:
            return
        packet = bytes(self._to_send[: self._out_size])
        del self._to_send[: self._out_size]
        self._out_size = None
        self._usb.endpoint_read_done(self._cdc._out_endpoint, packet, _PACKET_NS // 1000)

    def _buffer_control(self, offset: int, value: int) -> None:
        """The firmware wrote to the USB RAM: hold its IN packets back until the host polls for them."""
        endpoint = self._cdc._in_endpoint
        if not value & _AVAILABLE or endpoint <= 0 or offset != _BUFFER_CONTROL_FIRST + endpoint * 8:
            self._dpram_updated(offset, value)
            return
        self._held.append((offset, value))
        self._poll_in()

    def _release_in(self) -> None:
        held, self._held = self._held, []
        for offset, value in held:
            self._dpram_updated(offset, value)

    def _reset(self) -> None:
        self._connected = False
        self._lines_due = self._control_busy = False
        self._out_size = None
        self._held.clear()
        self._in_alarm.cancel()
        if self._cdc_reset:
            self._cdc_reset()
