"""Two transceivers on fake boards, and what a driver would do with them."""

from stimbench.parts.nrf24l01 import Nrf24L01
from stimbench.parts.radio import AirChannel

from support.parts_fakes import MS, US, FakeBoard, FakeClock

SETTLING_NS = 130 * US
START_UP_NS = 1_500 * US
RESET_NS = 100 * MS
RX_DR, TX_DS, MAX_RT = 0x40, 0x20, 0x10
ADDRESS = b"\x01\x02\x03\x04\x05"


class Radio:
    """A transceiver on a board of its own, and what a driver would do with it."""

    def __init__(self, clock: FakeClock, air: AirChannel, **options):
        self.board = FakeBoard(clock)
        self.clock = clock
        self.air = air
        self.chip = Nrf24L01(
            clock,
            self.board.spi(1),
            self.board.pin("RADIO_CSN"),
            self.board.pin("RADIO_CE"),
            self.board.pin("RADIO_IRQ"),
            air,
            **options,
        )
        self.ce = self.board.pin("RADIO_CE")

    def spi(self, *data: int) -> bytes:
        return self.board.select("RADIO_CSN", 1, bytes(data))

    def read(self, register: int, count: int = 1) -> bytes:
        return self.spi(register, *[0xFF] * count)[1:]

    def get(self, register: int) -> int:
        return self.read(register)[0]

    def put(self, register: int, *data: int) -> None:
        self.spi(0x20 | register, *data)

    @property
    def status(self) -> int:
        return self.spi(0xFF)[0]

    @property
    def irq(self) -> bool:
        """True while the (active-low) pin asks for attention."""
        return not self.board.pin("RADIO_IRQ").level

    def set_up(
        self,
        *,
        prx: bool,
        width: int = 0,
        dynamic: bool = True,
        retries: int = 3,
        ard: int = 1,
        rf_setup: int = 0x06,
    ) -> None:
        self.put(0x05, 76)
        self.put(0x06, rf_setup)
        self.put(0x04, ard << 4 | retries)
        for register in (0x0A, 0x10):
            self.put(register, *ADDRESS)
        self.put(0x11, width)
        if dynamic:
            self.put(0x1D, 0x07)
            self.put(0x1C, 0x3F)
        self.put(0x00, 0x0E | prx)
        self.clock.run_for(2 * MS)
        if prx:
            self.ce.out(True)
            self.clock.run_for(1 * MS)

    def load(self, payload: bytes, command: int = 0xA0) -> None:
        self.spi(command, *payload)

    def pulse(self, span_ns: int = 15 * US) -> None:
        self.ce.out(True)
        self.clock.run_for(span_ns)
        self.ce.out(False)

    def send(self, payload: bytes, command: int = 0xA0, wait_ns: int = 5 * MS) -> None:
        self.load(payload, command)
        self.pulse()
        self.clock.run_for(wait_ns)

    def fetch(self) -> bytes:
        width = self.read(0x60)[0]
        return self.read(0x61, width)

    def sent(self) -> list[bytes]:
        return [s.payload for s in self.air.tap]

    def clear(self) -> None:
        self.put(0x07, 0x70)


def pair(air: AirChannel | None = None, **options):
    clock = FakeClock()
    air = air or AirChannel()
    sender, receiver = Radio(clock, air), Radio(clock, air)
    clock.run_to(RESET_NS)
    sender.set_up(prx=False, **options)
    receiver.set_up(prx=True, **options)
    return sender, receiver, air
