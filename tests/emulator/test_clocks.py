"""clk_peri from the registers that a firmware writes (RP2040 datasheet 2.15.7 and 2.18)."""

import pytest
from stimbench.emulator.board import EmulatedBoard

CLOCKS, PLL_SYS, PLL_USB = 0x40008000, 0x40028000, 0x4002C000
PERI_CTRL = CLOCKS + 0x48
CS, PWR, FBDIV, PRIM = 0x0, 0x4, 0x8, 0xC
LOCK = 1 << 31
ENABLE, KILL = 1 << 11, 1 << 10
SPI0, CR0, DR, SR, CPSR = 0x4003C000, 0x00, 0x08, 0x0C, 0x10
BUSY = 1 << 4


def start_pll(board, base, feedback, post1, post2, reference=1):
    """As the SDK does (2.18.3)."""
    board.write_word(base + CS, reference)
    board.write_word(base + FBDIV, feedback)
    board.write_word(base + 0x3000 + PWR, 1 | 1 << 5)
    assert board.read_word(base + CS) & LOCK
    board.write_word(base + PRIM, post1 << 16 | post2 << 12)
    board.write_word(base + 0x3000 + PWR, 1 << 3)


@pytest.mark.parametrize(
    ("source", "hz"), [(0, 125e6), (1, 125e6), (2, 48e6), (3, 6.5e6), (4, 12e6), (5, 0), (6, 0), (7, 0)]
)
def test_auxsrc_chooses_the_source(bare: EmulatedBoard, source: int, hz: float) -> None:
    start_pll(bare, PLL_SYS, 125, 6, 2)
    start_pll(bare, PLL_USB, 100, 5, 5)
    bare.write_word(PERI_CTRL, ENABLE | source << 5)
    assert bare.mcu.clk_peri == hz


def test_a_pll_gives_nothing_until_it_runs_and_what_its_divisors_say_then(bare: EmulatedBoard) -> None:
    bare.write_word(PERI_CTRL, ENABLE | 2 << 5)
    assert bare.mcu.clk_peri == 0
    assert not bare.read_word(PLL_USB + CS) & LOCK
    start_pll(bare, PLL_USB, 80, 4, 2, reference=2)
    assert bare.mcu.clk_peri == 12e6 / 2 * 80 / 8
    bare.write_word(PLL_USB + PWR, 1)
    assert bare.mcu.clk_peri == 0


def test_off_killed_or_reset_there_is_no_clock(bare: EmulatedBoard) -> None:
    bare.write_word(PERI_CTRL, ENABLE)
    assert bare.mcu.clk_peri == 125e6
    bare.write_word(PERI_CTRL, ENABLE | KILL)
    assert bare.mcu.clk_peri == 0
    bare.write_word(PERI_CTRL, ENABLE)
    bare.reset()
    assert bare.mcu.clk_peri == 0


def test_a_frame_without_a_clock_never_ends_and_the_log_says_why(bare: EmulatedBoard) -> None:
    bare.write_word(SPI0 + CPSR, 2)
    bare.write_word(SPI0 + CR0, 7)
    bare.write_word(SPI0 + DR, 0x55)
    bare.runner.run_to(1_000_000)
    assert bare.read_word(SPI0 + SR) & BUSY
    (line,) = bare.log.bus_errors
    assert line.startswith("SPI0") and "clk_peri is off" in line


def test_the_firmware_runs_its_buses_at_8_mhz_and_the_matrix_at_1(make_bench) -> None:
    """PLL_USB gives 48 MHz; requests for 10 MHz and for 8 MHz are both divided by 6, for 1 MHz by 48."""
    bench = make_bench()
    bench.run_for(500_000_000)
    for name, index in (("stimulator", 0), ("stimulator", 1), ("remote", 1)):
        board = bench.board(name)
        assert board.mcu.clk_peri == 48e6
        last_frame = (1e6, 1) if (name, index) == ("stimulator", 0) else (8e6, 0)  # the matrix, or the radio
        clock = board.spi(index).clock
        assert board.spi(index).bytes_sent and (clock.hz, clock.mode) == last_frame
        assert board.mcu.spi[index].clock_frequency == 8e6, "what the next frame has"
        assert board.log.bus_errors == []
