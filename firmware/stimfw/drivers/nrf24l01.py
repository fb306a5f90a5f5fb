"""nRF24L01+ radio, after its product specification 1.0: auto-acknowledge and dynamic payload length.

Payloads to this radio's own address come in on pipe 1. Pipe 0 has the peer's address while something is
sent, because that is where its acknowledgement arrives (7.6), and is off while the radio listens: what it
does not receive it does not acknowledge either. With one address for both directions a peer's payload could
be taken for an acknowledgement. The IRQ pin falls on RX_DR, TX_DS and MAX_RT; this driver does not read it.

tune(), set_power() and address() leave a radio that listened in standby: registers are to be written there or
in power down only (8.3.1). What has not changed is not written again.
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.drivers.nrf24_bus import Nrf24Bus

if TYPE_CHECKING:  # the driver takes any objects that behave like these
    from collections.abc import Callable

    from machine import SPI, Pin

# Commands (table 20).
_R_RX_PAYLOAD = const(0x61)
_R_RX_PL_WID = const(0x60)
_FLUSH_TX = const(0xE1)
_FLUSH_RX = const(0xE2)
_NOP = const(0xFF)
_W_TX_PAYLOAD = const(0xA0)

# Registers (table 28).
_CONFIG = const(0x00)
_EN_AA = const(0x01)
_EN_RXADDR = const(0x02)
_SETUP_AW = const(0x03)
_SETUP_RETR = const(0x04)
_RF_CH = const(0x05)
_RF_SETUP = const(0x06)
_STATUS = const(0x07)
_RPD = const(0x09)
_RX_ADDR_P0 = const(0x0A)
_RX_ADDR_P1 = const(0x0B)
_TX_ADDR = const(0x10)
_DYNPD = const(0x1C)
_FEATURE = const(0x1D)

# CONFIG: two bytes of CRC, all three interrupts on the pin.
_OFF = const(0x0C)
_STANDBY_TX = const(0x0E)  # + PWR_UP
_RX = const(0x0F)  # + PRIM_RX
# STATUS.
_RX_DR = const(0x40)
_TX_DS = const(0x20)
_MAX_RT = const(0x10)
_RX_P_NO = const(0x0E)  # the oldest payload's pipe; all ones if there is none
_EN_DPL = const(0x04)
_RF_2M = const(0x08)
_PIPE_0 = const(0x01)
_PIPE_1 = const(0x02)
_PIPES = const(0x03)
_UNKNOWN = const(-1)
_POWERS_DBM = (-18, -12, -6, 0)

_POWER_UP_US = const(4500)  # Tpd2stby with the slowest crystal allowed (table 16, note)
_SENSE_US = const(200)  # RPD is right 130 + 40 us after CE rose (6.4)
MAX_PAYLOAD = 32

IDLE = 0
SENDING = 1
SENT = 2  # acknowledged
FAILED = 3  # MAX_RT: no acknowledgement


class NRF24L01(Nrf24Bus):
    """The radio. After power_up() it is in standby, and goes to listen() or send() from there."""

    def __init__(self, spi: "SPI", csn: "Pin", ce: "Pin", sleep_us: "Callable[[int], None]") -> None:
        """Args: spi: up to 10 MHz, mode 0; csn: output, high; ce: output, low; sleep_us: time.sleep_us."""
        super().__init__(spi, csn)
        self._ce = ce
        self._sleep_us = sleep_us
        # What the registers hold: what is there already is not written again.
        self._config = _OFF
        self._rate = 0
        self._setup = self._channel = self._pipes = _UNKNOWN
        self._own: "bytes | None" = None
        self._to = b""
        self._on_pipe_0 = b""
        self.in_ack = False
        """Of the payload that waiting() told of: it came as a part of an acknowledgement, or in its place."""

    def present(self) -> bool:
        """Whether a radio answers: two patterns written to an address and read back. Loses the address."""
        for pattern in (b"\x55\xaa\x0f\xf0\x35", b"\xaa\x55\xf0\x0f\xca"):
            self._write_address(_TX_ADDR, pattern)
            if self._read_address(_TX_ADDR) != pattern:
                return False
        self._to = b""
        return True

    def configure(
        self,
        own: "bytes | None" = None,
        channel: int = 76,
        retries: int = 15,
        retry_us: int = 500,
        fast: bool = False,
    ) -> bool:
        """Set all registers up, at 0 dBm; the radio is powered down and empty then.

        Args:
            own: the address to receive at: 5 bytes, not all 0x00, 0xff, 0x55 or 0xaa (7.3.2); None: at none.
            channel: 2400 MHz + 0-125.
            retries: 0-15 more transmissions after the first.
            retry_us: 500-4000 in steps of 250, from a transmission's end to the next.
            fast: 2 Mbit/s instead of 1.

        Returns:
            Whether dynamic length could be set, which tells an nRF24L01+ from its predecessors.
        """
        self._ce(0)
        self._set_config(_OFF)
        self._write(_EN_AA, _PIPES)
        self._write(_SETUP_AW, 3)  # 5 bytes
        self._write(_SETUP_RETR, (retry_us // 250 - 1) << 4 | retries)
        self._write(_FEATURE, _EN_DPL)
        self._write(_DYNPD, _PIPES)
        self._rate = _RF_2M if fast else 0
        self._setup = self._channel = self._pipes = _UNKNOWN
        self._own = None
        self._to = self._on_pipe_0 = b""
        self.set_power(0)
        self.tune(channel)
        self.address(own)
        self._enable(self._own_pipe())
        self.flush()
        return self._read(_FEATURE) == _EN_DPL and self._read(_DYNPD) == _PIPES

    def alive(self) -> bool:
        """Whether CONFIG holds what was written: not before configure(), or after a brown-out."""
        return self._read(_CONFIG) == self._config

    def power_up(self) -> None:
        """To standby. Waits for the crystal."""
        if self._config == _OFF:
            self._set_config(_STANDBY_TX)
            self._sleep_us(_POWER_UP_US)

    def power_down(self) -> None:
        """Off, 0.9 uA; registers and FIFOs stay."""
        self._ce(0)
        self._set_config(_OFF)

    def tune(self, channel: int) -> None:
        """To 2400 MHz + `channel` (0-125)."""
        if channel != self._channel:
            self._ce(0)
            self._channel = channel
            self._write(_RF_CH, channel)

    def set_power(self, dbm: int) -> None:
        """The power of what is sent from now on, acknowledgements too: -18, -12, -6 or 0 (RF_PWR, table 28).

        Raises:
            ValueError: any other power.
        """
        if dbm not in _POWERS_DBM:
            raise ValueError("no power of %d dBm" % dbm)
        setup = self._rate | _POWERS_DBM.index(dbm) << 1
        if setup != self._setup:
            self._ce(0)
            self._setup = setup
            self._write(_RF_SETUP, setup)

    def address(self, own: "bytes | None") -> None:
        """Receive at `own` (5 bytes) when it listens next; at no address of its own if None."""
        if own != self._own:
            self._ce(0)
            self._own = own
            if own is not None:
                self._write_address(_RX_ADDR_P1, own)

    def listen(self, extra: "bytes | None" = None) -> None:
        """Receive from now (+ 130 us) on: at the own address and at `extra` (5 bytes), and at no other."""
        self._ce(0)
        if extra is None:
            self._enable(self._own_pipe())
        else:
            self._match(extra)
            self._enable(self._own_pipe() | _PIPE_0)
        if self._config != _RX:
            self._set_config(_RX)
        self._ce(1)

    def standby(self) -> None:
        """Neither receive nor acknowledge, until listen() or send()."""
        self._ce(0)

    def carrier_detected(self) -> bool:
        """Whether something is on the air in this channel, above -64 dBm (6.4).

        True of a receiver only, from 170 us after listen() on. Stays true after a packet
        that was received and not acknowledged, until listen() is called again.
        """
        return self._read(_RPD) & 1 != 0

    def sense(self) -> bool:
        """Listen for 0.2 ms; whether something is on the air. It goes on listening."""
        self.listen()
        self._sleep_us(_SENSE_US)
        return self.carrier_detected()

    def send(self, payload: bytes, to: bytes) -> None:
        """Begin to send to the address `to`; the IRQ pin falls when that is over, and poll() tells how.

        Not while SENDING.
        """
        self._ce(0)
        if self._config != _STANDBY_TX:
            self._set_config(_STANDBY_TX)
        if to != self._to:
            self._to = to
            self._write_address(_TX_ADDR, to)
        self._match(to)
        self._enable(_PIPES)
        self._command(_FLUSH_TX)  # nothing older may ever go out before it
        self._csn(0)
        self._spi.readinto(self._one, _W_TX_PAYLOAD)
        self._spi.write(payload)
        self._csn(1)
        self._ce(1)

    def poll(self) -> int:
        """What became of send(): SENDING, SENT or FAILED. In the last two cases the radio is in standby."""
        flags = self._command(_NOP)
        if not flags & (_TX_DS | _MAX_RT):
            return SENDING
        self._ce(0)
        self._write(_STATUS, _TX_DS | _MAX_RT)
        if flags & _TX_DS:
            return SENT
        self._command(_FLUSH_TX)  # the payload stays in the FIFO after MAX_RT (7.8)
        return FAILED

    def abort(self) -> None:
        """Give up what is being sent."""
        self._ce(0)
        self._command(_FLUSH_TX)
        self._write(_STATUS, _TX_DS | _MAX_RT)

    def waiting(self) -> int:
        """Length of the oldest received payload, 1-32; 0 if there is none.

        STATUS, which comes back with the command, tells an empty FIFO. While the IRQ pin falls it may be
        wrong (table 28, note c); if it hid a payload, that same edge calls again.
        """
        length = self._read(_R_RX_PL_WID)
        pipe = self._in[0] & _RX_P_NO
        if pipe == _RX_P_NO or length == 0:
            return 0
        self.in_ack = pipe == 0
        if length <= MAX_PAYLOAD:
            return length
        self._command(_FLUSH_RX)  # 8.3.1, table 20: a width above 32 is garbage
        return 0

    def receive_into(self, buffer: memoryview) -> None:
        """Take the oldest payload; `buffer` is as long as waiting() said.

        The flag is cleared before the next waiting(), in the order of the specification (table 28, RX_DR): a
        payload that comes in between is found by one or the other.
        """
        self._csn(0)
        self._spi.readinto(self._one, _R_RX_PAYLOAD)
        self._spi.readinto(buffer)
        self._csn(1)
        self._write(_STATUS, _RX_DR)

    def flush(self) -> None:
        """Empty both FIFOs and clear all flags."""
        self._command(_FLUSH_TX)
        self._command(_FLUSH_RX)
        self._write(_STATUS, _RX_DR | _TX_DS | _MAX_RT)

    def _own_pipe(self) -> int:
        return 0 if self._own is None else _PIPE_1

    def _enable(self, pipes: int) -> None:
        if pipes != self._pipes:
            self._pipes = pipes
            self._write(_EN_RXADDR, pipes)

    def _match(self, address: bytes) -> None:
        """Pipe 0 receives what is sent to `address`."""
        if address != self._on_pipe_0:
            self._on_pipe_0 = address
            self._write_address(_RX_ADDR_P0, address)

    def _set_config(self, value: int) -> None:
        self._config = value
        self._write(_CONFIG, value)
