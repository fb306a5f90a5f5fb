"""A board of fakes: a clock that jumps, pins and buses that a test moves by hand."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from stimbench.parts.interfaces import AnalogSource, SpiClock, SpiDevice

US, MS = 1_000, 1_000_000


class FakeHandle:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class FakeClock:
    """Runs what is due, in order of time; equal times in order of calling."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._queue: list[tuple[int, int, FakeHandle]] = []
        self._count = 0

    def call_at(self, time_ns: int, action: Callable[[], None]) -> FakeHandle:
        handle = FakeHandle(action)
        self._count += 1
        heapq.heappush(self._queue, (max(time_ns, self.now_ns), self._count, handle))
        return handle

    def next_ns(self) -> int | None:
        while self._queue and self._queue[0][2].action is None:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def run_to(self, time_ns: int) -> None:
        while (due := self.next_ns()) is not None and due <= time_ns:
            _, _, handle = heapq.heappop(self._queue)
            self.now_ns = due
            action, handle.action = handle.action, None
            assert action is not None
            action()
        self.now_ns = time_ns

    def run_for(self, span_ns: int) -> None:
        self.run_to(self.now_ns + span_ns)


class FakePin:
    """A net: the microcontroller's output wins, then a part's, then its pull-up, else low."""

    def __init__(self, name: str, clock: FakeClock) -> None:
        self.name = name
        self._clock = clock
        self._mcu: bool | None = None
        self._part: bool | None = None
        self._pull = False
        self._resistor: bool | None = None
        self._actions: list[Callable[[bool, int], None]] = []

    @property
    def level(self) -> bool:
        driven = self._part if self._mcu is None else self._mcu
        resting = self._pull if self._resistor is None else self._resistor
        return resting if driven is None else driven

    def pull(self, level: bool | None) -> None:
        before = self.level
        self._resistor = level
        self._tell(before)

    def pull_up(self) -> None:
        self._pull = True

    def on_edge(self, action: Callable[[bool, int], None]) -> None:
        self._actions.append(action)

    def drive(self, level: bool | None, by: str = "a part") -> None:
        self._set(self._mcu, level)

    def out(self, level: bool | None) -> None:
        """What the microcontroller drives."""
        self._set(level, self._part)

    def _set(self, mcu: bool | None, part: bool | None) -> None:
        before = self.level
        self._mcu, self._part = mcu, part
        self._tell(before)

    def _tell(self, before: bool) -> None:
        if self.level != before:
            for action in list(self._actions):
                action(self.level, self._clock.now_ns)


class FakeBus:
    """One SPI peripheral. `clock` is what the microcontroller has set."""

    def __init__(self) -> None:
        self.devices: list[SpiDevice] = []
        self.clock = SpiClock(8e6, 0)
        self.reports: list[tuple[str, str]] = []

    def attach(self, device: SpiDevice) -> None:
        self.devices.append(device)

    def report(self, part: str, text: str) -> None:
        self.reports.append((part, text))

    def transfer(self, data: bytes, bits: int = 8) -> bytes:
        """Words of up to 8 bits."""
        out = bytearray()
        for word in data:
            answers = [a for a in (d.exchange(word, bits, self.clock) for d in self.devices) if a is not None]
            assert len(answers) <= 1, "two devices drive MISO"
            out.append(answers[0] if answers else 0)
        return bytes(out)


class FakeBoard:
    """BoardPorts for one board. Every name is a pin; chip selects idle high."""

    FALLING = SpiClock(1e6, 1)
    """The matrix takes data on the falling edge."""
    IDLE_HIGH = ("DAC_CS", "MATRIX_CS", "LDAC", "RADIO_CSN")

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.pins: dict[str, FakePin] = {}
        self.buses = (FakeBus(), FakeBus())
        self.sources: dict[int, AnalogSource] = {}

    @property
    def scheduler(self) -> FakeClock:
        return self.clock

    def pin(self, signal: str) -> FakePin:
        if signal not in self.pins:
            self.pins[signal] = FakePin(signal, self.clock)
            if signal in self.IDLE_HIGH:
                self.pins[signal].out(True)
        return self.pins[signal]

    def spi(self, index: int) -> FakeBus:
        return self.buses[index]

    def wire_adc(self, channel: int, source: AnalogSource) -> None:
        self.sources[channel] = source

    # What firmware would do.

    def select(self, cs: str, index: int, data: bytes, clock: SpiClock | None = None, bits: int = 8) -> bytes:
        """One SPI frame: set the clock if given, select, transfer, let go, and the old clock again."""
        bus = self.buses[index]
        usual, bus.clock = bus.clock, clock or bus.clock
        self.pin(cs).out(False)
        answer = bus.transfer(data, bits)
        self.pin(cs).out(True)
        bus.clock = usual
        return answer

    def set_dac(self, channel: int, code: int) -> None:
        """Write an active gain-1 word and pulse LDAC."""
        word = channel << 15 | 0x3000 | code
        self.select("DAC_CS", 0, word.to_bytes(2, "big"))
        self.pin("LDAC").out(False)
        self.pin("LDAC").out(True)

    def set_matrix(self, left: int, right: int = 0) -> None:
        self.select("MATRIX_CS", 0, bytes([right, left]), self.FALLING)

    def keep_alive(self) -> None:
        self.pin("KEEPALIVE").out(False)
        self.pin("KEEPALIVE").out(True)

    def phase(self, signal: str, span_ns: int) -> None:
        """Switch one bridge line on for a time."""
        self.pin(signal).out(True)
        self.clock.run_for(span_ns)
        self.pin(signal).out(False)
