"""nRF24L01+ radio, after its product specification 1.0: auto-acknowledge and dynamic payload length.

Payloads to this radio's own address come in on pipe 1; pipe 0 has the peer's, because that is where the
acknowledgements of what was sent to the peer arrive (7.6). With one address for both directions a peer's
payload could be taken for an acknowledgement. The IRQ pin falls on RX_DR, TX_DS and MAX_RT; nobody here looks
at it.
"""

from micropython import const

from stimfw.drivers.nrf24_bus import Nrf24Bus

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board: the driver takes any objects that behave like these
    from collections.abc import Callable

    from machine import SPI, Pin

# Commands (table 20).
_R_RX_PAYLOAD = const(0x61)
_R_RX_PL_WID = const(0x60)
_FLUSH_TX = const(0xE1)
_FLUSH_RX = const(0xE2)
_NOP = const(0xFF)
_W_TX_PAYLOAD = b"\xa0"

# Registers (table 28).
_CONFIG = const(0x00)
_EN_AA = const(0x01)
_EN_RXADDR = const(0x02)
_SETUP_AW = const(0x03)
_SETUP_RETR = const(0x04)
_RF_CH = const(0x05)
_RF_SETUP = const(0x06)
_STATUS = const(0x07)
_RX_ADDR_P0 = const(0x0A)
_RX_ADDR_P1 = const(0x0B)
_TX_ADDR = const(0x10)
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
_RX_EMPTY = const(0x01)
_EN_DPL = const(0x04)
_RF_1M_0DBM = const(0x06)
_RF_2M_0DBM = const(0x0E)
_PIPES = const(0x03)  # pipes 0 and 1

_POWER_UP_US = const(4500)  # Tpd2stby with the slowest crystal allowed (table 16, note)
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
        self._config = _OFF

    def present(self) -> bool:
        """Whether a radio answers: two patterns written to an address and read back. Loses the address."""
        for pattern in (b"\x55\xaa\x0f\xf0\x35", b"\xaa\x55\xf0\x0f\xca"):
            self._write_address(_TX_ADDR, pattern)
            if self._read_address(_TX_ADDR) != pattern:
                return False
        return True

    def configure(
        self,
        own: bytes,
        peer: bytes,
        channel: int = 76,
        retries: int = 15,
        retry_us: int = 500,
        fast: bool = False,
    ) -> bool:
        """Set all registers up; the radio is powered down and empty then.

        Args:
            own: the address to receive at: 5 bytes, not all 0x00, 0xff, 0x55 or 0xaa (7.3.2).
            peer: the address to send to.
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
        self._write(_EN_RXADDR, _PIPES)
        self._write(_SETUP_AW, 3)  # 5 bytes
        self._write(_SETUP_RETR, (retry_us // 250 - 1) << 4 | retries)
        self._write(_RF_CH, channel)
        self._write(_RF_SETUP, _RF_2M_0DBM if fast else _RF_1M_0DBM)
        self._write(_FEATURE, _EN_DPL)
        self._write(_DYNPD, _PIPES)
        self._write_address(_TX_ADDR, peer)
        self._write_address(_RX_ADDR_P0, peer)
        self._write_address(_RX_ADDR_P1, own)
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

    def listen(self) -> None:
        """Receive from now (+ 130 us) on."""
        self._ce(0)
        self._set_config(_RX)
        self._ce(1)

    def send(self, payload: bytes) -> None:
        """Begin to send; the IRQ pin falls when that is over, and poll() tells how. Not while SENDING."""
        self._ce(0)
        self._set_config(_STANDBY_TX)
        self._command(_FLUSH_TX)  # nothing older may ever go out before it
        self._csn(0)
        self._spi.write(_W_TX_PAYLOAD)
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
        """Length of the oldest received payload, 1-32; 0 if there is none."""
        if self._read(_FIFO_STATUS) & _RX_EMPTY:
            return 0
        length = self._read(_R_RX_PL_WID)
        if 1 <= length <= MAX_PAYLOAD:
            return length
        self._command(_FLUSH_RX)  # 8.3.1, table 20: a width above 32 is garbage
        return 0

    def receive_into(self, buffer: memoryview) -> None:
        """Take the oldest payload; `buffer` is as long as waiting() said."""
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

    def _set_config(self, value: int) -> None:
        self._config = value
        self._write(_CONFIG, value)
