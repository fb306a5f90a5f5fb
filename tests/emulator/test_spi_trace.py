"""SCK, MOSI and MISO as they are drawn from an SPI bus's bytes."""

from bisect import bisect_right

import pytest
from stimbench.capture.recorder import Recorder
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.spi import line_of
from stimbench.parts.interfaces import SpiClock

CLK_PERI_CTRL, IO_BANK0, SPI0 = 0x40008048, 0x40014000, 0x4003C000
CR0, CR1, DR, CPSR = 0x00, 0x04, 0x08, 0x10
MISO, SCK, MOSI = 4, 2, 3
BIT_NS = 80
"""125 MHz / 10."""
BYTES = (0xA5, 0x3C, 0x00, 0xFF, 0x81)


class Inverse:
    """Answers the complement."""

    name = "inverse"

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        return mosi ^ ((1 << bits) - 1)


@pytest.fixture
def board(bare: EmulatedBoard) -> EmulatedBoard:
    bare.write_word(CLK_PERI_CTRL, 0x800)
    for gpio in (MISO, SCK, MOSI):
        bare.write_word(IO_BANK0 + 8 * gpio + 4, 1)
    bare.spi(0).attach(Inverse())
    return bare


def record(board: EmulatedBoard) -> Recorder:
    recorder = Recorder()
    for gpio in (MISO, SCK, MOSI, 5):
        recorder.watch("b", board.pin(f"P{gpio}"))
    recorder.watch_spi("b", board.spi(0))
    return recorder


def send(board: EmulatedBoard, *values: int, mode: int = 0, bits: int = 8) -> None:
    board.write_word(SPI0 + CPSR, 10)
    board.write_word(SPI0 + CR0, (mode >> 1) << 6 | (mode & 1) << 7 | bits - 1)
    board.write_word(SPI0 + CR1, 2)
    for value in values:
        board.write_word(SPI0 + DR, value)
    board.runner.run_to(board.now_ns + 10_000)


def sampled(recorder: Recorder, mode: int, gpio: int) -> list[int]:
    """The bits on a line at the edges on which a receiver in that mode takes them."""
    rising = mode in (0, 3)
    edges = recorder.edges("b", f"P{gpio}")
    times = [time_ns for time_ns, _ in edges]
    bits = []
    for time_ns, level in recorder.edges("b", f"P{SCK}"):
        if level is rising:
            before = bisect_right(times, time_ns) - 1
            bits.append(edges[before][1] if before >= 0 else recorder.initial_level("b", f"P{gpio}"))
    return [int("".join(map(str, map(int, bits[k : k + 8]))), 2) for k in range(0, len(bits), 8)]


@pytest.mark.parametrize("mode", range(4))
def test_a_receiver_reads_the_bytes_off_the_lines(board: EmulatedBoard, mode: int) -> None:
    board.write_word(SPI0 + CR0, (mode >> 1) << 6 | (mode & 1) << 7 | 7)
    recorder = record(board)
    send(board, *BYTES, mode=mode)
    assert sampled(recorder, mode, MOSI) == list(BYTES)
    assert sampled(recorder, mode, MISO) == [byte ^ 0xFF for byte in BYTES]
    assert [(x.mosi, x.miso, x.mode) for x in recorder.spi_bytes("b", 0)] == [
        (byte, byte ^ 0xFF, mode) for byte in BYTES
    ]


@pytest.mark.parametrize("mode", range(4))
def test_clocks_lie_in_the_bytes_own_time_and_rest_at_cpol(board: EmulatedBoard, mode: int) -> None:
    board.write_word(SPI0 + CR0, (mode >> 1) << 6 | (mode & 1) << 7 | 7)
    recorder = record(board)
    board.runner.run_to(1_000)
    send(board, *BYTES, mode=mode)
    edges = recorder.edges("b", f"P{SCK}")
    first_ns = 1_000 + (0 if mode & 1 else BIT_NS // 2)
    assert recorder.initial_level("b", f"P{SCK}") is bool(mode >> 1)
    assert edges == [
        (first_ns + k * BIT_NS // 2, (k % 2 == 0) is not bool(mode >> 1)) for k in range(16 * len(BYTES))
    ]
    assert edges[-1][0] <= 1_000 + 8 * BIT_NS * len(BYTES)


def test_a_change_of_mode_moves_the_resting_clock_at_its_time(board: EmulatedBoard) -> None:
    recorder = record(board)
    board.runner.run_to(5_000)
    board.write_word(SPI0 + CR0, 1 << 6 | 7)
    send(board, mode=2)
    board.runner.run_to(50_000)
    board.write_word(SPI0 + CR0, 7)
    send(board, 0)
    assert recorder.edges("b", f"P{SCK}")[:2] == [(5_000, True), (50_000, False)]


def test_a_span_holds_the_edges_of_all_bytes_that_reach_into_it(board: EmulatedBoard) -> None:
    recorder = record(board)
    send(board, *BYTES)
    send(board, *BYTES)
    for gpio in (SCK, MOSI, MISO):
        whole = recorder.edges("b", f"P{gpio}")
        for start_ns, end_ns in ((300, 2000), (640, 641), (0, 10_000), (3_000, 12_000)):
            part = [edge for edge in whole if start_ns <= edge[0] < end_ns]
            assert recorder.edges("b", f"P{gpio}", start_ns, end_ns) == part


def test_short_frames_have_as_many_clocks_as_bits(board: EmulatedBoard) -> None:
    recorder = record(board)
    send(board, 0xABC, bits=12)
    assert len(recorder.edges("b", f"P{SCK}")) == 2 * 12
    assert [(x.mosi, x.bits) for x in recorder.spi_bytes("b", 0)] == [(0xAB, 8), (0xC, 4)]


def test_old_bytes_can_be_forgotten(board: EmulatedBoard) -> None:
    recorder = record(board)
    send(board, 0x11)
    send(board, 0x22)
    recorder.forget_before(10_000)
    assert [x.mosi for x in recorder.spi_bytes("b", 0)] == [0x22]
    assert all(time_ns >= 10_000 for time_ns, _ in recorder.edges("b", f"P{SCK}"))


def test_only_pins_with_the_spi_function_carry_the_bus(board: EmulatedBoard) -> None:
    recorder = record(board)
    send(board, 0x55)
    assert recorder.spi_signals == [("b", f"P{gpio}") for gpio in (MISO, SCK, MOSI)]
    assert recorder.edges("b", "P5") == []


def test_nothing_is_kept_when_nobody_records(board: EmulatedBoard, make_bench) -> None:
    send(board, *BYTES)
    assert board.spi(0).record is None
    bench = make_bench(trace=False)
    bench.run_for(500_000_000)
    assert bench.board("stimulator").spi(1).bytes_sent
    assert all(board.spi(index).record is None for board in bench.boards.values() for index in (0, 1))
    assert bench.trace.spi_signals == bench.trace.signals == []


def test_gpios_by_bus_and_line() -> None:
    """RP2040 datasheet 2.19.2, function F1: the bench's pins on SPI1 (radio) and SPI0 (DAC)."""
    assert [line_of(gpio) for gpio in (10, 11, 12, 18, 19)] == [(1, 2), (1, 3), (1, 0), (0, 2), (0, 3)]
