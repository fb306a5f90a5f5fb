"""The drivers on CPython: pins and buses drive the part models; micropython.const is replaced."""

import sys
import types

import pytest

sys.modules.setdefault(
    "micropython", types.SimpleNamespace(const=lambda value: value, native=lambda function: function)
)

from stimbench.parts.nrf24l01 import Nrf24L01  # noqa: E402
from stimbench.parts.radio import AirChannel  # noqa: E402
from stimfw.drivers.nrf24l01 import NRF24L01  # noqa: E402
from support.parts_fakes import MS, US, FakeBoard, FakeClock  # noqa: E402

BYTE_NS = 1 * US  # SPI at 8 MHz
CALL_NS = 5 * US  # about what a call of a pin costs in MicroPython


class Pin:
    """machine.Pin as an output."""

    def __init__(self, board, name, value):
        self._pin, self._clock = board.pin(name), board.clock
        self._pin.out(bool(value))

    def __call__(self, value):
        self._clock.run_for(CALL_NS)
        self._pin.out(bool(value))


class Spi:
    """machine.SPI; counts transactions' bytes and takes their time."""

    def __init__(self, board, index):
        self._bus, self._clock = board.buses[index], board.clock

    def _shift(self, data):
        self._clock.run_for(BYTE_NS * len(data))
        return self._bus.transfer(bytes(data))

    def write(self, data):
        self._shift(data)

    def read(self, count, write=0):
        return self._shift(bytes([write]) * count)

    def readinto(self, buffer, write=0):
        buffer[:] = self._shift(bytes([write]) * len(buffer))

    def write_readinto(self, out, into):
        into[:] = self._shift(out)


class Side:
    """One board with a radio: the part, its driver, and the falls of its IRQ pin."""

    def __init__(self, clock, air, **part):
        self.board = FakeBoard(clock)
        csn, ce = Pin(self.board, "RADIO_CSN", 1), Pin(self.board, "RADIO_CE", 0)
        pins = [self.board.pin(name) for name in ("RADIO_CSN", "RADIO_CE", "RADIO_IRQ")]
        self.part = Nrf24L01(clock, self.board.spi(1), *pins, air, **part)
        self.radio = NRF24L01(Spi(self.board, 1), csn, ce, lambda us: clock.run_for(us * US))
        self.falls = []
        pins[2].on_edge(lambda level, at_ns: None if level else self.falls.append(at_ns))


class TwoRadios:
    """The two ends of a link, powered for long enough to answer."""

    def __init__(self):
        self.clock, self.air = FakeClock(), AirChannel()
        self.stimulator, self.remote = Side(self.clock, self.air), Side(self.clock, self.air)
        self.clock.run_for(101 * MS)

    @property
    def now_ms(self):
        return self.clock.now_ns // MS

    def run_ms(self, span_ms):
        self.clock.run_for(round(span_ms * MS))


@pytest.fixture
def radios():
    return TwoRadios()


@pytest.fixture
def one_radio():
    """A board with a radio module of a kind, powered for long enough to answer."""

    def make(module):
        clock = FakeClock()
        side = Side(clock, AirChannel(), module=module)
        clock.run_for(101 * MS)
        return side

    return make


@pytest.fixture
def empty_socket():
    clock = FakeClock()
    clock.run_for(101 * MS)
    return Side(clock, AirChannel(), absent=True).radio
