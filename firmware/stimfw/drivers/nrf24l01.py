"""nRF24L01+ radio, after its product specification 1.0: the older ShockBurst format, no acknowledgements.

7.10: with EN_AA = 0 and ARC = 0 a packet is preamble, address, payload and CRC. Nothing answers a packet but
the application, nothing is repeated, and a receiver does not tell a packet from its copy. Every payload has
32 bytes.

Payloads to this radio's own address come in on pipe 1, those to a second one on pipe 0 while it is asked
for. The IRQ pin falls on RX_DR and TX_DS; this driver does not read it.

Sold under this name are also its predecessor, which is told and refused, and clones such as the Si24R1, which
are used: registers alone do not tell them (docs/decisions/0062-radio-modules.md).

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
_ACTIVATE = const(0x50)  # of an nRF24L01 (its product specification 2.0, table 16)
_FLUSH_TX = const(0xE1)
_FLUSH_RX = const(0xE2)
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
_RX_PW_P0 = const(0x11)
_RX_PW_P1 = const(0x12)
_FIFO_STATUS = const(0x17)
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
# FIFO_STATUS.
_TX_FULL = const(0x20)
_TX_EMPTY = const(0x10)
_RX_EMPTY = const(0x01)
_EN_DPL = const(0x04)
_RF_DR_LOW = const(0x20)
_PIPE_0 = const(0x01)
_PIPE_1 = const(0x02)
_UNKNOWN = const(-1)
_POWERS_DBM = (-18, -12, -6, 0)

_POWER_UP_US = const(4500)  # Tpd2stby with the slowest crystal allowed (table 16, note)
_SENSE_US = const(200)  # RPD is right 130 + 40 us after CE rose (6.4)
_PACKET_US = const(460)  # 130 us of settling and 40 bytes in the air
_ROOM_LOOK_US = const(50)
_ROOM_LOOKS = const(20)  # longer than a packet takes: a radio that is stuck holds nobody up
FRAME_BYTES = 32
COPIES = 3  # as many payloads as the radio holds (7.4)
MOST_COPIES = 8  # in 4 ms of TX mode (6.1.5)

SENDING = 1
SENT = 2

_TICKS_MASK = const(0x3FFFFFFF)


def _stopped() -> int:
    """A clock that stands still."""
    return 0


class NRF24L01(Nrf24Bus):
    """The radio. After power_up() it is in standby, and goes to listen() or send() from there."""

    def __init__(
        self,
        spi: "SPI",
        csn: "Pin",
        ce: "Pin",
        sleep_us: "Callable[[int], None]",
        ticks_us: "Callable[[], int] | None" = None,
    ) -> None:
        """Take the bus and the pins.

        Args:
            spi: up to 10 MHz, mode 0.
            csn: output, high.
            ce: output, low.
            sleep_us: time.sleep_us.
            ticks_us: time.ticks_us, if what is done between start_up() and power_up() is to count.
        """
        super().__init__(spi, csn)
        self._ce = ce
        self._sleep_us = sleep_us
        self._ticks_us = ticks_us or _stopped
        self._starting = False
        self._started_us = 0
        # What the registers hold: what is there already is not written again.
        self._config = _UNKNOWN
        self._setup = self._channel = self._pipes = _UNKNOWN
        self._own: "bytes | None" = None
        self._to = b""
        self._on_pipe_0 = b""
        self.usable = False
        """What configure() has found: an nRF24L01+ or a clone of it."""
        self.needs_activate = False
        """What configure() has found: an nRF24L01 without the plus, or what is made like it."""

    def present(self) -> bool:
        """Whether a radio answers: two patterns written to an address and read back. Loses the address."""
        self.usable = self.needs_activate = False
        for pattern in (b"\x55\xaa\x0f\xf0\x35", b"\xaa\x55\xf0\x0f\xca"):
            self._write_address(_TX_ADDR, pattern)
            if self._read_address(_TX_ADDR) != pattern:
                return False
        self._to = b""
        return True

    def configure(self, own: "bytes | None" = None, channel: int = 76) -> bool:
        """Set all registers up, at 1 Mbit/s and 0 dBm; the radio is powered down and empty then.

        Args:
            own: the address to receive at: 5 bytes, not all 0x00, 0xff, 0x55 or 0xaa (7.3.2); None: at none.
            channel: 2400 MHz + 0-125.

        Returns:
            Whether it is `usable`.
        """
        self._ce(0)
        self._set_config(_OFF)
        plus = self._is_plus()
        self.needs_activate = not plus and self._takes_activate()
        for register, value in (
            (_FEATURE, 0),
            (_DYNPD, 0),
            (_EN_AA, 0),
            (_SETUP_RETR, 0),
            (_SETUP_AW, 3),  # 5 bytes
            (_RX_PW_P0, FRAME_BYTES),
            (_RX_PW_P1, FRAME_BYTES),
        ):
            self._write(register, value)
        self._setup = self._channel = self._pipes = _UNKNOWN
        self._own = None
        self._to = self._on_pipe_0 = b""
        self.set_power(0)
        self.tune(channel)
        self.address(own)
        self._enable(self._own_pipe())
        self.flush()
        self.usable = plus and self._read(_RX_PW_P1) == FRAME_BYTES
        return self.usable

    def _is_plus(self) -> bool:
        """Whether dynamic length and 250 kbit/s can be set for a moment.

        The second, because the first can be set in an nRF24L01 that other firmware has activated.
        """
        self._write(_FEATURE, _EN_DPL)
        self._write(_RF_SETUP, _RF_DR_LOW)
        return self._read(_FEATURE) == _EN_DPL and self._read(_RF_SETUP) & _RF_DR_LOW != 0

    def _takes_activate(self) -> bool:
        """Whether ACTIVATE has opened FEATURE, or does so now. It shuts it again if sent twice."""
        for _ in range(2):
            self._write(_FEATURE, _EN_DPL)
            if self._read(_FEATURE) == _EN_DPL:
                self._write(_FEATURE, 0)
                self._activate()  # as after power-on, so that it is told the next time as well
                return True
            self._activate()
        return False

    def _activate(self) -> None:
        self._csn(0)
        self._spi.readinto(self._one, _ACTIVATE)
        self._spi.write(b"\x73")
        self._csn(1)

    def alive(self) -> bool:
        """Whether CONFIG holds what was written; False before configure(), and after a brown-out."""
        return self._read(_CONFIG) == self._config

    def start_up(self) -> None:
        """Begin to power up, if it is not: the crystal starts. power_up() has to follow."""
        if self._config == _OFF:
            self._set_config(_STANDBY_TX)
            self._starting = True
            self._started_us = self._ticks_us()

    def power_up(self) -> None:
        """To standby. Waits for the crystal, for what is left since start_up()."""
        self.start_up()
        if self._starting:
            self._starting = False
            left_us = _POWER_UP_US - ((self._ticks_us() - self._started_us) & _TICKS_MASK)
            if left_us > 0:
                self._sleep_us(left_us)

    def power_down(self) -> None:
        """Off, 0.9 uA; registers and FIFOs stay."""
        self._ce(0)
        self._starting = False
        self._set_config(_OFF)

    def tune(self, channel: int) -> None:
        """To 2400 MHz + `channel` (0-125)."""
        if channel != self._channel:
            self._ce(0)
            self._channel = channel
            self._write(_RF_CH, channel)

    def set_power(self, dbm: int) -> None:
        """The power of what is sent from now on: -18, -12, -6 or 0 (RF_PWR, table 28).

        Raises:
            ValueError: any other power.
        """
        if dbm not in _POWERS_DBM:
            raise ValueError("no power of %d dBm" % dbm)
        setup = _POWERS_DBM.index(dbm) << 1
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

    def sense(self, extra: "bytes | None" = None) -> bool:
        """Listen for 0.2 ms; whether something is on the air in this channel, above -64 dBm (6.4).

        It goes on listening, as after listen(`extra`). Always a fresh look: RPD stays as a received packet
        left it until the receiver is started again.
        """
        self.listen(extra)
        self._sleep_us(_SENSE_US)
        return self._read(_RPD) & 1 != 0

    def send(self, frame: bytes, to: bytes, copies: int = COPIES) -> None:
        """Begin to send `frame` (32 bytes) to the address `to`, `copies` times (1-8) back to back.

        The IRQ pin falls with each copy that is sent; poll() tells when all are. Waits until the last one is
        in the radio, 0.45 ms for each beyond three: nothing else may make a gap. Not while SENDING.
        """
        self._ce(0)
        if self._config != _STANDBY_TX:
            self._set_config(_STANDBY_TX)
        if to != self._to:
            self._to = to
            self._write_address(_TX_ADDR, to)
        self._command(_FLUSH_TX)  # nothing older may ever go out before it
        self._write(_STATUS, _TX_DS | _MAX_RT)
        self._load(frame)
        self._ce(1)  # the first settles and is sent while the others are loaded
        for number in range(1, copies):
            if number >= COPIES:
                self._wait_for_room()
            self._load(frame)

    def _load(self, frame: bytes) -> None:
        self._csn(0)
        self._spi.readinto(self._one, _W_TX_PAYLOAD)
        self._spi.write(frame)
        self._csn(1)

    def _wait_for_room(self) -> None:
        for _ in range(_ROOM_LOOKS):
            if not self._read(_FIFO_STATUS) & _TX_FULL:
                return
            self._sleep_us(_ROOM_LOOK_US)

    def poll(self) -> int:
        """What became of send(): SENDING or SENT. In the latter case the radio is in standby."""
        # The flag first, then the look: a copy that ends in between makes a new edge.
        self._write(_STATUS, _TX_DS)
        if not self._read(_FIFO_STATUS) & _TX_EMPTY:
            return SENDING
        self._ce(0)
        self._write(_STATUS, _TX_DS)
        return SENT

    def abort(self) -> None:
        """Give up what is being sent. Waits for the end of the copy that is in the air (0.5 ms)."""
        self._ce(0)
        self._command(_FLUSH_TX)
        self._sleep_us(_PACKET_US)
        self._write(_STATUS, _TX_DS | _MAX_RT)

    def begin_reading(self) -> None:
        """Take the flag of what was received back. What comes from now on makes a new edge of the IRQ pin.

        So what is waiting() afterwards is all that no edge will tell of.
        """
        self._write(_STATUS, _RX_DR)

    def waiting(self) -> bool:
        """Whether a frame was received and not read.

        FIFO_STATUS, because STATUS may name a wrong pipe while the IRQ pin falls (table 28, note c). Zeros in
        both are no radio: one that lost its supply.
        """
        fifo = self._read(_FIFO_STATUS)
        return not fifo & _RX_EMPTY and (fifo | self._in[0]) != 0

    def receive_into(self, buffer: "bytearray | memoryview") -> None:
        """Take the oldest frame that is waiting(); `buffer` has 32 bytes."""
        csn = self._csn
        csn(0)
        self._spi.readinto(self._one, _R_RX_PAYLOAD)
        self._spi.readinto(buffer)
        csn(1)

    def flush_received(self) -> None:
        """Drop what was received and not read."""
        self._command(_FLUSH_RX)
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
