"""Interrupts at every instruction of small programs: our core beside rp2040py's, equal after each."""

from array import array
from itertools import product
from operator import attrgetter

import pytest
from stimbench.emulator.core_pair import CODE, FLASH, RAM, WINDOW, bare_chip
from stimbench.emulator.native.cortex_m0 import NativeCore

STEPS = 44
MAIN, PROCESS = RAM + 0x604, RAM + 0x308
SYSTICK, ICSR, PENDSVSET = 0xE000E010, 0xE000ED04, 1 << 28
NOP, WFI, WFE, SEV, SVC, CPSID, CPSIE, BX_LR = 0xBF00, 0xBF30, 0xBF20, 0xBF40, 0xDF00, 0xB672, 0xB662, 0x4770
ISB, MSR_PSP, MSR_CONTROL = (0xF3BF, 0x8F6F), (0xF380, 0x8809), (0xF381, 0x8814)
MSR_PRIMASK, MRS_PRIMASK, MRS_IPSR = (0xF382, 0x8810), (0xF3EF, 0x8310), (0xF3EF, 0x8305)
PUSH_4, POP_4_PC, PUSH_ALL, POP_ALL = 0xB510, 0xBD10, 0xB50F, 0xBC0F
PEND_SV = 0x602E  # STR R6, [R5]
POP_4, POP_PC, ADD_SP_4 = 0xBC10, 0xBD00, 0xB001
BL_6, STM_0, LDM_0 = (0xF000, 0xF804), 0xC00E, 0xC80E
FOREVER = 0xE7FE
NMI, PENDSV, SYSTICKED = "nmi", "pendsv", "systick"


def adds(register, amount):
    return 0x3000 | register << 8 | amount


def movs(register, value):
    return 0x2000 | register << 8 | value


def branch(opcode, halfwords):
    """`opcode` with a jump by so many halfwords, from its own place."""
    return opcode | (halfwords - 2) & (0xFF if opcode < 0xE000 else 0x7FF)


PROGRAMS = {
    "loop": (movs(1, 3), adds(2, 5), 0x3901, branch(0xD100, -2), 0x4348, adds(3, 1), branch(0xE000, -6)),
    "primask": (
        *(CPSID, adds(1, 1), adds(2, 1), CPSIE, adds(3, 1), movs(2, 1), *MSR_PRIMASK, adds(4, 1)),
        *(*MRS_PRIMASK, movs(2, 0), *MSR_PRIMASK, branch(0xE000, -15)),
    ),
    "wfi": (adds(1, 1), WFI, adds(2, 1), CPSID, adds(3, 1), WFI, CPSIE, adds(4, 1), FOREVER),
    "wfe": (adds(1, 1), SEV, WFE, adds(2, 1), WFE, adds(3, 1), WFE, adds(4, 1), FOREVER),
    "svc": (adds(1, 1), SVC, adds(2, 1), SVC, SVC, *MRS_IPSR, adds(4, 1), branch(0xE000, -8)),
    "process stack": (
        *(movs(1, 2), *MSR_PSP, *MSR_CONTROL, *ISB, PUSH_ALL, adds(4, 1), POP_ALL, ADD_SP_4, adds(3, 1)),
        *(SVC, movs(1, 0), *MSR_CONTROL, adds(4, 1), branch(0xE000, -18)),
    ),
    "unprivileged": (
        *(movs(1, 3), *MSR_PSP, *MSR_CONTROL, *ISB, adds(4, 1), SVC, PUSH_4, POP_4, ADD_SP_4, FOREVER),
    ),
    "call": (
        *(*BL_6, adds(1, 1), branch(0xE000, -3), NOP, NOP),
        *(PUSH_ALL, STM_0, 0x380C, LDM_0, POP_ALL, POP_PC),
    ),
    "pendsv": (
        *(adds(1, 1), CPSID, PEND_SV, adds(2, 1), CPSIE, adds(3, 1), PEND_SV, adds(4, 1), branch(0xE000, -8)),
    ),
    "systick": (0x6041, 0x6081, 0x6002, adds(3, 1), CPSID, adds(4, 1), adds(3, 2), CPSIE, branch(0xE000, -5)),
}
HANDLERS = {
    2: [adds(7, 1), BX_LR],
    11: [PUSH_4, adds(4, 1), POP_4_PC],
    14: [PUSH_4, MRS_IPSR[0], MRS_IPSR[1], adds(7, 3), POP_4_PC],
    15: [adds(7, 5), CPSID, adds(7, 1), CPSIE, NOP, BX_LR],
    16 + 5: [PEND_SV, adds(7, 7), BX_LR],
    16 + 26: [PUSH_4, SVC, adds(7, 9), POP_4_PC],
    16 + 31: [adds(7, 11), WFE, SEV, BX_LR],
}
OTHER_HANDLER = [adds(7, 13), adds(7, 1), BX_LR]
LEVELS = {  # by line, 1 by default; SHPR2: SVC; SHPR3: PendSV and SysTick
    "alike": ({}, 0, 0),
    "nested": ({5: 2, 12: 1, 26: 3, 31: 0}, 1 << 30, 3 << 22 | 2 << 30),
    "reversed": ({5: 0, 12: 3, 26: 0, 31: 3}, 3 << 30, 0 << 22 | 1 << 30),
}
EVENTS = (5, 12, 26, 31, NMI, PENDSV, SYSTICKED)
SECOND = ((None, 0), (26, 0), (12, 1), (31, 2), (PENDSV, 3), (NMI, 2), (SYSTICKED, 5))
STATE = attrgetter(
    *("apsr", "cycles", "waiting", "event_registered", "pm", "n_priv", "sp_sel", "banked_sp", "ipsr"),
    *("current_mode", "pending_svcall", "pending_interrupts", "interrupts_updated", "pending_nmi"),
    *("pending_pend_sv", "pending_systick", "enabled_interrupts"),
)


class Bench:
    """Two chips with the same program and handlers."""

    def __init__(self):
        self.chips = [bare_chip(), bare_chip()]
        ours = self.chips[1]
        ours.core = NativeCore(ours)
        ours.core.follow_reference = True
        self.cores = [chip.core for chip in self.chips]
        self.registers = [memoryview(core.registers).cast("B") for core in self.cores]
        self.ram = [memoryview(chip.sram)[:WINDOW] for chip in self.chips]
        for chip in self.chips:
            for number in range(2, 48):
                at = 0x1000 + number * 0x20
                chip.flash[4 * number : 4 * number + 4] = (FLASH + at).to_bytes(4, "little")
                code = array("H", HANDLERS.get(number, OTHER_HANDLER)).tobytes()
                chip.flash[at : at + len(code)] = code
        self.taken = set()
        self.compared = 0

    def program(self, name):
        code = array("H", (*PROGRAMS[name], NOP, NOP)).tobytes()
        for chip in self.chips:
            chip.flash[CODE - FLASH : CODE - FLASH + len(code)] = code

    def start(self, levels, name):
        lines, shpr2, shpr3 = levels
        registers = array("I", [0] * 16)
        registers[0] = SYSTICK if name == "systick" else PROCESS
        registers[1], registers[2] = 19, 7
        registers[5], registers[6] = ICSR, PENDSVSET
        registers[13], registers[15] = MAIN, CODE
        for chip, core, view, ram in zip(self.chips, self.cores, self.registers, self.ram, strict=True):
            chip.ppb.reset()
            core.vtor, core.shpr2, core.shpr3 = FLASH, shpr2, shpr3
            core.enabled_interrupts = 0xFFFFFFFF
            for priority in range(4):
                core.interrupt_priorities[priority] = sum(
                    1 << line for line in range(32) if lines.get(line, 1) == priority
                )
            core.pending_interrupts = core.ipsr = core.current_mode = core.sp_sel = 0
            core.apsr = core.cycles = 0
            core.pm = core.n_priv = core.waiting = core.event_registered = core.interrupts_updated = False
            core.pending_nmi = core.pending_pend_sv = core.pending_systick = core.pending_svcall = False
            core.banked_sp = PROCESS
            view[:] = registers.tobytes()
            ram[:] = bytes(WINDOW)

    def happen(self, event):
        for core in self.cores:
            if event == NMI:
                core.pending_nmi = True
            elif event == PENDSV:
                core.pending_pend_sv = True
            elif event == SYSTICKED:
                core.pending_systick = True
            elif event is not None:
                core.set_interrupt(event, True)
                continue
            core.interrupts_updated = True

    def run(self, events):
        """`events` by the number of instructions before them; both cores are compared after each."""
        last = max(events)
        for step in range(STEPS):
            for event in events.get(step, ()):
                self.happen(event)
            for chip, core in zip(self.chips, self.cores, strict=True):
                cycles = 1 if core.waiting else core.execute_instruction()
                chip.clock.tick(8 * cycles)
                if 16 <= core.ipsr < 16 + 26:  # its peripheral is served
                    core.set_interrupt(core.ipsr - 16, False)
            reference, ours = self.cores
            assert self.registers[0].tobytes() == self.registers[1].tobytes(), step
            assert STATE(reference) == STATE(ours), step
            assert self.ram[0].tobytes() == self.ram[1].tobytes(), step
            self.compared += 1
            self.taken.add(ours.ipsr)
            if ours.waiting and step > last:
                break


@pytest.fixture(scope="module")
def bench():
    return Bench()


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_at_every_instruction(bench, name, levels):
    bench.program(name)
    for at, first, (second, later) in product(range(16), EVENTS, SECOND):
        events = {at: [first]}
        if second is not None:
            events.setdefault(at + later, []).append(second)
        bench.start(LEVELS[levels], name)
        try:
            bench.run(events)
        except AssertionError as error:
            raise AssertionError(f"{name}, {levels}, {events}: after instruction {error}") from error


def test_every_exception_is_taken():
    bench = Bench()
    for name, event in product(PROGRAMS, EVENTS):
        bench.program(name)
        bench.start(LEVELS["nested"], name)
        bench.run({3: [event]})
    assert bench.taken == {0, 2, 11, 14, 15, 16 + 5, 16 + 12, 16 + 26, 16 + 31}
    assert bench.compared > len(PROGRAMS) * len(EVENTS) * 10
