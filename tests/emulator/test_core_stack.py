"""How deep the stack was: outside handlers, and what handlers put on top, wherever they came."""

from array import array

import pytest
from stimbench.emulator.core_pair import CODE, FLASH, RAM, bare_chip
from stimbench.emulator.native.cortex_m0 import NativeCore

TOP = RAM + 0x600
LINE = 26  # a level that the chip does not hold: it is taken once
PUSH_3, POP_3, SUB_16, ADD_16, NOP = 0xB407, 0xBC07, 0xB084, 0xB004, 0xBF00
PUSH_4_LR, POP_4_PC = 0xB510, 0xBD10
FRAME_BYTES = 32  # DDI 0419 B1.5.6
PROGRAM = (PUSH_3, SUB_16, NOP, ADD_16, POP_3, NOP, NOP, NOP, NOP)
HANDLER = (SUB_16, ADD_16, PUSH_4_LR, POP_4_PC)
HANDLER_BYTES = FRAME_BYTES + 16


@pytest.fixture
def core():
    chip = bare_chip()
    made = chip.core = NativeCore(chip)
    handler = 0x1000
    chip.flash[4 * (16 + LINE) : 4 * (16 + LINE) + 4] = (FLASH + handler).to_bytes(4, "little")
    for at, code in ((CODE - FLASH, PROGRAM), (handler, HANDLER)):
        chip.flash[at : at + 2 * len(code)] = array("H", code).tobytes()
    made.vtor, made.enabled_interrupts = FLASH, 1 << LINE
    made.interrupt_priorities[0] = 0xFFFFFFFF
    made.registers[13], made.registers[15] = TOP, CODE
    return made


def step(core, count, interrupt_before=None):
    for number in range(count):
        if number == interrupt_before:
            core.pending_interrupts |= 1 << LINE
            core.interrupts_updated = True
        core.execute_instruction()


def test_nothing_ran(core):
    assert core.stack_used == (0xFFFFFFFF, 0)


def test_the_lowest_outside_handlers_stays(core):
    step(core, 1)
    assert core.stack_used == (TOP - 12, 0)
    step(core, 6)
    assert core.registers[13] == TOP and core.stack_used == (TOP - 28, 0)
    core.watch_stack()
    assert core.stack_used == (0xFFFFFFFF, 0), "anew"


@pytest.mark.parametrize("before", range(1, 6))
def test_a_handler_counts_from_where_it_came(core, before):
    step(core, 5 + len(HANDLER) + 2, before)
    lowest, most = core.stack_used
    assert core.registers[13] == TOP
    assert lowest == TOP - 28, "what a handler uses is not the thread's"
    aligned = (4 if core_depth(before) % 8 else 0) + HANDLER_BYTES
    assert most == aligned


def core_depth(before):
    """Of the thread's stack when the interrupt comes, in bytes."""
    return (0, 12, 28, 28, 12, 0, 0)[before]
