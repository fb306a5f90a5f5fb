"""SPI and ADC against the clocks that they take."""

import itertools

import pytest
from stimbench.bench import EmulatedBoard

SPI0, ADC = 0x4003C000, 0x4004C000
CR0, CR1, DR, SR, CPSR = 0x00, 0x04, 0x08, 0x0C, 0x10
BUSY, RX_FILLED = 1 << 4, 1 << 2
CS, RESULT, FCS, FIFO, DIV = 0x00, 0x04, 0x08, 0x0C, 0x10
CONVERSION_NS = 2000


class Echo:
    """Answers the complement of the byte before; notes when bytes came."""

    def __init__(self, board: EmulatedBoard) -> None:
        self.board = board
        self.seen: list[tuple[int, int]] = []

    def exchange(self, mosi: int) -> int | None:
        self.seen.append((self.board.now_ns, mosi))
        return 0xFF ^ mosi


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


def test_bus_without_an_answer_reads_low(bare: EmulatedBoard) -> None:
    bare.write_word(SPI0 + CPSR, 2)
    bare.write_word(SPI0 + CR0, 7)
    bare.write_word(SPI0 + CR1, 2)
    bare.write_word(SPI0 + DR, 0xFF)
    bare.runner.run_to(10_000)
    assert bare.read_word(SPI0 + SR) & RX_FILLED
    assert bare.read_word(SPI0 + DR) == 0


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
