"""What each part on a bus does with a clock that its datasheet does not allow."""

import random

import pytest
from stimbench.parts.adg1414 import BREADBOARD_SDO_NS, SDO_NS, MatrixChain
from stimbench.parts.interfaces import SpiClock
from stimbench.parts.mcp4922 import Mcp4922
from stimbench.parts.nrf24l01 import Nrf24L01
from stimbench.parts.radio import AirChannel
from stimbench.parts.spi_limits import SpiLimits
from support.parts_fakes import MS, FakeBoard

MCP4922_HZ, NRF24_HZ = 20e6, 10e6
ADG1414_HZ = 50e6
CHAIN_HZ = {SDO_NS: 1e9 / 90, BREADBOARD_SDO_NS: 1e9 / 410}
"""Half a clock holds SDO's delay (40 ns with 20 pF, 200 with a breadboard's 100 pF) and 5 ns of set-up."""
SAME_WORDS = 40
"""So many frames are sent: a spoilt byte may be right by chance in the wrong mode, never in all of them."""


def dac_board(seed=0):
    board = FakeBoard()
    return board, Mcp4922(board.clock, board.spi(0), board.pin("DAC_CS"), board.pin("LDAC"), seed=seed)


def dac_codes(clock, seed=0):
    board, dac = dac_board(seed)
    board.pin("LDAC").out(False)
    codes = []
    for _ in range(SAME_WORDS):
        board.select("DAC_CS", 0, b"\x3a\x5a", clock)
        codes.append(dac._input_words[0])
    return codes, board.spi(0).reports


@pytest.mark.parametrize("mode", [0, 3])
def test_mcp4922_takes_its_fastest_clock_in_both_its_modes(mode):
    codes, reports = dac_codes(SpiClock(MCP4922_HZ, mode))
    assert set(codes) == {0x3A5A} and reports == []


def test_mcp4922_beyond_its_clock_takes_no_word_right_and_says_so_once():
    codes, reports = dac_codes(SpiClock(MCP4922_HZ * 1.042, 0))
    assert 0x3A5A not in codes
    assert reports == [("MCP4922", "clocked at 20.84 MHz, its limit is 20.00 MHz: bits are lost")]


@pytest.mark.parametrize("mode", [1, 2])
def test_mcp4922_in_a_wrong_mode_mixes_up_neighbouring_bits(mode):
    codes, reports = dac_codes(SpiClock(1e6, mode))
    assert codes.count(0x3A5A) < SAME_WORDS // 4
    assert reports == [("MCP4922", f"clocked in SPI mode {mode}, it takes mode 0 or 3: bits are lost")]


def test_the_seed_decides_which_bits_are_lost():
    wrong = SpiClock(25e6, 0)
    assert dac_codes(wrong, seed=1) == dac_codes(wrong, seed=1)
    assert dac_codes(wrong, seed=1)[0] != dac_codes(wrong, seed=2)[0]


@pytest.mark.parametrize(("words", "bits", "clocks"), [(b"\x3a", 8, 8), (b"\x3a\x05", 6, 12)])
def test_mcp4922_names_the_clocks_of_a_short_frame(words, bits, clocks):
    """5.2: a CS that rises before 16 clocks aborts the write."""
    board, dac = dac_board()
    board.select("DAC_CS", 0, words, bits=bits)
    assert dac.ignored_frames == 1
    assert board.spi(0).reports == [("MCP4922", f"a frame of {clocks} clocks is ignored, it takes 16")]


def test_mcp4922_takes_16_clocks_in_any_portions():
    board, dac = dac_board()
    board.pin("LDAC").out(False)
    board.select("DAC_CS", 0, bytes([0x3, 0xA, 0x5, 0xB, 0xF]), bits=4)
    assert dac.code(0) == 0xA5B, "clocks past 16 are ignored (5.2)"


def test_parts_that_are_not_selected_do_not_complain():
    board, dac = dac_board()
    chain = MatrixChain(board.spi(0), board.pin("MATRIX_CS"))
    board.spi(0).clock = SpiClock(60e6, 2)
    board.spi(0).transfer(b"\x12\x34")
    assert board.spi(0).reports == [] and not dac.is_on(0) and chain.mask(0) == 0


def chain_masks(hz, sdo_ns=BREADBOARD_SDO_NS, mode=1):
    board = FakeBoard()
    chain = MatrixChain(board.spi(0), board.pin("MATRIX_CS"), sdo_ns=sdo_ns)
    masks = []
    for _ in range(SAME_WORDS):
        board.select("MATRIX_CS", 0, b"\x42\x21", SpiClock(hz, mode))
        masks.append((chain.mask(0), chain.mask(1)))
    return masks, board.spi(0).reports


@pytest.mark.parametrize(("sdo_ns", "hz"), CHAIN_HZ.items())
@pytest.mark.parametrize("mode", [1, 2])
def test_switches_take_the_chains_fastest_clock_on_falling_edges(sdo_ns, hz, mode):
    masks, reports = chain_masks(hz - 1, sdo_ns, mode)
    assert set(masks) == {(0x21, 0x42)} and reports == []


@pytest.mark.parametrize(("sdo_ns", "hz"), CHAIN_HZ.items())
def test_between_the_chains_limit_and_a_chips_only_the_second_chip_goes_wrong(sdo_ns, hz):
    """SDO is valid too late for the next chip's DIN."""
    masks, reports = chain_masks(hz * 1.1, sdo_ns)
    assert {left for left, _ in masks} == {0x21}
    assert 0x42 not in {right for _, right in masks}
    ((part, text),) = reports
    assert part == "ADG1414, second in the chain" and f"its limit is {hz / 1e6:.2f} MHz" in text


def test_beyond_a_chips_clock_both_go_wrong():
    masks, reports = chain_masks(ADG1414_HZ * 1.01)
    assert 0x21 not in {left for left, _ in masks}
    assert ("ADG1414", "clocked at 50.50 MHz, its limit is 50.00 MHz: bits are lost") in reports


@pytest.mark.parametrize("mode", [0, 3])
def test_switches_in_the_dacs_mode_go_wrong(mode):
    masks, reports = chain_masks(1e6, mode=mode)
    assert masks.count((0x21, 0x42)) < SAME_WORDS // 4
    assert reports == [("ADG1414", f"clocked in SPI mode {mode}, it takes mode 1 or 2: bits are lost")]


def test_the_chain_on_a_breadboard_takes_the_1_mhz_that_the_circuit_asks_for():
    masks, reports = chain_masks(1e6)
    assert set(masks) == {(0x21, 0x42)} and reports == []


def test_a_frame_that_does_not_fill_the_chain_is_told():
    board = FakeBoard()
    chain = MatrixChain(board.spi(0), board.pin("MATRIX_CS"))
    board.select("MATRIX_CS", 0, b"\x12", board.FALLING)
    assert chain.mask(0) == 0x12
    assert board.spi(0).reports == [("ADG1414", "a frame of 8 clocks, the chain holds 16 bits")]


def radio_answers(clock, bits=8):
    board = FakeBoard()
    pins = [board.pin(f"RADIO_{name}") for name in ("CSN", "CE", "IRQ")]
    Nrf24L01(board.clock, board.spi(1), *pins, AirChannel())
    board.clock.run_for(100 * MS)
    answers = [board.select("RADIO_CSN", 1, b"\x05\xff", clock, bits) for _ in range(SAME_WORDS)]
    return answers, board.spi(1).reports


def test_nrf24l01_answers_at_its_fastest_clock():
    answers, reports = radio_answers(SpiClock(NRF24_HZ, 0))
    assert set(answers) == {b"\x0e\x02"} and reports == []


def test_nrf24l01_beyond_its_clock_answers_nonsense():
    answers, reports = radio_answers(SpiClock(NRF24_HZ * 1.05, 0))
    assert b"\x0e\x02" not in answers
    assert reports == [("nRF24L01+", "clocked at 10.50 MHz, its limit is 10.00 MHz: bits are lost")]


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_nrf24l01_takes_mode_0_only(mode):
    answers, reports = radio_answers(SpiClock(1e6, mode))
    assert answers.count(b"\x0e\x02") < SAME_WORDS // 4
    assert reports == [("nRF24L01+", f"clocked in SPI mode {mode}, it takes mode 0: bits are lost")]


def test_nrf24l01_does_not_hear_parts_of_bytes():
    answers, reports = radio_answers(SpiClock(8e6, 0), bits=4)
    assert set(answers) == {b"\0\0"}
    assert len(reports) == SAME_WORDS and "4 bits, it takes whole bytes" in reports[0][1]


def test_a_complaint_comes_once_until_a_good_byte():
    board = FakeBoard()
    limits = SpiLimits(board.spi(0), "part", max_hz=1e6, modes=(0,), rng=random.Random(1))
    good, fast = SpiClock(1e6, 0), SpiClock(2e6, 0)
    for clock in (fast, fast, good, fast):
        limits.transfer(0x55, 8, clock)
    assert len(board.spi(0).reports) == 2
