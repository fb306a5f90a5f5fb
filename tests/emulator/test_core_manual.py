"""Where rp2040py's core departs from the ARMv6-M manual, ours does what the manual's pseudocode says."""

import random
from itertools import product

import pytest
from stimbench.emulator.core_pair import CODE, EDGES, FLASH, RAM, bare_chip
from stimbench.emulator.native.cortex_m0 import NativeCore
from support.core_model import C, N, V, Z, add_with_carry, flags, shift_c

STATES = 400
HANDLER, THREAD = 1, 0
ADCS, SBCS = 0x4140, 0x4180
PUSH, POP = 0xB500, 0xBD00


class Cpu:
    """One core of ours on a chip without peripherals."""

    def __init__(self):
        self.chip = bare_chip()
        self.core = NativeCore(self.chip)
        self.chip.core = self.core
        self.registers = self.core.registers
        self.core.vtor = FLASH
        self.core.interrupt_priorities[0] = 0xFFFFFFFF

    def run(self, *opcodes, at=CODE):
        """The instruction at `at`; its cycles."""
        for index, opcode in enumerate(opcodes):
            self.chip.flash[at - FLASH + 2 * index :][:2] = opcode.to_bytes(2, "little")
        self.registers[15] = at
        return self.core.execute_instruction()

    def word(self, address, value=None):
        if value is not None:
            self.chip.write_uint32(address, value)
        return self.chip.read_uint32(address)


@pytest.fixture
def cpu():
    return Cpu()


def words(seed):
    rng = random.Random(seed)
    for _ in range(STATES):
        yield [rng.choice(EDGES) if rng.random() < 0.6 else rng.getrandbits(32) for _ in range(2)] + [
            rng.getrandbits(4) << 28
        ]


def two_registers(cpu, opcode, first, second, apsr):
    """`opcode` R1, R2."""
    cpu.registers[1], cpu.registers[2] = first, second
    cpu.core.apsr = apsr
    assert cpu.run(opcode | 2 << 3 | 1) == 1
    return cpu.registers[1], cpu.core.apsr


def adds(cpu, opcode, first, second, apsr):
    """ADCS, or SBCS as the addition that the manual makes of it."""
    addend = second if opcode == ADCS else ~second & 0xFFFFFFFF
    result, carry, overflow = add_with_carry(first, addend, bool(apsr & C))
    assert two_registers(cpu, opcode, first, second, apsr) == (result, flags(apsr, result, carry, overflow))


@pytest.mark.parametrize("second", (0, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFF))
def test_adcs_of_the_largest_with_carry(cpu, second):
    adds(cpu, ADCS, 0x7FFFFFFF, second, C)


def test_adcs(cpu):
    for first, second, apsr in words(1):
        adds(cpu, ADCS, first, second, apsr)


@pytest.mark.parametrize("first", (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
def test_sbcs_of_the_largest_with_borrow(cpu, first):
    adds(cpu, SBCS, first, 0x7FFFFFFF, 0)


def test_sbcs(cpu):
    for first, second, apsr in words(2):
        adds(cpu, SBCS, first, second, apsr)


SHIFTS = {"lsl": 0x4080, "lsr": 0x40C0, "asr": 0x4100, "ror": 0x41C0}
AMOUNTS = (*range(36), 63, 64, 65, 96, 128, 254, 255, 256, 0x80000000, 0xFFFFFF00, 0xFFFFFF20, 0xFFFFFFFF)


@pytest.mark.parametrize("kind", SHIFTS)
def test_shifts_by_a_register(cpu, kind):
    for amount, value, apsr in product(AMOUNTS, (*EDGES, 0x12345678, 0xEDCBA987), (0, C, V | N, Z | C)):
        result, carry = shift_c(value, amount & 0xFF, bool(apsr & C), kind)
        assert two_registers(cpu, SHIFTS[kind], value, amount, apsr) == (result, flags(apsr, result, carry))


@pytest.mark.parametrize("kind", SHIFTS)
def test_shifts_by_the_shifted_register_itself(cpu, kind):
    for value in (*AMOUNTS, *EDGES):
        for apsr in (0, C):
            cpu.registers[1] = value
            cpu.core.apsr = apsr
            cpu.run(SHIFTS[kind] | 1 << 3 | 1)
            result, carry = shift_c(value, value & 0xFF, bool(apsr & C), kind)
            assert (cpu.registers[1], cpu.core.apsr) == (result, flags(apsr, result, carry))


@pytest.mark.parametrize("base", range(8))
def test_stmia_writes_back_even_to_a_base_in_its_list(cpu, base):
    rng = random.Random(base)
    for _ in range(STATES // 4):
        listed = rng.getrandbits(8) | 1 << base
        values = [rng.getrandbits(32) for _ in range(8)]
        values[base] = RAM + 4 * rng.randrange(100)
        for number, value in enumerate(values):
            cpu.registers[number] = value
        stored = [number for number in range(8) if listed >> number & 1]
        assert cpu.run(0xC000 | base << 8 | listed) == 1 + len(stored)
        assert cpu.registers[base] == values[base] + 4 * len(stored)
        for index, number in enumerate(stored):
            if number != base or index == 0:  # else the manual leaves the stored base unknown
                assert cpu.word(values[base] + 4 * index) == values[number]


@pytest.mark.parametrize("base", range(8))
def test_ldmia_leaves_a_loaded_base(cpu, base):
    rng = random.Random(base)
    for _ in range(STATES // 4):
        listed = rng.getrandbits(8) or 1
        address = RAM + 4 * rng.randrange(100)
        loaded = [number for number in range(8) if listed >> number & 1]
        values = [cpu.word(address + 4 * index, rng.getrandbits(32)) for index in range(len(loaded))]
        cpu.registers[base] = address
        assert cpu.run(0xC800 | base << 8 | listed) == 1 + len(loaded)
        assert [cpu.registers[number] for number in loaded] == values
        if base not in loaded:
            assert cpu.registers[base] == address + 4 * len(loaded)


def test_blx_goes_to_what_was_in_lr(cpu):
    rng = random.Random(3)
    for _ in range(STATES):
        target = rng.getrandbits(32) | 1
        cpu.registers[14] = target
        assert cpu.run(0x4780 | 14 << 3) == 2
        assert (cpu.registers[15], cpu.registers[14]) == (target & ~1, CODE + 2 | 1)


def test_bx_of_pc_reads_it_four_ahead(cpu):
    assert cpu.run(0x4700 | 15 << 3) == 2
    assert cpu.registers[15] == CODE + 4


def test_cmp_reads_pc_four_ahead(cpu):
    for first, _, apsr in [*words(4), [CODE + 4, 0, 0], [CODE + 2, 0, 0]]:
        cpu.registers[8] = first
        for opcode, a, b in ((0x4580 | 15 << 3, first, CODE + 4), (0x4580 | 8 << 3 | 7, CODE + 4, first)):
            cpu.core.apsr = apsr
            cpu.run(opcode & 0xFF78 | (0 if a == first else 7) | 0x80)
            result, carry, overflow = add_with_carry(a, ~b & 0xFFFFFFFF, 1)
            assert cpu.core.apsr == flags(apsr, result, carry, overflow)


def test_push_and_pop_cycles(cpu):
    """DDI 0484, table 3-1: 1 + N, and 3 + N for POP into PC; N counts LR and PC."""
    for listed in range(256):
        count = listed.bit_count()
        cpu.registers[13] = RAM + 0x200
        cpu.registers[14] = CODE + 0x101
        assert cpu.run(PUSH | listed) == 1 + count + 1
        assert cpu.registers[13] == RAM + 0x200 - 4 * (count + 1)
        assert cpu.word(RAM + 0x1FC) == CODE + 0x101
        assert cpu.run(POP | listed) == 3 + count + 1
        assert (cpu.registers[13], cpu.registers[15]) == (RAM + 0x200, CODE + 0x100)
        cpu.registers[13] = RAM + 0x100
        assert cpu.run(0xB400 | listed) == 1 + count
        assert cpu.run(0xBC00 | listed) == 1 + count


def msr(cpu, number, value):
    cpu.registers[1] = value
    assert cpu.run(0xF381, 0x8800 | number) == 3


def mrs(cpu, number):
    cpu.registers[1] = 0xDEADBEEF
    assert cpu.run(0xF3EF, 0x8100 | number) == 3
    return cpu.registers[1]


@pytest.mark.parametrize("number", range(8))
def test_xpsr_by_msr_and_mrs(cpu, number):
    """B5.2.2 and B5.2.3: bit 2 leaves APSR out, bit 0 adds IPSR; EPSR reads as zero; IPSR ignores writes."""
    for value, _, apsr in words(number):
        cpu.core.current_mode, cpu.core.ipsr, cpu.core.apsr = HANDLER, 15, apsr
        msr(cpu, number, value)
        assert cpu.core.ipsr == 15
        apsr = apsr if number & 4 else value & 0xF0000000
        assert cpu.core.apsr == apsr
        assert mrs(cpu, number) == (0 if number & 4 else apsr) | (15 if number & 1 else 0)


@pytest.mark.parametrize("selected", (0, 1))
def test_stack_pointers_by_msr_are_aligned(cpu, selected):
    for value, other, _ in words(5):
        cpu.core.sp_sel = selected
        msr(cpu, 8, value)
        msr(cpu, 9, other)
        assert (mrs(cpu, 8), mrs(cpu, 9)) == (value & ~3, other & ~3)
        assert cpu.registers[13] == (other if selected else value) & ~3


def test_special_registers_without_privilege(cpu):
    core = cpu.core
    core.n_priv, core.current_mode = True, THREAD
    cpu.registers[13], core.banked_sp, core.pm = RAM + 0x100, RAM + 0x200, True
    for number in (8, 9, 16, 20):
        msr(cpu, number, 0)
    assert (cpu.registers[13], core.banked_sp, core.pm, core.n_priv) == (RAM + 0x100, RAM + 0x200, True, True)
    assert [mrs(cpu, number) for number in (8, 9, 16, 20)] == [0, 0, 0, 1]
    cpu.run(0xB662)
    assert core.pm
    core.pm = False
    cpu.run(0xB672)
    assert not core.pm


def pend(cpu, number):
    cpu.core.enabled_interrupts = 1 << number
    cpu.core.set_interrupt(number, True)


def test_the_vector_s_bit_0_is_not_kept_in_pc(cpu):
    for number in range(26):
        handler = CODE + 0x100 + 4 * number
        cpu.chip.flash[4 * (16 + number) :][:4] = (handler | 1).to_bytes(4, "little")
        cpu.chip.flash[handler - FLASH :][:2] = (0x4678).to_bytes(2, "little")  # MOV R0, PC
        cpu.core.current_mode = cpu.core.ipsr = cpu.core.pending_interrupts = 0
        cpu.registers[13] = RAM + 0x200
        pend(cpu, number)
        cpu.run(0xBF00)
        assert (cpu.registers[0], cpu.registers[15], cpu.core.ipsr) == (handler + 4, handler + 2, 16 + number)


def test_wfi_under_primask_ends_and_the_handler_waits(cpu):
    core = cpu.core
    cpu.registers[13] = RAM + 0x200
    core.pm = True
    cpu.run(0xBF30)
    assert core.waiting
    pend(cpu, 3)
    assert (core.waiting, core.ipsr, core.pending_interrupts) == (False, 0, 8)
    cpu.run(0xBF00)
    assert core.ipsr == 0
    cpu.run(0xB662)
    cpu.run(0xBF00)
    assert core.ipsr == 16 + 3


def test_wfi_with_an_interrupt_pending_does_not_wait(cpu):
    core = cpu.core
    core.pm = True
    pend(cpu, 3)
    cpu.run(0xBF00)
    cpu.run(0xBF30)
    cpu.run(0xBF00)
    assert (core.waiting, core.ipsr, cpu.registers[15]) == (False, 0, CODE + 2)


def test_wfe_under_primask_waits_on(cpu):
    core = cpu.core
    core.pm = True
    cpu.run(0xBF20)
    assert core.waiting
    pend(cpu, 3)
    assert core.waiting


def test_wfi_in_a_handler_waits_for_a_higher_priority(cpu):
    core = cpu.core
    cpu.registers[13] = RAM + 0x200
    core.current_mode, core.ipsr = HANDLER, 16 + 4
    for level, lines in enumerate((1 << 6, 0, 1 << 4, ~(1 << 4 | 1 << 6) & 0xFFFFFFFF)):
        core.interrupt_priorities[level] = lines
    cpu.run(0xBF30)
    core.enabled_interrupts = 0xFFFFFFFF
    core.set_interrupt(5, True)
    assert core.waiting
    core.set_interrupt(6, True)
    assert (core.waiting, core.ipsr) == (False, 16 + 6)


def test_an_nmi_does_not_interrupt_itself(cpu):
    core = cpu.core
    cpu.registers[13] = RAM + 0x200
    core.current_mode, core.ipsr, core.pending_nmi, core.interrupts_updated = HANDLER, 2, True, True
    cpu.run(0xBF00)
    assert (core.ipsr, core.pending_nmi, cpu.registers[15]) == (2, True, CODE + 2)
