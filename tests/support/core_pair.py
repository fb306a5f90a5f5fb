"""Two CPU cores beside each other: rp2040py's as the reference, and ours, on chips of their own."""

import random
from array import array

from rp2040py.rp2040 import RP2040
from stimbench.emulator.native.cortex_m0 import NativeCore

RAM, FLASH = 0x20000000, 0x10000000
WINDOW = 0x400
"""Bytes of RAM, from `RAM`, that are set, reached by loads and stores, and compared."""
CODE = FLASH + 0x400
EDGES = (0, 1, 2, 31, 32, 33, 255, 256, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF)


class _Silent:
    def debug(self, component, message):
        pass

    info = warning = error = debug


class CorePair:
    """One state in two cores; one instruction in each; what differs."""

    def __init__(self, follow_reference: bool) -> None:
        self.reference = self._chip()
        ours = self._chip()
        self.core = NativeCore(ours)
        ours.core = self.core
        self.core.follow_reference = follow_reference
        self.ours = ours
        self.chips = (self.reference, ours)
        for chip in self.chips:
            chip.flash[:0x1000] = bytes(range(256)) * 16
            chip.bootrom[:64] = array("I", [0x20000200 + i * 4 for i in range(64)])
            chip.core.vtor = FLASH

    @staticmethod
    def _chip():
        chip = RP2040()
        chip.logger = _Silent()
        chip.peripherals = {}
        return chip

    def set(self, opcode: int, opcode2: int, registers: list[int], apsr: int, ram: bytes) -> None:
        code = (opcode | opcode2 << 16).to_bytes(4, "little")
        for chip in self.chips:
            core = chip.core
            core.registers[:] = array("I", [*registers[:13], registers[13] & ~3, registers[14], CODE])
            core.apsr = apsr
            core.waiting = core.event_registered = core.pm = core.n_priv = False
            core.current_mode = core.sp_sel = core.ipsr = 0
            core.pending_svcall = core.interrupts_updated = False
            core.banked_sp = RAM + 0x300
            core.cycles = 0
            chip.sram[:WINDOW] = ram
            chip.flash[CODE - FLASH : CODE - FLASH + 4] = code

    def step(self) -> None:
        for chip in self.chips:
            chip.core.execute_instruction()

    def states(self) -> list[tuple]:
        return [
            (
                list(chip.core.registers),
                chip.core.apsr,
                chip.core.cycles,
                bytes(chip.sram[:WINDOW]),
                chip.core.waiting,
                chip.core.event_registered,
                chip.core.pm,
                chip.core.sp_sel,
                chip.core.banked_sp,
                chip.core.ipsr,
                chip.core.pending_svcall,
                chip.core.interrupts_updated,
            )
            for chip in self.chips
        ]


def random_registers(rng: random.Random) -> list[int]:
    """Edge values, addresses in the window, in flash, and anything."""
    values = []
    for _ in range(15):
        kind = rng.random()
        if kind < 0.35:
            values.append(rng.choice(EDGES))
        elif kind < 0.7:
            values.append(RAM + (rng.randrange(0x100, WINDOW - 0x100) & ~3))
        elif kind < 0.8:
            values.append(FLASH + (rng.randrange(0x800) & ~3))
        else:
            values.append(rng.getrandbits(32))
    values[13] = RAM + 0x200 + 4 * rng.randrange(16)
    return values


def compare(opcodes, tries: int, seed: int, follow_reference: bool = True):
    """Run each opcode `tries` times on both; yields (opcode, registers, apsr, the two states) of what differs."""
    pair = CorePair(follow_reference)
    rng = random.Random(seed)
    for opcode in opcodes:
        for _ in range(tries):
            registers = random_registers(rng)
            apsr = rng.getrandbits(4) << 28
            opcode2 = wide_half(rng) if opcode >> 11 == 0b11110 else rng.getrandbits(16)
            ram = rng.randbytes(WINDOW)
            pair.set(opcode, opcode2, registers, apsr, ram)
            pair.step()
            reference, ours = pair.states()
            if reference != ours:
                yield opcode, opcode2, registers, apsr, reference, ours


def wide_half(rng: random.Random) -> int:
    """The second half of a wide instruction, most often of one that exists."""
    kind = rng.random()
    if kind < 0.4:
        return 0xD000 | rng.getrandbits(14) & 0x2FFF | 0x1000
    if kind < 0.5:
        return rng.choice((0x8F4F, 0x8F5F, 0x8F6F))
    if kind < 0.9:
        return rng.choice((0x8000, 0x8800)) | rng.choice((0, 3, 5, 8, 9, 16, 20)) | rng.randrange(13) << 8 & 0x700
    return rng.getrandbits(16)
