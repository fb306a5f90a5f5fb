"""SPI and ADC against the clocks that they take."""

import itertools

import pytest
from stimbench.emulator.board import EmulatedBoard
from stimbench.parts.interfaces import SpiClock

SPI0, ADC = 0x4003C000, 0x4004C000
CLK_PERI_CTRL = 0x40008048
DMA, RAM, SPI0_TX, DMA_BUSY = 0x50000000, 0x20000000, 16, 1 << 24
IO_BANK0, PADS_BANK0 = 0x40014000, 0x4001C000
FUNCTION_SPI = 1
MISO_GPIO = 4
PULL_UP, PULL_DOWN, FLOATING = 0x5A, 0x56, 0x52
CR0, CR1, DR, SR, CPSR = 0x00, 0x04, 0x08, 0x0C, 0x10
BUSY, RX_FILLED = 1 << 4, 1 << 2
CS, RESULT, FCS, FIFO, DIV = 0x00, 0x04, 0x08, 0x0C, 0x10
CONVERSION_NS = 2000


class Echo:
    """Answers the complement of the byte before; notes when bytes came."""

    def __init__(self, board: EmulatedBoard) -> None:
        self.board = board
        self.seen: list[tuple[int, int]] = []

    name = "echo"

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        self.seen.append((self.board.now_ns, mosi))
        return 0xFF ^ mosi


@pytest.fixture(autouse=True)
def clk_peri(bare: EmulatedBoard) -> None:
    """CLK_PERI_CTRL: on, from the system clock."""
    bare.write_word(CLK_PERI_CTRL, 0x800)


def test_each_byte_takes_eight_clocks(bare: EmulatedBoard) -> None:
    device = Echo(bare)
    bare.spi(0).attach(device)
    bare.write_word(SPI0 + CPSR, 2)
    bare.write_word(SPI0 + CR0, 12 << 8 | 7)  # 125 MHz / (2 * 13)
    bare.write_word(SPI0 + CR1, 2)
    for byte in (0x12, 0x34, 0x56):
        bare.write_word(SPI0 + DR, byte)
    assert bare.read_word(SPI0 + SR) & BUSY
    bare.runner.run_to(10_000)
    assert not bare.read_word(SPI0 + SR) & BUSY
    byte_ns = 8 * 2 * 13 * 8
    assert device.seen == [(byte_ns, 0x12), (2 * byte_ns, 0x34), (3 * byte_ns, 0x56)]
    assert [bare.read_word(SPI0 + DR) for _ in range(3)] == [0xED, 0xCB, 0xA9]


def begin_by_dma(board: EmulatedBoard, words: int) -> None:
    """SPI0 at 1 MHz, fed with bytes by DMA channel 0 (RP2040 datasheet 2.5.7)."""
    board.write_word(SPI0 + CPSR, 2)
    board.write_word(SPI0 + CR0, 62 << 8 | 7)
    board.write_word(SPI0 + CR1, 2)
    for offset, value in ((0x0, RAM), (0x4, SPI0 + DR), (0x8, words), (0xC, 1 | 1 << 4 | SPI0_TX << 15)):
        board.write_word(DMA + offset, value)


def test_a_reset_ends_what_dma_is_doing_and_it_can_begin_anew(bare: EmulatedBoard) -> None:
    device = Echo(bare)
    bare.spi(0).attach(device)
    begin_by_dma(bare, 100)
    bare.runner.run_to(bare.now_ns + 200_000)
    assert 20 < len(device.seen) < 30 and bare.read_word(DMA + 0xC) & DMA_BUSY
    bare.reset()
    bare.hang()
    bare.write_word(CLK_PERI_CTRL, 0x800)
    assert not bare.read_word(DMA + 0xC) & DMA_BUSY
    device.seen.clear()
    bare.runner.run_to(bare.now_ns + 100_000)
    assert not device.seen, "nothing goes on by itself"
    begin_by_dma(bare, 5)
    bare.runner.run_to(bare.now_ns + 100_000)
    assert len(device.seen) == 5 and not bare.read_word(DMA + 0xC) & DMA_BUSY


def send(board: EmulatedBoard, value: int, *, bits: int = 8, mode: int = 0, divisor: int = 16) -> int:
    """One frame on SPI0 at 125 MHz / `divisor`; what came back."""
    board.write_word(SPI0 + CPSR, divisor)
    board.write_word(SPI0 + CR0, (mode >> 1) << 6 | (mode & 1) << 7 | bits - 1)
    board.write_word(SPI0 + CR1, 2)
    board.write_word(SPI0 + DR, value)
    board.runner.run_to(board.now_ns + 10_000)
    assert board.read_word(SPI0 + SR) & RX_FILLED
    return board.read_word(SPI0 + DR)


@pytest.mark.parametrize(("pads", "answer"), [(PULL_DOWN, 0x00), (PULL_UP, 0xFF), (FLOATING, 0x00)])
def test_bus_without_an_answer_reads_the_pull_resistor(bare: EmulatedBoard, pads: int, answer: int) -> None:
    bare.write_word(IO_BANK0 + 8 * MISO_GPIO + 4, FUNCTION_SPI)
    bare.write_word(PADS_BANK0 + 4 + 4 * MISO_GPIO, pads)
    assert send(bare, 0x5A) == answer
    assert bare.log.bus_errors == []


def test_bus_without_a_miso_pin_reads_low(bare: EmulatedBoard) -> None:
    assert send(bare, 0xFF) == 0


class Device:
    """Notes what it was given; answers one byte, or nothing."""

    def __init__(self, name: str, answer: int | None = None) -> None:
        self.name = name
        self.answer = answer
        self.seen: list[tuple[int, int, SpiClock]] = []

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        self.seen.append((mosi, bits, clock))
        return self.answer


@pytest.mark.parametrize("mode", range(4))
def test_devices_learn_clock_and_mode(bare: EmulatedBoard, mode: int) -> None:
    device = Device("one")
    bare.spi(0).attach(device)
    send(bare, 0xA5, mode=mode, divisor=10)
    assert device.seen == [(0xA5, 8, SpiClock(12.5e6, mode))]


@pytest.mark.parametrize(
    ("bits", "value", "pieces"),
    [(16, 0xABCD, [(0xAB, 8), (0xCD, 8)]), (12, 0xABC, [(0xAB, 8), (0xC, 4)]), (5, 0x1F, [(0x1F, 5)])],
)
def test_frames_of_any_length_come_in_bytes(bare: EmulatedBoard, bits: int, value: int, pieces: list) -> None:
    device = Device("one")
    bare.spi(0).attach(device)
    began_ns = bare.now_ns
    send(bare, value, bits=bits)
    assert [(mosi, count) for mosi, count, _ in device.seen] == pieces
    assert bare.spi(0).bytes_sent == len(pieces) and bare.now_ns == began_ns + 10_000


def test_two_devices_that_answer_at_once_are_an_error_and_low_wins(bare: EmulatedBoard) -> None:
    first, second = Device("one", 0xF0), Device("two", 0x3C)
    for device in (first, second):
        bare.spi(0).attach(device)
    assert send(bare, 0) == 0x30
    send(bare, 0)
    (line,) = bare.log.bus_errors
    assert line.startswith("SPI0, MISO: two drivers at once: one 0xf0, two 0x3c") and "at 1024 ns" in line
    second.answer = None
    assert send(bare, 0) == 0xF0
    second.answer = 0xF0
    send(bare, 0)
    assert len(bare.log.bus_errors) == 2, "equal bytes are a contention too, and this is another one"


@pytest.mark.parametrize("gpio", [MISO_GPIO, 2, 3])
def test_a_part_that_drives_a_line_of_the_bus_is_an_error(bare: EmulatedBoard, gpio: int) -> None:
    device = Device("one", 0x81)
    bare.spi(0).attach(device)
    bare.write_word(IO_BANK0 + 8 * gpio + 4, FUNCTION_SPI)
    bare.pin(f"P{gpio}").drive(True, "a stray wire")
    assert send(bare, 0) == 0x81
    send(bare, 0)
    (line,) = bare.log.bus_errors
    assert line.startswith(f"SPI0, P{gpio}: two drivers at once: the bus and a stray wire")


def test_a_miso_that_only_a_part_outside_the_bus_drives_is_read(bare: EmulatedBoard) -> None:
    bare.write_word(IO_BANK0 + 8 * MISO_GPIO + 4, FUNCTION_SPI)
    bare.write_word(PADS_BANK0 + 4 + 4 * MISO_GPIO, PULL_DOWN)
    bare.pin(f"P{MISO_GPIO}").drive(True)
    assert send(bare, 0) == 0xFF
    assert bare.log.bus_errors == []


def test_adc_samples_at_the_start_and_answers_two_microseconds_later(bare: EmulatedBoard) -> None:
    sampled: list[int] = []

    def source(time_ns: int) -> float:
        sampled.append(time_ns)
        return time_ns * 1e-4

    bare.wire_adc(1, source)
    bare.runner.run_to(10_000)
    bare.write_word(ADC + CS, 1 << 12 | 1 | 1 << 2)
    bare.runner.run_to(10_000 + CONVERSION_NS - 1)
    assert not bare.read_word(ADC + CS) & 1 << 8
    bare.runner.run_to(10_000 + CONVERSION_NS)
    assert bare.read_word(ADC + CS) & 1 << 8
    assert sampled == [10_000]
    assert bare.read_word(ADC + RESULT) == round(1.0 * 4096 / 3.3)


@pytest.mark.parametrize(("mask", "order"), [(0b00111, [0, 1, 2, 0, 1]), (0b10001, [0, 4, 0, 4, 0])])
def test_adc_round_robin_takes_every_channel_in_turn(
    bare: EmulatedBoard, mask: int, order: list[int]
) -> None:
    sampled: list[int] = []
    for channel in range(5):
        bare.wire_adc(channel, lambda _time_ns, n=channel: sampled.append(n) or 0.5 * n)
    bare.write_word(ADC + FCS, 1)
    bare.write_word(ADC + CS, mask << 16 | 1 | 1 << 3)
    bare.runner.run_to(5 * CONVERSION_NS - 1)
    assert sampled == order
    codes = [bare.read_word(ADC + FIFO) for _ in range(4)]
    assert codes == [round(0.5 * n * 4096 / 3.3) for n in order[:4]]


def test_adc_keeps_its_pace(bare: EmulatedBoard) -> None:
    sampled: list[int] = []
    bare.wire_adc(0, lambda time_ns: sampled.append(time_ns) or 0.0)
    bare.write_word(ADC + DIV, (480 - 1) << 8)
    bare.write_word(ADC + CS, 1 | 1 << 3)
    bare.runner.run_to(100_000)
    assert {b - a for a, b in itertools.pairwise(sampled)} == {10_000}
