"""The flash cache: hits, misses and their cost, through instructions that really run."""

import random
from array import array

import pytest
from rp2040py.rp2040 import RP2040
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.chip import Core
from stimbench.emulator.native.cortex_m0 import NativeCore
from stimbench.emulator.xip import BoardXipCtrl, SsiSetup

LINE_CYCLES, WORD_CYCLES, ENTRY_CYCLES = 56, 40, 15
SETS, LINE = 1024, 8
CODE = 0x20000000
LDR_R0_R1 = 0x6808  # LDR R0, [R1]
LDR_CYCLES = 2
CACHED, NO_ALLOCATE, NO_CHECK, NO_CACHE = 0x10000000, 0x11000000, 0x12000000, 0x13000000
CTR_HIT, CTR_ACC, FLUSH, CTRL = 0x0C, 0x10, 0x04, 0x00
MOST = 0xFFFFFFFF
XIP_CTRL, SSI = 0x14000000, 0x18000000
SSI_CTRLR0, SSI_ENABLE, SSI_BAUDR, SSI_SPI_CTRLR0 = SSI, SSI + 0x08, SSI + 0x14, SSI + 0xF4
BOOT2 = SsiSetup(ctrlr0=0x5F0300, baudr=2, spi_ctrlr0=0xA0002022)
"""What this board's second-stage bootloader writes: quad, 32 bits of address and mode, 4 waits, clock / 2."""


class Loads:
    """A core whose program, in RAM, loads one word from flash again and again."""

    def __init__(self):
        self.chip = RP2040()
        self.core = NativeCore(self.chip)
        self.chip.core = self.core
        self.control = BoardXipCtrl(self.chip, self.core)
        self.control.on_ssi(BOOT2)
        self.chip.sram[:2] = LDR_R0_R1.to_bytes(2, "little")

    def load(self, address):
        """Cycles of one load."""
        self.core.registers[1] = address
        self.core.pc = CODE
        return self.core.execute_instruction()

    def counted(self):
        return self.control.read_uint32(CTR_HIT), self.control.read_uint32(CTR_ACC)


@pytest.fixture
def loads():
    return Loads()


def test_the_bootloaders_setup_takes_28_clocks_a_line():
    # 8 clocks of address and mode, 4 of waiting, 64 / 4 of data, at half of the system clock.
    assert BOOT2.line_cycles == (8 + 4 + 16) * 2 == LINE_CYCLES
    assert BOOT2.word_cycles == (8 + 4 + 8) * 2 == WORD_CYCLES
    assert SsiSetup(0x1F0300, 6, 0x218).line_cycles == (8 + 24 + 64) * 6  # the boot ROM's plain read


def test_the_counters_count_as_in_the_datasheets_example(loads):
    loads.load(CACHED + 0x100)
    assert loads.counted() == (0, 1)
    loads.load(CACHED + 0x100)
    assert loads.counted() == (1, 2)
    loads.load(CACHED + 0x104)  # the other word of the line
    assert loads.counted() == (2, 3)
    loads.control.write_uint32(CTR_HIT, 1)
    loads.control.write_uint32(CTR_ACC, 7)
    assert loads.counted() == (0, 0)


def test_a_miss_costs_a_line_and_a_hit_nothing(loads):
    assert loads.load(CACHED + 0x200) == LDR_CYCLES + LINE_CYCLES
    assert loads.load(CACHED + 0x204) == LDR_CYCLES
    loads.control.write_uint32(FLUSH, 1)
    assert loads.load(CACHED + 0x200) == LDR_CYCLES + LINE_CYCLES


def test_mirrors_and_a_cache_that_is_off(loads):
    assert loads.load(NO_ALLOCATE + 0x300) == LDR_CYCLES + WORD_CYCLES
    assert loads.load(NO_ALLOCATE + 0x300) == LDR_CYCLES + WORD_CYCLES
    assert loads.load(CACHED + 0x300) == LDR_CYCLES + LINE_CYCLES
    assert loads.load(NO_ALLOCATE + 0x300) == LDR_CYCLES
    assert loads.load(NO_CACHE + 0x300) == LDR_CYCLES + WORD_CYCLES
    assert loads.load(NO_CHECK + 0x400) == LDR_CYCLES + LINE_CYCLES
    assert loads.load(CACHED + 0x400) == LDR_CYCLES
    loads.control.write_uint32(CTRL, 0)
    assert loads.load(CACHED + 0x300) == LDR_CYCLES + WORD_CYCLES


def test_two_ways_of_1024_sets_and_the_least_recently_used_goes(loads):
    rng = random.Random(5)
    ways = {}
    for _ in range(20_000):
        line = rng.choice((7, 7 + SETS, 7 + 2 * SETS, 8, 8 + 3 * SETS, rng.randrange(1 << 17)))
        recent = ways.setdefault(line % SETS, [])
        wanted = LDR_CYCLES if line in recent else LDR_CYCLES + LINE_CYCLES
        assert loads.load(CACHED + line * LINE) == wanted
        ways[line % SETS] = [line, *(other for other in recent if other != line)][:2]


def test_code_is_fetched_through_the_cache_a_word_at_a_time(loads):
    nops = array("H", [0xBF00] * 8).tobytes()
    loads.chip.flash[0x800 : 0x800 + len(nops)] = nops
    loads.core.pc = CACHED + 0x800
    spent = []
    while len(spent) < 8:
        cycles = loads.core.execute_instruction()
        if cycles >= LINE_CYCLES:  # the wait and the instruction are two steps
            cycles += loads.core.execute_instruction()
        spent.append(cycles)
    assert spent == [1 + LINE_CYCLES, 1, 1, 1, 1 + LINE_CYCLES, 1, 1, 1]
    assert loads.counted() == (2, 4)


def test_a_write_to_the_caching_mirror_deletes_the_line(loads):
    loads.load(CACHED + 0x500)
    loads.chip.sram[2:4] = (0x600A).to_bytes(2, "little")  # STR R2, [R1]
    loads.core.registers[1] = CACHED + 0x500
    loads.core.pc = CODE + 2
    loads.core.execute_instruction()
    assert loads.load(CACHED + 0x500) == LDR_CYCLES + LINE_CYCLES


def test_an_interrupts_entry_takes_15_cycles(loads):
    core = loads.core
    core.vtor = CODE + 0x100
    loads.chip.sram[0x100 + 4 * 16 : 0x104 + 4 * 16] = (CODE + 0x80).to_bytes(4, "little")
    loads.chip.sram[0x80:0x82] = (0xBF00).to_bytes(2, "little")
    core.registers[13] = CODE + 0x1000
    core.enabled_interrupts = 1
    core.pc = CODE
    core.set_interrupt(0, True)
    cycles = core.execute_instruction()
    if core.pc == CODE + 0x80:
        cycles += core.execute_instruction()
    assert cycles == ENTRY_CYCLES + 1 and core.ipsr == 16


def test_the_counters_stop_at_their_most(loads):
    loads.load(CACHED + 0x600)
    loads.core.xip_hits, loads.core.xip_accesses = MOST - 2, MOST - 1
    seen = []
    for _ in range(4):
        loads.load(CACHED + 0x600)
        seen.append(loads.counted())
    assert seen == [(MOST - 1, MOST), (MOST, MOST), (MOST, MOST), (MOST, MOST)]
    loads.control.write_uint32(CTR_HIT, 0)
    assert loads.counted() == (0, MOST)


def test_misses_are_profiled_by_line(loads):
    assert loads.core.misses == {}
    loads.load(CACHED + 0x700)
    loads.core.profile_misses(True)
    for offset in (0x700, 0x710, 0x714, 0x71C, 0x7FC + SETS * LINE):
        loads.load(CACHED + offset)
    loads.control.write_uint32(FLUSH, 1)
    loads.load(CACHED + 0x710)
    assert loads.core.misses == {0x710: 2, 0x718: 1, 0x7F8 + SETS * LINE: 1}
    loads.core.profile_misses(False)
    assert loads.core.misses == {}


def board_with(**fields):
    """A board without firmware whose CPU stands before a load from flash, in RAM."""
    board = EmulatedBoard("bare", {}, seed=1, **fields)
    board.mcu.sram[:2] = LDR_R0_R1.to_bytes(2, "little")
    return board


def set_up_ssi(board, baudr, ctrlr0=BOOT2.ctrlr0, spi_ctrlr0=BOOT2.spi_ctrlr0):
    """As the second-stage bootloader does."""
    board.write_word(SSI_ENABLE, 0)
    board.write_word(SSI_BAUDR, baudr)
    board.write_word(SSI_CTRLR0, ctrlr0)
    board.write_word(SSI_SPI_CTRLR0, spi_ctrlr0)
    board.write_word(SSI_ENABLE, 1)


def cost_of_load(board, address):
    core = board.mcu.core
    core.registers[1], core.pc = address, CODE
    return core.execute_instruction()


def test_the_cost_follows_what_the_firmware_writes_to_the_ssi():
    board = board_with()
    for index, (baudr, line, word) in enumerate(((2, 56, 40), (4, 112, 80), (6, 168, 120))):
        set_up_ssi(board, baudr)
        assert board.mcu.xip_ctrl.line_cycles == line
        assert cost_of_load(board, CACHED + 0x1000 + index * LINE) == LDR_CYCLES + line
        assert cost_of_load(board, NO_CACHE + 0x1000) == LDR_CYCLES + word
    set_up_ssi(board, 2, ctrlr0=0x1F0300, spi_ctrlr0=0x218)
    assert cost_of_load(board, CACHED + 0x2000) == LDR_CYCLES + (8 + 24 + 64) * 2


def test_a_number_is_what_a_miss_costs_whatever_the_ssi():
    board = board_with(xip=40)
    set_up_ssi(board, 6)
    assert board.mcu.xip_ctrl.line_cycles == 40
    assert cost_of_load(board, CACHED + 0x1000) == LDR_CYCLES + 40
    assert board.read_word(XIP_CTRL + CTR_ACC) == 1


@pytest.mark.parametrize(
    "fields", ({"xip": "ideal"}, {"core": Core.NATIVE_AS_REFERENCE}, {"core": Core.REFERENCE})
)
def test_ideal_and_the_reference_core_cost_and_count_nothing(fields):
    board = board_with(**fields)
    set_up_ssi(board, 6)
    assert [cost_of_load(board, CACHED + 0x1000 + 0x100 * step) for step in range(3)] == [LDR_CYCLES] * 3
    assert board.read_word(XIP_CTRL + CTR_HIT) == board.read_word(XIP_CTRL + CTR_ACC) == 0


def test_a_reset_empties_cache_and_counters(loads):
    loads.load(CACHED + 0x800)
    loads.load(CACHED + 0x800)
    loads.control.write_uint32(CTRL, 0)
    loads.control.reset()
    assert loads.counted() == (0, 0)
    assert loads.load(CACHED + 0x800) == LDR_CYCLES + LINE_CYCLES
    assert loads.load(CACHED + 0x800) == LDR_CYCLES
